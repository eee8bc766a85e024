"""Whether the sites of a motif lie near the centres of their sequences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

CENTRAL_SHARES = tuple(k / 10 for k in range(1, 10))
"""Shares of the possible places, around the centre, in which sites are counted."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Central:
    """Whether sites lie near the centres of their sequences.

    Parameters
    ----------
    p_value
        Of the central region with the most surprising number of sites, times the number of
        regions that differ.
    region
        That region, as the share of all places that lie within.
    sites_inside
        Share of the sites in it.
    """

    p_value: float
    region: float
    sites_inside: float


def central_enrichment(starts: Ints, n_places: Ints) -> Central | None:
    """Look for the central region with more sites than chance would put there.

    By chance a site lies in each of its possible places alike, so the chance that it lies within
    a region is the share of those places that do, counted in each sequence. The number of sites
    within it is a sum of such draws, whose distribution (Poisson-binomial) is exact.

    Parameters
    ----------
    starts
        (S,) place of one site a sequence, from 0.
    n_places
        (S,) places that it might have: bases of the sequence less those of the site, plus 1.

    Returns
    -------
    Central or None
        None without a site. Of equally surprising regions the smallest.

    References
    ----------
    Bailey and Machanick, Nucleic Acids Res 40:e128 (2012).
    """
    if starts.size == 0:
        return None
    lengths, of, counts = np.unique(n_places, return_inverse=True, return_counts=True)
    reach = _reach(lengths)
    chances = _places_within(reach, lengths) / lengths
    # Twice the distance from the centre is a whole number: no rounding decides what is inside.
    inside = (np.abs(2 * starts + 1 - n_places) <= reach[:, of]).sum(axis=1)
    p_values = _tails(inside, chances, counts)
    # A region that holds no place, or all, asks nothing; two that hold the same ask the same.
    asking = chances[((chances > 0) & (chances < 1)).any(axis=1)]
    n_regions = max(len(np.unique(asking, axis=0)), 1)
    best = int(p_values.argmin())
    return Central(
        p_value=min(float(p_values[best]) * n_regions, 1.0),
        region=float(chances[best] @ counts / starts.size),
        sites_inside=float(inside[best] / starts.size),
    )


def _reach(n_places: Ints) -> Ints:
    """Give twice the distance from the centre to which each region reaches, (regions, D)."""
    tenths = np.arange(1, len(CENTRAL_SHARES) + 1)
    return tenths[:, None] * n_places // (len(CENTRAL_SHARES) + 1)


def _places_within(reach: Ints, n_places: Ints) -> Ints:
    """Count the places within a region: twice their distances are n - 1, n - 3, ..."""
    odd = (n_places - 1) % 2
    return np.where(reach >= odd, 2 * ((reach - odd) // 2) + 1 + odd, 0)


def _tails(inside: Ints, chances: Floats, counts: Ints) -> Floats:
    """Give the chance of so many inside or more, of ``counts`` sites with ``chances`` each.

    ``inside`` (regions,), ``chances`` (regions, D), ``counts`` (D,); gives (regions,).
    """
    if len(counts) == 1:
        tail: Floats = binom.sf(inside - 1, counts[0], chances[:, 0])
        return tail
    density = np.zeros((len(inside), int(counts.sum()) + 1))
    density[:, 0] = 1.0
    for n, chance in enumerate(np.repeat(chances, counts, axis=1).T[:, :, None], start=1):
        one_more = density[:, :n] * chance
        density[:, :n] *= 1 - chance
        density[:, 1 : n + 1] += one_more
    # Summed from the small end, so that a small tail keeps its digits.
    tail = np.cumsum(density[:, ::-1], axis=1)[:, ::-1]
    return np.minimum(np.take_along_axis(tail, inside[:, None], axis=1)[:, 0], 1.0)
