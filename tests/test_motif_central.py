"""Sites near the centres of their sequences, told from sites anywhere."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import binom

from motiflens.discovery.central import central_enrichment

# Bases, width of the motif, sequences: microarrays and peaks, as they come.
SETTINGS = [(35, 12, 1000), (35, 8, 1000), (50, 10, 1000), (50, 8, 2000), (101, 12, 5000)]


@pytest.mark.parametrize(("length", "width", "n"), SETTINGS)
def test_sites_anywhere_are_as_rarely_central_as_p_says(length, width, n):
    generator = np.random.default_rng(0)
    n_places = np.full(n, length - width + 1)
    found = [
        central_enrichment(generator.integers(0, n_places[0], n), n_places).p_value
        for _ in range(200)
    ]
    assert np.mean(np.array(found) < 0.05) < 0.085  # 5 % in 200 draws stay below in 98 %


def test_lengths_that_differ_are_each_counted_with_their_own_places():
    generator = np.random.default_rng(0)
    n_places = generator.integers(1, 300, 400)
    found = [
        central_enrichment(generator.integers(0, n_places), n_places).p_value for _ in range(100)
    ]
    assert 0 < np.mean(np.array(found) < 0.05) < 0.1


def test_the_p_value_is_that_of_all_places_tried():
    n_places = np.array([2, 5, 6])
    starts = np.array([0, 2, 3])
    found = central_enrichment(starts, n_places)
    shares = np.arange(1, 10) / 10
    off = [[abs(2 * s + 1 - n) / n for s in range(n)] for n in n_places.tolist()]
    given = [of[s] for of, s in zip(off, starts, strict=True)]
    inside = [sum(g <= share + 1e-9 for g in given) for share in shares]
    every = list(itertools.product(*off))
    p_values = [
        np.mean([sum(g <= share + 1e-9 for g in one) >= k for one in every])
        for share, k in zip(shares, inside, strict=True)
    ]
    regions = {tuple(sum(g <= s + 1e-9 for g in of) / len(of) for of in off) for s in shares}
    n_regions = sum(max(r) > 0 and min(r) < 1 for r in regions)
    assert found.p_value == pytest.approx(min(min(p_values) * n_regions, 1.0))
    best = int(np.argmin(p_values))
    within = [np.mean([g <= shares[best] + 1e-9 for g in of]) for of in off]
    assert found.region == pytest.approx(np.mean(within))
    assert found.sites_inside == pytest.approx(inside[best] / 3)


def test_a_motif_planted_at_the_centre_is_found_in_few_sequences():
    generator = np.random.default_rng(0)
    n_places = np.full(60, 90)
    central = np.clip(np.rint(generator.normal(44.5, 12, 60)), 0, 89).astype(int)
    assert central_enrichment(central, n_places).p_value < 1e-4


def test_equal_lengths_are_binomial_and_sites_without_choice_say_nothing():
    starts, n_places = np.array([12, 11, 3, 20, 13]), np.full(5, 24)
    # Places 10 to 13 are the middle fifth: 4 of 24, as their middles are 1.5 of 12 away at most.
    found = central_enrichment(starts, n_places)
    assert found.region == pytest.approx(4 / 24)
    assert found.sites_inside == 3 / 5
    assert found.p_value == pytest.approx(9 * binom.sf(2, 5, 4 / 24))
    assert central_enrichment(np.zeros(7, int), np.ones(7, int)).p_value == 1.0
    assert central_enrichment(np.zeros(0, int), np.zeros(0, int)) is None
