"""Other test sequences that might have come."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from motiflens.errors import InputError
from motiflens.metrics import evaluate, resampling
from motiflens.metrics.ranking import called_masses, rank
from motiflens.metrics.resampling import number_groups


def sampled(labels, logits, groups=None):
    return resampling.Sample(rank(labels, logits, 0.0), number_groups(groups, len(labels)))


def test_masses_of_examples_are_one_on_average_and_those_of_a_group_equal():
    # In the order of the ranking: logits fall.
    sample = sampled([1, 0, 1, 1, 0, 0, 0], -np.arange(7.0), [5, 5, 2, 3, 2, 8, 9])
    masses = resampling.draw(sample, 4000, np.random.default_rng(3))
    assert masses.positive.shape == masses.negative.shape == (4000, 7)
    assert not masses.positive[:, [1, 4, 5, 6]].any()
    assert not masses.negative[:, [0, 2, 3]].any()
    drawn = masses.positive + masses.negative
    np.testing.assert_allclose(drawn.mean(axis=0), 1, atol=0.07)
    assert (drawn[:, 0] == drawn[:, 1]).all()
    assert (drawn[:, 2] == drawn[:, 4]).all()
    assert np.corrcoef(drawn[:, [0, 2, 3, 5, 6]].T)[~np.eye(5, dtype=bool)] == pytest.approx(
        0, abs=0.07
    )


def test_every_class_of_a_resample_keeps_its_size():
    sample = sampled([1, 0, 1, 1, 0, 0, 0], -np.arange(7.0))
    generator = np.random.default_rng(3)
    drawn = resampling.draw(sample, 50, generator)
    for masses in (drawn, resampling.add_unseen(sample, drawn, generator)):
        scaled = resampling.normalise(sample.ranked, masses)
        np.testing.assert_allclose(scaled.positive.sum(axis=1), 3)
        np.testing.assert_allclose(scaled.negative.sum(axis=1), 4)


def test_the_unseen_example_lies_with_either_class_evenly():
    sample = sampled([1, 1, 0, 0, 0, 0, 0, 0], -np.arange(8.0))
    generator = np.random.default_rng(3)
    drawn = resampling.draw(sample, 3000, generator)
    added = resampling.add_unseen(sample, drawn, generator)
    for part, before in ((added.positive, drawn.positive), (added.negative, drawn.negative)):
        extra = part - before
        assert ((extra > 0).sum(axis=1) <= 1).all()
        assert extra.sum(axis=1).mean() == pytest.approx(resampling.UNSEEN, abs=0.03)
        assert (extra[:, :2] > 0).any(axis=1).mean() == pytest.approx(0.5, abs=0.1)


def test_rates_of_calls_are_draws_from_the_posterior_of_jeffreys():
    labels = np.repeat([1, 0], [9, 14])
    logits = np.where(np.arange(23) < 8, 1.0, -1.0)
    sample = sampled(labels, logits)
    generator = np.random.default_rng(3)
    drawn = resampling.draw(sample, 4000, generator)
    called = called_masses(sample.ranked, drawn)
    recall, fallout = resampling.draw_call_rates(sample, drawn, called, generator)
    assert stats.kstest(recall, stats.beta(8.5, 1.5).cdf).pvalue > 0.01
    assert stats.kstest(fallout, stats.beta(0.5, 14.5).cdf).pvalue > 0.01


def test_groups_are_numbered_by_first_appearance_and_worth_their_effective_number():
    groups = number_groups([7, 7, -1, 7, 3, 3], 6)
    assert (groups.of.tolist(), groups.n) == ([0, 0, 1, 0, 2, 2], 3)
    assert groups.effective_size(np.ones(6, dtype=bool)) == pytest.approx(36 / 14)
    assert groups.effective_size(np.array([True, False, True, False, True, False])) == 3
    assert groups.sums(np.arange(6.0)).tolist() == [4, 2, 9]
    assert number_groups(None, 5).effective_size(np.ones(5, dtype=bool)) == 5


@pytest.mark.parametrize("groups", [[1, 2], [0.5, 1.0, 2.0], [[1], [2], [3]]])
def test_groups_are_one_whole_number_for_each_example(groups):
    with pytest.raises(InputError, match="groups of shape"):
        evaluate([0, 1, 1], [0.0, 1.0, 2.0], threshold=0.0, generator=None, groups=groups)


def test_the_shortest_interval_takes_the_end_of_the_range_where_most_lie():
    values = np.append(np.linspace(0.5, 0.8, 40), np.ones(960))
    assert resampling.shortest(values, 0.95) == (1, 1)
    assert resampling.shortest(np.linspace(0, 1, 101) ** 2, 0.9) == (0, pytest.approx(0.81))
