"""Agreement of two explanations of the same sequences: ranks of the bases, and the first ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

N_TOP = 10
"""Bases that are compared as the first ones."""

Track = NDArray[np.floating]
Mask = NDArray[np.bool_]


def rank_correlations(a: Track, b: Track, known: Mask) -> NDArray[np.float64]:
    """Spearman's rank correlation of the absolute values of two tracks, sequence by sequence.

    Absolute, because saliency and attention have no sign. A flat track agrees with nothing: 0.

    Parameters
    ----------
    a, b
        (N, L).
    known
        (N, L); bases that are not known are left out.

    Returns
    -------
    ndarray
        (N,).
    """
    found = np.zeros(len(known))
    for row, mask in enumerate(known):
        first, second = (rankdata(np.abs(track[row, mask])) for track in (a, b))
        first, second = first - first.mean(), second - second.mean()
        scale = np.sqrt((first**2).sum() * (second**2).sum())
        found[row] = (first * second).sum() / scale if scale > 0 else 0.0
    return found


def top_overlaps(a: Track, b: Track, known: Mask) -> NDArray[np.float64]:
    """Fraction of the ``N_TOP`` bases of largest absolute value that two tracks have in common.

    The first of equal values is taken from the left. By chance it is ``N_TOP`` over the number of
    bases.

    Returns
    -------
    ndarray
        (N,).
    """
    found = np.zeros(len(known))
    for row, mask in enumerate(known):
        kept = min(N_TOP, int(mask.sum()))
        tops = [
            set(np.argsort(-np.abs(track[row, mask]), kind="stable")[:kept].tolist())
            for track in (a, b)
        ]
        found[row] = len(tops[0] & tops[1]) / kept if kept else 0.0
    return found
