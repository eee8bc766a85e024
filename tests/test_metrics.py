from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from sklearn import metrics as sklearn_metrics

from motiflens.errors import InputError
from motiflens.metrics import auroc_standard_error, rank_auroc, score
from motiflens.metrics.intervals import Interval, mean_interval
from motiflens.metrics.scores import METRICS, epochs_to_target

finite = st.floats(-1e3, 1e3)
samples = arrays(np.float64, st.integers(2, 12), elements=finite)


def test_scores_of_an_example_worked_by_hand():
    labels = [1, 0, 1, 0, 1]
    logits = [3.0, 2.0, 1.0, -1.0, -2.0]
    # Ranked 1 0 1 0 1: of 6 pairs the first positive wins 2, the second 1, the third none.
    # Precision at the positives: 1/1, 2/3, 3/5. Called right: ranks 1, 3, 4.
    # tp 2, fp 1, fn 1, tn 1: mcc = (2·1 − 1·1) / √(3·3·2·2).
    scores = score(labels, logits)
    assert tuple(scores) == METRICS
    assert scores["auroc"] == pytest.approx(3 / 6)
    assert scores["auprc"] == pytest.approx((1 + 2 / 3 + 3 / 5) / 3)
    assert scores["accuracy"] == pytest.approx(3 / 5)
    assert scores["mcc"] == pytest.approx(1 / 6)


def test_a_logit_of_zero_is_called_negative():
    assert score([0, 1], [0.0, 0.1])["accuracy"] == 1
    assert score([1, 0], [0.0, -0.1])["accuracy"] == 0.5


def test_all_called_the_same_has_no_correlation():
    assert score([0, 1, 1], [-3.0, -2.0, -1.0])["mcc"] == 0


@given(st.data())
def test_scores_agree_with_pair_counts_and_scikit_learn(data):
    labels = np.array(data.draw(st.lists(st.integers(0, 1), min_size=2, max_size=20)))
    labels[:2] = 0, 1
    # Few levels, so that ties come up.
    logits = data.draw(arrays(np.float32, len(labels), elements=st.sampled_from([-2, -1, 0, 1, 2])))
    pairs = logits[labels == 1][:, None] - logits[labels == 0][None]
    scores = score(labels.astype(np.float32), logits)
    assert scores["auroc"] == pytest.approx(np.mean((pairs > 0) + 0.5 * (pairs == 0)))
    assert scores["accuracy"] == pytest.approx(np.mean((logits > 0) == (labels == 1)))
    assert scores["auprc"] == sklearn_metrics.average_precision_score(labels, logits)
    assert scores["mcc"] == sklearn_metrics.matthews_corrcoef(labels, logits > 0)


@pytest.mark.parametrize(
    ("labels", "logits", "message"),
    [
        ([1, 1, 1], [0.5, 1.0, 2.0], "all 3 labels are of one class"),
        ([], [], "no labels"),
        ([0, 1], [0.5, 1.0, 2.0], r"\(2,\) and logits of shape \(3,\)"),
        ([[0], [1]], [[0.5], [1.0]], r"\(2, 1\)"),
        ([0, 1, 2], [0.5, 1.0, 2.0], "label 2 is"),
        ([0, 1, 1], [0.5, 1.0, math.nan], "example 2 is nan"),
        ([0, 1, 1], [0.5, -math.inf, 1.0], "example 1 is -inf"),
    ],
)
def test_scores_that_have_no_value_are_refused(labels, logits, message):
    with pytest.raises(InputError, match=message):
        score(labels, logits)


def test_interval_of_an_example_worked_by_hand():
    # Mean 4, standard deviation 2, standard error 2/√4 = 1, t(3) at 97.5 % = 3.18245.
    interval = mean_interval([2.0, 3.0, 5.0, 6.0])
    error = math.sqrt(10 / 3) / 2
    assert interval.mean == 4
    assert interval.low == pytest.approx(4 - 3.182446 * error, abs=1e-6)
    assert interval.high == pytest.approx(4 + 3.182446 * error, abs=1e-6)
    assert interval.n == 4


@given(samples)
def test_interval_agrees_with_scipy(values):
    interval = mean_interval(values)
    assert interval.low <= interval.mean <= interval.high
    if np.ptp(values) > 1e-6:
        expected = stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))
        assert (interval.low, interval.high) == pytest.approx(expected)


@given(finite, st.integers(1, 9))
def test_equal_values_have_no_spread(value, n):
    assert mean_interval([value] * n) == Interval(value, value, value, n)


def test_bounds_cut_the_interval_and_leave_the_mean():
    wide = mean_interval([0.9, 1.0, 1.0])
    cut = mean_interval([0.9, 1.0, 1.0], bounds=(0.95, 1.0))
    assert wide.high > 1 > wide.mean > 0.95 > wide.low
    assert cut == (wide.mean, 0.95, 1.0, 3)


def test_an_interval_covers_the_truth_as_often_as_it_says():
    draws = np.random.default_rng(0).normal(3.0, 2.0, size=(2000, 5))
    intervals = [mean_interval(row) for row in draws]
    covered = np.mean([interval.low <= 3 <= interval.high for interval in intervals])
    assert covered == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize("values", [[], [1.0, math.nan], [math.inf], [[1.0, 2.0]]])
def test_no_interval_of_values_that_are_missing(values):
    with pytest.raises(InputError, match="there is no mean of"):
        mean_interval(values)


@pytest.mark.parametrize(
    ("accuracies", "epoch"),
    [([0.95, 0.5], 1), ([0.5, 0.94, 0.95, 0.9], 3), ([0.5, 0.94], None), ([], None)],
)
def test_epochs_count_from_one(accuracies, epoch):
    assert epochs_to_target(accuracies, 0.95) == epoch


def test_the_standard_error_of_an_auroc_by_chance_is_that_of_random_scores():
    rng = np.random.default_rng(0)
    labels = np.repeat([1, 0], [20, 31])
    aurocs = rank_auroc(np.tile(labels, (20_000, 1)), rng.normal(size=(20_000, 51)))
    assert auroc_standard_error(20, 31) == pytest.approx(aurocs.std(), rel=0.02)
