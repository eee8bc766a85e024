"""Motifs on their way out of the frame: matrices, strand shown, coordinates of the input."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from motiflens.discovery.discovered import Direction, DiscoveredMotif
from motiflens.discovery.frame import Floats, Frame, Ints
from motiflens.discovery.refinement import Alignment, score_sites
from motiflens.discovery.windows import Windows
from motiflens.sequences import one_hot


@dataclass(frozen=True, eq=False)
class Draft:
    """A motif in the frame.

    Parameters
    ----------
    row, start, minus, score
        (n,) of the sites, by row and start.
    ppm, cwm, hypothetical_cwm
        (4, W).
    direction
        For or against the target.
    strength
        What motifs are ranked by.
    """

    row: Ints
    start: Ints
    minus: NDArray[np.bool_]
    score: Floats
    ppm: Floats
    cwm: Floats | None
    hypothetical_cwm: Floats | None
    direction: Direction
    strength: float

    @property
    def counts(self) -> Floats:
        """Number of sites with each base, (4, W), as if none had an N."""
        counts: Floats = self.ppm * len(self.row)
        return counts


def explained_draft(
    frame: Frame, windows: Windows, motif: Alignment, direction: Direction, sign: int
) -> Draft:
    """Lay contributions on the sites; those that speak the other way are left out."""
    window, start, minus = motif.sites.window, motif.sites.start, motif.sites.minus
    place = start[:, None] + np.arange(motif.width)
    score = frame.track[windows.row[window][:, None], place].sum(axis=1)
    kept = np.flatnonzero(sign * score > 0)
    kept = kept[np.lexsort((start[kept], windows.row[window[kept]]))]
    row, place, minus = windows.row[window[kept]], place[kept], minus[kept]
    bases = one_hot(frame.codes[row[:, None], place])
    hypothetical_cwm = None
    if frame.hypothetical is not None:
        bases_last = frame.hypothetical.transpose(0, 2, 1)[row[:, None], place]
        hypothetical_cwm = _mean(bases_last.transpose(0, 2, 1), minus)
    return _oriented(
        Draft(
            row,
            start[kept],
            minus,
            score[kept],
            _frequencies(bases, minus),
            _mean(bases * frame.track[row[:, None], place][:, None, :], minus),
            hypothetical_cwm,
            direction,
            sign * float(score[kept].sum()),
        ),
        windows.both_strands,
    )


def plain_draft(frame: Frame, windows: Windows, motif: Alignment) -> Draft:
    """Make a motif of sequence alone; its sites have the score of their log-odds, in bits."""
    sites = motif.sites.take(np.lexsort((motif.sites.start, windows.row[motif.sites.window])))
    row = windows.row[sites.window]
    bases = one_hot(frame.codes[row[:, None], sites.start[:, None] + np.arange(motif.width)])
    return _oriented(
        Draft(
            row,
            sites.start,
            sites.minus,
            score_sites(windows, motif.counts, sites),
            _frequencies(bases, sites.minus),
            None,
            None,
            "positive",
            motif.evidence,
        ),
        windows.both_strands,
    )


def finished(frame: Frame, draft: Draft, name: str) -> DiscoveredMotif:
    """Give a motif in the coordinates of the input."""
    width = draft.ppm.shape[1]
    columns = (draft.row, draft.start, draft.minus, draft.score)
    seqlets = [
        frame.seqlet(row, start, start + width, "-" if minus else "+", score)
        for row, start, minus, score in zip(*(c.tolist() for c in columns), strict=True)
    ]
    return DiscoveredMotif(
        name,
        draft.ppm,
        draft.cwm,
        draft.hypothetical_cwm,
        tuple(sorted(seqlets)),
        draft.direction,
    )


def _oriented(draft: Draft, both_strands: bool) -> Draft:
    """Show a motif of both strands on the one whose letters come first."""
    if not both_strands or _letters(draft.ppm) <= _letters(draft.ppm[::-1, ::-1]):
        return draft
    turned = [
        None if m is None else np.ascontiguousarray(m[::-1, ::-1])
        for m in (draft.ppm, draft.cwm, draft.hypothetical_cwm)
    ]
    ppm, cwm, hypothetical_cwm = turned
    assert ppm is not None
    return replace(draft, minus=~draft.minus, ppm=ppm, cwm=cwm, hypothetical_cwm=hypothetical_cwm)


def _letters(ppm: Floats) -> tuple[list[int], list[list[float]]]:
    """Give what decides the strand a motif is shown on: its letters, then its numbers."""
    return ppm.argmax(axis=0).tolist(), ppm.tolist()


def _frequencies(bases: NDArray[np.float32], minus: NDArray[np.bool_]) -> Floats:
    """Frequencies (4, W) of bases (n, 4, W), in which N does not count."""
    mean = _mean(bases, minus)
    frequencies: Floats = mean / np.maximum(mean.sum(axis=0), 1e-300)
    return frequencies


def _mean(values: NDArray[np.floating], minus: NDArray[np.bool_]) -> Floats:
    """Average (n, 4, W) over sites, those on strand - turned."""
    turned = np.where(minus[:, None, None], values[:, ::-1, ::-1], values)
    mean: Floats = turned.sum(axis=0, dtype=np.float64) / max(len(values), 1)
    return mean
