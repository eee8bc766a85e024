"""Scores of ranked examples, of many weightings at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from motiflens.errors import InputError
from motiflens.metrics.calibration import equal_mass_starts
from motiflens.metrics.scores import checked

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ranked:
    """Examples from the highest logit down: all that is the same in every weighting.

    Attributes
    ----------
    order
        (N,) the rows as given, in the order of the ranking.
    truth, probs
        (N,) labels and probabilities.
    ends
        (G,) the last example of each group of equal logits: a cut can lie behind these alone.
    n_called
        How many lie above the threshold.
    starts
        (B,) the first example of each bin of the calibration error.
    """

    order: NDArray[np.intp]
    truth: NDArray[np.bool_]
    probs: Floats
    ends: NDArray[np.intp]
    n_called: int
    starts: NDArray[np.intp]

    @property
    def sizes(self) -> tuple[int, int]:
        """How many are positive, and how many negative."""
        n_positive = int(self.truth.sum())
        return n_positive, len(self.truth) - n_positive


@dataclass(frozen=True, eq=False)
class Masses:
    """What lies at each place of a ranking, in R weightings.

    Attributes
    ----------
    positive, negative
        (R, N); each row sums to the number of positives, and of negatives.
    """

    positive: Floats
    negative: Floats


def rank(labels: ArrayLike, logits: ArrayLike, threshold: float) -> Ranked:
    """Rank examples (N,) by their logits.

    Raises
    ------
    InputError
        See `score`; also for a threshold that is not finite.
    """
    truth, scores = checked(labels, logits)
    if not np.isfinite(threshold):
        raise InputError(
            "a threshold is a finite logit",
            got=str(threshold),
            remedy="take that of choose_threshold on validation data",
        )
    order = np.argsort(-scores, kind="stable")
    scores = scores[order]
    return Ranked(
        order=order,
        truth=truth[order],
        probs=expit(scores),
        ends=np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1),
        n_called=int((scores > threshold).sum()),
        starts=equal_mass_starts(scores),
    )


def plain_masses(ranked: Ranked) -> Masses:
    """Give every example the mass 1, in one weighting."""
    truth = ranked.truth[None, :]
    return Masses(truth.astype(np.float64), (~truth).astype(np.float64))


def of_ranks(ranked: Ranked, masses: Masses) -> dict[str, Floats]:
    """Score the ranking (R,): `auroc`, `auprc` and `recall_at_fdr10`."""
    positives, negatives = ranked.sizes
    true = np.cumsum(masses.positive, axis=1)[:, ranked.ends]
    false = np.cumsum(masses.negative, axis=1)[:, ranked.ends]
    gained = np.diff(true, axis=1, prepend=0)
    lost = np.diff(false, axis=1, prepend=0)
    pairs = (lost * (true - gained / 2)).sum(axis=1)
    called = true + false
    precision = np.divide(true, called, out=np.zeros_like(true), where=called > 0)
    # Without a division: a precision of 0.9 is 9 true for every false call.
    reached = np.where(true >= 9 * false, true, 0).max(axis=1)
    return {
        "auroc": pairs / (positives * negatives),
        "auprc": (gained * precision).sum(axis=1) / positives,
        "recall_at_fdr10": reached / positives,
    }


def of_calls(ranked: Ranked, recall: Floats, fallout: Floats) -> dict[str, Floats]:
    """Score calls (R,) by the shares of positives and of negatives that are called positive."""
    positives, negatives = ranked.sizes
    tp, fp = recall * positives, fallout * negatives
    sizes = np.full(len(tp), float(positives)), np.full(len(tp), float(negatives))
    return {
        "mcc": matthews(tp, fp, *sizes),
        "accuracy": (tp + negatives - fp) / (positives + negatives),
    }


def called_masses(ranked: Ranked, masses: Masses) -> tuple[Floats, Floats]:
    """Sum up the positive and the negative mass (R,) above the threshold."""
    n = ranked.n_called
    return masses.positive[:, :n].sum(axis=1), masses.negative[:, :n].sum(axis=1)


def brier(ranked: Ranked, masses: Masses) -> Floats:
    """Mean squared error of the probabilities (R,)."""
    missed = masses.positive @ (1 - ranked.probs) ** 2 + masses.negative @ ranked.probs**2
    return np.asarray(missed / len(ranked.truth))


def calibration_error(ranked: Ranked, masses: Masses) -> Floats:
    """|mean probability − fraction of positives| (R,), averaged over bins by their mass."""
    errors = masses.negative * ranked.probs - masses.positive * (1 - ranked.probs)
    binned = np.add.reduceat(errors, ranked.starts, axis=1)
    return np.asarray(np.abs(binned).sum(axis=1) / len(ranked.truth))


def matthews(tp: Floats, fp: Floats, positives: Floats, negatives: Floats) -> Floats:
    """Matthews' correlation of calls, 0 where all are called the same; arrays of one shape."""
    called = tp + fp
    total = positives + negatives
    spread = positives * negatives * called * (total - called)
    covariance = tp * negatives - fp * positives
    return np.where(spread > 0, covariance / np.sqrt(np.where(spread > 0, spread, 1)), 0.0)
