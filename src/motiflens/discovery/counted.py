"""Which sequences count as evidence: one of each homology group, and none that was learnt from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motiflens.datasets import SequenceDataset, concatenate, homology_groups

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Counted:
    """Rows that count, where windows overlap and parts share stretches.

    Parameters
    ----------
    found_in, held_out
        bool (N,) of each data set: the first sequence of each homology group and class. A group
        of positives and negatives thus counts once among either.
    n_groups
        Groups of the rows of ``held_out`` that count.
    left_out
        Sequences of ``held_out`` whose group has a sequence in ``found_in``; none of them counts.
    """

    found_in: Mask
    held_out: Mask
    n_groups: int
    left_out: int

    @property
    def overlapping(self) -> int:
        """Sequences of ``held_out`` that do not count since another of their group does."""
        return len(self.held_out) - self.left_out - int(self.held_out.sum())


def count_once(found_in: SequenceDataset, held_out: SequenceDataset) -> Counted:
    """Choose the sequences that count of those that motifs are found in, and are tested on.

    Overlapping windows of one locus are one observation: counted each, they make what the locus
    happens to hold look like a motif. The groups (:func:`motiflens.datasets.homology_groups`) are
    those of both data sets together.

    Parameters
    ----------
    found_in, held_out
        Sequences with labels.
    """
    groups = homology_groups(concatenate([found_in, held_out]))
    searched, tested = groups[: len(found_in)], groups[len(found_in) :]
    known = np.isin(tested, searched)
    chosen = first_of_each(tested, held_out.labels) & ~known
    return Counted(
        found_in=first_of_each(searched, found_in.labels),
        held_out=chosen,
        n_groups=len(np.unique(tested[chosen])),
        left_out=int(known.sum()),
    )


def count_all(held_out: SequenceDataset) -> Counted:
    """Count every sequence, where motifs are found in and tested on the same independent ones."""
    every = np.ones(len(held_out), dtype=np.bool_)
    return Counted(every, every, len(np.unique(homology_groups(held_out))), 0)


def first_of_each(groups: Ints, labels: NDArray[np.float32]) -> Mask:
    """Tell which rows are the first of their group among those of their class, bool (N,)."""
    keys = np.stack([groups, (labels > 0).astype(np.int64)])
    first = np.zeros(len(groups), dtype=np.bool_)
    first[np.unique(keys, axis=1, return_index=True)[1]] = True
    return first
