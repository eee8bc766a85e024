"""Genomes in FASTA and 2bit, read at random, without an index file.

The headers of FASTA are found by one search through the memory-mapped file; where a base is
follows from the length of the lines, which is checked. 2bit (UCSC's format, versions 0 and 1) is
read here rather than by a library of C, because a damaged file must end in a message and not in a
crash.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from motiflens.errors import InputError
from motiflens.files import open_binary
from motiflens.io.sniff import is_two_bit
from motiflens.sequences import IUPAC

_CHECKED_AT_ONCE = 1 << 22
_REFUSED = b"?"
_LETTERS = bytearray(_REFUSED * 256)
_LETTERS[ord("U")], _LETTERS[ord("u")] = b"Tt"
for _letter in IUPAC:
    _LETTERS[ord(_letter)] = ord(_letter if _letter in "ACGT" else "N")
    _LETTERS[ord(_letter.lower())] = ord(_letter.lower() if _letter in "ACGT" else "n")


_BASES = np.frombuffer(b"TCAG", dtype=np.uint8)
_SHIFTS = np.array([6, 4, 2, 0], dtype=np.uint8)
_TO_LOWER = 32


_LITTLE_ENDIAN = 0x43  # the first byte of the signature

Blocks = tuple[NDArray[np.int64], NDArray[np.int64]]


class Contig(NamedTuple):
    """Its size in bases, and how to read the letters [start, end), 0 <= start <= end <= size."""

    size: int
    fetch: Callable[[int, int], str]


def read_contigs(path: Path, called: str) -> dict[str, Contig]:
    """Find the contigs of a FASTA or 2bit file; ``called`` is its name in messages.

    Raises
    ------
    InputError
        When the file is missing, empty, damaged or no genome, for lines of unequal length, headers
        without a name and names that come twice.
    """
    with open_binary(path) as file:
        start = file.read(16)
    return _two_bit_contigs(path, called) if is_two_bit(start) else _fasta_contigs(path, called)


class _Lines(NamedTuple):
    """The lines of one sequence: where they begin and end, and how long each is."""

    begin: int
    end: int
    n_bases: int  # on a line
    n_bytes: int  # of a line, with its end

    @property
    def size(self) -> int:
        full, rest = divmod(self.end - self.begin, self.n_bytes)
        return full * self.n_bases + rest

    def position(self, base: int) -> int:
        """Return where a base is in the file."""
        full, rest = divmod(base, self.n_bases)
        return self.begin + full * self.n_bytes + rest


def _fasta_contigs(path: Path, called: str) -> dict[str, Contig]:
    with open_binary(path) as file:
        try:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError):
            raise InputError(f"{called} is empty", remedy="check how it was made") from None
    contigs: dict[str, Contig] = {}
    for begin, end in _sections(data, called):
        line_end = data.find(b"\n", begin, end)
        line_end = end if line_end < 0 else line_end
        words = data[begin + 1 : line_end].decode(errors="replace").split()
        if not words or words[0] in contigs:
            what = f"the contig {words[0]!r} comes twice" if words else "a contig has no name"
            where = f"in line {_line(data, begin)} of {called}"
            raise InputError(what, where, "rename the contig")
        record = _measure(data, min(line_end + 1, end), end)
        _check_lines(data, record, called)
        contigs[words[0]] = Contig(
            record.size, partial(_fetch_text, data, record, words[0], called)
        )
    return contigs


def _sections(data: mmap.mmap, called: str) -> Iterator[tuple[int, int]]:
    """Begin and end of every header with its sequence."""
    if data[:1] != b">":
        raise InputError(
            f"{called} is not a genome: it begins with {data[:20]!r}",
            remedy="give FASTA, which begins with '>name', or 2bit",
        )
    begin = 0
    while begin < len(data):
        following = data.find(b"\n>", begin)
        end = len(data) if following < 0 else following + 1
        yield begin, end
        begin = end


def _measure(data: mmap.mmap, begin: int, end: int) -> _Lines:
    while end > begin and data[end - 1] in b"\r\n":
        end -= 1
    line_end = data.find(b"\n", begin, end)
    if line_end < 0:
        return _Lines(begin, end, max(end - begin, 1), max(end - begin, 1))
    n_bases = line_end - begin - (data[line_end - 1 : line_end] == b"\r")
    return _Lines(begin, end, max(n_bases, 1), line_end - begin + 1)


def _check_lines(data: mmap.mmap, record: _Lines, called: str) -> None:
    """Every line but the last is as long as the first, and has no blanks."""
    n_lines = (record.end - record.begin) // record.n_bytes
    at_once = max(_CHECKED_AT_ONCE // record.n_bytes, 1)
    for first in range(0, n_lines, at_once):
        n_here = min(at_once, n_lines - first)
        begin = record.begin + first * record.n_bytes
        lines = np.frombuffer(data, np.uint8, n_here * record.n_bytes, begin)
        blank = (lines <= ord(" ")).reshape(n_here, record.n_bytes)
        in_place = blank[:, record.n_bases :]
        if not in_place.all() or np.count_nonzero(blank) != in_place.size:
            wrong = (blank != (np.arange(record.n_bytes) >= record.n_bases)).any(axis=1)
            raise _uneven(data, begin + int(wrong.argmax()) * record.n_bytes, called)
    rest = record.begin + n_lines * record.n_bytes
    if min(data[rest : record.end], default=255) <= ord(" "):
        raise _uneven(data, rest, called)


def _uneven(data: mmap.mmap, position: int, called: str) -> InputError:
    return InputError(
        "a line is longer or shorter than the others of its sequence, or has blanks,",
        f"about line {_line(data, position)} of {called}",
        "write the file again with lines of one length, such as by `seqtk seq -l 60`",
    )


def _line(data: mmap.mmap, position: int) -> int:
    return 1 + sum(
        data[begin : min(begin + _CHECKED_AT_ONCE, position)].count(b"\n")
        for begin in range(0, position, _CHECKED_AT_ONCE)
    )


def _fetch_text(
    data: mmap.mmap, record: _Lines, name: str, called: str, start: int, end: int
) -> str:
    lines = data[record.position(start) : record.position(end)]
    letters = lines.translate(_LETTERS, b"\r\n")
    wrong = letters.find(_REFUSED)
    if wrong >= 0:
        letter = chr(lines.translate(None, b"\r\n")[wrong])
        raise InputError(
            f"{letter!r} at base {start + wrong + 1} of {name} is no nucleotide",
            f"in {called}",
            "check that this is DNA",
        )
    return letters.decode("ascii")


def _two_bit_contigs(path: Path, called: str) -> dict[str, Contig]:
    data = np.memmap(path, dtype=np.uint8, mode="r")
    reader = _Reader(data, "<" if data[0] == _LITTLE_ENDIAN else ">", called)
    version, n_contigs = reader.numbers(4, 2).tolist()
    if version > 1 or n_contigs == 0:
        raise reader.damage(f"version {version} with {n_contigs} contigs")
    width = 8 if version == 1 else 4
    position = 16
    contigs: dict[str, Contig] = {}
    for _ in range(n_contigs):
        n_letters = int(reader.bytes(position, 1)[0])
        name = reader.bytes(position + 1, n_letters).tobytes().decode(errors="replace")
        offset = int(reader.numbers(position + 1 + n_letters, 1, width)[0])
        position += 1 + n_letters + width
        record = _read_packed(reader, offset)
        contigs[name] = Contig(record.size, partial(_fetch_packed, record))
    return contigs


class _Reader(NamedTuple):
    """Numbers out of a file, which may end too early."""

    data: NDArray[np.uint8]
    order: str
    called: str

    def bytes(self, position: int, n: int) -> NDArray[np.uint8]:
        if not 0 <= position <= position + n <= len(self.data):
            raise self.damage(f"an end after {len(self.data)} bytes")
        return self.data[position : position + n]

    def numbers(self, position: int, n: int, width: int = 4) -> NDArray[np.int64]:
        return self.bytes(position, n * width).view(f"{self.order}u{width}").astype(np.int64)

    def damage(self, what: str) -> InputError:
        return InputError(
            f"there is {what}",
            f"in {self.called}",
            "the 2bit file is damaged; copy or download it again",
        )


class _Packed(NamedTuple):
    """A sequence: four bases a byte; intervals (starts, ends) that are N, and in lower case."""

    size: int
    packed: NDArray[np.uint8]
    unknown: Blocks
    masked: Blocks


def _read_packed(reader: _Reader, position: int) -> _Packed:
    size = int(reader.numbers(position, 1)[0])
    position += 4
    blocks = []
    for _ in range(2):
        n = int(reader.numbers(position, 1)[0])
        starts, sizes = reader.numbers(position + 4, 2 * n).reshape(2, n)
        if n and ((starts + sizes).max() > size or (starts[1:] < (starts + sizes)[:-1]).any()):
            raise reader.damage("blocks beyond their sequence or out of order")
        blocks.append((starts, starts + sizes))
        position += 4 + 8 * n
    return _Packed(size, reader.bytes(position + 4, -(-size // 4)), *blocks)


def _fetch_packed(record: _Packed, start: int, end: int) -> str:
    packed = record.packed[start // 4 : -(-end // 4)]
    codes = (packed[:, None] >> _SHIFTS & 3).reshape(-1)[start % 4 :][: end - start]
    letters = _BASES[codes]
    for begin, stop in _within(record.unknown, start, end):
        letters[begin:stop] = ord("N")
    for begin, stop in _within(record.masked, start, end):
        letters[begin:stop] += _TO_LOWER
    return str(letters.tobytes(), "ascii")


def _within(blocks: Blocks, start: int, end: int) -> list[tuple[int, int]]:
    """Return those of the ordered blocks that reach into [start, end), counted from start."""
    starts, ends = blocks
    first, last = np.searchsorted(ends, start, side="right"), np.searchsorted(starts, end)
    clipped = np.clip(np.stack([starts[first:last], ends[first:last]]), start, end) - start
    return [(int(begin), int(stop)) for begin, stop in clipped.T]
