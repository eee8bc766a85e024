"""Scores of predictions, and how far a mean of scores can be believed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score, matthews_corrcoef, roc_auc_score

from motiflens.errors import InputError

CONFIDENCE = 0.95
METRICS = ("accuracy", "auroc", "auprc", "mcc")


class Interval(NamedTuple):
    """A mean with its 95 % interval, from `n` values.

    Attributes
    ----------
    mean, low, high
        The mean and the two ends, in the unit of the values.
    n
        How many values the mean is taken over.
    """

    mean: float
    low: float
    high: float
    n: int


def score(labels: ArrayLike, logits: ArrayLike) -> dict[str, float]:
    """Score logits against 0/1 labels; a sequence is called positive at logit > 0.

    Parameters
    ----------
    labels
        (N,) of 0 and 1, both present: with one class the ranking scores have no value.
    logits
        (N,) of finite scores; the larger, the more positive.

    Returns
    -------
    dict
        `accuracy`, the fraction called right; `auroc`, area under the ROC curve; `auprc`, average
        precision (the step-wise sum, without interpolation); `mcc`, Matthews' correlation, which is
        0 when all sequences are called the same.

    Raises
    ------
    InputError
        When shapes differ, a label is neither 0 nor 1, a logit is not finite or a class is missing.
    """
    truth, scores = _checked(labels, logits)
    called = scores > 0
    return {
        "accuracy": float(np.mean(called == truth)),
        "auroc": float(roc_auc_score(truth, scores)),
        "auprc": float(average_precision_score(truth, scores)),
        "mcc": float(matthews_corrcoef(truth, called)),
    }


def _checked(labels: ArrayLike, logits: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    truth, scores = np.asarray(labels), np.asarray(logits, dtype=np.float64)
    if truth.ndim != 1 or truth.shape != scores.shape:
        raise InputError(
            "labels and logits are two lists of one length",
            got=f"shapes {truth.shape} and {scores.shape}",
            remedy="give one logit for each label",
        )
    if not np.isin(truth, (0, 1)).all():
        wrong = truth[~np.isin(truth, (0, 1))][0]
        raise InputError("labels are 0 or 1", got=str(wrong), remedy="correct the labels")
    if not np.isfinite(scores).all():
        raise InputError(
            "logits are finite",
            got=f"{scores[~np.isfinite(scores)][0]} for example {np.argmin(np.isfinite(scores))}",
            remedy="train with a lower learning rate",
        )
    if np.unique(truth).size != 2:
        raise InputError(
            "labels hold both classes",
            got=f"{truth.size} labels of {np.unique(truth).size} class(es)",
            remedy="score on more sequences, or split by label",
        )
    return truth.astype(bool), scores


def rank_auroc(labels: ArrayLike, scores: ArrayLike) -> NDArray[np.float64]:
    """Area under the ROC curve of many rows at once, from ranks (Mann-Whitney U; ties are halves).

    Parameters
    ----------
    labels, scores
        (R, n); labels are 0 or 1.

    Returns
    -------
    ndarray
        (R,), 0.5 for a row that lacks a class: nothing can be told from it.
    """
    truth = np.asarray(labels) > 0
    ranks = rankdata(scores, axis=-1)
    positives = truth.sum(-1)
    pairs = positives * (truth.shape[-1] - positives)
    above = np.where(truth, ranks, 0.0).sum(-1) - positives * (positives + 1) / 2
    return np.where(pairs > 0, above / np.maximum(pairs, 1), 0.5)


def mean_interval(values: ArrayLike, bounds: tuple[float, float] | None = None) -> Interval:
    """Mean of values over seeds with its 95 % t-interval.

    Parameters
    ----------
    values
        (n,) finite, one a seed. One value, or n equal ones, give an interval of zero width.
    bounds
        The ends the quantity cannot pass, (0, 1) for an accuracy: the interval is cut there.

    Raises
    ------
    InputError
        When there is no value or one is not finite.
    """
    sample = _finite_sample(values)
    if np.ptp(sample) == 0:  # exactly: a computed mean may miss the common value by a rounding
        mean, half = float(sample[0]), 0.0
    else:
        mean = float(sample.mean())
        quantile = float(stdtrit(sample.size - 1, 0.5 + CONFIDENCE / 2))
        half = quantile * float(sample.std(ddof=1)) / float(np.sqrt(sample.size))
    low, high = bounds if bounds is not None else (-np.inf, np.inf)
    return Interval(mean, max(mean - half, low), min(mean + half, high), sample.size)


def paired_difference(a: ArrayLike, b: ArrayLike) -> Interval:
    """Mean of a − b with its 95 % t-interval, `a` and `b` (n,) over the same seeds in one order.

    Raises
    ------
    InputError
        When the two are not of one length, are empty or hold a value that is not finite.
    """
    first, second = _finite_sample(a), _finite_sample(b)
    if first.size != second.size:
        raise InputError(
            "paired values come from the same seeds",
            got=f"{first.size} and {second.size} values",
            remedy="give one value of each for every seed",
        )
    return mean_interval(first - second)


def bootstrap_interval(
    values: ArrayLike, generator: np.random.Generator, n: int = 1000
) -> Interval:
    """Mean of values with its 95 % percentile bootstrap interval over examples.

    Parameters
    ----------
    values
        (N,) finite, one an example.
    generator
        Draws the resamples.
    n
        Number of resamples.

    Raises
    ------
    InputError
        When there is no value, one is not finite or `n` is below 1.

    References
    ----------
    Efron and Tibshirani 1993, *An Introduction to the Bootstrap*, section 13.3.
    """
    sample = _finite_sample(values)
    if n < 1:
        raise InputError("resamples number 1 or more", got=str(n), remedy="raise n")
    means = [sample[generator.integers(sample.size, size=sample.size)].mean() for _ in range(n)]
    low, high = np.quantile(means, [0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2])
    return Interval(float(sample.mean()), float(low), float(high), sample.size)


def _finite_sample(values: ArrayLike) -> NDArray[np.float64]:
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or sample.size == 0 or not np.isfinite(sample).all():
        raise InputError(
            "a mean is taken over a list of one or more finite values",
            got=f"shape {sample.shape}: {sample.ravel()[:8].tolist()}",
            remedy="drop the values that are missing",
        )
    return sample


def epochs_to_target(accuracies: Sequence[float], target: float) -> int | None:
    """Return the first epoch, from 1 up, whose accuracy reaches `target`; None if none does."""
    return next((k for k, value in enumerate(accuracies, start=1) if value >= target), None)
