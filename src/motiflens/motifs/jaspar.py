"""Motifs in JASPAR's files of counts: ``.jaspar`` and raw ``.pfm``."""

from __future__ import annotations

import re
from pathlib import Path

from motiflens.errors import InputError
from motiflens.files import read_text
from motiflens.motifs.motif import Motif
from motiflens.sequences import ALPHABET

_ROW = re.compile(r"(?:([ACGT])\s*\|?\s*)?\[?([-+.\deE\s]+)\]?", re.IGNORECASE)


def looks_like_jaspar(text: str) -> bool:
    """Tell whether a text begins with a header, ``>``, or with a row of numbers."""
    line = text.lstrip().partition("\n")[0]
    return line.startswith(">") or _ROW.fullmatch(line.strip()) is not None


def read_jaspar(path: Path | str) -> list[Motif]:
    """Read the count matrices of a JASPAR file, plain or gzip.

    A matrix is a header, ``>MA0004.1 Arnt``, and four rows of numbers, one a base, which may be
    named (``A [ 4 19 0 ]``, in any order) or not (A C G T). A file of one matrix needs no header:
    the motif then has the name of the file.

    Raises
    ------
    InputError
        Names file and line when a matrix has not one row for each base, when its rows differ in
        length, and for what is no count.
    """
    return parse_jaspar(read_text(path), path)


def parse_jaspar(text: str, path: Path | str) -> list[Motif]:
    """Read the motifs out of a text; ``path`` is its name in messages. See `read_jaspar`."""
    motifs: list[Motif] = []
    header = re.sub(r"\s", "_", Path(path).name.removesuffix(".gz").rsplit(".", 1)[0])
    begin, rows = 1, dict[str, list[float]]()
    for number, line in enumerate(text.split("\n"), start=1):
        if line.startswith(">"):
            if rows or number > begin:
                motifs.append(_motif(header, rows, begin, path))
            header, begin, rows = line[1:], number, {}
        elif line.strip():
            _add_row(rows, line.strip(), number, path)
    motifs.append(_motif(header, rows, begin, path))
    return motifs


def _add_row(rows: dict[str, list[float]], line: str, number: int, path: Path | str) -> None:
    match = _ROW.fullmatch(line)
    base = (match[1] or ALPHABET[len(rows) % 4]).upper() if match else ""
    try:
        values = [float(word) for word in match[2].split()] if match else []
    except ValueError:
        values = []
    width = len(next(iter(rows.values()), values))
    if not values or base in rows or len(values) != width:
        raise InputError(
            "a JASPAR matrix has one row of numbers for each of A C G T, all of one length",
            got=f"{line[:40]!r} in line {number} of {path}",
            remedy="correct the file",
        )
    rows[base] = values


def _motif(header: str, rows: dict[str, list[float]], begin: int, path: Path | str) -> Motif:
    place = f"line {begin} of {path}"
    words = header.split()
    if not words or len(rows) != 4:
        got = f"{len(rows)} rows" if words else "no name"
        raise InputError(
            "a JASPAR matrix has a name and four rows",
            got=f"{got} for the matrix of {place}",
            remedy="correct the file",
        )
    counts = [rows[base] for base in ALPHABET]
    try:
        return Motif.from_counts(words[0], counts, "_".join(words[1:]))
    except InputError as error:
        got = f"{error.got} in {place}"
        raise InputError(error.rule, got=got, remedy=error.remedy) from None
