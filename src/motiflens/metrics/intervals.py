"""Means over seeds, and how far two models differ, over seeds and over test sequences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from motiflens.errors import InputError
from motiflens.metrics.ranking import Floats, influences
from motiflens.metrics.resampling import UNSEEN, Groups, number_groups
from motiflens.metrics.scores import METRICS, score

CONFIDENCE = 0.95
# Mass of the unseen example of each class, in examples: that which `evaluate` gives to the ranking,
# and to the calls.
UNSEEN_OF = {"accuracy": 1.0, "mcc": 1.0, "auroc": UNSEEN, "auprc": UNSEEN}


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


def _finite_sample(values: ArrayLike) -> NDArray[np.float64]:
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or sample.size == 0 or not np.isfinite(sample).all():
        raise InputError(
            f"there is no mean of {sample.ravel()[:8].tolist()}, shape {sample.shape}",
            remedy="give a list of one or more finite values",
            argument="values",
        )
    return sample


@dataclass(frozen=True, eq=False)
class SeedScores:
    """Scores of one model's seeds on one test split.

    Attributes
    ----------
    values
        Metric of `score` → (S,), one a seed.
    influence
        Metric → (2, N): see `influences`; the mean over seeds.
    """

    values: dict[str, Floats]
    influence: dict[str, Floats]

    @property
    def n_seeds(self) -> int:
        """How many seeds these are."""
        return len(self.values[METRICS[0]])

    def of_seed(self, index: int) -> dict[str, float]:
        """Return the scores of one seed."""
        return {metric: float(values[index]) for metric, values in self.values.items()}


def seed_scores(labels: ArrayLike, logits: Sequence[ArrayLike]) -> SeedScores:
    """Score the logits (N,) of each of S seeds against labels (N,).

    Raises
    ------
    InputError
        See `score`.
    """
    values = [score(labels, of_seed) for of_seed in logits]
    total: dict[str, Floats] = {}
    for of_seed in logits:
        influence = influences(labels, of_seed)
        total = {metric: total.get(metric, 0.0) + influence[metric] for metric in METRICS}
    return SeedScores(
        {metric: np.array([value[metric] for value in values]) for metric in METRICS},
        {metric: total[metric] / len(values) for metric in METRICS},
    )


def paired_difference(
    labels: ArrayLike, a: SeedScores, b: SeedScores, groups: ArrayLike | None = None
) -> dict[str, Interval]:
    """Return the mean of a − b with its 95 % interval over seeds and test sequences.

    Parameters
    ----------
    labels
        (N,) of 0 and 1, those of the scores.
    a, b
        Over the same S seeds in one order.
    groups
        As in `evaluate`.

    Returns
    -------
    dict
        Metric of `score` → its interval; `n` is S. Of one seed the interval is over test sequences
        alone: nothing is known of other seeds.

    Raises
    ------
    InputError
        When seeds differ in number or groups have another length.

    Notes
    -----
    Two variances are added. That of the mean over seeds is the paired one, of the S differences
    over S. That over test sequences is the sum of squares of the differences of influence (see
    `influences`), group by group, class by class n / (n − 1): of one seed and AUROC the paired test
    of DeLong et al. 1988, of groups that of Obuchowski (Biometrics 53:567, 1997). Two models that
    agree on all test sequences need not agree on others. So each class has an unseen example
    besides, of a mass from Gamma(1) for calls and Gamma(0.12) for ranks, which either model puts at
    the rank of any other example, positive or negative with an even chance, without regard to the
    other model. The interval is Student's, with the degrees of freedom of Satterthwaite (Biometrics
    Bull 2:110, 1946).
    """
    truth = np.asarray(labels) > 0
    if a.n_seeds != b.n_seeds:
        raise InputError(
            f"{a.n_seeds} values cannot be paired with {b.n_seeds}",
            remedy="give one value of each for every seed",
            argument=("a", "b"),
        )
    numbered = number_groups(groups, len(truth))
    intervals = {}
    for metric in METRICS:
        pair = a.influence[metric], b.influence[metric]
        over_test = _test_variance(truth, pair, numbered, UNSEEN_OF[metric])
        intervals[metric] = _interval(a.values[metric] - b.values[metric], *over_test)
    return intervals


def _interval(differences: Floats, over_test: float, freedom: float) -> Interval:
    """Join the variance over test sequences with that over seeds, from differences (S,)."""
    n = len(differences)
    over_seeds = float(differences.var(ddof=1)) / n if n > 1 else 0.0
    total = over_seeds + over_test
    mean = float(differences.mean())
    if total == 0:
        return Interval(mean, mean, mean, n)
    spread = over_test**2 / freedom + (over_seeds**2 / (n - 1) if n > 1 else 0.0)
    half = float(stdtrit(total**2 / spread, 0.5 + CONFIDENCE / 2) * np.sqrt(total))
    return Interval(mean, mean - half, mean + half, n)


def _test_variance(
    truth: NDArray[np.bool_], pair: tuple[Floats, Floats], groups: Groups, mass: float
) -> tuple[float, float]:
    """Return the variance of a difference over test sequences, and its degrees of freedom.

    `pair` is the influence (2, N) on either model, `mass` that of the unseen examples.
    """
    weighted, unseen, freedom = np.zeros(len(truth)), 0.0, 0.0
    for members, first, second in zip((~truth, truth), *pair, strict=True):
        size = groups.effective_size(members)
        # One group alone tells nothing of its like: half a degree of freedom is the least taken.
        free = max(size - 1, 0.5)
        weighted[members] = (first - second)[members] * np.sqrt(size / free) / members.sum()
        # The mean square of a Beta distributed fraction.
        square = mass * (mass + 1) / (size + mass) / (size + mass + 1)
        unseen += square * _unseen_square(truth, first, second)
        freedom += free
    return float((groups.sums(weighted) ** 2).sum()) + unseen, freedom


def _unseen_square(truth: NDArray[np.bool_], first: Floats, second: Floats) -> float:
    """Return the mean square of the difference where either model puts an example anywhere."""
    means, squares = np.empty(2), np.empty(2)
    for i, values in enumerate((first, second)):
        means[i] = (values[truth].mean() + values[~truth].mean()) / 2
        squares[i] = ((values[truth] ** 2).mean() + (values[~truth] ** 2).mean()) / 2
    return float(squares.sum() - 2 * means.prod())
