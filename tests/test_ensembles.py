"""Groups of the test part: found, counted, left out of large data, and said on the page."""

from __future__ import annotations

import pytest

from motiflens.datasets import SequenceDataset
from motiflens.evaluation import ensembles
from motiflens.report.held_out import _counted
from motiflens.report.scores import _differences_caption

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


class Page:
    def __init__(self, **metrics: object) -> None:
        self.metrics = metrics


def test_the_page_says_how_related_sequences_count() -> None:
    found = {"positives": 1234, "negatives": 17, "groups": 1240}
    assert "count as one: 1,240 groups, 1,234 of them" in _counted(Page(test_groups=found))
    assert "not looked for" in _counted(Page(test_groups=None))
    assert _counted(Page()) == ""


def test_the_page_says_what_intervals_of_differences_cover() -> None:
    both = _differences_caption(["seeds", "test sequences"])
    assert "over seeds and test sequences" in both
    assert "another seed" in _differences_caption(["test sequences"])
    assert "over seeds alone" in _differences_caption(None)
    assert "nor that they are equal" in both
