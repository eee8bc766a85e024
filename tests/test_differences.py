"""Differences of models: variances worked out otherwise, intervals that cover the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from motiflens.errors import InputError
from motiflens.metrics import intervals as under_test
from motiflens.metrics import score
from motiflens.metrics.intervals import Interval, paired_difference, seed_scores
from motiflens.metrics.ranking import influences
from motiflens.metrics.scores import METRICS


@st.composite
def predictions(draw):
    labels = np.array(draw(st.lists(st.integers(0, 1), min_size=5, max_size=20)))
    labels[:2] = 0, 1
    levels = st.sampled_from([-2.0, -1.0, 0.0, 0.5, 1.0])
    logits = draw(arrays(np.float64, len(labels), elements=levels))
    logits[2:4] = -1.5, 1.5  # not all called the same
    return labels, logits


@settings(deadline=None)
@given(predictions(), st.data())
def test_the_influence_is_the_slope_of_the_score(example, data):
    """Copies of one example are added, in place of an even share of its class."""
    labels, logits = example
    place = data.draw(st.integers(0, len(labels) - 1))
    label = data.draw(st.integers(0, 1))
    copies = 4000
    many = np.repeat(np.arange(len(labels)), copies)
    size = int((labels == label).sum())
    kept = np.ones(len(many), dtype=bool)
    kept[many >= 0] = ~((labels[many] == label) & (np.arange(len(many)) % copies == 0))
    moved_labels = np.append(labels[many][kept], np.full(size, label))
    moved_logits = np.append(logits[many][kept], np.full(size, logits[place]))
    before, after = score(labels, logits), score(moved_labels, moved_logits)
    found = influences(labels, logits)
    for metric in METRICS:
        assert found[metric].shape == (2, len(labels))
        slope = (after[metric] - before[metric]) * copies
        assert found[metric][label, place] == pytest.approx(slope, abs=0.02, rel=0.02), metric
        for value in (0, 1):
            assert found[metric][value, labels == value].mean() == pytest.approx(0, abs=1e-12)


def test_the_influence_on_auroc_is_that_of_delong():
    generator = np.random.default_rng(0)
    labels = np.repeat([1, 0], [7, 9])
    logits = generator.integers(4, size=16).astype(float)
    pairs = logits[:7, None] - logits[None, 7:]
    wins = (pairs > 0) + 0.5 * (pairs == 0)
    found = influences(labels, logits)["auroc"]
    np.testing.assert_allclose(found[1, :7], wins.mean(axis=1) - wins.mean())
    np.testing.assert_allclose(found[0, 7:], wins.mean(axis=0) - wins.mean())


def test_where_all_are_called_the_same_the_influence_is_finite():
    found = influences([0, 1, 1], [1.0, 2.0, 3.0])
    assert all(np.isfinite(values).all() for values in found.values())


def pair(n_positive=40, n_negative=60, n_seeds=5, seed=1, apart=2.0):
    """Labels, and logits (S, N) of two models of equal true quality."""
    generator = np.random.default_rng(seed)
    labels = np.repeat([1, 0], [n_positive, n_negative])
    return labels, *equal_models(generator, labels, n_seeds, apart=apart)


def equal_models(generator, labels, n_seeds, apart):
    """Errors that both models share, that a model's seeds share, and of a seed.

    Of several seeds each has a strength and a bias of its own. A single seed has none: its interval
    is over test sequences alone, and would not cover them.
    """
    both = generator.normal(size=len(labels))
    models = []
    varied = n_seeds > 1
    for _ in range(2):
        own = generator.normal(size=len(labels))
        strength = apart * (1 + 0.1 * varied * generator.normal(size=(n_seeds, 1)))
        bias = 0.3 * varied * generator.normal(size=(n_seeds, 1))
        noise = generator.normal(size=(n_seeds, len(labels)))
        errors = np.sqrt(0.6) * both + np.sqrt(0.2) * own + np.sqrt(0.2) * noise
        models.append(strength * (labels - 0.5) + bias + errors)
    return models


def compared(labels, a, b, groups=None):
    return paired_difference(labels, seed_scores(labels, a), seed_scores(labels, b), groups)


def test_the_mean_is_that_of_the_same_seeds():
    labels, a, b = pair()
    for metric, interval in compared(labels, a, b).items():
        differences = [
            score(labels, x)[metric] - score(labels, y)[metric] for x, y in zip(a, b, strict=True)
        ]
        assert interval.mean == pytest.approx(np.mean(differences))
        assert interval.n == 5


def test_one_seed_leaves_the_test_sequences(monkeypatch):
    """Without the unseen example, accuracy has the variance of paired differences by class."""
    monkeypatch.setattr(under_test, "UNSEEN_OF", dict.fromkeys(METRICS, 0.0))
    labels, a, b = pair(n_seeds=1)
    interval = compared(labels, a, b)["accuracy"]
    right = ((a[0] > 0) == labels).astype(float) - ((b[0] > 0) == labels)
    parts = [right[labels == label] for label in (0, 1)]
    error = np.sqrt(sum(len(part) * part.var(ddof=1) for part in parts)) / len(labels)
    half = stats.t.ppf(0.975, len(labels) - 2) * error
    assert interval == pytest.approx((right.mean(), right.mean() - half, right.mean() + half, 1))


def test_both_variances_are_added(monkeypatch):
    monkeypatch.setattr(under_test, "UNSEEN_OF", dict.fromkeys(METRICS, 0.0))
    labels, a, b = pair()
    first, second = seed_scores(labels, a), seed_scores(labels, b)
    interval = paired_difference(labels, first, second)["auroc"]
    over_seeds = np.var(first.values["auroc"] - second.values["auroc"], ddof=1) / 5
    influence = first.influence["auroc"] - second.influence["auroc"]
    over_test = sum(influence[i, labels == i].var(ddof=1) / (labels == i).sum() for i in (0, 1))
    total = over_seeds + over_test
    freedom = total**2 / (over_seeds**2 / 4 + over_test**2 / 98)
    assert interval.high - interval.mean == pytest.approx(
        stats.t.ppf(0.975, freedom) * np.sqrt(total)
    )


def test_models_that_agree_on_all_sequences_may_differ_on_others():
    labels, a, _ = pair(30, 30, apart=40.0)
    for metric, interval in compared(labels, a, a).items():
        assert interval.mean == 0
        assert 0.003 < interval.high == -interval.low < 0.12, metric


def test_seeds_on_a_few_sequences_do_not_decide():
    """Ten seeds agree on one test sequence, which one model has right and the other wrong."""
    labels = np.repeat([1, 0], 50)
    a = np.tile(np.where(labels, 3.0, -3.0), (10, 1)) + np.linspace(0, 0.1, 10)[:, None]
    b = a.copy()
    b[:, 0] = -3.5
    found = compared(labels, a, b)
    for metric in METRICS:
        assert found[metric].mean > 0
        assert found[metric].low < 0 < found[metric].high


def test_groups_of_one_change_nothing():
    labels, a, b = pair()
    groups = np.random.default_rng(0).permutation(100) + 7
    alone, grouped = (compared(labels, a, b, groups=g) for g in (None, groups))
    for metric in METRICS:
        assert alone[metric] == grouped[metric]


def test_a_sequence_that_comes_four_times_counts_once():
    labels, a, b = pair()
    rows = np.random.default_rng(12).permutation(np.repeat(np.arange(100), 4))
    once = compared(labels, a, b)
    four = compared(labels[rows], a[:, rows], b[:, rows], groups=rows)
    for metric in METRICS:
        assert four[metric] == pytest.approx(once[metric], abs=1e-9)


def test_a_group_of_both_classes_has_one_error(monkeypatch):
    """Twins, one of each class, on which one model errs twice or not at all."""
    monkeypatch.setattr(under_test, "UNSEEN_OF", dict.fromkeys(METRICS, 0.0))
    labels = np.tile([1, 0], 40)
    groups = np.repeat(np.arange(40), 2)
    a = np.where(labels, 1.0, -1.0)[None]
    b = np.where(np.arange(80) % 8 < 2, -a, a)
    apart, joined = (compared(labels, a, b, g)["accuracy"] for g in (None, groups))
    ratio = (joined.high - joined.low) / (apart.high - apart.low)
    assert ratio == pytest.approx(np.sqrt(2))


def test_a_group_that_is_a_class_tells_little():
    labels, a, b = pair(4, 60)
    found = compared(labels, a, b, groups=np.maximum(np.arange(64) - 3, 0))
    assert all(np.isfinite(interval).all() for interval in found.values())
    assert found["auroc"].high - found["auroc"].low > 0.2


def test_pairs_need_the_same_seeds_and_groups_for_all():
    labels, a, b = pair()
    with pytest.raises(InputError, match=r"5 values .* 2"):
        compared(labels, a, b[:2])
    with pytest.raises(InputError, match="groups of shape"):
        compared(labels, a, b, groups=[1, 2])


def test_equal_scores_of_all_have_no_width_to_show():
    flat = np.zeros((2, 9))
    interval = compared(np.arange(9) % 2, flat, flat)["auroc"]
    assert interval == Interval(0, 0, 0, 2)


@pytest.mark.parametrize(
    ("n", "n_seeds", "apart", "n_samples"),
    [
        (60, 4, 2.0, 150),
        *(
            pytest.param(n, n_seeds, apart, 500, marks=pytest.mark.slow)
            for n, n_seeds, apart in ((100, 5, 2.0), (100, 1, 2.0), (60, 5, 4.0), (20, 3, 2.5))
        ),
    ],
)
def test_intervals_of_equal_models_hold_zero(n, n_seeds, apart, n_samples):
    generator = np.random.default_rng(3)
    labels = np.repeat([1, 0], n)
    held = dict.fromkeys(METRICS, 0)
    for _ in range(n_samples):
        found = compared(labels, *equal_models(generator, labels, n_seeds, apart))
        for metric, interval in found.items():
            held[metric] += interval.low <= 0 <= interval.high
    assert min(held.values()) >= 0.9 * n_samples, held
