"""Held-out scores: worked by hand, equal to scikit-learn's, with intervals that cover the truth."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit, logit
from sklearn import metrics as sklearn_metrics
from sklearn.calibration import calibration_curve

from motiflens.errors import InputError
from motiflens.metrics import (
    choose_threshold,
    curve_points,
    evaluate,
    measure,
    resampling,
)
from motiflens.metrics.curves import precision_recall_points, reliability_points, roc_curve_points
from motiflens.metrics.evaluation import EVALUATED

few_levels = st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0])


@st.composite
def predictions(draw, elements=few_levels):
    labels = np.array(draw(st.lists(st.integers(0, 1), min_size=2, max_size=25)))
    labels[:2] = 0, 1
    return labels, draw(arrays(np.float64, len(labels), elements=elements))


def drawn(generator, n, *, sharpened=1.0):
    """Half positives, half negatives, one normal each: the log-odds are 2 · x, times a fault."""
    labels = np.arange(n) % 2
    return labels, sharpened * 2 * (generator.normal(size=n) + 2 * labels - 1)


def test_scores_of_an_example_worked_by_hand():
    labels = [1, 1, 0, 1, 0, 0, 0]
    probs = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.2, 0.1])
    scores = measure(labels, logit(probs), threshold=float(logit(0.55)))
    assert tuple(scores) == EVALUATED
    # Of 12 pairs one is turned round. Precision at the positives: 1, 1, 3/4.
    assert scores["auroc"] == pytest.approx(11 / 12)
    assert scores["auprc"] == pytest.approx((1 + 1 + 3 / 4) / 3)
    # Called: four, one of them wrong. tp 3, fp 1, fn 0, tn 3: mcc = 9 / √(4·3·4·3).
    assert scores["mcc"] == pytest.approx(9 / 12)
    assert scores["accuracy"] == pytest.approx(6 / 7)
    assert scores["brier"] == pytest.approx(np.mean((probs - labels) ** 2))
    # 7 examples in 15 bins: each its own.
    assert scores["ece"] == pytest.approx(np.mean(np.abs(probs - labels)))
    assert scores["recall_at_fdr10"] == pytest.approx(2 / 3)


def test_recall_at_ten_false_calls_in_a_hundred_is_allowed_and_more_is_not():
    labels = np.array([1] * 8 + [0] + [1] + [0] * 2 + [1] * 3)
    logits = -np.arange(15.0)
    assert measure(labels, logits, threshold=0)["recall_at_fdr10"] == 9 / 12  # 9 of 10 right
    labels[9] = 0
    assert measure(labels, logits, threshold=0)["recall_at_fdr10"] == 8 / 11
    assert measure(1 - labels, logits, threshold=0)["recall_at_fdr10"] == 0


@given(predictions(), st.sampled_from([-9.0, -0.5, 0.2, 9.0]))
def test_scores_are_those_of_scikit_learn(example, threshold):
    labels, logits = example
    scores = measure(labels, logits, threshold=threshold)
    called = logits > threshold
    assert scores["auroc"] == pytest.approx(sklearn_metrics.roc_auc_score(labels, logits))
    assert scores["auprc"] == pytest.approx(sklearn_metrics.average_precision_score(labels, logits))
    assert scores["mcc"] == pytest.approx(sklearn_metrics.matthews_corrcoef(labels, called))
    assert scores["accuracy"] == pytest.approx(np.mean(called == labels))
    assert scores["brier"] == pytest.approx(sklearn_metrics.brier_score_loss(labels, expit(logits)))
    precision, recall, _ = sklearn_metrics.precision_recall_curve(labels, logits)
    allowed = recall[:-1][precision[:-1] >= 0.9 - 1e-9]
    assert scores["recall_at_fdr10"] == pytest.approx(allowed.max(initial=0))


def test_bins_are_those_of_scikit_learn_where_no_scores_are_equal():
    labels, logits = drawn(np.random.default_rng(0), 15 * 40)
    x, y, n = reliability_points(labels, logits)
    fractions, means = calibration_curve(labels, expit(logits), n_bins=15, strategy="quantile")
    np.testing.assert_allclose(y, fractions)
    np.testing.assert_allclose(x, means)
    assert n.tolist() == [40] * 15
    ece = measure(labels, logits, threshold=0)["ece"]
    assert ece == pytest.approx(np.mean(np.abs(fractions - means)))


@given(predictions(), st.randoms(use_true_random=False))
def test_the_order_of_rows_has_no_say(example, random):
    labels, logits = example
    order = random.sample(range(len(labels)), len(labels))
    first, second = (
        measure(labels[rows], logits[rows], threshold=0.2) for rows in (slice(None), order)
    )
    assert first == pytest.approx(second)


def test_equal_scores_share_a_bin():
    labels = np.repeat([1, 0], 50)
    x, y, n = reliability_points(labels, np.zeros(100))
    assert (x.tolist(), y.tolist(), n.tolist()) == ([0.5], [0.5], [100])
    assert measure(labels, np.zeros(100), threshold=0)["ece"] == 0


def test_a_group_of_equal_scores_is_in_the_bin_of_its_middle():
    logits = [-1.0, *[0.0] * 28, 1.0]
    assert reliability_points([0, 1] * 15, logits)[2].tolist() == [1, 28, 1]


@given(predictions(st.floats(-30, 30)))
def test_bins_hold_every_example_once(example):
    labels, logits = example
    x, y, n = reliability_points(labels, logits)
    assert n.sum() == len(labels)
    assert len(n) <= 15
    assert (np.diff(x) >= 0).all()
    assert n @ y == pytest.approx(labels.sum())
    assert n @ x == pytest.approx(expit(logits).sum())


@pytest.mark.parametrize("function", [evaluate, measure])
def test_a_threshold_is_a_number(function):
    extra = {"generator": np.random.default_rng(0)} if function is evaluate else {}
    with pytest.raises(InputError, match="threshold nan"):
        function([0, 1], [0.0, 1.0], threshold=math.nan, **extra)


@pytest.mark.parametrize(
    "function", [choose_threshold, roc_curve_points, precision_recall_points, reliability_points]
)
def test_one_class_is_refused(function):
    with pytest.raises(InputError, match="one class"):
        function([1, 1, 1], [0.5, 1.0, 2.0])


@settings(deadline=None, max_examples=20)
@given(predictions())
def test_an_interval_holds_its_value_and_stays_in_range(example):
    found = evaluate(*example, threshold=0.2, generator=np.random.default_rng(0))
    assert tuple(found) == EVALUATED
    assert {m: row["value"] for m, row in found.items()} == measure(*example, threshold=0.2)
    for metric, row in found.items():
        assert (-1 if metric == "mcc" else 0) <= row["low"] <= row["value"] <= row["high"] <= 1


def test_a_logit_at_the_threshold_is_called_negative():
    assert measure([0, 1], [0.5, 0.7], threshold=0.5)["accuracy"] == 1
    assert measure([1, 0], [0.5, 0.2], threshold=0.5)["accuracy"] == 0.5


def test_equal_generators_give_equal_intervals():
    labels, logits = drawn(np.random.default_rng(2), 60)
    first, again, other = (
        evaluate(labels, logits, threshold=0, generator=np.random.default_rng(seed))
        for seed in (5, 5, 6)
    )
    assert first == again != other


def test_groups_of_one_change_nothing():
    labels, logits = drawn(np.random.default_rng(2), 61)
    alone, grouped = (
        evaluate(labels, logits, threshold=0.2, generator=np.random.default_rng(5), groups=groups)
        for groups in (None, np.random.default_rng(0).permutation(61) + 1000)
    )
    assert alone == grouped


def test_a_sequence_that_comes_four_times_counts_once():
    labels, logits = drawn(np.random.default_rng(11), 150)
    rows = np.random.default_rng(12).permutation(np.repeat(np.arange(150), 4))
    once = evaluate(labels, logits, threshold=0.2, generator=np.random.default_rng(5))
    four, blind = (
        evaluate(
            labels[rows],
            logits[rows],
            threshold=0.2,
            generator=np.random.default_rng(6),
            groups=groups,
        )
        for groups in (rows, None)
    )
    for metric in set(EVALUATED) - {"ece"}:
        width, same, narrow = (
            found[metric]["high"] - found[metric]["low"] for found in (once, four, blind)
        )
        assert four[metric]["value"] == pytest.approx(once[metric]["value"])
        assert same == pytest.approx(width, rel=0.12)
        assert narrow < 0.65 * width
    # Equal logits share a bin of the calibration error: its bins are not quite the same.
    assert four["ece"]["high"] == pytest.approx(once["ece"]["high"], rel=0.2)


@pytest.mark.parametrize("n", [8, 40, 300])
def test_no_fault_seen_is_not_no_fault(n):
    labels = np.arange(2 * n) % 2
    logits = np.where(labels, 9.0, -9.0) + np.linspace(0, 1, 2 * n)
    found = evaluate(labels, logits, threshold=0.0, generator=np.random.default_rng(1))
    at_most = 1 - 0.05 ** (1 / n)  # Clopper and Pearson, one-sided
    for metric in ("auroc", "auprc", "accuracy", "mcc", "recall_at_fdr10"):
        row = found[metric]
        assert row["value"] == row["high"] == 1
        assert 0.3 * at_most < 1 - row["low"] < 4 * at_most, metric
    assert found["brier"]["high"] - found["brier"]["low"] > 0.1 * at_most
    assert found["ece"]["high"] - found["ece"]["low"] > 0.1 * at_most


def test_no_true_cut_seen_is_not_none():
    labels = np.array([0] * 30 + [1] * 30)
    found = evaluate(labels, -np.arange(60.0), threshold=0.0, generator=np.random.default_rng(1))
    for metric in ("auroc", "recall_at_fdr10"):
        assert found[metric]["value"] == found[metric]["low"] == 0 < 0.01 < found[metric]["high"]


def test_blocks_of_resamples_add_up(monkeypatch):
    monkeypatch.setattr(resampling, "BLOCK", 700)
    assert sum(resampling.block_sizes(9)) == 1000
    assert sum(resampling.block_sizes(10_000)) == 1000
    labels, logits = drawn(np.random.default_rng(2), 60)
    found = evaluate(labels, logits, threshold=0, generator=np.random.default_rng(5))
    assert found["auroc"]["low"] < found["auroc"]["value"] < found["auroc"]["high"]


@pytest.mark.parametrize("sharpened", [1.0, 2.0])
def test_intervals_cover_the_truth_as_often_as_they_say(sharpened, monkeypatch):
    """Coarse: 150 samples of 300; the standard error of the share covered is 2 %."""
    monkeypatch.setattr(resampling, "N_RESAMPLES", 300)
    generator = np.random.default_rng(4)
    truth = measure(*drawn(generator, 200_000, sharpened=sharpened), threshold=0.5)
    covered = dict.fromkeys(EVALUATED, 0)
    for _ in range(150):
        found = evaluate(
            *drawn(generator, 300, sharpened=sharpened), threshold=0.5, generator=generator
        )
        for metric in EVALUATED:
            covered[metric] += found[metric]["low"] <= truth[metric] <= found[metric]["high"]
    assert all(0.88 <= n / 150 <= 1 for n in covered.values()), covered


def separated(generator, shift, n):
    """Two normals of standard deviation 1, `shift` apart; the logits are the log-odds."""
    labels = np.repeat([1, 0], n)
    return labels, shift * (generator.normal(size=2 * n) + shift * (labels - 0.5))


COVERED = ("auroc", "auprc", "accuracy", "mcc", "recall_at_fdr10")


@pytest.mark.parametrize(
    ("shift", "n", "n_samples"),
    [
        (3.6, 40, 60),
        *(
            pytest.param(shift, n, 400, marks=pytest.mark.slow)
            for shift, n in ((1.8, 100), (2.6, 50), (3.6, 40))
        ),
    ],
)
def test_intervals_near_the_boundary_cover_the_truth(shift, n, n_samples, monkeypatch):
    """True AUROC 0.898, 0.967 and 0.994; shares covered have standard errors of 1 to 3 %."""
    if n_samples < 100:
        monkeypatch.setattr(resampling, "N_RESAMPLES", 300)
    generator = np.random.default_rng(4)
    truth = measure(*separated(generator, shift, 200_000), threshold=0)
    rows = [
        evaluate(*separated(generator, shift, n), threshold=0, generator=generator)
        for _ in range(n_samples)
    ]
    # The range of a score that jumps needs more samples than its coverage.
    more = [
        measure(*separated(generator, shift, n), threshold=0)
        for _ in range(3000 if n_samples > 100 else 0)
    ]
    estimates = {metric: [one[metric] for one in more] for metric in COVERED}
    for metric in (*COVERED, "brier", "ece"):
        _, low, high = np.array([tuple(row[metric].values()) for row in rows]).T
        covered = np.mean((low <= truth[metric]) & (truth[metric] <= high))
        assert covered >= 0.89, (metric, covered)
        if n_samples > 100 and metric in COVERED:
            own = np.ptp(np.quantile(estimates[metric], [0.025, 0.975]))
            assert np.mean(high - low) <= 1.55 * own, metric


def test_twenty_thousand_examples_take_seconds():
    labels, logits = drawn(np.random.default_rng(6), 20_000)
    began = time.process_time()
    found = evaluate(labels, logits, threshold=0, generator=np.random.default_rng(0))
    assert time.process_time() - began < 8
    assert found["auroc"]["high"] - found["auroc"]["low"] == pytest.approx(0.0075, abs=0.002)
    assert found["ece"]["low"] == 0


def test_curves_without_thinning_are_scikit_learns():
    labels, logits = drawn(np.random.default_rng(7), 60)
    x, y = roc_curve_points(labels, logits)
    false, true, _ = sklearn_metrics.roc_curve(labels, logits)
    assert (x.tolist(), y.tolist()) == (false.tolist(), true.tolist())
    x, y = precision_recall_points(labels, logits)
    precision, recall, _ = sklearn_metrics.precision_recall_curve(labels, logits)
    assert (x.tolist(), y.tolist()) == (recall[:-1][::-1].tolist(), precision[:-1][::-1].tolist())


@pytest.mark.parametrize("n", [150, 7000])
def test_thinned_curves_keep_their_ends_and_their_area(n):
    labels, logits = drawn(np.random.default_rng(8), n)
    scores = measure(labels, logits, threshold=0)
    x, y = roc_curve_points(labels, logits)
    assert len(x) == len(y) <= 200
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert (np.diff(x) >= 0).all()
    assert np.trapezoid(y, x) == pytest.approx(scores["auroc"], abs=0.003)
    x, y = precision_recall_points(labels, logits)
    assert len(x) == len(y) <= 200
    assert (x[-1], y[-1]) == (1, 0.5)
    assert (np.diff(x) >= 0).all()
    assert np.trapezoid(y, x) == pytest.approx(scores["auprc"], abs=0.02)


def test_curves_are_plain_lists():
    found = curve_points(*drawn(np.random.default_rng(9), 400))
    assert {name: tuple(found[name]) for name in found} == {
        "roc": ("x", "y"),
        "pr": ("x", "y"),
        "reliability": ("x", "y", "n"),
    }
    assert {type(v) for curve in found.values() for values in curve.values() for v in values} == {
        float,
        int,
    }
