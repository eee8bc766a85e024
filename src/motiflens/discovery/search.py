"""One motif after the other: the best start on the windows that are left, refined."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from motiflens.discovery.refinement import Alignment, Floats, refine
from motiflens.discovery.starts import MAX_COMPARED, affinities, spread
from motiflens.discovery.windows import Windows

MAX_MOTIFS, MAX_FAILURES = 60, 12


def search(
    windows: Windows, starts: Floats, min_sites: int, min_evidence: float
) -> list[Alignment]:
    """Find motifs greedily.

    Every start is compared with every window once. The start whose best places exceed chance by
    most, over all windows without a motif so far, is refined on those windows; the windows of its
    sites, and those that its sites cover by half, are then set aside. The search ends when
    ``MAX_FAILURES`` starts in a row lead to nothing.

    Parameters
    ----------
    windows
        M, the most important first.
    starts
        log2 probabilities (K, 4, W).
    min_sites, min_evidence
        What a motif needs; evidence in nats.
    """
    compared = spread(len(windows), MAX_COMPARED)
    affinity = affinities(windows.take(compared), starts)
    left = np.ones(len(windows), dtype=np.bool_)
    usable = np.ones(len(starts), dtype=np.bool_)
    found: list[Alignment] = []
    n_failures = 0
    while n_failures < MAX_FAILURES and len(found) < MAX_MOTIFS and left.sum() >= min_sites:
        gain = np.where(usable, affinity[:, left[compared]].sum(axis=1), 0.0)
        best = int(gain.argmax())
        if gain[best] <= 0:
            break
        usable[best] = False
        index = np.flatnonzero(left)
        motif = refine(windows.take(index), starts[best], min_sites)
        if motif is None or motif.evidence < min_evidence:
            n_failures += 1
            continue
        n_failures = 0
        motif = _of_all(motif, index)
        left[motif.sites.window] = False
        left &= ~_covered(windows, motif)
        found.append(motif)
    return found


def _of_all(motif: Alignment, index: NDArray[np.intp]) -> Alignment:
    """Turn indices of the windows that were left into those of all."""
    return replace(motif, sites=replace(motif.sites, window=index[motif.sites.window]))


def _covered(windows: Windows, motif: Alignment) -> NDArray[np.bool_]:
    """Mark the windows, (M,), half of which the sites of a motif cover at least."""
    steps = np.zeros((int(windows.row.max()) + 1, int(windows.length.max()) + 1), dtype=np.int64)
    row, start = windows.row[motif.sites.window], motif.sites.start
    np.add.at(steps, (row, start), 1)
    np.add.at(steps, (row, start + motif.width), -1)
    on_site = np.cumsum(steps, axis=1) > 0
    before = np.cumsum(np.pad(on_site, ((0, 0), (1, 0))), axis=1)
    end = windows.start + windows.size
    n_covered = before[windows.row, end] - before[windows.row, windows.start]
    covered: NDArray[np.bool_] = 2 * n_covered >= windows.size
    return covered
