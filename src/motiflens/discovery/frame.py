"""One order and one orientation of the sequences, decided by their content alone.

All that follows works in this frame, and only its result is put back. So neither the order of the
input nor, where both strands count, its strand can touch a motif: not even its last digit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from motiflens.attribution import Attributions
from motiflens.discovery.discovered import Seqlet
from motiflens.errors import InputError
from motiflens.sequences import PAD, Codes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Strand = Literal["+", "-"]


@dataclass(frozen=True, eq=False)
class Frame:
    """N sequences sorted by content and, where both strands count, turned to one strand.

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
        (N,) place of each sequence in the input.
    first
        (N,) position in the input of the first base kept.
    turned
        (N,) whether the sequence is here as its reverse complement.
    """

    codes: Codes
    lengths: Ints
    track: Floats
    hypothetical: Floats | None
    rows: Ints
    first: Ints
    turned: NDArray[np.bool_]

    def seqlet(self, row: int, start: int, end: int, strand: Strand, score: float) -> Seqlet:
        """Put an interval of a sequence of the frame in the coordinates of the input."""
        first, length = int(self.first[row]), int(self.lengths[row])
        if self.turned[row]:
            start, end = length - end, length - start
            strand = "-" if strand == "+" else "+"
        return Seqlet(int(self.rows[row]), first + start, first + end, strand, float(score))


def frame_attributions(attributions: Attributions, *, both_strands: bool) -> Frame:
    """Put explained sequences in the frame.

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
                "contributions are finite",
                got="NaN or infinity",
                remedy="check the model and explain it again",
            )
    return make_frame(codes, track, hypothetical, both_strands=both_strands)


def make_frame(
    codes: Codes,
    track: Floats | None = None,
    hypothetical: NDArray[np.floating] | None = None,
    *,
    both_strands: bool,
) -> Frame:
    """Put codes (N, L), with their contributions if there are any, in the frame."""
    if codes.shape[1] == 0:  # no base in any sequence
        codes = np.full((len(codes), 1), PAD, dtype=np.uint8)
    known = codes < PAD
    first = np.where(known.any(axis=1), known.argmax(axis=1), 0)
    last = np.where(known.any(axis=1), codes.shape[1] - known[:, ::-1].argmax(axis=1), 0)
    values = np.zeros(codes.shape) if track is None else track + 0.0  # no -0.0: bytes are compared
    turned = np.zeros(len(codes), dtype=np.bool_)
    keys: list[tuple[bytes, bytes]] = []
    for row, (start, end) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        bases, numbers = codes[row, start:end], values[row, start:end]
        key = bases.tobytes(), numbers.tobytes()
        if both_strands:
            other = _complement(bases)[::-1].tobytes(), numbers[::-1].tobytes()
            turned[row] = other < key
            key = min(key, other)
        keys.append(key)
    rows = np.array(sorted(range(len(codes)), key=keys.__getitem__), dtype=np.int64)
    lengths = (last - first)[rows]
    place = np.arange(int(lengths.max(initial=0)))
    inside = place < lengths[:, None]
    forward = first[rows, None] + place
    backward = (last[rows] - 1)[:, None] - place
    source = np.where(inside, np.where(turned[rows, None], backward, forward), 0)
    bases = np.where(inside, codes[rows[:, None], source], PAD).astype(np.uint8)
    bases = np.where(turned[rows, None], _complement(bases), bases)
    laid = None
    if hypothetical is not None:
        laid = _laid(hypothetical, rows, source, inside, turned[rows])
    return Frame(
        bases,
        lengths.astype(np.int64),
        np.where(inside, values[rows[:, None], source], 0.0),
        laid,
        rows,
        first[rows].astype(np.int64),
        turned[rows],
    )


def _laid(
    hypothetical: NDArray[np.floating],
    rows: Ints,
    source: Ints,
    inside: NDArray[np.bool_],
    turned: NDArray[np.bool_],
) -> Floats:
    """Lay hypothetical contributions (N, 4, L) as the sequences lie."""
    laid = np.take_along_axis(hypothetical[rows], source[:, None, :], axis=2).astype(np.float64)
    laid[turned] = laid[turned][:, ::-1]
    laid *= inside[:, None, :]
    return laid


def _complement(codes: Codes) -> Codes:
    complement: Codes = np.where(codes < PAD, 3 - codes, PAD).astype(np.uint8)
    return complement
