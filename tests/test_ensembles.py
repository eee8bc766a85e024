"""Groups of the test part: found, counted, left out of large data, and said on the page."""

from __future__ import annotations

import pytest

from motiflens.datasets import SequenceDataset
from motiflens.evaluation import ensembles

WORDS = ("ACGGTCATTGCA", "TTGACCATGGAC", "CATGCCTAAGTG", "GGATCTTACGAC", "TACCGTTGAGTC")


def dataset() -> SequenceDataset:
    """Five sequences; the first comes again as a negative and on the other strand."""
    first = WORDS[0]
    other = first[::-1].translate(str.maketrans("ACGT", "TGCA"))
    return SequenceDataset.from_sequences([*WORDS, first, other], [1, 1, 0, 0, 0, 0, 1])


def test_groups_that_hold_a_class_are_counted() -> None:
    test = dataset()
    groups = ensembles.independent_groups(test)
    assert groups is not None
    assert groups[0] == groups[5] == groups[6]
    assert ensembles.count_groups(test, groups) == {"positives": 2, "negatives": 4, "groups": 5}


def test_many_sequences_are_not_grouped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ensembles, "MOST_GROUPED", 6)
    test = dataset()
    assert ensembles.independent_groups(test) is None
    assert ensembles.count_groups(test, None) is None
