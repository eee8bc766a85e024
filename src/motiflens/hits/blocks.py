"""Stretches of sequence, packed into blocks of one size, so that any input is searched alike.

A block holds many short sequences or a piece of a long one. What tells one sequence from the next
is the room of each base: how many known bases follow, itself among them, before an N, the end of
its sequence or the end of its interval. A window of width W begins wherever there is room for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from motiflens.sequences import PAD, Codes

BLOCK = 1 << 18
"""Bases of a block: large enough that a call on it costs more than to make the call."""


class Stretch(NamedTuple):
    """A piece of a sequence.

    Parameters
    ----------
    sequence
        Number of the sequence.
    start
        Its position in that sequence.
    codes
        uint8 (T,).
    n_starts
        Windows begin in its first bases only, so many; the others belong to the next stretch too.
    reach
        int64 (T,), for each base the position in the stretch at which the window that begins there
        has to end at the latest; None for the end of the stretch.
    """

    sequence: int
    start: int
    codes: Codes
    n_starts: int
    reach: NDArray[np.int64] | None = None


@dataclass(frozen=True, eq=False)
class Block:
    """Bases of one or more stretches.

    Parameters
    ----------
    codes
        uint8 (T,).
    room
        int64 (T,), the widest window that begins at each base.
    first
        (S,), where each stretch begins in the block.
    sequence, start
        (S,), number of its sequence and its position there.
    """

    codes: Codes
    room: NDArray[np.int64]
    first: NDArray[np.int64]
    sequence: NDArray[np.int64]
    start: NDArray[np.int64]

    def locate(self, position: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the sequences, and the positions in them, of positions (H,) in the block."""
        row = np.searchsorted(self.first, position, side="right") - 1
        return self.sequence[row], self.start[row] + position - self.first[row]

    def count_windows(self, widest: int) -> NDArray[np.int64]:
        """Count the windows of each width from 0 to ``widest``, on one strand: (widest + 1,)."""
        counts = np.bincount(np.minimum(self.room, widest), minlength=widest + 1)
        return np.cumsum(counts[::-1])[::-1]


def pack(stretches: Iterable[Stretch], size: int = BLOCK) -> Iterator[Block]:
    """Put stretches together until a block has ``size`` bases or more."""
    waiting: list[Stretch] = []
    n_bases = 0
    for stretch in stretches:
        waiting.append(stretch)
        n_bases += len(stretch.codes)
        if n_bases >= size:
            yield _join(waiting)
            waiting, n_bases = [], 0
    if n_bases:
        yield _join(waiting)


def _join(stretches: list[Stretch]) -> Block:
    sizes = np.array([len(stretch.codes) for stretch in stretches])
    ends = np.cumsum(sizes)
    first = ends - sizes
    codes = np.concatenate([stretch.codes for stretch in stretches])
    limit = np.repeat(ends, sizes)
    last_start = first + [stretch.n_starts for stretch in stretches]
    for stretch, begin, end in zip(stretches, first.tolist(), ends.tolist(), strict=True):
        if stretch.reach is not None:
            np.minimum(limit[begin:end], begin + stretch.reach, out=limit[begin:end])
    position = np.arange(len(codes))
    next_unknown = np.where(codes >= PAD, position, len(codes))
    next_unknown = np.minimum.accumulate(next_unknown[::-1])[::-1]
    room = np.maximum(np.minimum(limit, next_unknown) - position, 0)
    room[position >= np.repeat(last_start, sizes)] = 0
    return Block(
        codes,
        room,
        first,
        np.array([stretch.sequence for stretch in stretches]),
        np.array([stretch.start for stretch in stretches]),
    )
