"""The tiles of a scan: which positions each holds, and what is computed of it."""

from __future__ import annotations

import io
import itertools
from dataclasses import dataclass

import numpy as np

from motiflens.hits.intervals import Intervals
from motiflens.scoring.shared_windows import Floats32, Positions
from motiflens.sequences import Codes

#: Bases of a tile: seconds of work.
TILE = 200_000


@dataclass(frozen=True)
class Span:
    """Positions [start, end) of a contig."""

    contig: str
    start: int
    end: int

    def multiples(self, stride: int) -> Positions:
        """Return the positions that are multiples of the stride."""
        return np.arange(-(-self.start // stride) * stride, self.end, stride, dtype=np.int64)


def cut(intervals: Intervals) -> list[tuple[Span, ...]]:
    """Cut intervals of a genome at multiples of TILE, and put small ones together."""
    tiles: list[tuple[Span, ...]] = []
    own: list[Span] = []
    n_bases = 0
    for contig in intervals.by_contig:
        for first, last in intervals.spans(contig):
            bounds = [first, *range((first // TILE + 1) * TILE, last, TILE), last]
            for start, end in itertools.pairwise(bounds):
                if own and n_bases + end - start > TILE:
                    tiles.append(tuple(own))
                    own, n_bases = [], 0
                own.append(Span(contig, start, end))
                n_bases += end - start
    return [*tiles, tuple(own)] if own else tiles


@dataclass(frozen=True, eq=False)
class Stretch:
    """Sequence of a span, and the windows on it.

    Parameters
    ----------
    codes, null
        uint8 (T,), and shuffled; the latter is empty where no peaks are asked for.
    positions, starts
        Of the windows: their positions on the contig, and where they begin in ``codes``.
    """

    codes: Codes
    null: Codes
    positions: Positions
    starts: Positions


@dataclass(frozen=True, eq=False)
class Scored:
    """What is computed of a tile.

    Parameters
    ----------
    scores
        Of every position of its spans, in order; NaN where there is no window.
    summits, heights, owners
        Local maxima: positions, scores, and which of the spans each lies in.
    null
        Scores of the local maxima of the shuffles.
    """

    scores: Floats32
    summits: Positions
    heights: Floats32
    owners: Positions
    null: Floats32

    def as_bytes(self) -> bytes:
        """Return the arrays one after the other, as NumPy writes them."""
        stream = io.BytesIO()
        for array in (self.scores, self.summits, self.heights, self.owners, self.null):
            np.save(stream, array)
        return stream.getvalue()

    @staticmethod
    def read(content: bytes) -> Scored:
        """Read what :meth:`as_bytes` returns."""
        stream = io.BytesIO(content)
        return Scored(*(np.load(stream) for _ in range(5)))
