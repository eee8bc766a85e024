"""Windows of a genome scored by a model: a track, and its peaks.

The score of a position is the mean logit over seeds of the window around it, its middle, base
``length // 2`` of the window, on the position. Windows that hold an N or reach over the end of a
contig have none. The sequence of a window is all that its score depends on: it is that of the
window as a sequence of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motiflens.errors import InputError
from motiflens.files import whole_file
from motiflens.hits.intervals import intervals_of_bed, whole_contigs
from motiflens.io.big_wig import Value, write_values
from motiflens.io.genome import open_genome
from motiflens.progress import Advance, Progress
from motiflens.scoring.modules import open_scorer
from motiflens.scoring.peaks import (
    SHUFFLED_TOGETHER,
    Peaks,
    local_maxima,
    narrow_peak,
    shuffled,
    significance,
)
from motiflens.scoring.scan_tiles import Scored, Span, Stretch, cut
from motiflens.scoring.scorer import plan_of
from motiflens.scoring.shared_windows import Floats32, Positions
from motiflens.scoring.tiles import Tiles
from motiflens.scoring.window_scores import Mean, window_scores
from motiflens.scoring.work import Work, hash_file
from motiflens.sequences import PAD, Codes, encode
from motiflens.training.machine import keep_freed_memory
from motiflens.version import __version__

#: Of the shuffles.
SEED = 0
#: Values that become Python's numbers together.
AT_ONCE = 2**16


@dataclass(frozen=True)
class ScanResult:
    """What a scan has written.

    Parameters
    ----------
    n_windows
        Scored.
    n_maxima, n_null
        Local maxima of the track and of the null; 0 where no peaks were asked for.
    n_peaks
        Maxima with a q-value of at most the false discovery rate.
    """

    n_windows: int
    n_maxima: int
    n_null: int
    n_peaks: int


class Scan(Work):
    """The windows of a genome, scored.

    Parameters
    ----------
    run, model, device, own
        As in :func:`motiflens.scoring.modules.open_scorer`.
    genome
        FASTA or 2bit.
    output
        bigWig.
    regions
        BED: only windows around positions in its intervals; None for all.
    stride
        Only positions that are multiples of it.
    peaks
        narrowPeak file to write; None for none.
    fdr
        The largest q-value of a peak.
    """

    name, unit = "scan", "positions"
    #: Known after :meth:`join`.
    result: ScanResult | None = None

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.stride, self.with_peaks = arguments["stride"], arguments["peaks"] is not None
        self.genome = open_genome(arguments["genome"])
        regions = arguments["regions"]
        self.intervals = (
            whole_contigs(self.genome)
            if regions is None
            else intervals_of_bed(regions, self.genome)
        )
        self.scorer = open_scorer(arguments)
        self.length = self.scorer.length
        self.windows = window_scores(self.scorer)
        keep_freed_memory()
        self.tiles = cut(self.intervals)

    @property
    def outputs(self) -> Sequence[Path]:
        """The track, and the peaks where they are asked for."""
        peaks = self.given["peaks"]
        return [self.output] if peaks is None else [self.output, Path(peaks)]

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """All that decides the result."""
        arguments = self.arguments
        regions = arguments["regions"]
        return {
            "model": self.scorer.sha256,
            "length": self.length,
            "genome": hash_file(arguments["genome"]),
            "regions": None if regions is None else hash_file(regions),
            "stride": self.stride,
            "peaks": self.with_peaks,
            "fdr": arguments["fdr"] if self.with_peaks else None,
            "version": __version__,
        }

    @property
    def plan(self) -> Mapping[str, Any]:
        """The model, the window, and whether windows share their activations."""
        shared = "yes" if isinstance(self.windows, Mean) else "no"
        return {**plan_of(self.scorer), "shared_activations": shared}

    @cached_property
    def sizes(self) -> Sequence[int]:
        """Positions of each tile."""
        return [sum(len(span.multiples(self.stride)) for span in spans) for spans in self.tiles]

    def compute(self, tile: int) -> bytes:
        """Score the windows of a tile, and find its local maxima."""
        spans = self.tiles[tile]
        stretches = [self._stretch(span) for span in spans]
        # An N between two stretches, so that no window lies on both.
        codes = np.concatenate([np.append(one.codes, np.uint8(PAD)) for one in stretches])
        first = np.cumsum([0, *(len(one.codes) + 1 for one in stretches)])
        starts = [one.starts + at for one, at in zip(stretches, first[:-1], strict=True)]
        by_stretch = self._score(codes, starts)
        null_by_stretch = [np.zeros(0, dtype=np.float32) for _ in stretches]
        if self.with_peaks:
            codes = np.concatenate([np.append(one.null, np.uint8(PAD)) for one in stretches])
            null_by_stretch = self._score(codes, starts)
        return self._gather(spans, stretches, by_stretch, null_by_stretch).as_bytes()

    def _gather(
        self,
        spans: Sequence[Span],
        stretches: Sequence[Stretch],
        by_stretch: Sequence[Floats32],
        null_by_stretch: Sequence[Floats32],
    ) -> Scored:
        """Keep the scores of a tile's own positions, and the maxima that lie on these."""
        scores, summits, heights, owners, null = [], [], [], [], []
        for owner, (span, stretch, own) in enumerate(
            zip(spans, stretches, by_stretch, strict=True)
        ):
            positions = span.multiples(self.stride)
            track = np.full(len(positions), np.nan, dtype=np.float32)
            inside = (stretch.positions >= span.start) & (stretch.positions < span.end)
            track[np.searchsorted(positions, stretch.positions[inside])] = own[inside]
            scores.append(track)
            if self.with_peaks:
                top = self._maxima(span, stretch, own)
                summits.append(stretch.positions[top])
                heights.append(own[top])
                owners.append(np.full(len(top), owner))
                of_null = null_by_stretch[owner]
                null.append(of_null[self._maxima(span, stretch, of_null)])
        none, no_score = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
        return Scored(
            np.concatenate([no_score, *scores]),
            np.concatenate([none, *summits]),
            np.concatenate([no_score, *heights]),
            np.concatenate([none, *owners]),
            np.concatenate([no_score, *null]),
        )

    def _maxima(self, span: Span, stretch: Stretch, scores: Floats32) -> Positions:
        """Return the indices of the local maxima of a stretch that lie in its span."""
        top = local_maxima(stretch.positions, scores, self.length, self.stride)
        inside = (stretch.positions[top] >= span.start) & (stretch.positions[top] < span.end)
        return top[inside]

    def _score(self, codes: Codes, starts: Sequence[Positions]) -> list[Floats32]:
        scores = self.windows.scores(codes, np.concatenate(starts))
        return np.split(scores, np.cumsum([len(one) for one in starts])[:-1])

    def _stretch(self, span: Span) -> Stretch:
        """Read the windows of a span; for maxima also of as many positions as decide on them."""
        beside = self.length - 1 if self.with_peaks else 0
        size = self.genome.contigs[span.contig].size
        left = self.length // 2
        wide = Span(span.contig, max(span.start - beside, 0), min(span.end + beside, size))
        positions = wide.multiples(self.stride)
        positions = positions[(positions >= left) & (positions - left + self.length <= size)]
        positions = positions[self._asked_for(span.contig, positions)]
        first, last = max(wide.start - left, 0), min(wide.end - left + self.length, size)
        aligned = first // SHUFFLED_TOGETHER * SHUFFLED_TOGETHER if self.with_peaks else first
        end = min(-(-last // SHUFFLED_TOGETHER) * SHUFFLED_TOGETHER, size)
        letters = self.genome.fetch(span.contig, aligned, end if self.with_peaks else last)
        codes = encode([letters])[0][0]
        null = codes[:0]
        if self.with_peaks:
            seed = (SEED, list(self.genome.contigs).index(span.contig))
            null = shuffled(codes, aligned // SHUFFLED_TOGETHER, seed)
        own = slice(first - aligned, last - aligned)
        starts = positions - left - first
        known = _known(codes[own], self.length)[starts]
        return Stretch(codes[own], null[own], positions[known], starts[known])

    def _asked_for(self, contig: str, positions: Positions) -> NDArray[np.bool_]:
        """Return which positions lie in an interval."""
        starts, ends = np.array(self.intervals.spans(contig)).T
        row = np.searchsorted(starts, positions, side="right") - 1
        return (row >= 0) & (positions < ends[row])

    def join(self, tiles: Iterator[bytes], progress: Progress) -> None:
        """Write the track, then the peaks."""
        joined = _Joined(self)
        sizes = {name: contig.size for name, contig in self.genome.contigs.items()}
        with progress.stage("write", sum(self.sizes), self.unit) as advance:
            try:
                write_values(self.output, sizes, joined.values(tiles, advance))
            except InputError:
                if joined.n_windows:
                    raise
                Tiles(self).remove()
                raise InputError(
                    f"no window of {self.length} bases without N lies in "
                    f"{self.given['regions'] or self.genome.path}",
                    remedy="give longer contigs, or other regions",
                ) from None
        self.result = joined.finish()


class _Joined:
    """Tiles on their way into the files."""

    def __init__(self, scan: Scan) -> None:
        self.scan, self.n_windows = scan, 0
        self.contigs: list[str] = []
        self.summits = [np.zeros(0, dtype=np.int64)]
        self.heights, self.null = ([np.zeros(0, dtype=np.float32)] for _ in range(2))

    def values(self, tiles: Iterator[bytes], advance: Advance) -> Iterator[Value]:
        """Yield the scores of all tiles, and keep their maxima."""
        for spans, content in zip(self.scan.tiles, tiles, strict=True):
            scored = Scored.read(content)
            self.contigs += [spans[owner].contig for owner in scored.owners.tolist()]
            self.summits.append(scored.summits)
            self.heights.append(scored.heights)
            self.null.append(scored.null)
            done = 0
            for span in spans:
                positions = span.multiples(self.scan.stride)
                scores = scored.scores[done : done + len(positions)]
                done += len(positions)
                known = ~np.isnan(scores)
                self.n_windows += int(known.sum())
                yield from _values(span.contig, positions[known], scores[known])
                advance(len(positions))

    def finish(self) -> ScanResult:
        """Write the peaks, where they are asked for."""
        scan, n_peaks = self.scan, 0
        heights, null = np.concatenate(self.heights), np.concatenate(self.null)
        if scan.with_peaks:
            peaks = Peaks(self.contigs, np.concatenate(self.summits), heights)
            found = significance(heights, null)
            with whole_file(scan.given["peaks"]) as file:
                for line in narrow_peak(peaks, found, scan.length, scan.arguments["fdr"]):
                    file.write(line)
                    n_peaks += 1
        return ScanResult(self.n_windows, len(heights), len(null), n_peaks)


def _values(contig: str, positions: Positions, scores: Floats32) -> Iterator[Value]:
    for first in range(0, len(positions), AT_ONCE):
        own = positions[first : first + AT_ONCE]
        values = scores[first : first + AT_ONCE].tolist()
        yield from zip(repeat(contig), own.tolist(), (own + 1).tolist(), values, strict=False)


def _known(codes: Codes, length: int) -> NDArray[np.bool_]:
    """Return of every base whether a window that begins there holds no N; (T,)."""
    unknown = np.concatenate([[0], np.cumsum(codes >= PAD)])
    known = np.zeros(len(codes), dtype=bool)
    n = max(len(codes) - length + 1, 0)
    known[:n] = unknown[length : length + n] == unknown[:n]
    return known
