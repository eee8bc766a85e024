"""Whether the sites of a motif lie near the centres of their sequences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

CENTRAL_FRACTIONS = tuple(k / 10 for k in range(1, 10))
"""Fractions of the possible starts, around the centre, in which sites are counted."""

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
        That region, as the fraction of all starts that lie within.
    sites_inside
        Fraction of the sites in it.
    """

    p_value: float
    region: float
    sites_inside: float


def central_enrichment(starts: Ints, n_starts: Ints) -> Central | None:
    """Look for the central region with more sites than chance would put there.

    By chance a site has each of its possible starts alike, so the chance that it lies within a
    region is the fraction of those starts that do, counted in each sequence. The number of sites
    within it is a sum of such draws, whose distribution (Poisson-binomial) is exact.

    Parameters
    ----------
    starts
        (S,) start of one site a sequence, from 0.
    n_starts
        (S,) starts that it might have: bases of the sequence less those of the site, plus 1.

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
    lengths, of, counts = np.unique(n_starts, return_inverse=True, return_counts=True)
    reach = _reach(lengths)
    chances = _starts_within(reach, lengths) / lengths
    # Twice the distance from the centre is a whole number: no rounding decides what is inside.
    inside = (np.abs(2 * starts + 1 - n_starts) <= reach[:, of]).sum(axis=1)
    p_values = _tails(inside, chances, counts)
    # A region that holds no start, or all, asks nothing; two that hold the same ask the same.
    asking = chances[((chances > 0) & (chances < 1)).any(axis=1)]
    n_regions = max(len(np.unique(asking, axis=0)), 1)
    best = int(p_values.argmin())
    return Central(
        p_value=min(float(p_values[best]) * n_regions, 1.0),
        region=float(chances[best] @ counts / starts.size),
        sites_inside=float(inside[best] / starts.size),
    )


def _reach(n_starts: Ints) -> Ints:
    """Return twice the distance from the centre to which each region reaches, (regions, D)."""
    tenths = np.arange(1, len(CENTRAL_FRACTIONS) + 1)
    return tenths[:, None] * n_starts // (len(CENTRAL_FRACTIONS) + 1)


def _starts_within(reach: Ints, n_starts: Ints) -> Ints:
    """Count the starts within a region: twice their distances are n - 1, n - 3, ..."""
    odd = (n_starts - 1) % 2
    return np.where(reach >= odd, 2 * ((reach - odd) // 2) + 1 + odd, 0)


def _tails(inside: Ints, chances: Floats, counts: Ints) -> Floats:
    """Return the chance of so many inside or more, of ``counts`` sites with ``chances`` each.

    ``inside`` (regions,), ``chances`` (regions, D), ``counts`` (D,); the chances (regions,).
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
