"""Where the search for motifs starts: the windows themselves, each weighted base by base."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from motiflens.discovery.refinement import Floats, Ints, site_limit
from motiflens.discovery.windows import Windows

START_WIDTH = 15
MAX_STARTS = 300
MAX_COMPARED = 3000
"""Windows that a start is compared with at most."""

CERTAINTY = 0.6
"""Weight against the background that the base of largest contribution has in a start."""

CHUNK = 512


def start_matrices(windows: Windows, importance: Floats) -> Floats:
    """Make a start of each window: log2 probabilities (M, 4, START_WIDTH).

    Parameters
    ----------
    importance
        At least 0, (M, R), over the columns of ``windows.codes``. A start is centred on the
        largest sum of it, and a base has weight in proportion to it.
    """
    rows, offset = np.arange(len(windows))[:, None], np.arange(START_WIDTH)
    sums = np.cumsum(np.pad(windows.inside(importance), ((0, 0), (1, 0))), axis=1)
    first = (sums[:, START_WIDTH:] - sums[:, :-START_WIDTH]).argmax(axis=1)
    columns = _recentred(importance, first)[:, None] + offset
    weight = importance[rows, columns]
    weight = CERTAINTY * weight / np.maximum(weight.max(axis=1, keepdims=True), 1e-300)
    bases = windows.codes[rows, columns]
    observed = bases[:, None, :] == np.arange(4)[:, None]
    weight = np.where(bases < 4, weight, 0.0)[:, None, :]
    logs: Floats = np.log2(weight * observed + (1 - weight) * windows.background[:, None])
    return logs


def _recentred(importance: Floats, first: NDArray[np.intp]) -> Ints:
    """Move a start so that the centre of its importance is its middle."""
    columns = first[:, None] + np.arange(START_WIDTH)
    weight = np.take_along_axis(importance, columns, axis=1)
    centre = (weight * np.arange(START_WIDTH)).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-300)
    moved = first + np.rint(centre).astype(np.int64) - START_WIDTH // 2
    limited: Ints = np.clip(moved, 0, importance.shape[1] - START_WIDTH)
    return limited


def affinities(windows: Windows, starts: Floats) -> NDArray[np.float32]:
    """Bits by which each start's best place in each window exceeds chance, at least 0: (K, M)."""
    limit = site_limit(windows, 0.5).astype(np.float32)
    excess = np.zeros((len(starts), len(windows)), dtype=np.float32)
    for low in range(0, len(windows), CHUNK):
        chunk = slice(low, low + CHUNK)
        scores = windows.take(np.arange(len(windows))[chunk]).scores(starts)
        excess[:, chunk] = scores.max(axis=(2, 3)).T - limit[chunk]
    return np.maximum(excess, 0.0)


def spread(n: int, most: int) -> Ints:
    """Choose at most ``most`` of n ranks: the first half of them, the others evenly spread."""
    if n <= most:
        return np.arange(n)
    top = most // 2
    rest = np.unique(np.linspace(top, n - 1, most - top).astype(np.int64))
    return np.concatenate([np.arange(top), rest])
