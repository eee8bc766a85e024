"""Scores of one set of predictions."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score, matthews_corrcoef, roc_auc_score

from motiflens.errors import InputError

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
    truth, scores = checked(labels, logits)
    called = scores > 0
    return {
        "accuracy": float(np.mean(called == truth)),
        "auroc": float(roc_auc_score(truth, scores)),
        "auprc": float(average_precision_score(truth, scores)),
        "mcc": float(matthews_corrcoef(truth, called)),
    }


def checked(labels: ArrayLike, logits: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Give labels (N,) as bool and logits (N,) as floats; refuse what `score` refuses."""
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


def auroc_standard_error(n_positives: int, n_negatives: int) -> float:
    """Return the standard error of the AUROC of a score that tells nothing, around 0.5.

    That of the Mann-Whitney statistic where both classes score alike.
    """
    return math.sqrt((n_positives + n_negatives + 1) / (12 * n_positives * n_negatives))


def epochs_to_target(accuracies: Sequence[float], target: float) -> int | None:
    """Return the first epoch, from 1 up, whose accuracy reaches `target`; None if none does."""
    return next((k for k, value in enumerate(accuracies, start=1) if value >= target), None)
