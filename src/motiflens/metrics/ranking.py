"""Examples ranked by their logits: scores of many weightings at once, and influences on scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from motiflens.errors import InputError

N_BINS = 15

Floats = NDArray[np.float64]


def check_predictions(labels: ArrayLike, logits: ArrayLike) -> tuple[NDArray[np.bool_], Floats]:
    """Return labels (N,) as bool and logits (N,) as floats; refuse what `score` refuses."""
    truth, scores = np.asarray(labels), np.asarray(logits, dtype=np.float64)
    if truth.ndim != 1 or truth.shape != scores.shape:
        raise InputError(
            f"labels of shape {truth.shape} and logits of shape {scores.shape} do not match",
            remedy="give two lists with one logit for each label",
            argument=("labels", "logits"),
        )
    known = np.isin(truth, (0, 1))
    if not known.all():
        raise InputError(
            f"the label {truth[~known][0]} is neither 0 nor 1",
            remedy="correct the labels",
            argument="labels",
        )
    finite = np.isfinite(scores)
    if not finite.all():
        raise InputError(
            f"the logit of example {np.argmin(finite)} is {scores[~finite][0]}",
            remedy="train with a lower learning rate",
            argument="logits",
        )
    if np.unique(truth).size != 2:
        raise InputError(
            f"all {truth.size} labels are of one class" if truth.size else "there are no labels",
            remedy="score on more sequences, or split by label",
            argument="labels",
        )
    return truth.astype(bool), scores


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
    """What lies at each rank, in R weightings.

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
    truth, scores = check_predictions(labels, logits)
    if not np.isfinite(threshold):
        raise InputError(
            f"the threshold {threshold} is not finite",
            remedy="take that of choose_threshold on validation data",
            argument="threshold",
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


def equal_mass_starts(ranked: Floats) -> NDArray[np.intp]:
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


def cut_counts(ranked: Ranked) -> tuple[Floats, Floats]:
    """Return the true and the false calls (G,) of each cut, the strictest first."""
    true = np.cumsum(ranked.truth, dtype=np.float64)[ranked.ends]
    return true, ranked.ends + 1 - true


def plain_masses(ranked: Ranked) -> Masses:
    """Give every example the mass 1, in one weighting."""
    truth = ranked.truth[None, :]
    return Masses(truth.astype(np.float64), (~truth).astype(np.float64))


def rank_scores(ranked: Ranked, masses: Masses) -> dict[str, Floats]:
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


def call_scores(ranked: Ranked, recall: Floats, fallout: Floats) -> dict[str, Floats]:
    """Score calls (R,) by the fractions of positives and of negatives that are called positive."""
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


def matthews(
    tp: Floats | float, fp: Floats | float, positives: Floats | float, negatives: Floats | float
) -> Floats:
    """Matthews' correlation of calls, 0 where all are called the same; arrays of one shape."""
    called = np.asarray(tp + fp)
    total = positives + negatives
    spread = positives * negatives * called * (total - called)
    covariance = tp * negatives - fp * positives
    return np.where(spread > 0, covariance / np.sqrt(np.where(spread > 0, spread, 1)), 0.0)


def influences(labels: ArrayLike, logits: ArrayLike) -> dict[str, Floats]:
    """Return the influence of a positive and of a negative where each example lies.

    Parameters
    ----------
    labels, logits
        (N,) of 0 and 1, both present; (N,) finite. Called positive at logit > 0, as in `score`.

    Returns
    -------
    dict
        Each metric of `score` to (2, N), of a negative (row 0) and of a positive (row 1): how the
        score changes, per unit, when that fraction of the class moves to the logit of the example.
        The mean over the members of a class is 0.

    Raises
    ------
    InputError
        See `score`.

    Notes
    -----
    The influence function (Hampel, JASA 69:383, 1974). The sum of squares of the members' influence
    over their number is the variance of the score; of AUROC it is that of DeLong, DeLong and
    Clarke-Pearson (Biometrics 44:837, 1988).
    """
    ranked = rank(labels, logits, threshold=0.0)
    by_metric = {
        **_call_influence(ranked),
        "auroc": _auroc_influence(ranked),
        "auprc": _auprc_influence(ranked),
    }
    return {metric: _in_rows(ranked, values) for metric, values in by_metric.items()}


def _in_rows(ranked: Ranked, values: Floats) -> Floats:
    """Centre influences (2, N) on their class, and put them into the order of the rows."""
    centred = np.stack(
        [
            values[0] - values[0][~ranked.truth].mean(),
            values[1] - values[1][ranked.truth].mean(),
        ]
    )
    rows = np.empty_like(centred)
    rows[:, ranked.order] = centred
    return rows


def _cut_of_each(ranked: Ranked) -> NDArray[np.intp]:
    """Return the first cut (N,) that calls each example."""
    return np.searchsorted(ranked.ends, np.arange(len(ranked.truth)))


def _auroc_influence(ranked: Ranked) -> Floats:
    true, false = cut_counts(ranked)
    below = false[-1] - false + np.diff(false, prepend=0) / 2
    above = true - np.diff(true, prepend=0) / 2
    return np.stack([above / true[-1], below / false[-1]])[:, _cut_of_each(ranked)]


def _auprc_influence(ranked: Ranked) -> Floats:
    """Follow the precision at the example itself, and at all positives that rank no higher."""
    true, false = cut_counts(ranked)
    called = true + false
    gained = np.diff(true, prepend=0) / called**2
    helped = np.cumsum((gained * false)[::-1])[::-1]
    harmed = np.cumsum((gained * true)[::-1])[::-1]
    by_cut = np.stack([-harmed * false[-1] / true[-1], true / called + helped])
    return by_cut[:, _cut_of_each(ranked)]


def _call_influence(ranked: Ranked) -> dict[str, Floats]:
    n_positive, n_negative = ranked.sizes
    n = n_positive + n_negative
    called = (np.arange(n) < ranked.n_called).astype(np.float64)
    p, q = n_positive / n, n_negative / n
    recall, fallout = called[ranked.truth].mean(), called[~ranked.truth].mean()
    # Where all are called the same, the correlation jumps: half an example away it does not.
    called_fraction = np.clip(p * recall + q * fallout, 0.5 / n, 1 - 0.5 / n)
    spread = called_fraction * (1 - called_fraction)
    bend = (recall - fallout) * (1 - 2 * called_fraction) / (2 * spread)
    scale = np.sqrt(p * q / spread)
    slopes = np.array([[-1 - bend * q], [1 - bend * p]])
    return {
        "accuracy": np.array([[-q], [p]]) * called,
        "mcc": scale * slopes * called,
    }
