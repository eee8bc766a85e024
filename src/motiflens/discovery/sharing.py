"""Several motifs over the same windows: copies merged, every site given to its best motif."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from motiflens.discovery.refinement import (
    UNLIKELY,
    Alignment,
    Floats,
    Sites,
    log_probabilities,
    realigned,
    site_limit,
)
from motiflens.discovery.windows import Windows
from motiflens.motifs import UNIFORM, information

SAME = 0.75
"""Similarity from which on two motifs are one."""

OFTEN = 3.0

MAX_OVERLAP = 0.25
"""Share of the narrower of two sites that may lie on the other."""

N_ROUNDS = 4


def are_one(one: Floats, other: Floats, both_strands: bool) -> bool:
    """Tell whether two count matrices (4, W) are of one motif: a copy, a shifted one, or a part.

    The one of less information has to lie in the other (:func:`similarity` of ``SAME`` at least).
    If it is a part only, it must not have more than ``OFTEN`` times the sites of the other: a short
    motif that occurs much more often than a long one like it is a motif of its own.
    """
    small, large = sorted((one, other), key=lambda m: float(information(m / m.sum(axis=0)).sum()))
    if similarity(small, large, both_strands) < SAME:
        return False
    n_small, n_large = (float(m.sum(axis=0).max()) for m in (small, large))
    return n_small <= OFTEN * n_large or similarity(large, small, both_strands) >= SAME


def similarity(part: Floats, whole: Floats, both_strands: bool) -> float:
    """Ask how well one count or probability matrix (4, W) lies in another, best aligned.

    The correlation of aligned columns, weighted by the information of the columns of ``part``; a
    column of it that lies beyond the other counts 0. -1 to 1.
    """
    part, whole = part / part.sum(axis=0), whole / whole.sum(axis=0)
    weight = information(part, UNIFORM)
    if not weight.sum() > 0:
        return 0.0
    turned = [whole, whole[::-1, ::-1]] if both_strands else [whole]
    alike = [_standardised(m).T @ (_standardised(part) * weight / weight.sum()) for m in turned]
    shifts = range(1 - whole.shape[1], part.shape[1])
    return max(float(np.trace(table, offset=shift)) for table in alike for shift in shifts)


def _standardised(ppm: Floats) -> Floats:
    centred = ppm - ppm.mean(axis=0)
    norms = np.linalg.norm(centred, axis=0)
    scaled: Floats = np.where(norms > 1e-9, centred, 0.0) / np.maximum(norms, 1e-9)
    return scaled


def merge(motifs: Sequence[Alignment], both_strands: bool) -> list[Alignment]:
    """Keep, of motifs that are one, that of the most evidence; strongest first."""
    kept: list[Alignment] = []
    for motif in sorted(motifs, key=lambda m: (-m.evidence, m.counts.tolist())):
        if not any(are_one(motif.counts, k.counts, both_strands) for k in kept):
            kept.append(motif)
    return kept


def share_out(
    windows: Windows, motifs: Sequence[Alignment], min_sites: int, min_evidence: float
) -> list[Alignment]:
    """Give every site to its best motif, and refine all motifs together.

    A window may hold several sites, of one motif or of several. Sites are taken by the excess of
    their score; one that lies on those already taken by more than ``MAX_OVERLAP`` is left out.
    Then columns are found anew, motifs without enough sites or evidence are dropped, copies are
    merged, and the sites are shared out again.
    """
    current = list(motifs)
    for _ in range(N_ROUNDS):
        if not current:
            break
        shared = _share(windows, current)
        aligned = [m for sites in shared if (m := realigned(windows, sites, min_sites))]
        current = merge([m for m in aligned if m.evidence >= min_evidence], windows.both_strands)
    return current


def _share(windows: Windows, motifs: Sequence[Alignment]) -> list[Sites]:
    """Share the places of all motifs out, the best first."""
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
    """Find the places of a motif above the limit of chance; a window's second one needs more."""
    logs = log_probabilities(motif.counts, windows.background)
    scores = windows.scores(logs[None])[:, 0]
    found = len(np.unique(motif.sites.window))
    excess = scores - site_limit(windows, found / len(windows))[:, None, None]
    best = excess.max(axis=1)
    stricter = site_limit(windows, UNLIKELY) - site_limit(windows, found / len(windows))
    good = (best > stricter[:, None]) | ((best > 0) & (best == best.max(axis=1, keepdims=True)))
    window, place = np.nonzero(good)
    minus = excess[window, :, place].argmax(axis=1) == 1
    start = windows.start[window] + place - motif.width // 2
    return Sites(window, minus, start, best[window, place].astype(np.float64), motif.width)
