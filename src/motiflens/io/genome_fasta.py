"""FASTA files read at random, without an index file.

Headers are found by one search through the memory-mapped file; the place of a base follows from
the length of the lines, which is checked.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from motiflens.errors import InputError
from motiflens.files import open_binary
from motiflens.io.contigs import Contig
from motiflens.sequences import IUPAC

_CHECKED_AT_ONCE = 1 << 22
_REFUSED = b"?"
_LETTERS = bytearray(_REFUSED * 256)
for _letter in IUPAC:
    _LETTERS[ord(_letter)] = ord(_letter if _letter in "ACGT" else "N")
    _LETTERS[ord(_letter.lower())] = ord(_letter.lower() if _letter in "ACGT" else "n")


class _Record(NamedTuple):
    """The lines of one sequence: where they begin and end, and how long each is."""

    begin: int
    end: int
    n_bases: int  # on a line
    n_bytes: int  # of a line, with its end

    @property
    def size(self) -> int:
        full, rest = divmod(self.end - self.begin, self.n_bytes)
        return full * self.n_bases + rest

    def place(self, base: int) -> int:
        """Where a base is in the file."""
        full, rest = divmod(base, self.n_bases)
        return self.begin + full * self.n_bytes + rest


def read_contigs(path: Path, called: str) -> dict[str, Contig]:
    """Find the contigs of a FASTA file; ``called`` is its name in messages.

    Raises
    ------
    InputError
        When the file is missing, empty or no FASTA, for lines of unequal length, headers without
        a name and names that come twice.
    """
    with open_binary(path) as file:
        try:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError):
            raise InputError(
                "a genome is a file that holds something", got=called, remedy="check the file"
            ) from None
    contigs: dict[str, Contig] = {}
    for begin, end in _sections(data, called):
        line_end = data.find(b"\n", begin, end)
        line_end = end if line_end < 0 else line_end
        words = data[begin + 1 : line_end].decode(errors="replace").split()
        if not words or words[0] in contigs:
            raise InputError(
                "every contig of a genome has a name of its own",
                got=f"{words[0] if words else 'none'!r} in line {_line(data, begin)} of {called}",
                remedy="rename the contig",
            )
        record = _measure(data, min(line_end + 1, end), end)
        _check_lines(data, record, called)
        contigs[words[0]] = Contig(record.size, partial(_fetch, data, record, words[0], called))
    return contigs


def _sections(data: mmap.mmap, called: str) -> Iterator[tuple[int, int]]:
    """Begin and end of every header with its sequence."""
    if data[:1] != b">":
        raise InputError(
            "a genome is a 2bit file, or FASTA that begins with a header, '>name'",
            got=f"{data[:20]!r} at the start of {called}",
            remedy="check that this is the right file",
        )
    begin = 0
    while begin < len(data):
        following = data.find(b"\n>", begin)
        end = len(data) if following < 0 else following + 1
        yield begin, end
        begin = end


def _measure(data: mmap.mmap, begin: int, end: int) -> _Record:
    while end > begin and data[end - 1] in b"\r\n":
        end -= 1
    line_end = data.find(b"\n", begin, end)
    if line_end < 0:
        return _Record(begin, end, max(end - begin, 1), max(end - begin, 1))
    n_bases = line_end - begin - (data[line_end - 1 : line_end] == b"\r")
    return _Record(begin, end, max(n_bases, 1), line_end - begin + 1)


def _check_lines(data: mmap.mmap, record: _Record, called: str) -> None:
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


def _uneven(data: mmap.mmap, place: int, called: str) -> InputError:
    return InputError(
        "the lines of a sequence in a genome are of equal length, but for the last, without blanks",
        got=f"another line about line {_line(data, place)} of {called}",
        remedy="write the file again with lines of one length, for instance by `samtools faidx`",
    )


def _line(data: mmap.mmap, place: int) -> int:
    return 1 + sum(
        data[begin : min(begin + _CHECKED_AT_ONCE, place)].count(b"\n")
        for begin in range(0, place, _CHECKED_AT_ONCE)
    )


def _fetch(data: mmap.mmap, record: _Record, name: str, called: str, start: int, end: int) -> str:
    lines = data[record.place(start) : record.place(end)]
    letters = lines.translate(_LETTERS, b"\r\n")
    wrong = letters.find(_REFUSED)
    if wrong >= 0:
        letter = chr(lines.translate(None, b"\r\n")[wrong])
        raise InputError(
            "a genome holds letters of the IUPAC nucleotide code",
            got=f"{letter!r} at base {start + wrong + 1} of {name} in {called}",
            remedy="check that this is DNA",
        )
    return letters.decode("ascii")
