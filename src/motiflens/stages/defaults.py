"""What a run does where the settings leave it open, and what few sequences mean.

By default it does what the first report needs; ``thorough`` does the rest.
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


def unheard(text: str) -> None:
    """Tell nobody: the default of the functions that say what they chose."""


#: Replicas of each model; more of a thorough run, and where the true motif is known and the
#: training split, as many sequences as it has times the longest, holds up to ``MANY_BASES``.
SEEDS, MORE_SEEDS, MANY_BASES = 3, 5, 1_000_000

#: Replicas of the accurate recipe on up to ``MANY_BASES``, ``MORE_SEEDS`` on more: the mean of ten
#: ranks better than that of three, by less the more data each of them saw.
ACCURATE_SEEDS = 10

#: Training sizes of the learning curves of a thorough run: each of their points costs as many steps
#: as a model on all of a small training part.
SIZES = (50, 200, 800)

#: Test accuracy whose first epoch is reported, where epochs look at the test split.
TARGET = 0.95

#: Positives that are explained: enough to read a motif from, and twice as many as the checks of
#: trust take; and those of a thorough run, in which motifs are discovered in any case.
N_EXPLAINED, MANY_EXPLAINED = 200, 1000

#: Methods that the first report does without: the slowest beside mutagenesis, which say much the
#: same as ``deeplift_shap``, and a quick look that is no quicker than saliency.
FURTHER_METHODS = ("input_x_gradient", "integrated_gradients", "expected_gradients")

THOROUGH = "a thorough run (thorough=True)"


def with_defaults(
    settings: Settings,
    n_train: int,
    longest: int,
    note: Note = unheard,
    *,
    truth: bool = False,
    explains: bool = False,
    regression: bool = False,
) -> Settings:
    """Decide seeds, training sizes and whether epochs look at the test split, as far as left open.

    Parameters
    ----------
    settings
        What they set is kept.
    n_train, longest
        Sequences of the training split, those that choose the epoch included, and the bases of the
        longest sequence.
    note
        Told in a sentence what a thorough run would do beside.
    truth
        Whether the true motif is known: then it is shown how soon each model learns it, and every
        seed is read.
    explains
        Whether the models are explained after training.
    regression
        Whether labels are numbers, by which no epoch has an accuracy.

    Raises
    ------
    InputError
        If a training size is set that is larger than the training split.
    """
    for size in settings.sizes or ():
        if size > n_train:
            problem = f"the training size {size} is more than the {n_train} training sequences"
            raise InputError(problem, remedy="leave it out of sizes", argument="sizes")
    thorough, left_out = settings.thorough, []
    folded = settings.folds is not None
    if folded:  # no test split is the same for all sizes and epochs
        settings = replace(settings, sizes=())
    few = n_train * longest <= MANY_BASES
    if settings.seeds is None and settings.recipe == "accurate":
        settings = replace(settings, seeds=ACCURATE_SEEDS if few else MORE_SEEDS)
    elif settings.seeds is None:
        more = thorough or (truth and few)
        settings = replace(settings, seeds=MORE_SEEDS if more else SEEDS)
        if not more:
            left_out.append(f"{MORE_SEEDS - SEEDS} more seeds of each model")
    if settings.sizes is None:
        sizes = default_sizes(n_train)
        settings = replace(settings, sizes=sizes if thorough else ())
        if sizes and not thorough:
            assert settings.seeds is not None
            n_seeds = min(settings.size_seeds, max(settings.seeds, MORE_SEEDS))
            n = len(settings.models) * len(sizes) * n_seeds
            left_out.append(f"learning curves ({n} more models to train)")
    no_target = folded or regression
    if settings.target is None and not no_target and (truth or thorough):
        settings = replace(settings, target=TARGET)
    elif settings.target is None and not no_target:
        left_out.append("the test accuracy of every epoch")
    if explains and not thorough:
        left_out += _unexplained(settings, truth)
    if left_out:
        note(f"left out: {'; '.join(left_out)}; {THOROUGH} does all that")
    return settings


def _unexplained(settings: Settings, truth: bool) -> list[str]:
    """Say what is left out of the explanations of a run that is not thorough."""
    words = [f"explanations by {', '.join(FURTHER_METHODS)}"]
    if settings.n_explained is None:
        words[0] += f", and of more than {N_EXPLAINED} positives"
    if not truth and settings.seeds != 1:
        words.append("the motif routes of all seeds but the first")
    return words


def default_sizes(n_train: int) -> tuple[int, ...]:
    """Return the training sizes of learning curves below three quarters of a training split."""
    return tuple(size for size in SIZES if size < 0.75 * n_train)


def n_explained(settings: Settings) -> int:
    """Return how many positives of the test split are explained at most."""
    return settings.n_explained or (MANY_EXPLAINED if settings.thorough else N_EXPLAINED)


def n_searched(settings: Settings) -> int:
    """Return in how many sequences of each class motifs are discovered at most."""
    return settings.n_explained or MANY_EXPLAINED


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
    tested = np.asarray(dataset.split == "test")
    if dataset.is_regression:
        if (reach := 1.96 / math.sqrt(max(tested.sum(), 1))) > WELL_KNOWN:
            note(
                f"{tested.sum():,} sequences to test on: chance alone gives a correlation of up to "
                f"{min(reach, 1.0):.2f} there; to keep it below {WELL_KNOWN:g} takes some 390"
            )
        return
    if dataset.folds is not None and (dataset.folds > 0).all():
        tested = dataset.folds > 0
    positives, negatives = _counts(dataset, tested)
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
    labels = np.asarray(dataset.classes[chosen]) > 0
    return int(labels.sum()), int((~labels).sum())
