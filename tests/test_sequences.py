"""Codes, strands, sites and shuffles."""

from __future__ import annotations

import itertools
import re
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from motiflens.errors import InputError
from motiflens.sequences import (
    IUPAC,
    ONE_HOT,
    PAD,
    Site,
    decode,
    encode,
    format_sites,
    iupac_codes,
    one_hot,
    parse_sites,
    reverse_complement,
    reverse_complement_codes,
    reverse_complement_string,
)
from motiflens.shuffles import dinucleotide_shuffle, shuffle

LETTERS = st.text(alphabet="ACGTN", max_size=30)
SETS = st.lists(LETTERS, max_size=6)


def dinucleotides(text: str) -> Counter[tuple[str, str]]:
    return Counter(itertools.pairwise(text))


def test_codes_of_known_letters():
    codes, lengths = encode(["ACGTN", "acgtn", "tG"])
    assert codes.dtype == np.uint8
    assert lengths.dtype == np.int32
    assert codes.tolist() == [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4], [3, 2, PAD, PAD, PAD]]
    assert lengths.tolist() == [5, 5, 2]


def test_no_sequences_give_an_empty_array():
    codes, lengths = encode([])
    assert codes.shape == (0, 0)
    assert decode(codes, lengths) == []


@given(SETS)
def test_decoding_gives_back_what_was_encoded(sequences):
    assert decode(*encode(sequences)) == sequences
    assert decode(*encode([text.lower() for text in sequences])) == sequences


@pytest.mark.parametrize("letter", ["X", "-", " ", "\n", "R", "é", "Ａ", "\0"])
def test_another_letter_is_named_with_its_place(letter):
    with pytest.raises(InputError, match=r"at position 4 of sequence 3") as caught:
        encode(["ACGTACGT", "AC", f"ACG{letter}T{letter}", "GGGXGG"])
    assert repr(letter) in str(caught.value)


def test_other_letter_after_an_empty_sequence_is_placed_right():
    with pytest.raises(InputError, match="at position 1 of sequence 4"):
        encode(["AC", "", "", "?", ""])


def test_one_hot_agrees_with_its_table():
    codes, _ = encode(["ACGTNAC", "TTN"])
    encoded = one_hot(codes)
    assert encoded.shape == (2, 4, 7)
    assert encoded.dtype == np.float32
    np.testing.assert_array_equal(encoded, ONE_HOT[codes].transpose(0, 2, 1))
    assert encoded[0].argmax(axis=0)[:4].tolist() == [0, 1, 2, 3]
    assert encoded[0, :, 4].sum() == 0
    assert encoded[1, :, 3:].sum() == 0


def test_reverse_complement_of_arrays_and_tensors_is_that_of_the_string():
    text = "AACGTGCATTN"
    encoded = one_hot(encode([text, text[::-1], "A" * 11])[0])
    expected = one_hot(encode([reverse_complement_string(text)])[0])[0]
    np.testing.assert_array_equal(reverse_complement(encoded)[0], expected)
    tensor = torch.from_numpy(encoded)
    np.testing.assert_array_equal(reverse_complement(tensor).numpy()[0], expected)
    torch.from_numpy(reverse_complement(encoded))  # torch refuses negative strides


@given(SETS)
def test_reverse_complement_of_codes_is_that_of_the_strings(sequences):
    codes, lengths = encode(sequences)
    turned = reverse_complement_codes(codes, lengths)
    assert decode(turned, lengths) == [reverse_complement_string(s) if s else "" for s in sequences]
    np.testing.assert_array_equal(reverse_complement_codes(turned, lengths), codes)


def test_reverse_complement_of_every_iupac_letter():
    for letter, codes in IUPAC.items():
        other = reverse_complement_string(letter)
        assert sorted(IUPAC[other]) == sorted(3 - code for code in codes)
    assert reverse_complement_string("aCGRn") == "nYCGt"
    assert IUPAC["R"] == (0, 2)
    assert len(set(IUPAC.values())) == 15


@pytest.mark.parametrize("text", ["", "ACGX", "AC GT", "ß", "ACGU"])
def test_what_is_no_iupac_string_is_refused(text):
    with pytest.raises(InputError, match=re.escape(f"{text!r} is no motif")):
        iupac_codes(text)


NAMES = st.text(
    st.characters(exclude_characters=";", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=8
)
SITES = st.builds(
    lambda name, start, width, strand: Site(name, start, start + width, strand),
    NAMES,
    st.integers(0, 10**6),
    st.integers(1, 500),
    st.sampled_from("+-"),
)


@given(st.lists(SITES, max_size=4))
def test_sites_come_back_as_they_were(sites):
    assert parse_sites(format_sites(sites)) == sites


def test_sites_are_written_as_documented():
    sites = [Site("chr1:5-9:+", 3, 15, "-"), Site("b", 20, 21, "+")]
    assert format_sites(sites) == "chr1:5-9:+:3-15:-;b:20-21:+"
    assert parse_sites("") == []


@pytest.mark.parametrize(
    "text", ["a:1-2", "a:1-2:*", "a:2-2:+", "a:3-2:+", "a:-1-2:+", ":1-2:+", "a:1-2:+;", "a:1-²:+"]
)
def test_what_is_no_site_is_refused(text):
    with pytest.raises(InputError, match="is no site"):
        parse_sites(text)


@pytest.mark.parametrize(
    "site", [Site("a;b", 1, 2, "+"), Site("", 1, 2, "+"), Site("a", 2, 1, "+")]
)
def test_a_site_that_could_not_be_read_back_is_not_written(site):
    with pytest.raises(InputError):
        format_sites([site])


@given(SETS, st.integers(0, 99))
def test_shuffles_keep_counts_and_places_of_n(sequences, seed):
    codes, lengths = encode(sequences)
    before = codes.copy()
    plain = decode(shuffle(codes, lengths, np.random.default_rng(seed)), lengths)
    double = decode(dinucleotide_shuffle(codes, lengths, np.random.default_rng(seed)), lengths)
    np.testing.assert_array_equal(codes, before)
    for text, once, twice in zip(sequences, plain, double, strict=True):
        assert Counter(once) == Counter(text)
        assert dinucleotides(twice) == dinucleotides(text)
        n_places = [m.start() for m in re.finditer("N", text)]
        assert [m.start() for m in re.finditer("N", once)] == n_places
        assert [m.start() for m in re.finditer("N", twice)] == n_places


def test_shuffle_draws_every_order_equally_often():
    codes, lengths = encode(["ACNGG"] * 6000)
    drawn = Counter(decode(shuffle(codes, lengths, np.random.default_rng(0)), lengths))
    orders = {"".join(p[:2]) + "N" + "".join(p[2:]) for p in itertools.permutations("ACGG")}
    assert set(drawn) == orders
    assert chisquare(list(drawn.values())).pvalue > 0.001


@pytest.mark.parametrize("text", ["AACACGACTCA", "CCTCTTGTGC", "ACACACACACGA", "TTTTAGATAC"])
def test_dinucleotide_shuffle_is_uniform_over_all_that_keep_the_counts(text):
    inner = set(itertools.permutations(text[1:-1]))
    candidates = ("".join((text[0], *middle, text[-1])) for middle in inner)
    possible = {c for c in candidates if dinucleotides(c) == dinucleotides(text)}
    codes, lengths = encode([text] * (200 * len(possible)))
    shuffled = dinucleotide_shuffle(codes, lengths, np.random.default_rng(5))
    drawn = Counter(decode(shuffled, lengths))
    assert set(drawn) == possible
    assert len(possible) > 1
    assert chisquare(list(drawn.values())).pvalue > 0.001


def test_shuffles_change_long_sequences_and_repeat_with_the_seed():
    rng = np.random.default_rng(2)
    codes = rng.integers(0, 4, size=(3, 80), dtype=np.uint8)
    lengths = np.array([80, 80, 80], dtype=np.int32)
    for change in (shuffle, dinucleotide_shuffle):
        first = change(codes, lengths, np.random.default_rng(7))
        assert (first != codes).any(axis=1).all()
        np.testing.assert_array_equal(first, change(codes, lengths, np.random.default_rng(7)))
