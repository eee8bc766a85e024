from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motiflens.errors import InputError
from motiflens.sequences import canonical_kmers, encode, reverse_complement_string


def number(word: str) -> int:
    return int("".join(str("ACGT".index(letter)) for letter in word), 4)


@given(st.lists(st.text("ACGTN", max_size=40), min_size=1, max_size=4), st.integers(1, 31))
def test_words_are_those_of_the_letters_on_the_smaller_strand(sequences, k):
    codes, _ = encode(sequences)
    kmers, known = canonical_kmers(codes, k)
    assert kmers.shape == known.shape == (len(sequences), max(codes.shape[1] - k + 1, 0))
    for row, sequence in enumerate(sequences):
        words = {i: sequence[i : i + k] for i in range(len(sequence) - k + 1)}
        words = {i: word for i, word in words.items() if "N" not in word}
        assert np.flatnonzero(known[row]).tolist() == list(words)
        expected = [min(number(w), number(reverse_complement_string(w))) for w in words.values()]
        assert kmers[row][known[row]].tolist() == expected


@pytest.mark.parametrize("k", [0, 32])
def test_longer_words_would_not_fit(k):
    with pytest.raises(InputError, match=f"k is {k}; .*1 to 31 bases"):
        canonical_kmers(np.zeros((2, 50), dtype=np.uint8), k)
