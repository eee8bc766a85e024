"""A null for explanations: what other sequences show by chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from motiflens.attribution import Attributions
from motiflens.attribution.result import Floats
from motiflens.shuffles import dinucleotide_shuffle

WINDOW = 10
"""Bases of the window; most motifs are about as wide."""

LEVEL = 0.95
"""Quantile of the null that a positive has to exceed; by chance 0.05 of them do."""

SHARES = ("attention", "rollout")
"""Methods whose track sums to 1: it is taken times the number of bases, 1 being an even share."""


def peaks(found: Attributions) -> NDArray[np.float64]:
    """Give the largest sum of the track over ``WINDOW`` neighbouring bases, (N,)."""
    track = found.track.astype(np.float64)
    if found.method in SHARES:
        track = track * found.one_hot.any(axis=1).sum(axis=1, keepdims=True)
    width = min(WINDOW, track.shape[1])
    sums = np.cumsum(np.pad(track, ((0, 0), (1, 0))), axis=1)
    largest: NDArray[np.float64] = (sums[:, width:] - sums[:, :-width]).max(axis=1)
    return largest


def fraction_above(values: NDArray[np.float64], *nulls: NDArray[np.float64]) -> float:
    """Fraction of values above the 95th percentile of each of the nulls.

    A value has to exceed all of them, by more than a rounding: flat maps are above nothing.
    """
    limit = max(float(np.quantile(null, LEVEL)) for null in nulls)
    return float(np.mean(values > limit + 1e-5 * abs(limit)))


def shuffled(one_hot: Floats, seed: int) -> Floats:
    """Shuffle each sequence (N, 4, L), keeping its dinucleotide counts; N and padding stay."""
    known = one_hot.any(axis=1)
    codes = np.where(known, one_hot.argmax(axis=1), 4).astype(np.uint8)
    lengths = np.full(len(codes), codes.shape[1], dtype=np.int32)
    moved = dinucleotide_shuffle(codes, lengths, np.random.default_rng(seed))
    result: Floats = (moved[:, None] == np.arange(4)[:, None]).astype(np.float32)
    return result
