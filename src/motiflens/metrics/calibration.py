"""Whether probabilities mean what they say: of the sequences given 0.8, 80 % should be positive."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from motiflens.metrics.scores import checked

N_BINS = 15


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
    truth, scores = checked(labels, logits)
    order = np.argsort(scores, kind="stable")
    starts = equal_mass_starts(scores[order])
    n = np.diff(np.append(starts, len(scores)))
    x = np.add.reduceat(expit(scores[order]), starts) / n
    y = np.add.reduceat(truth[order].astype(np.float64), starts) / n
    return x, y, n.astype(np.int64)


def equal_mass_starts(ranked: NDArray[np.float64]) -> NDArray[np.intp]:
    """Cut ranked scores (N,) into at most 15 bins as equal in number as ties permit.

    Equal scores share a bin, the one of their middle, so that the order of rows has no say.

    Returns
    -------
    ndarray
        (B,), the index at which each bin starts.
    """
    ends = np.append(np.flatnonzero(np.diff(ranked)) + 1, len(ranked))
    starts = np.append(0, ends[:-1])
    bins = (N_BINS * (starts + ends)) // (2 * len(ranked))
    return np.asarray(starts[np.append(True, np.diff(bins) > 0)], dtype=np.intp)
