"""The threshold of calls: by calibrated probabilities, how sure it is, and of a known share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from motiflens.errors import InputError
from motiflens.metrics.calibration import fit_platt, fit_weighted
from motiflens.metrics.evaluation import QUANTILES, measure
from motiflens.metrics.ranking import Floats, call_scores, rank
from motiflens.metrics.resampling import (
    Groups,
    Sample,
    block_sizes,
    draw,
    draw_call_rates,
    normalise,
    number_groups,
)

#: Probabilities are kept so far from 0 and 1, that a threshold is a number.
TINY = 1e-12


class Assessment(NamedTuple):
    """How sure a threshold is.

    Parameters
    ----------
    low, high
        The 95 % interval of the threshold; None at an end that is not known, of so few examples
        that a higher logit may not mean a positive.
    mcc
        Of the examples that chose the threshold.
    mcc_low, mcc_high
        Its 95 % interval, in which both the threshold and the examples that it is tried on are of
        others that might have come.
    """

    low: float | None
    high: float | None
    mcc: float
    mcc_low: float
    mcc_high: float


def choose_threshold(labels: ArrayLike, logits: ArrayLike) -> float:
    """Choose the logit above which calls have the largest Matthews' correlation to be expected.

    Parameters
    ----------
    labels, logits
        (N,) of 0 and 1, both present; (N,) finite: validation data, never the test data.

    Returns
    -------
    float
        0, an even chance of a model as trained, where a higher logit does not make a positive more
        probable.

    Raises
    ------
    InputError
        See `score`.

    Notes
    -----
    The labels make probabilities of the logits (Platt scaling, see `fit_platt`), and of these
    follows what any threshold is expected to call rightly (as Lipton, Elkan and Naryanaswamy,
    ECML 2014, do for F1). All examples have a say in two numbers, slope and bias, where the largest
    correlation that was counted is that of the few examples next to a cut: it is the more luck,
    the fewer they are. Of classes alike in number and spread the threshold is a probability of
    one half; where positives are rare it lies below. Logits that are stretched or shifted get the
    same calls.
    """
    ranked = rank(labels, logits, threshold=0.0)
    scores = np.asarray(logits, dtype=np.float64)[ranked.order]
    slope, bias = fit_platt(labels, logits)
    return _best_cut(scores, np.ones(len(scores)), slope, bias) if slope > 0 else 0.0


def assess_threshold(
    labels: ArrayLike,
    logits: ArrayLike,
    generator: np.random.Generator,
    groups: ArrayLike | None = None,
) -> Assessment:
    """Say how sure a chosen threshold is, and which correlation it is expected to reach.

    Parameters
    ----------
    labels, logits
        As `choose_threshold` takes them.
    generator
        Draws 1,000 resamples.
    groups
        As in `evaluate`.

    Returns
    -------
    Assessment

    Raises
    ------
    InputError
        See `score`.

    Notes
    -----
    The Bayesian bootstrap of `evaluate`. A threshold is tried on a resample that did not choose it.
    """
    chosen = choose_threshold(labels, logits)
    ranked = rank(labels, logits, threshold=chosen)
    scores = np.asarray(logits, dtype=np.float64)[ranked.order]
    numbered = number_groups(groups, len(scores))
    sample = Sample(ranked, Groups(numbered.of[ranked.order], numbered.n))
    thresholds, correlations = [], []
    for n in block_sizes(len(scores)):
        drawn = draw(sample, n, generator)
        masses = normalise(ranked, drawn)
        found = _resampled(sample, scores, masses.positive + masses.negative)
        above = scores > np.roll(found, 1)[:, None]
        called = (drawn.positive * above).sum(axis=1), (drawn.negative * above).sum(axis=1)
        rates = draw_call_rates(sample, drawn, called, generator)
        thresholds.append(found)
        correlations.append(call_scores(ranked, *rates)["mcc"])
    # Not between two of them, of which one may be infinite.
    low, high = np.quantile(np.concatenate(thresholds), QUANTILES, method="nearest").tolist()
    mcc = measure(labels, logits, threshold=chosen)["mcc"]
    mcc_low, mcc_high = np.quantile(np.concatenate(correlations), QUANTILES).tolist()
    return Assessment(
        low=min(low, chosen) if np.isfinite(low) else None,
        high=max(high, chosen) if np.isfinite(high) else None,
        mcc=mcc,
        mcc_low=min(mcc_low, mcc),
        mcc_high=max(mcc_high, mcc),
    )


def _resampled(sample: Sample, scores: Floats, masses: Floats) -> Floats:
    """Choose the threshold (R,) of each weighting (R, N); where there is none, all or none."""
    slopes, biases = fit_weighted(sample.ranked.truth, scores, masses)
    return np.array(
        [
            _best_cut(scores, own, slope, bias) if slope > 0 else (-np.inf, np.inf)[row % 2]
            for row, (own, slope, bias) in enumerate(zip(masses, slopes, biases, strict=True))
        ]
    )


def _best_cut(scores: Floats, masses: Floats, slope: float, bias: float) -> float:
    """Return the logit from which on one more call lowers the correlation to be expected.

    Parameters
    ----------
    scores
        (N,) from the highest down.
    masses
        (N,).
    slope, bias
        Of the probabilities; the slope above 0.

    Notes
    -----
    Where a fraction c is called, t of all is called rightly and p is positive, the correlation is
    (t − c p) / √(p (1 − p) c (1 − c)). One more call of probability s raises it if s is above
    p + (t − c p) (1 − 2 c) / (2 c (1 − c)): the threshold lies where the two are equal. That is
    looked for from s = p on, which it is where as many are called as are positive. The example at a
    cut counts half, and between examples lies a straight line.
    """
    probs = expit(slope * scores + bias).clip(TINY, 1 - TINY)
    weights = masses / masses.sum()
    prior = float(weights @ probs)
    called = weights.cumsum() - weights / 2
    right = (weights * probs).cumsum() - weights * probs / 2
    at = int(np.searchsorted(-probs, -prior))
    called, right = (
        np.insert(one, at, np.interp(prior, probs[::-1], one[::-1])) for one in (called, right)
    )
    probs = np.insert(probs, at, prior)
    least = prior + (right - called * prior) * (1 - 2 * called) / (2 * called * (1 - called))
    excess = probs - least
    step = 1 if excess[at] > 0 else -1
    excess, probs = excess[at::step], probs[at::step]
    turned = np.flatnonzero(excess * step <= TINY)
    if not turned.size:
        return float((logit(probs[-1]) - bias) / slope)
    k = int(turned[0])
    cut = probs[k]
    if k > 0:
        cut = probs[k - 1] + (cut - probs[k - 1]) * excess[k - 1] / (excess[k - 1] - excess[k])
    return float((logit(cut) - bias) / slope)


def threshold_of_share(logits: ArrayLike, share: float) -> float:
    """Return the logit above which a known fraction of sequences lies.

    Parameters
    ----------
    logits
        (N,) finite, of the sequences that are called.
    share
        The fraction of them that is positive, as far as it is known without their labels.

    Returns
    -------
    float
        Half-way between two neighbouring logits; of equal ones none is called that would be one
        too many.

    Raises
    ------
    InputError
        When there are no logits, or the share is no fraction.
    """
    ranked = np.sort(np.asarray(logits, dtype=np.float64))[::-1]
    if len(ranked) == 0 or not 0.0 <= share <= 1.0:
        raise InputError(
            f"a share of {share:g} of {len(ranked):,} sequences is none",
            remedy="give a fraction between 0 and 1, and logits",
            argument=("logits", "share"),
        )
    n_called = round(share * len(ranked))
    if n_called == 0:
        return float(ranked[0])
    if n_called == len(ranked):
        return float(np.nextafter(ranked[-1], -np.inf))
    return float(ranked[n_called - 1] / 2 + ranked[n_called] / 2)
