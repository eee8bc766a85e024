"""How a run cuts its test and validation splits: the rule, its reason, and what stays together."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest

from motiflens.datasets import (
    Loci,
    SequenceDataset,
    concatenate,
    homology_groups,
    split_at_random,
    split_by_chromosome,
)
from motiflens.datasets.splits import split_by_homology
from motiflens.errors import InputError
from motiflens.io.negatives import bind, make_negatives
from motiflens.sequences import reverse_complement_string
from motiflens.settings import Settings
from motiflens.stages import splitting
from motiflens.stages.data import prepare
from motiflens.training.data import take_splits

WIDTH = 45


def letters(n: int, length: int, seed: int) -> list[str]:
    drawn = np.random.default_rng(seed).integers(0, 4, (n, length))
    return ["".join(row) for row in np.array(list("ACGT"))[drawn].tolist()]


def labelled(sequences: list[str], places: Loci | None = None) -> SequenceDataset:
    """Make every second sequence a positive."""
    labels = np.arange(len(sequences)) % 2
    return SequenceDataset.from_sequences(sequences, labels, coordinates=places)


def windows(n_loci: int, n_each: int) -> SequenceDataset:
    """Cut overlapping windows, 5 bases apart, out of unrelated loci; class by locus."""
    loci = letters(n_loci, WIDTH + 5 * n_each, seed=1)
    starts = [5 * number for number in range(n_each)]
    sequences = [locus[start : start + WIDTH] for locus in loci for start in starts]
    start = np.array([1000 * locus + start for locus in range(n_loci) for start in starts])
    n = len(sequences)
    chrom = np.repeat([f"chr{1 + locus % 3}" for locus in range(n_loci)], n_each)
    places = Loci(chrom, start, start + WIDTH, np.full(n, "+"))
    labels = np.repeat(np.arange(n_loci) % 2, n_each)
    return SequenceDataset.from_sequences(sequences, labels, coordinates=places)


def shared(dataset: SequenceDataset, one: str, other: str) -> int:
    """Count groups that have members in both splits."""
    groups = homology_groups(dataset)
    return len(set(groups[dataset.split == one]) & set(groups[dataset.split == other]))


class Found(NamedTuple):
    dataset: SequenceDataset
    rule: str
    notes: list[str]


def cut(dataset: SequenceDataset, settings: Settings, valid_fraction: float = 0.0) -> Found:
    notes: list[str] = []
    return Found(*splitting.cut(dataset, settings, valid_fraction, notes.append), notes)


def test_windows_on_a_genome_are_split_by_homology_validation_included():
    found = cut(windows(60, 4), Settings(), 0.1)
    assert found.rule == "homology"
    reason = "test split cut by homology, as the sequences are windows on a genome"
    assert found.notes[0].startswith(reason)
    assert {"train", "valid", "test"} == set(found.dataset.split)
    for pair in (("train", "valid"), ("train", "test"), ("valid", "test")):
        assert shared(found.dataset, *pair) == 0
    for part in ("valid", "test"):
        assert set(found.dataset.labels[found.dataset.split == part]) == {0, 1}


def test_few_near_copies_leave_a_random_split_and_more_do_not():
    sequences = letters(600, WIDTH, seed=2)
    few = cut(labelled([*sequences, sequences[0]]), Settings(), 0.1)
    assert few.rule == "random"
    assert "31 bases" in few.notes[0]
    expected = split_at_random(few.dataset.with_split(None), test=0.2, seed=0)
    assert few.dataset.split.tolist() == expected.split.tolist()
    turned = [reverse_complement_string(one) for one in sequences[:40]]
    many = cut(labelled([*sequences, *turned]), Settings(), 0.1)
    assert many.rule == "homology"
    assert shared(many.dataset, "train", "test") == shared(many.dataset, "train", "valid") == 0


def test_copies_of_short_sequences_are_kept_together_on_either_strand():
    sequences = letters(120, 20, seed=3)
    turned = [reverse_complement_string(one) for one in sequences[:20]]
    found = cut(labelled([*sequences, *turned]), Settings(), 0.1)
    assert found.rule == "homology"
    assert "would copy training sequences on either strand" in found.notes[0]
    assert shared(found.dataset, "train", "test") == 0


def test_one_large_group_is_split_at_random_and_that_is_said():
    locus = letters(1, 400, seed=4)[0]
    sequences = [locus[start : start + WIDTH] for start in range(0, 120, 2)]
    labels = [1] * 60 + [0] * 60
    data = SequenceDataset.from_sequences([*sequences, *letters(60, WIDTH, seed=5)], labels)
    found = cut(data, Settings(), 0.1)
    assert found.rule == "random"
    assert "60 of 60 positives are one group" in found.notes[0]
    assert "memory" in found.notes[0]


def test_a_rule_that_is_named_is_kept_and_says_nothing():
    data = windows(60, 4)
    assert cut(data, Settings(split="random"), 0.1).notes == []
    assert cut(data, Settings(split="random"), 0.1).rule == "random"
    clean = labelled(letters(100, WIDTH, seed=6))
    assert cut(clean, Settings(split="homology"), 0.1).rule == "homology"
    with pytest.raises(InputError, match="the data have none"):
        cut(clean, Settings(split="given"), 0.1)


def test_validation_is_cut_by_homology_where_the_test_split_is_given():
    data = windows(60, 4)
    split = np.where(np.arange(len(data)) < 200, "train", "test")
    found = cut(data.with_split(split), Settings(), 0.2)
    assert found.rule == "homology"
    assert (found.dataset.split == "test").tolist() == (split == "test").tolist()
    assert (found.dataset.split == "valid").any()
    assert shared(found.dataset, "train", "valid") == 0
    # With no model that validates there is nothing left to cut.
    assert cut(data.with_split(split), Settings()).rule == "given"


def test_validation_after_a_split_by_chromosome_is_cut_by_homology():
    settings = Settings(split="chromosome", test_chromosomes=("chr2",))
    found = cut(windows(60, 4), settings, 0.1)
    assert found.rule == "chromosome"
    on_two = found.dataset.coordinates.chrom == "chr2"
    assert (on_two == (found.dataset.split == "test")).all()
    assert (found.dataset.split == "valid").any()
    assert shared(found.dataset, "train", "valid") == 0
    own = replace(settings, valid_chromosomes=("chr3",))
    valid = cut(windows(60, 4), own, 0.1).dataset
    assert ((valid.coordinates.chrom == "chr3") == (valid.split == "valid")).all()


def with_shuffles(data: SequenceDataset) -> SequenceDataset:
    positives = data.with_split(None).subset(data.labels > 0)
    return bind(positives, make_negatives("shuffle", positives, seed=7))


@pytest.mark.parametrize("rule", ["random", "homology", "chromosome"])
def test_shuffles_stay_with_the_positives_that_they_are_made_of(rule):
    data = with_shuffles(windows(80, 2))
    chosen = ("chr1",) if rule == "chromosome" else ()
    found = cut(data, Settings(split=rule, test_chromosomes=chosen), 0.1).dataset
    n = len(data) // 2
    assert found.split[:n].tolist() == found.split[n:].tolist()
    assert {"train", "valid", "test"} == set(found.split)


def test_shuffles_stay_with_their_positives_beside_other_negatives():
    positives = with_shuffles(windows(80, 2))
    n = len(positives) // 2
    others = SequenceDataset.from_sequences(letters(50, WIDTH, seed=8), [0] * 50)
    whole = concatenate([positives, others])
    for split in (
        split_at_random(whole, test=0.2, seed=0),
        split_by_homology(whole, test=0.2, seed=0),
    ):
        assert split.split[:n].tolist() == split.split[n : 2 * n].tolist()
        assert (split.split[2 * n :] == "test").any()
    with pytest.raises(InputError, match="no chromosome is known for"):
        split_by_chromosome(whole, test=["chr1"])


def test_both_strands_are_read_of_windows_on_a_genome_and_the_reason_is_kept():
    data = windows(60, 4)
    notes = []
    _, settings = prepare(data, Settings(), notes.append)
    assert (settings.split, settings.strands) == ("homology", "both")
    assert any("both strands" in note and "windows on a genome" in note for note in notes)
    notes = []
    _, settings = prepare(data, Settings(strands="forward"), notes.append)
    assert settings.strands == "forward"
    assert not any("strand" in note for note in notes)


def test_too_few_groups_for_validation_are_said():
    data = windows(6, 10)
    found = cut(data, Settings(split="homology", test_fraction=0.34), 0.1)
    assert not (found.dataset.split == "valid").any()
    assert "drawn at random" in found.notes[-1]


def test_training_holds_out_whole_groups_after_a_split_by_homology():
    split = split_by_homology(windows(60, 4), test=0.2, seed=0)
    parts = take_splits(split, validation_fraction=0.1, n_train=None, seed=0)
    groups = homology_groups(split)
    assert set(split.labels[parts.valid]) == {0, 1}
    for one, other in (("train", "valid"), ("train", "test"), ("valid", "test")):
        assert not set(groups[getattr(parts, one)]) & set(groups[getattr(parts, other)])
    assert sorted([*parts.train, *parts.valid, *parts.test]) == list(range(len(split)))
    # Where groups do not fit, rows are drawn as ever.
    one = replace(split, groups=np.zeros(len(split), dtype=np.int64))
    drawn = take_splits(one, validation_fraction=0.1, n_train=None, seed=0)
    assert len(drawn.valid) == round(0.1 * (split.split == "train").sum())
