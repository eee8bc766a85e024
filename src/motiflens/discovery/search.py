"""Several motifs over the same windows: found in turn, copies merged, each site given to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from motiflens.discovery.initial_motifs import MAX_COMPARED, affinities, spread_ranks
from motiflens.discovery.refinement import (
    MIN_SITE_FRACTION,
    Alignment,
    Floats,
    Sites,
    log_probabilities,
    realign,
    refine,
    site_limit,
)
from motiflens.discovery.windows import Windows
from motiflens.motifs import best_alignment, information

MAX_MOTIFS, MAX_FAILURES = 60, 12
MIN_SIMILARITY = 0.75
"""Similarity from which on two motifs are one."""

MAX_SITE_RATIO = 3.0
"""Times as many sites that a part of a motif may have to be no motif of its own."""

MAX_OVERLAP = 0.25
"""Fraction of the narrower of two sites that may lie on the other."""

N_ROUNDS = 4


def search(
    windows: Windows, starts: Floats, min_sites: int, min_evidence: float
) -> list[Alignment]:
    """Find motifs one after the other: the best start on the windows that are left, refined.

    Every start is compared with every window once. The start whose best offsets exceed chance by
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
    compared = spread_ranks(len(windows), MAX_COMPARED)
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


def are_same_motif(one: Floats, other: Floats, both_strands: bool) -> bool:
    """Return whether two count matrices (4, W) are of one motif: a copy, a shifted one, or a part.

    The one of less information has to lie in the other (:func:`similarity` of ``MIN_SIMILARITY``
    at least). If it is a part only, it must not have more than ``MAX_SITE_RATIO`` times the sites
    of the other: a short motif that occurs much more often than a long one like it is a motif of
    its own.
    """
    small, large = sorted((one, other), key=lambda m: float(information(m / m.sum(axis=0)).sum()))
    if similarity(small, large, both_strands) < MIN_SIMILARITY:
        return False
    n_small, n_large = (float(m.sum(axis=0).max()) for m in (small, large))
    return (
        n_small <= MAX_SITE_RATIO * n_large
        or similarity(large, small, both_strands) >= MIN_SIMILARITY
    )


def similarity(part: Floats, whole: Floats, both_strands: bool) -> float:
    """Return how well one count matrix (4, W) lies in another, best aligned: -1 to 1."""
    part, whole = part / part.sum(axis=0), whole / whole.sum(axis=0)
    strands = [whole, whole[::-1, ::-1]] if both_strands else [whole]
    return max(best_alignment(matrix, part)[0] for matrix in strands)


def merge_copies(motifs: Sequence[Alignment], both_strands: bool) -> list[Alignment]:
    """Keep, of motifs that are one, that of the most evidence; strongest first."""
    kept: list[Alignment] = []
    for motif in sorted(motifs, key=lambda m: (-m.evidence, m.counts.tolist())):
        if not any(are_same_motif(motif.counts, k.counts, both_strands) for k in kept):
            kept.append(motif)
    return kept


def assign_sites(
    windows: Windows, motifs: Sequence[Alignment], min_sites: int, min_evidence: float
) -> list[Alignment]:
    """Give every site to its best motif, and refine all motifs together.

    A window may hold several sites, of one motif or of several. Sites are taken by the excess of
    their score; one that lies on those already taken by more than ``MAX_OVERLAP`` is left out.
    Then columns are found anew, motifs without enough sites or evidence are dropped, copies are
    merged, and the sites are assigned again.
    """
    current = list(motifs)
    for _ in range(N_ROUNDS):
        if not current:
            break
        assigned = _assign(windows, current)
        aligned = [m for sites in assigned if (m := realign(windows, sites, min_sites))]
        current = merge_copies(
            [m for m in aligned if m.evidence >= min_evidence], windows.both_strands
        )
    return current


def _assign(windows: Windows, motifs: Sequence[Alignment]) -> list[Sites]:
    """Assign the sites of all motifs, the best first."""
    candidates = [_candidates(windows, motif) for motif in motifs]
    owner = np.concatenate([np.full(len(c), k) for k, c in enumerate(candidates)])
    excess = np.concatenate([c.excess for c in candidates])
    start = np.concatenate([c.start for c in candidates])
    row = np.concatenate([windows.row[c.window] for c in candidates])
    width = np.array([m.width for m in motifs], dtype=np.int64)
    order = np.lexsort((start, row, -excess))
    taken: dict[int, list[tuple[int, int]]] = {}
    kept = np.zeros(len(order), dtype=np.bool_)
    for index in order.tolist():
        wide = int(width[int(owner[index])])
        low, high = int(start[index]), int(start[index]) + wide
        others = taken.setdefault(int(row[index]), [])
        if all(
            min(high, end) - max(low, first) <= MAX_OVERLAP * min(wide, end - first)
            for first, end in others
        ):
            others.append((low, high))
            kept[index] = True
    ends = np.cumsum([len(c) for c in candidates])[:-1]
    return [c.take(k) for c, k in zip(candidates, np.split(kept, ends), strict=True)]


def _candidates(windows: Windows, motif: Alignment) -> Sites:
    """Find the sites of a motif above the limit of chance; a window's second one needs more."""
    logs = log_probabilities(motif.counts, windows.background)
    scores = windows.scores(logs[None])[:, 0]
    limit = site_limit(windows, len(np.unique(motif.sites.window)) / len(windows))
    excess = scores - limit[:, None, None]
    best = excess.max(axis=1)
    stricter = site_limit(windows, MIN_SITE_FRACTION) - limit
    good = (best > stricter[:, None]) | ((best > 0) & (best == best.max(axis=1, keepdims=True)))
    window, offset = np.nonzero(good)
    minus = excess[window, :, offset].argmax(axis=1) == 1
    start = windows.start[window] + offset - motif.width // 2
    return Sites(window, minus, start, best[window, offset].astype(np.float64), motif.width)
