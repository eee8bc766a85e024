"""Scores of a model on held-out data, each with a 95 % interval over examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, log_expit, logsumexp

from motiflens.errors import InputError
from motiflens.metrics.calibration import equal_mass_starts
from motiflens.metrics.intervals import CONFIDENCE
from motiflens.metrics.scores import checked

EVALUATED = ("auroc", "auprc", "mcc", "accuracy", "brier", "ece", "recall_at_fdr10")
N_RESAMPLES = 1000
QUANTILES = (0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2)
# Resamples × examples held at a time: some 8 MB an array.
BLOCK = 1 << 20

Floats = NDArray[np.float64]
Counts = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class _Ranked:
    """Examples from the highest logit down: all that is the same in every resample.

    Attributes
    ----------
    truth, probs
        (N,) labels and probabilities.
    ends
        (G,) the last example of each group of equal logits: a cut can lie behind these alone.
    n_called
        How many lie above the threshold.
    starts
        (B,) the first example of each bin of the calibration error.
    """

    truth: NDArray[np.bool_]
    probs: Floats
    ends: NDArray[np.intp]
    n_called: int
    starts: NDArray[np.intp]


def evaluate(
    labels: ArrayLike, logits: ArrayLike, *, threshold: float, generator: np.random.Generator
) -> dict[str, dict[str, float]]:
    """Score logits on held-out data, with 95 % bootstrap intervals over examples.

    Parameters
    ----------
    labels, logits
        (N,) of 0 and 1, both present; (N,) finite.
    threshold
        Logit above which a sequence is called positive (see `choose_threshold`).
    generator
        Draws 1,000 resamples.

    Returns
    -------
    dict
        Each metric of `measure` to its `value`, `low` and `high`.

    Raises
    ------
    InputError
        See `score`; also for a threshold that is not finite.

    Notes
    -----
    Percentile intervals (Efron and Tibshirani 1993, *An Introduction to the Bootstrap*, section
    13.3). Each class is resampled by itself, since the numbers of positives and negatives are
    chosen by who makes the data. Models are not trained again: the intervals speak of other test
    sequences, not of other seeds. The bins of the calibration error stay those of the whole sample.
    The calibration error of a finite sample lies above the true one, and that of a resample higher
    still: its quantiles are mirrored at the value, and the interval begins at 0 unless the value is
    above 97.5 % of those of labels drawn from the probabilities themselves (Bröcker and Smith,
    Weather Forecast 22:651, 2007). Every interval holds its value; where no resample has a
    fault, it has no width.
    """
    ranked = _rank(labels, logits, threshold)
    values = _measure(ranked, np.ones((1, len(ranked.truth)), dtype=np.int32))
    found = _resampled(ranked, generator)
    ends = {metric: np.quantile(found[metric], QUANTILES).tolist() for metric in EVALUATED}
    low, high = (2 * values["ece"][0] - end for end in reversed(ends["ece"]))
    is_chance = values["ece"][0] <= _chance_ece(ranked, generator)
    ends["ece"] = [0.0 if is_chance else max(0.0, low), high]
    return {metric: _with_ends(float(values[metric][0]), *ends[metric]) for metric in EVALUATED}


def _with_ends(value: float, low: float, high: float) -> dict[str, float]:
    return {"value": value, "low": float(min(low, value)), "high": float(max(high, value))}


def measure(labels: ArrayLike, logits: ArrayLike, *, threshold: float) -> dict[str, float]:
    """Score logits on held-out data, without intervals.

    Parameters
    ----------
    labels, logits, threshold
        See `evaluate`.

    Returns
    -------
    dict
        `auroc`; `auprc`, average precision; `mcc` and `accuracy` of the calls at the threshold;
        `brier`, the mean squared error of the probabilities; `ece`, the expected calibration error
        |mean probability − fraction of positives|, averaged over 15 bins of equal mass;
        `recall_at_fdr10`, the largest recall of a cut with at most 10 % of its calls false, 0
        where there is none.

    Raises
    ------
    InputError
        See `evaluate`.

    References
    ----------
    Brier, Mon Weather Rev 78:1 (1950). Naeini, Cooper and Hauskrecht, AAAI 2015 (the calibration
    error); bins of equal mass: Nixon et al., CVPR Workshops 2019.
    """
    ranked = _rank(labels, logits, threshold)
    found = _measure(ranked, np.ones((1, len(ranked.truth)), dtype=np.int32))
    return {metric: float(found[metric][0]) for metric in EVALUATED}


def _rank(labels: ArrayLike, logits: ArrayLike, threshold: float) -> _Ranked:
    truth, scores = checked(labels, logits)
    if not np.isfinite(threshold):
        raise InputError(
            "a threshold is a finite logit",
            got=str(threshold),
            remedy="take that of choose_threshold on validation data",
        )
    order = np.argsort(-scores, kind="stable")
    scores = scores[order]
    return _Ranked(
        truth=truth[order],
        probs=expit(scores),
        ends=np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1),
        n_called=int((scores > threshold).sum()),
        starts=equal_mass_starts(scores),
    )


def _resampled(ranked: _Ranked, generator: np.random.Generator) -> dict[str, Floats]:
    blocks = [
        _measure(ranked, _draw(ranked.truth, n, generator)) for n in _blocks(len(ranked.truth))
    ]
    return {metric: np.concatenate([block[metric] for block in blocks]) for metric in EVALUATED}


def _blocks(n_examples: int) -> list[int]:
    """Part the resamples into blocks that fit into memory: the number in each."""
    size = max(1, BLOCK // n_examples)
    return [min(size, N_RESAMPLES - first) for first in range(0, N_RESAMPLES, size)]


def _chance_ece(ranked: _Ranked, generator: np.random.Generator) -> float:
    """Give the calibration error that 97.5 % of perfectly calibrated samples stay below."""
    found = []
    for n in _blocks(len(ranked.truth)):
        drawn = generator.random((n, len(ranked.truth)), dtype=np.float32) < ranked.probs
        binned = np.add.reduceat(ranked.probs - drawn, ranked.starts, axis=1)
        found.append(np.abs(binned).sum(axis=1) / len(ranked.truth))
    return float(np.quantile(np.concatenate(found), QUANTILES[1]))


def _draw(truth: NDArray[np.bool_], n: int, generator: np.random.Generator) -> Counts:
    """Draw how often each example comes in each of n resamples (n, N), class by class."""
    weights = np.empty((n, len(truth)), dtype=np.int32)
    for members in (np.flatnonzero(truth), np.flatnonzero(~truth)):
        size = len(members)
        drawn = generator.integers(size, size=(n, size)) + size * np.arange(n)[:, None]
        weights[:, members] = np.bincount(drawn.ravel(), minlength=n * size).reshape(n, size)
    return weights


def _measure(ranked: _Ranked, weights: Counts) -> dict[str, Floats]:
    """Score R resamples at once: weights (R, N) to (R,) of each metric."""
    total = weights.sum(axis=1)
    true = np.cumsum(weights * ranked.truth, axis=1, dtype=np.int32)
    false = np.cumsum(weights, axis=1, dtype=np.int32) - true
    errors = ranked.probs - ranked.truth
    binned = np.add.reduceat(weights * errors, ranked.starts, axis=1)
    return {
        **_of_ranks(true[:, ranked.ends], false[:, ranked.ends]),
        **_of_calls(true, false, ranked.n_called),
        "brier": weights @ errors**2 / total,
        "ece": np.abs(binned).sum(axis=1) / total,
    }


def _of_ranks(true: Counts, false: Counts) -> dict[str, Floats]:
    """Score the ranking: true and false calls (R, G) at every cut from the strictest on."""
    positives, negatives = true[:, -1].astype(np.float64), false[:, -1].astype(np.float64)
    gained = np.diff(true, axis=1, prepend=0)
    lost = np.diff(false, axis=1, prepend=0)
    pairs = (lost * (true - gained / 2)).sum(axis=1)
    precision = true / np.maximum(true + false, 1)
    # In whole numbers, as a precision of 0.9 is: 9 true for every false call.
    reached = np.where(true >= 9 * false.astype(np.int64), true, 0).max(axis=1)
    return {
        "auroc": pairs / (positives * negatives),
        "auprc": (gained * precision).sum(axis=1) / positives,
        "recall_at_fdr10": reached / positives,
    }


def _of_calls(true: Counts, false: Counts, n_called: int) -> dict[str, Floats]:
    """Score the calls of the first `n_called` examples as positive."""
    positives, negatives = true[:, -1].astype(np.float64), false[:, -1].astype(np.float64)
    nothing = np.zeros(len(true))
    tp, fp = (c[:, n_called - 1].astype(np.float64) if n_called else nothing for c in (true, false))
    return {
        "mcc": matthews(tp, fp, positives, negatives),
        "accuracy": (tp + negatives - fp) / (positives + negatives),
    }


def matthews(tp: Floats, fp: Floats, positives: Floats, negatives: Floats) -> Floats:
    """Matthews' correlation of calls, 0 where all are called the same; arrays of one shape."""
    called = tp + fp
    total = positives + negatives
    spread = positives * negatives * called * (total - called)
    covariance = tp * negatives - fp * positives
    return np.where(spread > 0, covariance / np.sqrt(np.maximum(spread, 1)), 0.0)


def choose_threshold(labels: ArrayLike, logits: ArrayLike) -> float:
    """Choose the logit above which calls have the largest Matthews' correlation.

    Parameters
    ----------
    labels, logits
        (N,) of 0 and 1, both present; (N,) finite: validation data, never the test data.

    Returns
    -------
    float
        Half-way between two neighbouring logits, of equally good cuts the one nearest to 0; 0, an
        even chance, where no cut correlates with the labels.

    Raises
    ------
    InputError
        See `score`.
    """
    truth, scores = checked(labels, logits)
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    ends = np.flatnonzero(np.diff(ranked))
    tp = np.cumsum(truth[order], dtype=np.float64)[ends]
    n_positive = float(truth.sum())
    quality = matthews(
        tp,
        ends + 1 - tp,
        np.full(len(ends), n_positive),
        np.full(len(ends), len(truth) - n_positive),
    )
    if not (quality > 0).any():
        return 0.0
    cuts = ranked[ends] / 2 + ranked[ends + 1] / 2
    best = cuts[quality == quality.max()]
    return float(best[np.abs(best).argmin()])


def ensemble_logits(logits: Sequence[ArrayLike]) -> Floats:
    """Join the predictions of an ensemble: the logit of the mean of its probabilities.

    The mean of probabilities, not of logits: no member that is over-sure of itself outvotes the
    others, and the Brier score is never above the mean of the members' (it is convex).

    Parameters
    ----------
    logits
        S arrays of one shape, (N,) or (N, T), finite.

    Returns
    -------
    ndarray
        Of that shape; exact for logits of any size, where probabilities would round to 0 or 1.

    Raises
    ------
    InputError
        When there is no array, or shapes differ.

    References
    ----------
    Lakshminarayanan, Pritzel and Blundell, NeurIPS 2017.
    """
    members = [np.asarray(member, dtype=np.float64) for member in logits]
    if len({member.shape for member in members}) != 1:
        raise InputError(
            "an ensemble has one or more members, all with logits of the same sequences",
            got=f"shapes {[member.shape for member in members]}",
            remedy="predict the same sequences with every member",
        )
    stacked = np.stack(members)
    # The common divisor S cancels between the two.
    above = logsumexp(log_expit(stacked), axis=0)
    return np.asarray(above - logsumexp(log_expit(-stacked), axis=0))
