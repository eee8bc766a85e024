"""From windows of evidence to motifs: windows are aligned with each other, the width is found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from motiflens.discovery.seeds import WORD, Windows, shared_word
from motiflens.errors import InputError
from motiflens.motifs import Motif, consensus
from motiflens.sequences import PAD, Codes, Lengths, reverse_complement_codes

Strands = Literal["forward", "both"]

MIN_SITES = 5
MIN_BITS = 0.25
"""Bits, corrected for the number of sites, that a column of a motif holds."""

G_LIMIT = 16.27
"""0.999 quantile of the chi-square distribution with 3 degrees of freedom."""

MAX_GAP = 4
"""Columns without information that a motif may bridge."""

MAX_WIDTH, FLANK, MAX_ROUNDS, MAX_MOTIFS = 40, 20, 20, 5
_MARGIN = FLANK + MAX_WIDTH // 2

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class FoundSite(NamedTuple):
    """Where a motif was found: sequence, 0-based half-open ``[start, end)``, strand + or -."""

    sequence: int
    start: int
    end: int
    strand: str


@dataclass(frozen=True, eq=False)
class FoundMotif:
    """A motif read from an explanation.

    Parameters
    ----------
    name
        Such as ``attention-1``.
    ppm
        Base frequencies at the sites, float64 (4, W), without pseudocount.
    sites
        The sites, in the order of the sequences.
    """

    name: str
    ppm: Floats
    sites: tuple[FoundSite, ...]

    @property
    def consensus(self) -> str:
        """IUPAC consensus."""
        return consensus(self.ppm)

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        return len(self.sites)

    def as_motif(self) -> Motif:
        """Give the motif for a MEME file."""
        return Motif(self.name, self.ppm, n_sites=self.n_sites)


def align_windows(
    codes: Codes,
    lengths: Lengths,
    windows: ArrayLike,
    *,
    strands: Strands = "forward",
    name: str = "motif",
) -> list[FoundMotif]:
    """Find the motifs that windows on sequences share, wherever they lie in the windows.

    A word that the windows share beyond chance (:func:`motiflens.discovery.seeds.shared_word`)
    gives the first sites. Then, until nothing changes: base counts at the sites and their
    flanks, taken from the whole sequences; the run of informative columns around the strongest
    one becomes the motif; every window keeps the place of its best log-odds score, of those that
    at least half overlap it, if the score in bits exceeds log2 of the number of places tried.
    A column is informative if its divergence from the base composition has ``MIN_BITS`` after
    the small-sample correction 3 / (2 n ln 2), and its G statistic exceeds ``G_LIMIT``;
    up to ``MAX_GAP`` others between informative ones are bridged. The sites are
    then masked and the search goes on, until no word is left.

    Parameters
    ----------
    codes, lengths
        uint8 (N, L), int32 (N,).
    windows
        Integers (M, 3): sequence, start, end. The order is of no consequence; those that
        overlap on a sequence are merged, since they are not independent.
    strands
        ``both`` looks for the motif on either strand.
    name
        The motifs are called ``name-1``, ``name-2``, ...

    Returns
    -------
    list of FoundMotif
        By evidence (summed log-odds of the sites), strongest first; empty where the windows
        share nothing.

    Raises
    ------
    InputError
        If windows do not have the shape (M, 3) or leave their sequence.

    References
    ----------
    Schneider et al., J Mol Biol 188:415 (1986), for the correction; Bailey and Elkan, ISMB 2:28
    (1994), for one or no site a window.
    """
    merged = _merged(np.asarray(windows, dtype=np.int64), lengths)
    masked = codes.copy()
    found: list[tuple[float, FoundMotif]] = []
    while len(found) < MAX_MOTIFS and len(merged) >= MIN_SITES:
        word = shared_word(masked, merged, strands == "both")
        if word is None:
            break
        search = _Search.over(masked, lengths, merged, strands)
        aligned = search.refine(word)
        if aligned is None:
            break
        motif = search.motif(aligned)
        found.append((aligned.evidence, motif))
        for site in motif.sites:
            masked[site.sequence, site.start : site.end] = PAD
    found.sort(key=lambda pair: -pair[0])
    return [replace(m, name=f"{name}-{rank}") for rank, (_, m) in enumerate(found, start=1)]


def _merged(windows: Windows, lengths: Lengths) -> Windows:
    """Sort windows and join those that overlap."""
    if windows.size == 0:
        return np.zeros((0, 3), dtype=np.int64)
    if windows.ndim != 2 or windows.shape[1] != 3:
        raise InputError(
            "windows are rows of sequence, start, end",
            got=f"shape {windows.shape}",
            remedy="pass an integer array (M, 3)",
        )
    sequence, start, end = windows.T
    good = (sequence >= 0) & (sequence < len(lengths)) & (start >= 0) & (start < end)
    good &= end <= lengths[np.where(good, sequence, 0)]
    if not good.all():
        raise InputError(
            "a window lies on its sequence, 0 <= start < end <= length",
            got=f"sequence, start, end = {windows[np.argmin(good)].tolist()}",
            remedy="cut the window at the ends of the sequence",
        )
    sequence, start, end = windows[np.lexsort((end, start, sequence))].T
    # On one line with the sequences end to end, a window opens a group where it starts past
    # the furthest end so far.
    origin = sequence * (int(lengths.max()) + 1)
    reached = np.maximum.accumulate(origin + end)
    opens = np.flatnonzero(np.r_[True, (origin + start)[1:] >= reached[:-1]])
    ends = np.maximum.reduceat(end, opens)
    return np.stack([sequence[opens], start[opens], ends], axis=1)


@dataclass(frozen=True)
class _Alignment:
    """One site in each of some windows: ``row`` of the window, ``strand``, ``start``.

    Starts are relative to the window on that strand. ``counts`` (4, W) and the evidence in bits.
    """

    row: Ints
    strand: Ints
    start: Ints
    width: int
    evidence: float
    counts: Floats


@dataclass(frozen=True)
class _Search:
    """Windows with their surroundings on one or both strands, and what is expected of a base.

    ``regions`` (M, S, R) holds codes from ``_MARGIN`` before each window on; ``first`` (M, S) is
    the start of a window on the strand, ``size`` (M,) its width, ``lengths`` (M,) of its sequence.
    """

    windows: Windows
    regions: Codes
    first: Ints
    size: Ints
    lengths: Ints
    background: Floats

    @staticmethod
    def over(codes: Codes, lengths: Lengths, windows: Windows, strands: Strands) -> _Search:
        sequence, start, end = windows.T
        size, length = end - start, lengths[sequence].astype(np.int64)
        oriented, first = [codes], [start]
        if strands == "both":
            oriented.append(reverse_complement_codes(codes, lengths))
            first.append(length - end)
        places = np.arange(int(size.max()) + 2 * _MARGIN)
        room = ((0, 0), (_MARGIN, _MARGIN + int(size.max())))
        regions = [
            np.pad(c, room, constant_values=PAD)[sequence[:, None], f[:, None] + places]
            for c, f in zip(oriented, first, strict=True)
        ]
        counts = np.bincount(np.concatenate(oriented).ravel(), minlength=5)[:4] + 1.0
        return _Search(
            windows,
            np.stack(regions, axis=1),
            np.stack(first, axis=1),
            size,
            length,
            counts / counts.sum(),
        )

    def refine(self, word: Codes) -> _Alignment | None:
        """Align from a word until sites and width stay; None if no motif is left."""
        scores = np.zeros((5, WORD))
        scores[word, np.arange(WORD)] = 1.0
        aligned = self._place(scores, np.full(len(self.size), WORD - 1.5))
        for _ in range(MAX_ROUNDS):
            counts = self._column_counts(aligned)
            span = informative_span(counts, self.background, FLANK, FLANK + aligned.width)
            if len(aligned.row) < MIN_SITES or span is None:
                return None
            frame = counts[:, slice(*span)]
            before = aligned
            aligned = self._place(_log_odds(frame, self.background))
            if _same(before, aligned):
                break
        if len(aligned.row) < MIN_SITES:
            return None
        inside = slice(FLANK, FLANK + aligned.width)
        return replace(aligned, counts=self._column_counts(aligned)[:, inside])

    def _place(self, scores: Floats, limits: Floats | None = None) -> _Alignment:
        """Keep the best place of each window that scores above its limit; ``scores`` (5, W)."""
        width = scores.shape[1]
        starts = np.arange(-(width // 2), int(self.size.max()) - width + width // 2 + 1)
        allowed = self._allowed(starts, width)
        total = np.zeros(allowed.shape)
        for column in range(width):
            at = _MARGIN + starts[0] + column
            total += scores[self.regions[:, :, at : at + len(starts)], column]
        total[~allowed] = -np.inf
        flat = total.reshape(len(total), -1)
        best = flat.argmax(axis=1)
        score = np.take_along_axis(flat, best[:, None], axis=1)[:, 0]
        if limits is None:
            limits = np.log2(np.maximum(allowed.sum(axis=(1, 2)), 1))
        row = np.flatnonzero(score > limits)
        strand, place = np.divmod(best[row], len(starts))
        evidence = float((score - limits)[row].sum())
        return _Alignment(row, strand, starts[place], width, evidence, np.zeros((4, 0)))

    def _allowed(self, starts: Ints, width: int) -> NDArray[np.bool_]:
        """Mark the places on the sequence that at least half overlap the window, (M, S, P)."""
        near = starts <= (self.size - width + width // 2)[:, None]
        absolute = self.first[:, :, None] + starts
        on_sequence = (absolute >= 0) & (absolute + width <= self.lengths[:, None, None])
        return near[:, None, :] & on_sequence

    def _column_counts(self, aligned: _Alignment) -> Floats:
        """Bases at the sites and ``FLANK`` columns on either side, (4, W + 2 FLANK)."""
        columns = np.arange(_MARGIN - FLANK, _MARGIN + aligned.width + FLANK)
        place = aligned.start[:, None] + columns
        bases = self.regions[aligned.row[:, None], aligned.strand[:, None], place]
        counts: Floats = (bases == np.arange(4)[:, None, None]).sum(axis=1).astype(np.float64)
        return counts

    def motif(self, aligned: _Alignment) -> FoundMotif:
        """Write an alignment in coordinates of the sequences, on the strand of most sites."""
        start = self.first[aligned.row, aligned.strand] + aligned.start
        end = start + aligned.width
        length, minus = self.lengths[aligned.row], aligned.strand == 1
        start, end = np.where(minus, length - end, start), np.where(minus, length - start, end)
        ppm = aligned.counts / aligned.counts.sum(axis=0)
        if minus.sum() * 2 > len(minus):
            minus, ppm = ~minus, ppm[::-1, ::-1]
        rows = zip(
            self.windows[aligned.row, 0].tolist(),
            start.tolist(),
            end.tolist(),
            np.where(minus, "-", "+").tolist(),
            strict=True,
        )
        return FoundMotif("motif", ppm, tuple(FoundSite(*row) for row in rows))


def informative_span(
    counts: Floats, background: Floats, start: int, end: int
) -> tuple[int, int] | None:
    """Give the run of informative columns around the strongest column of ``[start, end)``.

    Parameters
    ----------
    counts
        Base counts (4, W).
    background
        Base probabilities (4,).
    start, end
        Where to look for the strongest column.

    Returns
    -------
    span
        Half-open; at most ``MAX_WIDTH`` wide; None where no column in ``[start, end)`` is
        informative. The rule stands under :func:`align_windows`.
    """
    n_sites = np.maximum(counts.sum(axis=0), 1.0)
    share = counts / n_sites
    nats = np.zeros(counts.shape)
    np.log(share / background[:, None], out=nats, where=share > 0)
    bits = (share * nats).sum(axis=0) / np.log(2)
    corrected = bits - 3 / (2 * n_sites * np.log(2))
    informative = (2 * n_sites * np.log(2) * bits > G_LIMIT) & (corrected >= MIN_BITS)
    informative &= n_sites >= n_sites.max() / 2
    columns = np.flatnonzero(informative)
    core = columns[(columns >= start) & (columns < end)]
    if core.size == 0:
        return None
    peak = core[np.argmax(corrected[core])]
    runs = np.split(columns, np.flatnonzero(np.diff(columns) > MAX_GAP + 1) + 1)
    run = next(run for run in runs if peak in run)
    low, high = int(run[0]), int(run[-1]) + 1
    if high - low > MAX_WIDTH:
        low = int(np.clip(peak - MAX_WIDTH // 2, low, high - MAX_WIDTH))
        high = low + MAX_WIDTH
    return low, high


def _log_odds(counts: Floats, background: Floats) -> Floats:
    """Scores in bits (5, W) with one pseudocount a column; N scores 0."""
    smoothed = (counts + background[:, None]) / (counts.sum(axis=0) + 1.0)
    return np.vstack([np.log2(smoothed / background[:, None]), np.zeros(counts.shape[1])])


def _same(one: _Alignment, other: _Alignment) -> bool:
    return one.width == other.width and all(
        np.array_equal(a, b)
        for a, b in ((one.row, other.row), (one.strand, other.strand), (one.start, other.start))
    )
