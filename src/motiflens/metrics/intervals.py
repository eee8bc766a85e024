"""Means of values, and how far they can be believed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from motiflens.errors import InputError

CONFIDENCE = 0.95


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


def mean_interval(values: ArrayLike, bounds: tuple[float, float] | None = None) -> Interval:
    """Mean of values over seeds with its 95 % t-interval.

    Parameters
    ----------
    values
        (n,) finite, one a seed. One value, or n equal ones, give an interval of zero width: it
        says nothing of other test sequences (see `evaluate`).
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
