"""Motifs on their way out: matrices, the strand shown, coordinates of the input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from motiflens.discovery.discovered import Direction, DiscoveredMotif, MotifSite
from motiflens.discovery.oriented import Floats, Ints, OrientedTracks
from motiflens.discovery.refinement import Alignment, score_sites
from motiflens.discovery.windows import Windows
from motiflens.sequences import one_hot


def explained_draft(
    tracks: OrientedTracks, windows: Windows, motif: Alignment, direction: Direction
) -> DiscoveredMotif | None:
    """Return a motif with contributions; sites that contribute the other way are left out."""
    window, start, minus = motif.sites.window, motif.sites.start, motif.sites.minus
    sign = 1 if direction == "positive" else -1
    score = tracks.track[windows.row[window][:, None], _positions(start, motif)].sum(axis=1)
    kept = np.flatnonzero(sign * score > 0)
    if not kept.size:
        return None
    kept = kept[np.lexsort((start[kept], windows.row[window[kept]]))]
    row, start, minus = windows.row[window[kept]], start[kept], minus[kept]
    at = row[:, None], _positions(start, motif)
    bases, hypothetical_cwm = one_hot(tracks.codes[at]), None
    if tracks.hypothetical is not None:
        bases_last = tracks.hypothetical.transpose(0, 2, 1)[at]
        hypothetical_cwm = _mean(bases_last.transpose(0, 2, 1), minus)
    draft = DiscoveredMotif(
        "motif",
        _frequencies(bases, minus),
        n_sites=len(row),
        cwm=_mean(bases * tracks.track[at][:, None, :], minus),
        hypothetical_cwm=hypothetical_cwm,
        sites=_sites(row, start, minus, score[kept], motif.width),
        direction=direction,
    )
    return _show(draft, windows.both_strands)


def sequence_draft(tracks: OrientedTracks, windows: Windows, motif: Alignment) -> DiscoveredMotif:
    """Return a motif of sequence alone; its sites have the score of their log-odds, in bits."""
    sites = motif.sites.take(np.lexsort((motif.sites.start, windows.row[motif.sites.window])))
    row = windows.row[sites.window]
    bases = one_hot(tracks.codes[row[:, None], _positions(sites.start, motif)])
    score = score_sites(windows, motif.counts, sites)
    draft = DiscoveredMotif(
        "motif",
        _frequencies(bases, sites.minus),
        n_sites=len(row),
        sites=_sites(row, sites.start, sites.minus, score, motif.width),
    )
    return _show(draft, windows.both_strands)


def finish(tracks: OrientedTracks, draft: DiscoveredMotif, name: str) -> DiscoveredMotif:
    """Return a motif in the coordinates of the input."""
    return replace(draft, name=name, sites=tuple(sorted(map(tracks.restore, draft.sites))))


def _positions(start: Ints, motif: Alignment) -> Ints:
    positions: Ints = start[:, None] + np.arange(motif.width)
    return positions


def _sites(
    row: Ints, start: Ints, minus: NDArray[np.bool_], score: Floats, width: int
) -> tuple[MotifSite, ...]:
    columns = (column.tolist() for column in (row, start, minus, score))
    return tuple(
        MotifSite(row, start, start + width, "-" if minus else "+", score)
        for row, start, minus, score in zip(*columns, strict=True)
    )


def _show(draft: DiscoveredMotif, both_strands: bool) -> DiscoveredMotif:
    """Show a motif of both strands on the one whose letters come first."""
    other = draft.reverse_complement()
    return other if both_strands and _letters(other.ppm) < _letters(draft.ppm) else draft


def _letters(ppm: Floats) -> tuple[list[int], list[list[float]]]:
    """Return what decides the strand a motif is shown on: its letters, then its numbers."""
    return ppm.argmax(axis=0).tolist(), ppm.tolist()


def _frequencies(bases: NDArray[np.float32], minus: NDArray[np.bool_]) -> Floats:
    """Frequencies (4, W) of bases (n, 4, W), in which N does not count."""
    mean = _mean(bases, minus)
    frequencies: Floats = mean / np.maximum(mean.sum(axis=0), 1e-300)
    return frequencies


def _mean(values: NDArray[np.floating], minus: NDArray[np.bool_]) -> Floats:
    """Average (n, 4, W) over sites, those on strand - reversed."""
    on_strand = np.where(minus[:, None, None], values[:, ::-1, ::-1], values)
    mean: Floats = on_strand.sum(axis=0, dtype=np.float64) / max(len(values), 1)
    return mean
