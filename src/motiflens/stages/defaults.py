"""What follows from the number of sequences: seeds and sizes by default, and what few of them mean.

Times are those of two cores, on which a run with the default models is to take ten minutes at most.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from motiflens.datasets import SequenceDataset
from motiflens.errors import InputError
from motiflens.metrics import auroc_standard_error
from motiflens.settings import Settings

#: What is told a sentence on what was chosen, assumed or left out.
Note = Callable[[str], None]

#: Replicas of each model; the second number where the training part, as many sequences as it has
#: times the longest of them, holds more than ``MANY_BASES``.
SEEDS, FEWER_SEEDS, MANY_BASES = 5, 3, 1_000_000

#: Learning curves are trained for up to so many training sequences of up to so many bases: each of
#: their points costs as many steps as a model on all of a small training part.
SIZES, MAX_SEQUENCES, MAX_LENGTH = (50, 200, 800), 2_000, 120


def with_defaults(settings: Settings, n_train: int, longest: int, note: Note) -> Settings:
    """Decide the number of seeds and the training sizes where the settings leave them open.

    Parameters
    ----------
    settings
        What they set is kept.
    n_train, longest
        Sequences of the training split, those that choose the epoch included, and the bases of the
        longest sequence.
    note
        Told in a sentence all that is less than a small data set gets.

    Raises
    ------
    InputError
        If a training size is set that is larger than the training split.
    """
    if settings.seeds is None:
        many = n_train * longest > MANY_BASES
        settings = replace(settings, seeds=FEWER_SEEDS if many else SEEDS)
        if many:
            note(
                f"{FEWER_SEEDS} seeds of each model instead of {SEEDS}, as the training part holds "
                f"more than {MANY_BASES:,} bases; --seeds sets another number"
            )
    for size in settings.sizes or ():
        if size > n_train:
            problem = f"the training size {size} is more than the {n_train} training sequences"
            raise InputError(problem, remedy="leave it out of sizes", argument="sizes")
    if settings.sizes is None:
        settings = replace(settings, sizes=default_sizes(n_train, longest))
        if n_train > MAX_SEQUENCES or longest > MAX_LENGTH:
            note(
                f"no learning curves: they are trained by default for up to {MAX_SEQUENCES:,} "
                f"training sequences of up to {MAX_LENGTH} bases; --sizes "
                f"{','.join(map(str, SIZES))} trains them"
            )
    return settings


def default_sizes(n_train: int, longest: int) -> tuple[int, ...]:
    """Return the training sizes of a small data set below three quarters of it; else none."""
    if n_train > MAX_SEQUENCES or longest > MAX_LENGTH:
        return ()
    return tuple(size for size in SIZES if size < 0.75 * n_train)


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
    problem = f"{counts[0]} positives and {counts[1]} negatives are too few"
    where = "outside the test split" if tested else ""
    raise InputError(
        problem,
        where,
        f"at the very least {least} of each class are needed, to {what}; some {enough()} of each "
        "to test on measure an AUROC to a tenth",
    )


def note_on_few(dataset: SequenceDataset, note: Note) -> None:
    """Say how little a small test split tells, where it does not measure an AUROC to a tenth.

    Parameters
    ----------
    dataset
        With its split.
    note
        Told so.
    """
    assert dataset.split is not None
    positives, negatives = _counts(dataset, np.asarray(dataset.split == "test"))
    reach = by_chance(positives, negatives)
    if reach <= WELL_KNOWN:
        return
    meaning = "every score is a guess" if reach >= GUESS else "scores are rough"
    note(
        f"{len(dataset):,} sequences, of which {_number(positives, 'positive')} and "
        f"{_number(negatives, 'negative')} to test on: {meaning}, as chance alone gives an AUROC "
        f"of up to {0.5 + min(reach, 0.5):.2f} there; to keep it below {0.5 + WELL_KNOWN:.2f} "
        f"takes some {enough()} of each class to test on"
    )


def by_chance(positives: int, negatives: int) -> float:
    """Return how far from 0.5 an AUROC comes without any signal, in 19 of 20 runs."""
    return 1.96 * auroc_standard_error(positives, negatives)


def enough() -> int:
    """Return of how many sequences a class chance stays within ``WELL_KNOWN``, to the next ten."""
    n = next(n for n in range(1, 10_000) if by_chance(n, n) <= WELL_KNOWN)
    return 10 * math.ceil(n / 10)


def _number(n: int, what: str) -> str:
    return f"{n:,} {what}{'s' * (n != 1)}"


def _counts(dataset: SequenceDataset, chosen: NDArray[np.bool_]) -> tuple[int, int]:
    """Count positives and negatives among the chosen rows."""
    labels = np.asarray(dataset.labels[chosen]) > 0
    return int(labels.sum()), int((~labels).sum())
