"""Other test sequences that might have come: the Bayesian bootstrap, with a little unknown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv

from motiflens.errors import InputError
from motiflens.metrics.ranking import (
    Floats,
    Masses,
    Ranked,
    brier,
    calibration_error,
    call_scores,
    called_masses,
    rank_scores,
)

N_RESAMPLES = 1000
# Resamples × examples held at a time: some 8 MB an array.
BLOCK = 1 << 20
# Mass of the unseen example of each class, in examples. Chosen on simulated rankings, normal and
# heavy-tailed: with 0 intervals near AUROC 1 miss the truth, with 0.5 they are twice too wide.
UNSEEN = 0.12


@dataclass(frozen=True, eq=False)
class Groups:
    """Examples that are not independent, in groups: a whole group counts as one.

    Attributes
    ----------
    of
        (N,) the group of each example, numbered from 0 by first appearance.
    n
        How many groups there are.
    """

    of: NDArray[np.intp]
    n: int

    def effective_size(self, members: NDArray[np.bool_]) -> float:
        """Return the number of independent examples that members (N,) are worth.

        (Σ size)² / Σ size² over groups (Kish 1965, *Survey Sampling*): the members of a group tell
        the same. It is their number where every group has one.
        """
        sizes = np.bincount(self.of[members]).astype(np.float64)
        return float(sizes.sum() ** 2 / (sizes**2).sum())

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Add values (N,) group by group (n,)."""
        return np.bincount(self.of, weights=values, minlength=self.n).astype(np.float64)


def number_groups(groups: ArrayLike | None, n_examples: int) -> Groups:
    """Give groups numbers by first appearance; None makes every example its own.

    Raises
    ------
    InputError
        When there is not one whole number for each example.
    """
    if groups is None:
        return Groups(np.arange(n_examples), n_examples)
    given = np.asarray(groups)
    if given.shape != (n_examples,) or not np.issubdtype(given.dtype, np.integer):
        raise InputError(
            f"groups of shape {given.shape} and type {given.dtype} for {n_examples} examples",
            remedy="give the group of every example as a whole number, as homology_groups does",
            argument="groups",
        )
    _, first, inverse = np.unique(given, return_index=True, return_inverse=True)
    number = np.empty(len(first), dtype=np.intp)
    number[np.argsort(first)] = np.arange(len(first))
    return Groups(number[inverse], len(first))


@dataclass(frozen=True, eq=False)
class Sample:
    """A ranked test split with its groups.

    Attributes
    ----------
    ranked, groups
        The groups are those of the ranked examples, in their order.
    """

    ranked: Ranked
    groups: Groups

    @property
    def effective_sizes(self) -> tuple[float, float]:
        """Of how many independent positives, and negatives, the sample tells."""
        truth = self.ranked.truth
        return self.groups.effective_size(truth), self.groups.effective_size(~truth)

    @property
    def units(self) -> tuple[float, float]:
        """How many examples stand for one independent one, of positives and of negatives."""
        sizes = zip(self.ranked.sizes, self.effective_sizes, strict=True)
        positive, negative = (n / effective for n, effective in sizes)
        return positive, negative


def resampled(sample: Sample, generator: np.random.Generator) -> dict[str, Floats]:
    """Score 1,000 resamples: each metric to its values (1000,)."""
    blocks = [_score(sample, n, generator) for n in block_sizes(len(sample.ranked.truth))]
    return {metric: np.concatenate([block[metric] for block in blocks]) for metric in blocks[0]}


def block_sizes(n_examples: int) -> list[int]:
    """Return the number of resamples in each block that fits into memory."""
    size = max(1, BLOCK // n_examples)
    return [min(size, N_RESAMPLES - first) for first in range(0, N_RESAMPLES, size)]


def _score(sample: Sample, n: int, generator: np.random.Generator) -> dict[str, Floats]:
    ranked = sample.ranked
    drawn = draw(sample, n, generator)
    calls = call_scores(
        ranked, *draw_call_rates(sample, drawn, called_masses(ranked, drawn), generator)
    )
    # The calibration error is held against chance elsewhere, and takes nothing unseen.
    ece = calibration_error(ranked, normalise(ranked, drawn))
    masses = normalise(ranked, add_unseen(sample, drawn, generator))
    return {**rank_scores(ranked, masses), **calls, "brier": brier(ranked, masses), "ece": ece}


def draw(sample: Sample, n: int, generator: np.random.Generator) -> Masses:
    """Draw the masses of the examples: exponential, one draw a group (Rubin, Ann Stat 9:130)."""
    by_group = generator.standard_exponential((n, sample.groups.n))
    drawn = by_group[:, sample.groups.of]
    truth = sample.ranked.truth
    return Masses(drawn * truth, drawn * ~truth)


def normalise(ranked: Ranked, masses: Masses) -> Masses:
    """Scale each class to its number of examples: who makes the data has chosen it."""
    classes = [
        masses * (size / masses.sum(axis=1, keepdims=True))
        for masses, size in zip((masses.positive, masses.negative), ranked.sizes, strict=True)
    ]
    return Masses(*classes)


def add_unseen(sample: Sample, drawn: Masses, generator: np.random.Generator) -> Masses:
    """Add an unseen example to each class, where an example of either class lies."""
    truth, classes = sample.ranked.truth, []
    members = np.flatnonzero(truth), np.flatnonzero(~truth)
    for masses, unit in zip((drawn.positive, drawn.negative), sample.units, strict=True):
        n = len(masses)
        rows_of_both = [rows[generator.integers(len(rows), size=n)] for rows in members]
        row = np.where(generator.random(n) < 0.5, *rows_of_both)
        added = masses.copy()
        added[np.arange(n), row] += unit * generator.standard_gamma(UNSEEN, n)
        classes.append(added)
    return Masses(*classes)


def draw_call_rates(
    sample: Sample,
    drawn: Masses,
    called: tuple[Floats, Floats],
    generator: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Draw the fractions (R,) of both classes called positive, with half an example on either side.

    `called` are the masses (R,) of both that lie above the threshold. Without groups they are draws
    from Beta(called + 1/2, not called + 1/2), Jeffreys' posterior.
    """
    rates = []
    for above, masses, unit in zip(
        called, (drawn.positive, drawn.negative), sample.units, strict=True
    ):
        extra = unit * generator.standard_gamma(0.5, (2, len(above)))
        rates.append((above + extra[0]) / (masses.sum(axis=1) + extra.sum(axis=0)))
    return rates[0], rates[1]


def chance_calibration_error(sample: Sample, level: float, generator: np.random.Generator) -> float:
    """Return the calibration error that a fraction `level` of calibrated samples stays below.

    The labels of a group fall together.
    """
    ranked, errors = sample.ranked, []
    for n in block_sizes(len(ranked.truth)):
        even = generator.random((n, sample.groups.n), dtype=np.float32)[:, sample.groups.of]
        labels = (even < ranked.probs).astype(np.float64)
        errors.append(calibration_error(ranked, Masses(labels, 1 - labels)))
    return float(np.quantile(np.concatenate(errors), level))


def unseen_fraction(sample: Sample) -> float:
    """Return the fraction of faults that a class may have in which none was seen.

    The end of Jeffreys' one-sided 95 % interval for no fault, about 1.9 / n, of the smaller class.
    """
    return float(betaincinv(0.5, min(sample.effective_sizes), 0.95))


def shortest(values: Floats, confidence: float) -> tuple[float, float]:
    """Return the shortest interval of a fraction of values (R,); of equal ones the middle."""
    ranked = np.sort(values)
    n_inside = int(np.ceil(confidence * len(ranked)))
    widths = ranked[n_inside - 1 :] - ranked[: len(ranked) - n_inside + 1]
    starts = np.flatnonzero(widths <= widths.min() + 1e-12)
    start = int(starts[len(starts) // 2])
    return float(ranked[start]), float(ranked[start + n_inside - 1])
