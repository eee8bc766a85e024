"""Curves over all thresholds, thinned to what a figure can show."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import precision_recall_curve, roc_curve

from motiflens.metrics.calibration import reliability_points
from motiflens.metrics.scores import checked

MAX_POINTS = 200

Floats = NDArray[np.float64]


def roc_curve_points(labels: ArrayLike, logits: ArrayLike) -> tuple[Floats, Floats]:
    """Give the ROC curve from (0, 0) to (1, 1) in at most 200 points.

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
    false, true, _ = roc_curve(*checked(labels, logits))
    return _thinned(false, true)


def precision_recall_points(labels: ArrayLike, logits: ArrayLike) -> tuple[Floats, Floats]:
    """Give recall and precision of the cuts, from the strictest on, in at most 200 points.

    Parameters
    ----------
    labels, logits
        (N,) of 0 and 1, both present; (N,) finite.

    Returns
    -------
    x, y
        Two arrays (P,): recall, rising to 1, and precision, which ends at the share of positives.

    Raises
    ------
    InputError
        See `score`.
    """
    precision, recall, _ = precision_recall_curve(*checked(labels, logits))
    # The last point is no cut: it stands for calling nothing, whose precision is undefined.
    return _thinned(recall[-2::-1], precision[-2::-1])


def curve_points(labels: ArrayLike, logits: ArrayLike) -> dict[str, dict[str, list[float]]]:
    """Give `roc`, `pr` and `reliability` as lists `x` and `y` (and `n`), ready for JSON.

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
