"""Probabilities from logits, by a logistic function fitted to held-out labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import expit

from motiflens.metrics.ranking import Floats, check_predictions


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
    n_positive = int(truth.sum())
    high, low = (n_positive + 1) / (n_positive + 2), 1 / (len(truth) - n_positive + 2)
    target = np.where(truth, high, low)
    # In units of their spread, so that logits of any size are fitted alike.
    centre, spread = float(scores.mean()), float(scores.std()) or 1.0
    units = (scores - centre) / spread

    def loss(parameters: Floats) -> tuple[float, Floats]:
        z = parameters[0] * units + parameters[1]
        missed = expit(z) - target
        value = float(np.mean(np.logaddexp(0, z) - target * z))
        return value, np.array([np.mean(missed * units), np.mean(missed)])

    odds = np.log((n_positive + 1) / (len(truth) - n_positive + 1))
    fitted = minimize(loss, [0.0, odds], jac=True, method="BFGS", options={"gtol": 1e-9})
    slope = float(fitted.x[0]) / spread
    return slope, float(fitted.x[1]) - slope * centre
