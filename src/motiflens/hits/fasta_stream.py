"""FASTA of any size, plain or gzip, a stretch at a time."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from motiflens.errors import InputError
from motiflens.files import open_binary
from motiflens.hits.blocks import BLOCK, Stretch
from motiflens.progress import Advance
from motiflens.sequences import IUPAC, PAD

_WRONG = b"\xff"
_CODES = bytearray(_WRONG * 256)
for _letter, _codes in IUPAC.items():
    for _byte in (ord(_letter), ord(_letter.lower())):
        _CODES[_byte] = _codes[0] if len(_codes) == 1 else PAD


@contextmanager
def unpacked(path: Path | str) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Open a file, and its content, which is another stream if its name ends in ``.gz``.

    Raises
    ------
    InputError
        When the file cannot be read, or is named ``.gz`` and no whole gzip file.
    """
    with open_binary(path) as file:
        packed = Path(path).suffix.lower() == ".gz"
        try:
            yield file, cast(BinaryIO, gzip.GzipFile(fileobj=file)) if packed else file
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InputError(
                "a file named .gz is a whole gzip file",
                got=f"{path}: {error}",
                remedy="rename it, or copy or download it again",
            ) from None


def stream_fasta(
    path: Path | str, widest: int, advance: Advance, names: list[str]
) -> Iterator[Stretch]:
    """Read stretches in which every window of up to ``widest`` bases lies whole in one.

    Parameters
    ----------
    path
        The file.
    widest
        Bases that a stretch shares with the next one, and one more.
    advance
        Counts bytes of the file.
    names
        The first word of each header is appended when its sequence begins.

    Raises
    ------
    InputError
        When the file is empty or no FASTA, for letters outside the IUPAC code (with the line) and
        for a header without a sequence. Letters of the code other than ACGT read as N.
    """
    held, start, done = bytearray(), 0, 0
    with unpacked(path) as (file, content):
        number = 0
        for number, line in enumerate(content, start=1):
            if line.startswith(b">"):
                if names:
                    yield _last(held, start, names, f"before line {number} of {path}")
                words = line[1:].decode(errors="replace").split()
                names.append(words[0] if words else f"seq{len(names) + 1:04}")
                held, start = bytearray(), 0
                continue
            held += _codes_of(line, number, path, known=bool(names))
            while len(held) >= BLOCK + widest - 1:
                piece = np.frombuffer(bytes(held[: BLOCK + widest - 1]), dtype=np.uint8)
                yield Stretch(len(names) - 1, start, piece, BLOCK)
                del held[:BLOCK]
                start += BLOCK
                advance(file.tell() - done)
                done = file.tell()
        if not names:
            raise InputError(
                "the input holds something", got=f"the empty file {path}", remedy="check the file"
            )
        yield _last(held, start, names, f"before line {number + 1} of {path}")


def _codes_of(line: bytes, number: int, path: Path | str, *, known: bool) -> bytes:
    letters = line.strip()
    codes = letters.translate(bytes(_CODES))
    if letters and not known:
        rule, got = (
            "a FASTA file begins with a header, '>name'",
            repr(letters[:40].decode("latin1")),
        )
    elif (wrong := codes.find(_WRONG)) >= 0:
        rule = "a sequence holds letters of the IUPAC nucleotide code"
        got = f"{chr(letters[wrong])!r} at position {wrong + 1}"
    else:
        return codes
    raise InputError(rule, got=f"{got} in line {number} of {path}", remedy="correct the file")


def _last(held: bytearray, start: int, names: list[str], place: str) -> Stretch:
    if not held and not start:
        raise InputError(
            "every FASTA header is followed by a sequence",
            got=f"{names[-1]!r} without one {place}",
            remedy="add the sequence or drop the header",
        )
    return Stretch(len(names) - 1, start, np.frombuffer(bytes(held), dtype=np.uint8), len(held))
