"""Probabilities from mean logits: what is fitted, from which rows, and when nothing is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from motiflens.evaluation.ensembles import calibrate
from motiflens.metrics import fit_platt, measure
from motiflens.metrics.calibration import fit_weighted


def drawn(n: int, slope: float, bias: float, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    logits = generator.normal(1, 4, n)
    return (generator.random(n) < expit(slope * logits + bias)).astype(int), logits


@pytest.mark.parametrize(("slope", "bias"), [(0.4, -1.5), (2.5, 0.75)])
def test_the_slope_and_bias_that_labels_were_drawn_with_are_found(
    slope: float, bias: float
) -> None:
    labels, logits = drawn(200_000, slope, bias)
    assert fit_platt(labels, logits) == pytest.approx((slope, bias), rel=0.05)
    calibrated = fit_platt(labels, logits)[0] * logits + fit_platt(labels, logits)[1]
    assert measure(labels, calibrated, threshold=0)["ece"] < 0.01


def test_the_fit_is_that_of_scikit_learn_on_labels_with_platts_prior() -> None:
    labels, logits = drawn(90, 0.6, 0.4)
    n_positive = labels.sum()
    target = np.where(labels, (n_positive + 1) / (n_positive + 2), 1 / (90 - n_positive + 2))
    # A label of 0.9 is one of 1 that weighs 0.9 and one of 0 that weighs 0.1.
    fitted = LogisticRegression(C=np.inf, tol=1e-10).fit(
        np.tile(logits, 2)[:, None], np.repeat([1, 0], 90), np.append(target, 1 - target)
    )
    expected = fitted.coef_[0, 0], fitted.intercept_[0]
    assert fit_platt(labels, logits) == pytest.approx(expected, abs=1e-4)


def test_classes_without_a_mistake_have_a_finite_slope() -> None:
    logits = np.append(np.linspace(-900, -100, 40), np.linspace(100, 900, 30))
    slope, bias = fit_platt(logits > 0, logits)
    probs, target = expit(slope * logits + bias), np.where(logits > 0, 31 / 32, 1 / 42)
    assert 0 < slope < 1
    assert [probs.mean(), probs @ logits] == pytest.approx([target.mean(), target @ logits])


def test_equal_logits_give_the_fraction_of_positives() -> None:
    slope, bias = fit_platt([1] * 30 + [0] * 70, np.full(100, 2.5))
    assert expit(slope * 2.5 + bias) == pytest.approx((30 * 31 / 32 + 70 / 72) / 100)


def test_what_is_calibrated_says_how_many_rows_it_is_fitted_to() -> None:
    labels, logits = drawn(300, 0.5, 1)
    found = calibrate(labels, logits)
    assert found is not None
    assert (found.slope, found.bias) == fit_platt(labels, logits)
    assert (found.n_positives, found.n_negatives) == (labels.sum(), 300 - labels.sum())


def test_an_example_that_counts_twice_is_two_examples() -> None:
    labels, logits = drawn(40, 0.5, 1)
    masses = np.where(np.arange(40) % 3, 1.0, 2.0)
    rows = np.repeat(np.arange(40), masses.astype(int))
    for weights, chosen in ((masses, rows), (np.ones(40), np.arange(40))):
        slopes, biases = fit_weighted(labels > 0, logits, np.stack([masses, weights]))
        n_positive = labels.sum()
        target = np.where(labels, (n_positive + 1) / (n_positive + 2), 1 / (42 - n_positive))
        probs = expit(slopes[1] * logits[chosen] + biases[1])
        missed = probs - target[chosen]
        assert [missed.mean(), missed @ logits[chosen]] == pytest.approx([0, 0], abs=1e-8)


@pytest.mark.parametrize("counts", [(19, 200), (200, 19), (0, 50), (0, 0)])
def test_too_few_rows_of_a_class_are_not_fitted(counts: tuple[int, int]) -> None:
    labels = np.repeat([1, 0], counts)
    assert calibrate(labels, np.linspace(0, 1, len(labels))) is None
    labels = np.repeat([1, 0], (20, 20))
    assert calibrate(labels, np.linspace(1, 0, 40)) is not None
