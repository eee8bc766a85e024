"""Motifs from an explanation: its seqlets aligned, clustered, and laid out with contributions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motiflens.attribution import Attributions
from motiflens.motifs.alignment import Strands
from motiflens.motifs.discovered import Direction, DiscoveredMotif
from motiflens.motifs.discovery.refinement import Alignment
from motiflens.motifs.discovery.search import search
from motiflens.motifs.discovery.sharing import SAME, share_out, similarity
from motiflens.motifs.discovery.starts import MAX_STARTS, spread, start_matrices
from motiflens.motifs.discovery.windows import MARGIN, Windows, cut_windows
from motiflens.motifs.frame import Floats, Frame, Ints, frame_attributions
from motiflens.motifs.seqlets import stretches
from motiflens.sequences import one_hot

MIN_SEQLETS = 10
MIN_EVIDENCE = float(np.log(1000))
"""Nats: an expected number of as good alignments by chance of at most 1 in 1,000."""

SIGNS: dict[Direction, int] = {"positive": 1, "negative": -1}

PIECE = 24
"""Positions of a window at most; longer seqlets are cut, so that each may hold several sites."""


def discover(
    attributions: Attributions,
    *,
    strands: Strands = "both",
    fdr: float = 0.05,
    seed: int = 0,
    name: str = "motif",
) -> list[DiscoveredMotif]:
    """Find the motifs that the seqlets of an explanation share.

    Parameters
    ----------
    attributions
        Of N sequences, by any method.
    strands
        ``both`` looks for a motif on either strand.
    fdr
        False-discovery rate of the seqlets.
    seed
        Of the null of the seqlets.
    name
        The motifs are called ``name-1``, ``name-2``, ...

    Returns
    -------
    list of DiscoveredMotif
        By the sum of their contributions, strongest first; empty where nothing is shared.
    """
    frame = frame_attributions(attributions, both_strands=strands == "both")
    found: list[_Draft] = []
    for direction, sign in SIGNS.items():
        windows, motifs = _of_one_sign(frame, sign, strands == "both", fdr, seed)
        found += [_draft(frame, windows, motif, direction) for motif in motifs]
    found.sort(key=lambda draft: (-draft.strength, draft.ppm.tolist()))
    kept: list[_Draft] = []
    for draft in found:
        copies = (similarity(draft.ppm, k.ppm, strands == "both") >= SAME for k in kept)
        if draft.strength > 0 and not any(copies):
            kept.append(draft)
    return [_finished(frame, draft, f"{name}-{rank}") for rank, draft in enumerate(kept, 1)]


def _of_one_sign(
    frame: Frame, sign: int, both_strands: bool, fdr: float, seed: int
) -> tuple[Windows, list[Alignment]]:
    """Find the motifs of the seqlets that speak for the target (1) or against it (-1)."""
    found = stretches(frame, sign, fdr=fdr, seed=seed)
    windows = cut_windows(frame, found, both_strands=both_strands, most=PIECE)
    if len(windows) < MIN_SEQLETS:
        return windows, []
    importance = np.maximum(sign * lay(frame.track, windows), 0.0)
    order = np.argsort(-windows.inside(importance).sum(axis=1), kind="stable")
    windows, importance = windows.take(order), importance[order]
    chosen = spread(len(windows), MAX_STARTS)
    starts = start_matrices(windows.take(chosen), importance[chosen])
    drafts = search(windows, starts, MIN_SEQLETS, MIN_EVIDENCE)
    return windows, share_out(windows, drafts, MIN_SEQLETS, MIN_EVIDENCE)


@dataclass(frozen=True, eq=False)
class _Draft:
    """A motif in the frame: sites (n,) by row, start and strand, and the mean over them."""

    row: Ints
    start: Ints
    minus: NDArray[np.bool_]
    score: Floats
    ppm: Floats
    cwm: Floats
    hypothetical_cwm: Floats | None
    direction: Direction

    @property
    def strength(self) -> float:
        """Contributions of all sites in the direction of the motif."""
        return SIGNS[self.direction] * float(self.score.sum())


def _draft(frame: Frame, windows: Windows, motif: Alignment, direction: Direction) -> _Draft:
    """Lay contributions on the sites; those that speak the other way are left out."""
    row, start, minus = windows.row[motif.sites.window], motif.sites.start, motif.sites.minus
    score = frame.track[row[:, None], start[:, None] + np.arange(motif.width)].sum(axis=1)
    agrees = SIGNS[direction] * score > 0
    row, start, minus, score = row[agrees], start[agrees], minus[agrees], score[agrees]
    order = np.lexsort((start, row))
    row, start, minus, score = row[order], start[order], minus[order], score[order]
    place = start[:, None] + np.arange(motif.width)
    bases = one_hot(frame.codes[row[:, None], place])
    contributions = bases * frame.track[row[:, None], place][:, None, :]
    counts = _mean(bases, minus) * max(len(row), 1)
    ppm = counts / np.maximum(counts.sum(axis=0), 1e-300)
    cwm, hypothetical_cwm = _mean(contributions, minus), None
    if frame.hypothetical is not None:
        bases_first = frame.hypothetical.transpose(0, 2, 1)[row[:, None], place]
        hypothetical_cwm = _mean(bases_first.transpose(0, 2, 1), minus)
    if windows.both_strands and _letters(ppm[::-1, ::-1]) < _letters(ppm):
        minus, ppm, cwm = ~minus, ppm[::-1, ::-1], cwm[::-1, ::-1]
        if hypothetical_cwm is not None:
            hypothetical_cwm = hypothetical_cwm[::-1, ::-1]
    return _Draft(row, start, minus, score, ppm, cwm, hypothetical_cwm, direction)


def _mean(values: NDArray[np.floating], minus: NDArray[np.bool_]) -> Floats:
    """Average (n, 4, W) over sites, those on strand - turned."""
    turned = np.where(minus[:, None, None], values[:, ::-1, ::-1], values)
    mean: Floats = turned.sum(axis=0, dtype=np.float64) / max(len(values), 1)
    return mean


def _letters(ppm: Floats) -> tuple[list[int], list[list[float]]]:
    """Give what decides the strand a motif is shown on: its letters, then its numbers."""
    return ppm.argmax(axis=0).tolist(), ppm.tolist()


def _finished(frame: Frame, draft: _Draft, name: str) -> DiscoveredMotif:
    width = draft.ppm.shape[1]
    seqlets = (
        frame.seqlet(row, start, start + width, "-" if minus else "+", score)
        for row, start, minus, score in zip(
            draft.row.tolist(),
            draft.start.tolist(),
            draft.minus.tolist(),
            draft.score.tolist(),
            strict=True,
        )
    )
    return DiscoveredMotif(
        name,
        np.ascontiguousarray(draft.ppm),
        np.ascontiguousarray(draft.cwm),
        None if draft.hypothetical_cwm is None else np.ascontiguousarray(draft.hypothetical_cwm),
        tuple(sorted(seqlets)),
        draft.direction,
    )


def lay(track: Floats, windows: Windows) -> Floats:
    """Lay a track (N, L) under the columns of windows: (M, R), 0 beyond the sequences."""
    place = windows.start[:, None] - MARGIN + np.arange(windows.codes.shape[1])
    inside = (place >= 0) & (place < windows.length[:, None])
    laid: Floats = np.where(inside, track[windows.row[:, None], np.where(inside, place, 0)], 0.0)
    return laid
