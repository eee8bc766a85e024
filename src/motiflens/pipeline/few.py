"""How many sequences a run needs, and what few of them mean, told before anything is trained."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from motiflens.datasets import SequenceDataset
from motiflens.errors import InputError

#: Of each class: one to train on, one to choose the epoch by, one to test on.
LEAST = 3

#: An AUROC is known well enough where chance alone stays within this of 0.5, in 19 of 20 runs ...
WELL_KNOWN = 0.1

#: ... and is a guess where chance alone reaches this far.
GUESS = 0.25


def require_enough(dataset: SequenceDataset) -> None:
    """Refuse data from which no model can be trained, chosen and tested.

    Parameters
    ----------
    dataset
        With its split, where it came with one.

    Raises
    ------
    InputError
        If a class has fewer sequences than that takes.
    """
    split = dataset.split
    learning = np.ones(len(dataset), dtype=np.bool_) if split is None else split != "test"
    tested = split is not None and bool((split == "test").any())
    least = LEAST - tested
    counts = _counts(dataset, learning)
    if min(counts) >= least or not any(counts):  # a split without training is another mistake
        return
    what = "train on and to choose the epoch by"
    if not tested:
        what = "train on, to choose the epoch by and to test on"
    raise InputError(
        f"a run needs {least} positives and {least} negatives at the very least, to {what}",
        got=f"{counts[0]} and {counts[1]}" + (" outside the test part" if tested else ""),
        remedy=f"give more: some {enough()} of each class to test on tell an AUROC to a tenth",
    )


def few_notes(dataset: SequenceDataset) -> tuple[str, ...]:
    """Say how little a small test part tells: nothing where it tells an AUROC to a tenth.

    Parameters
    ----------
    dataset
        With its split.
    """
    assert dataset.split is not None
    positives, negatives = _counts(dataset, np.asarray(dataset.split == "test"))
    reach = by_chance(positives, negatives)
    if reach <= WELL_KNOWN:
        return ()
    meaning = "every score is a guess" if reach >= GUESS else "scores are rough"
    return (
        f"{len(dataset):,} sequences, of which {_number(positives, 'positive')} and "
        f"{_number(negatives, 'negative')} to test on: {meaning}, as chance alone gives an AUROC "
        f"of up to {0.5 + min(reach, 0.5):.2f} there; to keep it below {0.5 + WELL_KNOWN:.2f} "
        f"takes some {enough()} of each class to test on",
    )


def by_chance(positives: int, negatives: int) -> float:
    """How far from 0.5 an AUROC comes without any signal, in 19 of 20 runs.

    1.96 standard errors of Mann and Whitney's U (1947).
    """
    return 1.96 * math.sqrt((positives + negatives + 1) / (12 * positives * negatives))


def enough() -> int:
    """Sequences of each class at which chance stays within ``WELL_KNOWN``, to the next ten."""
    n = next(n for n in range(1, 10_000) if by_chance(n, n) <= WELL_KNOWN)
    return 10 * math.ceil(n / 10)


def _number(n: int, what: str) -> str:
    return f"{n:,} {what}{'s' * (n != 1)}"


def _counts(dataset: SequenceDataset, chosen: NDArray[np.bool_]) -> tuple[int, int]:
    """Count positives and negatives among the chosen rows."""
    labels = np.asarray(dataset.labels[chosen]) > 0
    return int(labels.sum()), int((~labels).sum())
