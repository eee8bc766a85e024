"""The strands that a data set speaks on are told from its training sequences."""

from pathlib import Path

import numpy as np
import pytest

import motiflens
from motiflens.datasets.strands import reads_both_strands, strand_share
from motiflens.sequences import reverse_complement_string
from motiflens.simulation import tutorial_grammar

DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.mark.parametrize("n", [60, 400])
@pytest.mark.parametrize("strands", ["forward", "both"])
def test_simulated_strands_are_told(n: int, strands: str) -> None:
    for seed in range(3):
        grammar = tutorial_grammar(n=n, strands=strands)
        dataset = motiflens.simulate(grammar, seed)
        assert reads_both_strands(dataset) == (strands == "both")


def test_the_other_strand_gives_the_same_answer() -> None:
    dataset = motiflens.simulate(tutorial_grammar(n=200), 0)
    flipped = motiflens.SequenceDataset.from_sequences(
        [reverse_complement_string(s) for s in dataset.sequences()], dataset.labels
    )
    assert strand_share(flipped) == pytest.approx(strand_share(dataset), abs=0.1)
    assert not reads_both_strands(flipped)


def test_without_a_signal_and_in_short_sequences_both_strands_count() -> None:
    same = motiflens.SequenceDataset.from_sequences(["ACGTTGCA", "ACGTTGCA"], [0, 1])
    assert reads_both_strands(same)
    short = motiflens.SequenceDataset.from_sequences(["ACG", "ACT"], [0, 1])
    assert reads_both_strands(short)


def test_padding_and_n_make_no_words() -> None:
    generator = np.random.default_rng(0)
    sequences = ["".join(generator.choice(list("ACGT"), 30)) for _ in range(80)]
    marked = [s[:5] + "NNNNNNNNNN" * (i % 2) + s[5:] for i, s in enumerate(sequences)]
    labels = [i % 2 for i in range(80)]
    with_n = motiflens.SequenceDataset.from_sequences(marked, labels)
    assert strand_share(with_n) == strand_share(with_n)
    assert abs(strand_share(with_n)) < 2


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared test data are not here")
def test_published_sets_are_told() -> None:
    primer = motiflens.read(
        DATA / "primer" / "sequences.txt", labels=DATA / "primer" / "labels.txt"
    )
    assert strand_share(primer) < 0.1
    for factor in ("CTCF", "JUND", "EP300"):
        peaks = motiflens.read(DATA / "fastsk_tfbs" / f"{factor}.train.fasta")
        assert strand_share(peaks) > 0.8
