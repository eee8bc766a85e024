"""Scores of one set of predictions."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from motiflens.metrics.curves import precision_recall, roc
from motiflens.metrics.ranking import matthews, rank

METRICS = ("accuracy", "auroc", "auprc", "mcc")


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
    ranked = rank(labels, logits, threshold=0.0)
    (fallout, recall), (recall_at_cuts, precision) = roc(ranked), precision_recall(ranked)
    true = float(ranked.truth[: ranked.n_called].sum())
    false = ranked.n_called - true
    positives, negatives = ranked.sizes
    return {
        "accuracy": (true + negatives - false) / (positives + negatives),
        "auroc": float(np.trapezoid(recall, fallout)),
        "auprc": float((np.diff(recall_at_cuts, prepend=0) * precision)[::-1].sum()),
        "mcc": float(matthews(true, false, positives, negatives)),
    }


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


def rank_auprc(labels: ArrayLike, scores: ArrayLike) -> NDArray[np.float64]:
    """Average precision of many rows at once: the mean, over positives, of the precision there.

    Parameters
    ----------
    labels, scores
        (R, n); labels are 0 or 1. Equal scores share one threshold.

    Returns
    -------
    ndarray
        (R,), 0 for a row without positives.
    """
    rows = zip(np.asarray(labels) > 0, np.asarray(scores), strict=True)
    return np.array([_average_precision(truth, values) for truth, values in rows])


def _average_precision(truth: NDArray[np.bool_], values: NDArray[np.floating]) -> float:
    order = np.argsort(-values, kind="stable")
    last_of_equals = np.append(np.diff(values[order]) != 0, True)
    true = np.cumsum(truth[order])[last_of_equals]
    called = np.flatnonzero(last_of_equals) + 1
    return float((np.diff(true, prepend=0) * true / called).sum() / max(truth.sum(), 1))


def auroc_standard_error(n_positives: float, n_negatives: float) -> float:
    """Return the standard error of the AUROC of a score that tells nothing, around 0.5.

    That of the Mann-Whitney statistic where both classes score alike.
    """
    return math.sqrt((n_positives + n_negatives + 1) / (12 * n_positives * n_negatives))


def epochs_to_target(accuracies: Sequence[float], target: float) -> int | None:
    """Return the first epoch, from 1 up, whose accuracy reaches `target`; None if none does."""
    return next((k for k, value in enumerate(accuracies, start=1) if value >= target), None)
