"""How well numbers are predicted: correlations and explained variance, with 95 % intervals."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from motiflens.errors import InputError
from motiflens.metrics.evaluation import QUANTILES
from motiflens.metrics.ranking import Floats
from motiflens.metrics.resampling import block_sizes, number_groups

REGRESSION_METRICS = ("pearson", "spearman", "r2")

Scored = dict[str, dict[str, float]]
"""Metric to its ``value``, ``low`` and ``high``."""


def measure_numbers(labels: ArrayLike, predicted: ArrayLike) -> dict[str, float]:
    """Score predicted numbers.

    Parameters
    ----------
    labels, predicted
        (N,) finite, N of 2 or more; labels that are not all equal.

    Returns
    -------
    dict
        `pearson`, the correlation of the values, and `spearman`, that of their ranks (ties share
        their mean rank): 0 where all predictions are equal; `r2`, the fraction of the variance of
        the labels that is explained, 1 - sum of squared errors / sum of squared deviations from
        the mean label: below 0 where the mean label predicts better.

    Raises
    ------
    InputError
        When shapes differ, a value is not finite or all labels are equal.
    """
    y, x = _checked(labels, predicted)
    mass = np.full((1, len(y)), 1 / len(y))
    scores = _score(y, x, mass, _ranks(y, mass))
    return {name: float(values[0]) for name, values in scores.items()}


def evaluate_numbers(
    labels: ArrayLike,
    predicted: Mapping[str, ArrayLike],
    *,
    generator: np.random.Generator,
    groups: ArrayLike | None = None,
) -> tuple[dict[str, Scored], dict[tuple[str, str], Scored]]:
    """Score the predictions of several models, with 95 % intervals over examples.

    Parameters
    ----------
    labels, predicted
        (N,); name of a model to (N,).
    generator
        Draws 1,000 resamples, the same of all models.
    groups
        (N,) integers: examples of one number are not independent. None: all are.

    Returns
    -------
    scores, differences
        Model to its scores; each pair of models (a, b), in their order, to those of a minus those
        of b.

    Raises
    ------
    InputError
        See `measure_numbers`; also for groups of another length.

    Notes
    -----
    A Bayesian bootstrap (Rubin, Ann Stat 9:130, 1981): in each resample every group draws one
    exponential mass, which all its examples have, and the scores are those of the weighted
    examples; ranks are the mass below, and half of the mass of equal values. Ends are the 2.5 %
    and 97.5 % quantiles. Models are not trained again: the intervals speak of other test sequences,
    not of other seeds.
    """
    pairs = {name: _checked(labels, values) for name, values in predicted.items()}
    n = len(np.asarray(labels))
    numbered = number_groups(groups, n)
    drawn: dict[str, list[dict[str, Floats]]] = {name: [] for name in pairs}
    for size in block_sizes(n):
        mass = generator.standard_exponential((size, numbered.n))[:, numbered.of]
        mass /= mass.sum(axis=1, keepdims=True)
        ranks = _ranks(np.asarray(labels, dtype=np.float64), mass)
        for name, (y, x) in pairs.items():
            drawn[name].append(_score(y, x, mass, ranks))
    resampled = {
        name: {m: np.concatenate([b[m] for b in blocks]) for m in REGRESSION_METRICS}
        for name, blocks in drawn.items()
    }
    values = {name: measure_numbers(*pair) for name, pair in pairs.items()}
    scores = {
        name: {m: _estimate(values[name][m], resampled[name][m]) for m in REGRESSION_METRICS}
        for name in pairs
    }
    names = list(pairs)
    differences = {
        (a, b): {
            m: _estimate(values[a][m] - values[b][m], resampled[a][m] - resampled[b][m])
            for m in REGRESSION_METRICS
        }
        for i, a in enumerate(names)
        for b in names[i + 1 :]
    }
    return scores, differences


def _estimate(value: float, resampled: Floats) -> dict[str, float]:
    low, high = np.quantile(resampled, QUANTILES).tolist()
    return {"value": value, "low": min(low, value), "high": max(high, value)}


def _checked(labels: ArrayLike, predicted: ArrayLike) -> tuple[Floats, Floats]:
    y, x = np.asarray(labels, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    if y.ndim != 1 or y.shape != x.shape or len(y) < 2:
        problem = f"labels {y.shape} and predictions {x.shape} are not two or more pairs"
        raise InputError(problem, argument=("labels", "predicted"))
    if not (np.isfinite(y).all() and np.isfinite(x).all()):
        raise InputError("a label or a prediction is not finite", argument=("labels", "predicted"))
    if np.ptp(y) == 0:
        raise InputError(f"all {len(y)} labels are {y[0]:g}", argument="labels")
    return y, x


def _score(y: Floats, x: Floats, mass: Floats, ranks: Floats) -> dict[str, Floats]:
    """Score predictions x (N,) of y (N,), of these ranks (R, N), by masses (R, N) that add up to 1.

    Each metric is (R,).
    """
    error = mass @ (y - x) ** 2
    spread = mass @ (y - y.mean()) ** 2 - (mass @ (y - y.mean())) ** 2
    r2 = 1 - error / np.maximum(spread, np.finfo(float).tiny)
    if np.ptp(x) == 0:
        nothing = np.zeros(len(mass))
        return {"pearson": nothing, "spearman": nothing, "r2": r2}
    return {
        "pearson": _correlation(y - y.mean(), x - x.mean(), mass),
        "spearman": _correlation(ranks, _ranks(x, mass), mass),
        "r2": r2,
    }


def _correlation(a: Floats, b: Floats, mass: Floats) -> Floats:
    """Return the correlation (R,) of a and b, (N,) or (R, N), neither of them constant."""
    first, second = (v - (mass * v).sum(axis=1, keepdims=True) for v in (a, b))
    covariance = (mass * first * second).sum(axis=1)
    scale = np.sqrt((mass * first**2).sum(axis=1) * (mass * second**2).sum(axis=1))
    return np.asarray(np.clip(covariance / np.maximum(scale, np.finfo(float).tiny), -1, 1))


def _ranks(values: Floats, mass: Floats) -> Floats:
    """Return the mass below each value and half of that of its equals, (R, N)."""
    distinct, place = np.unique(values, return_inverse=True)
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(len(distinct)))
    of_value = np.add.reduceat(mass[:, order], starts, axis=1)
    middle: NDArray[np.float64] = np.cumsum(of_value, axis=1) - of_value / 2
    return middle[:, place]
