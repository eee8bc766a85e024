"""2bit files (UCSC's format, versions 0 and 1), read at random.

Read here rather than by a library of C, because a damaged file must end in a message and not in
a crash.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from motiflens.errors import InputError
from motiflens.io.contigs import Contig

_SIGNATURE = 0x1A412743
_BASES = np.frombuffer(b"TCAG", dtype=np.uint8)
_SHIFTS = np.array([6, 4, 2, 0], dtype=np.uint8)
_TO_LOWER = 32


def is_two_bit(start: bytes) -> bool:
    """Tell by its first bytes whether a file is 2bit."""
    return _byte_order(start) is not None


def read_two_bit(path: Path, called: str) -> dict[str, Contig]:
    """Find the contigs of a 2bit file; ``called`` is its name in messages.

    Raises
    ------
    InputError
        When the file is damaged.
    """
    data = np.memmap(path, dtype=np.uint8, mode="r")
    reader = _Reader(data, _byte_order(data[:4].tobytes()) or "<", called)
    version, n_contigs = reader.numbers(4, 2).tolist()
    if version > 1 or n_contigs == 0:
        raise reader.damage(f"version {version} with {n_contigs} contigs")
    width = 8 if version == 1 else 4
    place = 16
    contigs: dict[str, Contig] = {}
    for _ in range(n_contigs):
        n_letters = int(reader.bytes(place, 1)[0])
        name = reader.bytes(place + 1, n_letters).tobytes().decode(errors="replace")
        offset = int(reader.numbers(place + 1 + n_letters, 1, width)[0])
        place += 1 + n_letters + width
        record = _read_record(reader, offset)
        contigs[name] = Contig(record.size, partial(_fetch, record))
    return contigs


class _Reader(NamedTuple):
    """Numbers out of a file, which may end too early."""

    data: NDArray[np.uint8]
    order: str
    called: str

    def bytes(self, place: int, n: int) -> NDArray[np.uint8]:
        if not 0 <= place <= place + n <= len(self.data):
            raise self.damage(f"an end after {len(self.data)} bytes")
        return self.data[place : place + n]

    def numbers(self, place: int, n: int, width: int = 4) -> NDArray[np.int64]:
        return self.bytes(place, n * width).view(f"{self.order}u{width}").astype(np.int64)

    def damage(self, what: str) -> InputError:
        return InputError(
            "a 2bit file is whole",
            got=f"{what} in {self.called}",
            remedy="copy or download it again",
        )


class _Record(NamedTuple):
    """A sequence: four bases a byte; intervals (starts, ends) that are N, and in lower case."""

    size: int
    packed: NDArray[np.uint8]
    unknown: tuple[NDArray[np.int64], NDArray[np.int64]]
    masked: tuple[NDArray[np.int64], NDArray[np.int64]]


def _read_record(reader: _Reader, place: int) -> _Record:
    size = int(reader.numbers(place, 1)[0])
    place += 4
    blocks = []
    for _ in range(2):
        n = int(reader.numbers(place, 1)[0])
        starts, sizes = reader.numbers(place + 4, 2 * n).reshape(2, n)
        if n and ((starts + sizes).max() > size or (starts[1:] < (starts + sizes)[:-1]).any()):
            raise reader.damage("blocks beyond their sequence or out of order")
        blocks.append((starts, starts + sizes))
        place += 4 + 8 * n
    return _Record(size, reader.bytes(place + 4, -(-size // 4)), *blocks)


def _fetch(record: _Record, start: int, end: int) -> str:
    packed = record.packed[start // 4 : -(-end // 4)]
    codes = (packed[:, None] >> _SHIFTS & 3).reshape(-1)[start % 4 :][: end - start]
    letters = _BASES[codes]
    for begin, stop in _within(record.unknown, start, end):
        letters[begin:stop] = ord("N")
    for begin, stop in _within(record.masked, start, end):
        letters[begin:stop] += _TO_LOWER
    return str(letters.tobytes(), "ascii")


def _within(
    blocks: tuple[NDArray[np.int64], NDArray[np.int64]], start: int, end: int
) -> list[tuple[int, int]]:
    """Those of the ordered blocks that reach into [start, end), counted from start."""
    starts, ends = blocks
    first, last = np.searchsorted(ends, start, side="right"), np.searchsorted(starts, end)
    clipped = np.clip(np.stack([starts[first:last], ends[first:last]]), start, end) - start
    return [(int(begin), int(stop)) for begin, stop in clipped.T]


def _byte_order(start: bytes) -> str | None:
    orders = (("<", _SIGNATURE.to_bytes(4, "little")), (">", _SIGNATURE.to_bytes(4, "big")))
    return next((order for order, sign in orders if start[:4] == sign), None)
