"""What labels are for: two classes, or numbers to predict."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from motiflens.datasets.checks import check_values
from motiflens.errors import InputError, one_of

CLASSIFICATION, REGRESSION = "classification", "regression"
TASKS = (CLASSIFICATION, REGRESSION)

MAX_CLASSES = 20
"""More different whole numbers than that are measurements, not classes."""

HIGHEST = 0.1
"""Fraction of the sequences of a regression, those of the highest labels, that are positives."""

LARGEST = 1e30
"""Labels beyond have no squares to add up in single precision."""

MAX_STEP = 1e-3
"""Steps in which single precision rounds labels, as a fraction of their standard deviation."""

Floats = NDArray[np.float32]


def check_labels(labels: Floats, task: str | None) -> str:
    """Return the task that labels are for, found by themselves where it is None.

    Raises
    ------
    InputError
        For another task, a label other than 0 and 1 in two classes, and one that is no number.
    """
    if task is None:
        task = REGRESSION if are_measurements(labels) else CLASSIFICATION
    one_of("a task", task, TASKS, argument="task")
    if task == CLASSIFICATION:
        check_values("label", labels, (0, 1))
    elif not (np.abs(labels) <= LARGEST).all():
        wrong = int(np.flatnonzero(~(np.abs(labels) <= LARGEST))[0])
        problem = f"the label {labels[wrong]:g} is no number that can be predicted"
        raise InputError(problem, f"for sequence {wrong + 1}")
    return task


def in_single_precision(labels: ArrayLike) -> Floats:
    """Return labels as a data set keeps them.

    Raises
    ------
    InputError
        If they are too large for it, or differ so little beside their size that it rounds away
        what they differ by.
    """
    exact = np.asarray(labels, dtype=np.float64)
    known = exact[np.isfinite(exact)]  # what is no number is told by others
    if not len(known):
        return exact.astype(np.float32)
    largest = np.abs(known).max()
    if largest > LARGEST:
        raise InputError(
            f"the label {largest:g} is beyond {LARGEST:g}",
            remedy="divide all labels by the largest",
        )
    step, spread = np.spacing(np.float32(largest)), known.std()
    if step > MAX_STEP * spread > 0:
        raise InputError(
            f"labels of {largest:g} that differ by {spread:.2g} are rounded to {step:.2g}",
            remedy="subtract the smallest label from all of them",
        )
    return exact.astype(np.float32)


def are_measurements(labels: NDArray[np.floating]) -> bool:
    """Return whether labels are numbers to predict.

    They are if three or more differ, and they are not all whole, or more than 20.
    """
    distinct = np.unique(labels)
    if not np.isfinite(distinct).all() or len(distinct) < 3:
        return False
    return len(distinct) > MAX_CLASSES or bool((distinct != np.round(distinct)).any())


def two_classes(labels: Floats, split: NDArray[np.str_] | None) -> Floats:
    """Return 1 for the highest tenth of labels (N,) in each split, and 0 for all others.

    Where so many are equal that there is no such tenth: 1 for all above the median, or else for
    the largest.
    """
    classes = np.zeros(len(labels), dtype=np.float32)
    names = np.zeros(len(labels), dtype=np.int8) if split is None else split
    for name in np.unique(names):
        rows = np.flatnonzero(names == name)
        classes[rows] = _highest(np.asarray(labels[rows]))
    return classes


def _highest(labels: Floats) -> NDArray[np.bool_]:
    median, least = np.median(labels), np.quantile(labels, 1 - HIGHEST)
    if least > median:
        return labels >= least
    return labels > median if (labels > median).any() else labels == labels.max()


@dataclass(frozen=True)
class LabelScale:
    """The unit of the labels of a regression: models learn (label - mean) / sd.

    Parameters
    ----------
    mean, sd
        Of the labels of the training split.
    """

    mean: float
    sd: float

    @staticmethod
    def of(labels: Floats) -> LabelScale:
        """Return mean and standard deviation; of labels that are all equal, the latter is 1."""
        values = np.asarray(labels, dtype=np.float64)
        return LabelScale(float(values.mean()), float(values.std()) or 1.0)

    def standardise(self, labels: Floats) -> NDArray[np.float64]:
        """Return what models learn."""
        return (np.asarray(labels, dtype=np.float64) - self.mean) / self.sd
