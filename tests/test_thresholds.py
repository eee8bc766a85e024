"""The threshold of calls: planted truth, what must not change it, and how sure it is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit

from motiflens.errors import InputError
from motiflens.metrics import (
    assess_threshold,
    choose_threshold,
    fit_platt,
    threshold_of_share,
)
from motiflens.metrics.ranking import matthews


def drawn(
    n: int, seed: int, *, positives: float = 0.5, shift: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """One normal a class: calibrated logits are 2 · shift · z plus the log-odds of the classes."""
    generator = np.random.default_rng(seed)
    labels = (np.arange(n) < round(positives * n)).astype(int)
    return labels, generator.normal(np.where(labels, shift, -shift), 1.0)


def mcc(labels: np.ndarray, logits: np.ndarray, threshold: float) -> float:
    called = logits > threshold
    true, false = (labels * called).sum(), ((1 - labels) * called).sum()
    return float(matthews(true, false, labels.sum(), (1 - labels).sum()))


@pytest.mark.parametrize("positives", [0.5, 0.1, 0.03, 0.8])
def test_the_threshold_is_the_one_that_is_best_of_all(positives: float) -> None:
    labels, logits = drawn(50_000, 1, positives=positives)
    chosen = choose_threshold(labels, logits)
    best = max(mcc(labels, logits, cut) for cut in np.linspace(-2, 3, 51))
    assert mcc(labels, logits, chosen) > best - 0.006
    slope, bias = fit_platt(labels, logits)
    # Where positives are rare, one is called at a probability below one half.
    assert (expit(slope * chosen + bias) - 0.5) * (positives - 0.5) >= 0


@pytest.mark.parametrize("n", [60, 200])
def test_it_carries_over_better_than_the_largest_correlation_that_was_counted(n: int) -> None:
    others, scores = drawn(20_000, 99)
    lost: dict[str, list[float]] = {"chosen": [], "counted": []}
    for seed in range(40):
        labels, logits = drawn(n, seed)
        counted = max(np.sort(logits), key=lambda cut: mcc(labels, logits, cut))
        lost["chosen"].append(mcc(others, scores, choose_threshold(labels, logits)))
        lost["counted"].append(mcc(others, scores, counted))
    best = mcc(others, scores, 0.0)
    chosen, counted = (best - np.mean(lost[how]) for how in ("chosen", "counted"))
    assert chosen < 0.5 * counted


@pytest.mark.parametrize("n", [30, 101, 800])
@pytest.mark.parametrize("shift", [0.3, 1.0, 1.7])
@pytest.mark.parametrize("centre", [-3.0, 0.0, 0.4])
def test_classes_that_mirror_each_other_are_cut_at_a_probability_of_one_half(
    n: int, shift: float, centre: float
) -> None:
    positives = stats.norm(shift).ppf((np.arange(n) + 0.5) / n)
    logits, labels = centre + np.append(positives, -positives), np.repeat([1, 0], n)
    chosen = choose_threshold(labels, logits)
    slope, bias = fit_platt(labels, logits)
    assert expit(slope * chosen + bias) == pytest.approx(0.5, abs=1e-6)
    assert chosen == pytest.approx(centre, abs=1e-5)


@given(st.integers(0, 10_000), st.floats(0.01, 50), st.floats(-30, 30))
def test_logits_stretched_and_shifted_get_the_same_calls(
    seed: int, scale: float, shift: float
) -> None:
    labels, logits = drawn(40, seed, positives=0.3)
    changed = scale * logits + shift
    found, other = choose_threshold(labels, logits), choose_threshold(labels, changed)
    assert other == pytest.approx(scale * found + shift, rel=1e-6, abs=1e-6 * scale)
    calls = changed > other
    near = np.abs(logits - found) < 1e-5
    np.testing.assert_array_equal((logits > found)[~near], calls[~near])


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_any_rising_change_of_logits_calls_the_same_at_a_known_share(
    seed: int, share: float
) -> None:
    logits = np.random.default_rng(seed).normal(size=31)
    calls = logits > threshold_of_share(logits, share)
    assert calls.sum() == round(share * 31)
    for change in (np.exp, np.arctan, lambda z: z**3 + 2 * z):
        changed = change(logits)
        np.testing.assert_array_equal(changed > threshold_of_share(changed, share), calls)


def test_a_known_share_undoes_a_shift_of_all_logits() -> None:
    labels, logits = drawn(4_000, 5)
    threshold = threshold_of_share(logits + 2.5, 0.5)
    assert mcc(labels, logits + 2.5, threshold) > mcc(labels, logits, 0.0) - 0.01
    assert mcc(labels, logits + 2.5, choose_threshold(labels, logits)) < 0.2


def test_equal_logits_are_never_called_in_part() -> None:
    assert threshold_of_share([1.0, 1.0, 1.0, 0.0], 0.5) == 1.0
    with pytest.raises(InputError, match=r"a share of 1.5 of 2 sequences is none"):
        threshold_of_share([1.0, 2.0], 1.5)


def test_the_threshold_is_an_even_chance_where_nothing_was_learnt() -> None:
    assert choose_threshold([1, 0, 0], [5.0, 5.0, 5.0]) == 0
    assert choose_threshold([1, 0, 1, 0], [-2.0, 3.0, -1.0, 4.0]) == 0
    with pytest.raises(InputError, match="one class"):
        choose_threshold([1, 1, 1], [0.5, 1.0, 2.0])


def test_fewer_rows_widen_both_intervals() -> None:
    widths = []
    for n in (1_600, 160, 16):
        found = assess_threshold(*drawn(n, 3), np.random.default_rng(0))
        assert found.low is not None
        assert found.high is not None
        widths.append((found.high - found.low, found.mcc_high - found.mcc_low))
    thresholds, correlations = zip(*widths, strict=True)
    # Ten times as many rows tell three times as much.
    for few in (thresholds, correlations):
        assert 2 < few[1] / few[0] < 5
        assert few[2] > 1.5 * few[1]


def test_the_threshold_of_a_handful_is_open_where_positives_may_not_score_higher() -> None:
    found = assess_threshold([1, 0, 1, 0, 0], [2.0, 1.5, -1.0, 0.0, 1.0], np.random.default_rng(0))
    assert (found.low, found.high) == (None, None)


@pytest.mark.slow
@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(4, 30))
def test_intervals_hold_their_values(seed: int, n: int) -> None:
    labels, logits = drawn(n, seed)
    chosen = choose_threshold(labels, logits)
    found = assess_threshold(labels, logits, np.random.default_rng(0))
    assert -1 <= found.mcc_low <= found.mcc <= found.mcc_high <= 1
    assert found.mcc == pytest.approx(mcc(labels, logits, chosen))
    assert found.low is None or found.low <= chosen
    assert found.high is None or found.high >= chosen
    assert found == assess_threshold(labels, logits, np.random.default_rng(0))


@pytest.mark.slow
def test_intervals_hold_the_threshold_and_the_correlation_of_all_sequences() -> None:
    others, scores = drawn(20_000, 77)
    held = {"threshold": 0, "mcc": 0}
    for seed in range(60):
        labels, logits = drawn(120, seed)
        found = assess_threshold(labels, logits, np.random.default_rng(seed))
        assert found.low is not None
        assert found.high is not None
        held["threshold"] += found.low < 0.0 < found.high
        reached = mcc(others, scores, choose_threshold(labels, logits))
        held["mcc"] += found.mcc_low < reached < found.mcc_high
    assert min(held.values()) >= 54
