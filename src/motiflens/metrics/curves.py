"""Curves over all thresholds, thinned to what a figure can show, and reliability in bins."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from motiflens.metrics.ranking import (
    Floats,
    Ranked,
    check_predictions,
    cut_counts,
    equal_mass_starts,
    rank,
)

MAX_POINTS = 200


def roc(ranked: Ranked) -> tuple[Floats, Floats]:
    """Return false-positive rate and recall of the cuts, from 0 to 1, without points on a line."""
    true, false = cut_counts(ranked)
    bends = np.diff(true, 2).astype(bool) | np.diff(false, 2).astype(bool)
    kept = np.concatenate([[True], bends, [True]]) if len(true) > 2 else slice(None)
    true, false = np.append(0, true[kept]), np.append(0, false[kept])
    return false / false[-1], true / true[-1]


def precision_recall(ranked: Ranked) -> tuple[Floats, Floats]:
    """Return recall and precision of the cuts, the strictest first."""
    true, false = cut_counts(ranked)
    return true / true[-1], true / (true + false)


def roc_curve_points(labels: ArrayLike, logits: ArrayLike) -> tuple[Floats, Floats]:
    """Return the ROC curve from (0, 0) to (1, 1) in at most 200 points.

    Parameters
    ----------
    labels, logits
        (N,) of 0 and 1, both present; (N,) finite.

    Returns
    -------
    x, y
        Two arrays (P,): false-positive rate and recall, both rising.

    Raises
    ------
    InputError
        See `score`.
    """
    return _thinned(*roc(rank(labels, logits, threshold=0.0)))


def precision_recall_points(labels: ArrayLike, logits: ArrayLike) -> tuple[Floats, Floats]:
    """Return recall and precision of the cuts, from the strictest on, in at most 200 points.

    Parameters
    ----------
    labels, logits
        (N,) of 0 and 1, both present; (N,) finite.

    Returns
    -------
    x, y
        Two arrays (P,): recall, rising to 1, and precision, which ends at that of positives.

    Raises
    ------
    InputError
        See `score`.
    """
    return _thinned(*precision_recall(rank(labels, logits, threshold=0.0)))


def reliability_points(
    labels: ArrayLike, logits: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Compare probabilities and outcomes in 15 bins of equal mass.

    Parameters
    ----------
    labels, logits
        (N,) of 0 and 1, (N,) finite.

    Returns
    -------
    x, y, n
        Three arrays (B,): the mean probability, the fraction of positives and the number of
        examples of each bin. B is below 15 where examples are few or share their logits.

    Raises
    ------
    InputError
        See `score`.
    """
    truth, scores = check_predictions(labels, logits)
    order = np.argsort(scores, kind="stable")
    starts = equal_mass_starts(scores[order])
    n = np.diff(np.append(starts, len(scores)))
    x = np.add.reduceat(expit(scores[order]), starts) / n
    y = np.add.reduceat(truth[order].astype(np.float64), starts) / n
    return x, y, n.astype(np.int64)


def curve_points(labels: ArrayLike, logits: ArrayLike) -> dict[str, dict[str, list[float]]]:
    """Return `roc`, `pr` and `reliability` as lists `x` and `y` (and `n`), ready for JSON.

    Raises
    ------
    InputError
        See `score`.
    """
    roc, pr = roc_curve_points(labels, logits), precision_recall_points(labels, logits)
    x, y, n = reliability_points(labels, logits)
    return {
        "roc": {"x": roc[0].tolist(), "y": roc[1].tolist()},
        "pr": {"x": pr[0].tolist(), "y": pr[1].tolist()},
        "reliability": {"x": x.tolist(), "y": y.tolist(), "n": n.tolist()},
    }


def _thinned(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Keep points at even steps along the curve (city-block length), and both of its ends."""
    if len(x) <= MAX_POINTS:
        return x, y
    along = np.append(0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y))))
    steps = np.linspace(0, along[-1], MAX_POINTS)
    kept = np.unique(np.append(np.searchsorted(along, steps)[:-1], len(x) - 1))
    return x[kept], y[kept]
