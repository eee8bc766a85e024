"""One order and one orientation of the sequences, decided by their content alone.

All that follows works on the sequences as they lie here, and only its result is put back. So
neither the order of the input nor, where both strands count, its strand can touch a motif: not
even its last digit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motiflens.attribution import Attributions
from motiflens.discovery.discovered import OTHER_STRAND, MotifSite
from motiflens.errors import InputError
from motiflens.sequences import PAD, Codes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class OrientedTracks:
    """N sequences sorted by content and, where both strands count, all on one strand.

    Parameters
    ----------
    codes
        uint8 (N, L): unknown bases at either end are cut off, padding is on the right.
    lengths
        (N,).
    track
        Contribution of every base, (N, L); 0 everywhere without a model.
    hypothetical
        Contribution of every possible base, (N, 4, L), or None.
    rows
        (N,) row of each sequence in the input.
    first
        (N,) position in the input of the first base kept.
    reversed
        (N,) whether the sequence is here as its reverse complement.
    """

    codes: Codes
    lengths: Ints
    track: Floats
    hypothetical: Floats | None
    rows: Ints
    first: Ints
    reversed: Mask

    def mark(self, intervals: Ints) -> Mask:
        """Mark the bases, (N, L), in intervals (M, 3) of sequence, start and end of the input."""
        row = np.empty_like(self.rows)
        row[self.rows] = np.arange(len(self.rows))
        row = row[intervals[:, 0]]
        start, end = (column - self.first[row] for column in intervals.T[1:])
        length, flipped = self.lengths[row], self.reversed[row]
        start, end = np.where(flipped, length - end, start), np.where(flipped, length - start, end)
        steps = np.zeros((len(self.rows), self.codes.shape[1] + 1), dtype=np.int64)
        np.add.at(steps, (row, np.clip(start, 0, length)), 1)
        np.add.at(steps, (row, np.clip(end, 0, length)), -1)
        marked: Mask = np.cumsum(steps[:, :-1], axis=1) > 0
        return marked

    def restore(self, site: MotifSite) -> MotifSite:
        """Return a site of the oriented sequences in the coordinates of the input."""
        row, start, end, strand, score = site
        first, length = int(self.first[row]), int(self.lengths[row])
        if self.reversed[row]:
            start, end, strand = length - end, length - start, OTHER_STRAND[strand]
        return MotifSite(int(self.rows[row]), first + start, first + end, strand, score)


def marked_intervals(marked: Mask) -> Ints:
    """Return the runs of marked bases (N, L) as rows (M, 3) of sequence, start and end."""
    edges = np.diff(np.pad(marked, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    (row, start), end = np.nonzero(edges == 1), np.nonzero(edges == -1)[1]
    return np.stack([row, start, end], axis=1).astype(np.int64)


def orient_attributions(attributions: Attributions, *, both_strands: bool) -> OrientedTracks:
    """Orient explained sequences.

    Raises
    ------
    InputError
        For contributions that are not finite.
    """
    attributions = attributions.for_motifs()
    one_hot = attributions.one_hot
    codes = np.where(one_hot.any(axis=1), one_hot.argmax(axis=1), PAD).astype(np.uint8)
    track = (attributions.contributions * one_hot).sum(axis=1, dtype=np.float64)
    hypothetical = attributions.hypothetical
    for values in (track, hypothetical):
        if values is not None and not np.isfinite(values).all():
            raise InputError(
                "the contributions hold NaN or infinity",
                remedy="check the model and explain it again",
                argument="attributions",
            )
    return orient(codes, track, hypothetical, both_strands=both_strands)


def orient(
    codes: Codes,
    track: Floats | None = None,
    hypothetical: NDArray[np.floating] | None = None,
    *,
    both_strands: bool,
) -> OrientedTracks:
    """Orient codes (N, L), with their contributions if there are any."""
    if codes.shape[1] == 0:  # no base in any sequence
        codes = np.full((len(codes), 1), PAD, dtype=np.uint8)
    known = codes < PAD
    first = np.where(known.any(axis=1), known.argmax(axis=1), 0)
    last = np.where(known.any(axis=1), codes.shape[1] - known[:, ::-1].argmax(axis=1), 0)
    values = np.zeros(codes.shape) if track is None else track + 0.0  # no -0.0: bytes are compared
    flipped = np.zeros(len(codes), dtype=np.bool_)
    keys: list[tuple[bytes, bytes]] = []
    for row, (start, end) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        bases, numbers = codes[row, start:end], values[row, start:end]
        key = bases.tobytes(), numbers.tobytes()
        if both_strands:
            other = _complement(bases)[::-1].tobytes(), numbers[::-1].tobytes()
            flipped[row] = other < key
            key = min(key, other)
        keys.append(key)
    rows = np.array(sorted(range(len(codes)), key=keys.__getitem__), dtype=np.int64)
    lengths, flipped = (last - first)[rows], flipped[rows]
    position = np.arange(int(lengths.max(initial=0)))
    inside = position < lengths[:, None]
    forward = first[rows, None] + position
    backward = (last[rows] - 1)[:, None] - position
    source = np.where(inside, np.where(flipped[:, None], backward, forward), 0)
    bases = np.where(inside, codes[rows[:, None], source], PAD).astype(np.uint8)
    projected: Floats | None = None
    if hypothetical is not None:
        projected = np.take_along_axis(
            hypothetical[rows].astype(np.float64), source[:, None, :], axis=2
        )
        projected[flipped] = projected[flipped][:, ::-1]
        projected *= inside[:, None, :]
    return OrientedTracks(
        np.where(flipped[:, None], _complement(bases), bases),
        lengths.astype(np.int64),
        np.where(inside, values[rows[:, None], source], 0.0),
        projected,
        rows,
        first[rows].astype(np.int64),
        flipped,
    )


def _complement(codes: Codes) -> Codes:
    complement: Codes = np.where(codes < PAD, 3 - codes, PAD).astype(np.uint8)
    return complement
