"""Probabilities from logits, by a logistic function fitted to held-out labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from motiflens.metrics.ranking import Floats, check_predictions

#: Steps of Newton's method, and halvings of one; some six and none are needed.
MAX_STEPS, MAX_HALVINGS = 50, 30
#: A mean gradient that counts as 0, in units of the spread of logits, and a loss that is rounding.
FLAT, ROUNDING = 1e-11, 1e-13
#: Curvature that is added for a step where logits are all equal.
LEAST_CURVE = 1e-12


def fit_platt(labels: ArrayLike, logits: ArrayLike) -> tuple[float, float]:
    """Fit slope and bias such that ``expit(slope * logit + bias)`` is the probability of a label.

    Parameters
    ----------
    labels, logits
        (N,) of 0 and 1, both present; (N,) finite: data that trained none of what gave the logits.

    Returns
    -------
    slope, bias
        Of the largest likelihood, where the labels are not 1 and 0 but (P + 1) / (P + 2) and
        1 / (Q + 2) for P positives and Q negatives: what is known of a label after so many. So the
        fit is finite where logits divide the classes without a mistake.

    Raises
    ------
    InputError
        See `score`.

    References
    ----------
    Platt, Advances in Large Margin Classifiers (1999), with the likelihood as in Lin, Lin and Weng,
    Machine Learning 68:267 (2007).
    """
    truth, scores = check_predictions(labels, logits)
    slopes, biases = fit_weighted(truth, scores, np.ones((1, len(truth))))
    return float(slopes[0]), float(biases[0])


def prior_shift(before: float, after: float) -> float:
    """Return what another share of positives adds to the logit of a calibrated probability.

    Parameters
    ----------
    before, after
        Fractions of positives, above 0 and below 1: of the data that fitted the probabilities, and
        of those that are scored.

    Notes
    -----
    Sequences of a class are taken to be alike in both, so that the odds change as the prior odds do
    (Saerens, Latinne and Decaestecker, Neural Comput 14:21, 2002).
    """
    return float(logit(after) - logit(before))


def fit_weighted(truth: NDArray[np.bool_], scores: Floats, masses: Floats) -> tuple[Floats, Floats]:
    """Fit what `fit_platt` does to examples of unequal mass, for many weightings at once.

    Parameters
    ----------
    truth, scores
        (N,) labels, both present; (N,) logits.
    masses
        (R, N), positive: how often each example counts.

    Returns
    -------
    slopes, biases
        (R,).

    Notes
    -----
    Newton's method, each step halved until the loss does not rise.
    """
    n_positive = int(truth.sum())
    high, low = (n_positive + 1) / (n_positive + 2), 1 / (len(truth) - n_positive + 2)
    target = np.where(truth, high, low)
    # In units of their spread, so that logits of any size are fitted alike.
    centre, spread = float(scores.mean()), float(scores.std()) or 1.0
    units = (scores - centre) / spread
    weights = masses / masses.sum(axis=1, keepdims=True)
    odds = np.log((n_positive + 1) / (len(truth) - n_positive + 1))
    line = np.stack([np.zeros(len(masses)), np.full(len(masses), odds)])
    loss = _loss(line, units, target, weights)
    for _ in range(MAX_STEPS):
        gradient, step = _newton(line, units, target, weights)
        step[:, np.abs(gradient).max(axis=0) < FLAT] = 0.0
        if not step.any():
            break
        for _ in range(MAX_HALVINGS):
            ahead = _loss(line - step, units, target, weights)
            if not (worse := ahead > loss + ROUNDING).any():
                break
            step[:, worse] /= 2
        line, loss = line - step, ahead
    slopes = line[0] / spread
    return slopes, line[1] - slopes * centre


def _loss(line: Floats, units: Floats, target: Floats, weights: Floats) -> Floats:
    """Return the mean loss (R,) of lines (2, R)."""
    z = line[0][:, None] * units + line[1][:, None]
    return np.asarray((weights * (np.logaddexp(0, z) - target * z)).sum(axis=1))


def _newton(line: Floats, units: Floats, target: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return the gradient (2, R) of the loss, and Newton's step."""
    probs = expit(line[0][:, None] * units + line[1][:, None])
    missed, curve = weights * (probs - target), weights * probs * (1 - probs)
    gradient = np.stack([missed @ units, missed.sum(axis=1)])
    of_slope, of_bias = curve @ units**2 + LEAST_CURVE, curve.sum(axis=1) + LEAST_CURVE
    of_both = curve @ units
    step = np.stack(
        [
            of_bias * gradient[0] - of_both * gradient[1],
            of_slope * gradient[1] - of_both * gradient[0],
        ]
    )
    return gradient, step / (of_slope * of_bias - of_both**2)
