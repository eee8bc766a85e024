"""Sequences without a model: one of each homology group, cut in halves to find in and test on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motiflens.datasets import SequenceDataset, concatenate, homology_groups
from motiflens.datasets.groups import canonical_sequences
from motiflens.discovery.enrichment import first_of_each
from motiflens.io.negatives import make_negatives

ENOUGH_TO_HALVE = 200
"""Homology groups of either class from which on motifs are found in one half and tested on the
other."""


@dataclass(frozen=True, eq=False)
class Halves:
    """What motifs are found in and tested on.

    Parameters
    ----------
    searched, tested
        Positives, then negatives; the same sequences where there are too few for halves.
    held_out
        Whether they differ: then no homology group is in both.
    n_positives, n_negatives
        Sequences that were given, before one was chosen of each group.
    n_groups, largest
        Groups of the given positives, and the number of positives in the largest.
    n_copies
        Given sequences that are equal to an earlier one, on either strand.
    """

    searched: SequenceDataset
    tested: SequenceDataset
    held_out: bool
    n_positives: int
    n_negatives: int
    n_groups: int
    largest: int
    n_copies: int

    @property
    def note(self) -> str:
        """Say in words which sequences count."""
        n, groups = self.n_positives, self.n_groups
        if self.n_copies:
            same = f"{self.n_copies:,} sequences are copies of another, on either strand. "
        else:
            same = "No sequence is a copy of another. "
        if groups == n:
            return f"{same}No two of the {n:,} positives share 31 bases."
        one = (
            f"{same}The {n:,} positives are {groups:,} groups, joined by shared words of 31 bases, "
            "such as windows that overlap: one sequence of each group is searched and counted, "
            "the first of the file."
        )
        if self.largest > n / 2:
            one += (
                f" One group holds {self.largest:,} of them: where all share a stretch, such as a "
                "primer, cut it off first."
            )
        return f"{one} No group is in both halves." if self.held_out else one


def cut_in_halves(
    positives: SequenceDataset, negatives: SequenceDataset | None, seed: int
) -> Halves:
    """Choose one sequence of each group and class, and put whole groups into halves in turn.

    Parameters
    ----------
    positives
        N sequences.
    negatives
        None for the chosen positives with their dinucleotides in another order, each in the half
        of its positive.
    seed
        Of these shuffles.

    Returns
    -------
    Halves
        Cut from ``ENOUGH_TO_HALVE`` groups of either class on.
    """
    given = positives if negatives is None else concatenate([positives, negatives])
    groups = homology_groups(given)
    sizes = np.bincount(groups[given.labels > 0])
    chosen = first_of_each(groups, given.labels)
    kept, groups = given.subset(chosen), groups[chosen]
    if negatives is None:
        kept, groups = (
            concatenate([kept, make_negatives("shuffle", kept, seed=seed)]),
            np.tile(groups, 2),
        )
    n_kept = int((kept.labels > 0).sum())
    halved = min(n_kept, len(kept) - n_kept) >= ENOUGH_TO_HALVE
    first = _in_first_half(groups, kept.labels > 0)
    return Halves(
        searched=kept.subset(first) if halved else kept,
        tested=kept.subset(~first) if halved else kept,
        held_out=halved,
        n_positives=len(positives),
        n_negatives=len(given) - len(positives),
        n_groups=n_kept,
        largest=int(sizes.max(initial=0)),
        n_copies=len(given) - len(set(canonical_sequences(given))),
    )


def _in_first_half(groups: NDArray[np.int64], positive: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Put groups with a positive in turn into either half, and then those without, (N,)."""
    first = np.zeros(int(groups.max(initial=-1)) + 1, dtype=np.bool_)
    with_positive = groups[positive]
    first[with_positive[::2]] = True
    others = groups[~positive]
    first[others[~np.isin(others, with_positive)][::2]] = True
    return first[groups]
