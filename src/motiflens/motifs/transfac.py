"""Motifs in TRANSFAC's files of count matrices."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from motiflens.errors import InputError
from motiflens.files import read_text
from motiflens.motifs.motif import Motif
from motiflens.sequences import ALPHABET

_HEADING = re.compile(r"P[0O]((?:\s+[ACGT]){4})\s*", re.IGNORECASE)
_ROW = re.compile(r"([0-9]{1,9})((?:\s+[-+.\deE]+){4})(?:\s+\S+)?\s*")


def looks_like_transfac(text: str) -> bool:
    """Tell whether a text has a line that heads a matrix, ``P0  A C G T``."""
    return any(_HEADING.fullmatch(line) for line in text.split("\n"))


def read_transfac(path: Path | str) -> list[Motif]:
    """Read the count matrices of a TRANSFAC file, plain or gzip.

    Of each entry, which ends in ``//``, the matrix is read (``P0 A C G T``, also ``PO``, then
    rows 01, 02 and so on, each with a consensus letter or without), the name (``AC``, else ``ID``,
    else ``NA`` or ``DE``) and a second name (``NA``, else ``ID``). Entries without a matrix, such
    as the version of a release, are passed over.

    Raises
    ------
    InputError
        Names file and line when the rows of a matrix are not numbered from 1 on, hold anything but
        counts or are followed by the end of the file, when an entry has no name, and when the file
        has no matrix.
    """
    return parse_transfac(read_text(path), path)


def parse_transfac(text: str, path: Path | str) -> list[Motif]:
    """Read the motifs out of a text; ``path`` is its name in messages. See `read_transfac`."""
    motifs: list[Motif] = []
    names = dict[str, str]()
    rows: list[list[float]] | None = None  # of the entry, once its matrix has begun
    order, begin, inside = ALPHABET, 0, False
    for number, line in enumerate(text.split("\n"), start=1):
        key, _, value = line.partition(" ")
        if heading := _HEADING.fullmatch(line):
            order, begin, rows, inside = heading[1].upper(), number, [], True
            _require(set(order.split()) == set(ALPHABET), line, number, path)
        elif inside and rows is not None and re.match(r"[0-9]", line):
            rows.append(_counts(line, len(rows) + 1, "".join(order.split()), number, path))
        elif line.startswith("//"):
            if rows is not None:
                motifs.append(_motif(names, rows, begin, path))
            names, rows, inside = {}, None, False
        elif line.strip():
            inside = False
            names.setdefault(key.strip(), "_".join(value.split()))
    if inside:
        raise _broken(f"the end of the file after row {len(rows or [])}", begin, path)
    if rows is not None:
        motifs.append(_motif(names, rows, begin, path))
    if not motifs:
        raise _broken("no matrix", 1, path)
    return motifs


def _counts(line: str, row: int, order: str, number: int, path: Path | str) -> list[float]:
    match = _ROW.fullmatch(line)
    _require(match is not None and int(match[1]) == row, line, number, path)
    try:
        values = [float(word) for word in match[2].split()] if match else []
    except ValueError:
        raise _broken(repr(line), number, path) from None
    return [values[order.index(base)] for base in ALPHABET]


def _motif(names: dict[str, str], rows: list[list[float]], begin: int, path: Path | str) -> Motif:
    called = [names[key] for key in ("AC", "ID", "NA", "DE") if names.get(key)]
    if not called:
        raise _broken("an entry without AC, ID, NA or DE", begin, path)
    second = next((names[key] for key in ("NA", "ID") if names.get(key)), "")
    counts = np.array(rows, dtype=np.float64).reshape(-1, 4).T
    try:
        return Motif.from_counts(called[0], counts, "" if second == called[0] else second)
    except InputError as error:
        got = f"{error.got} in line {begin} of {path}"
        raise InputError(error.rule, got=got, remedy=error.remedy) from None


def _require(holds: bool, line: str, number: int, path: Path | str) -> None:
    if not holds:
        raise _broken(repr(line), number, path)


def _broken(got: str, number: int, path: Path | str) -> InputError:
    return InputError(
        "a TRANSFAC matrix has a heading P0 A C G T, then rows of four counts numbered from 01, "
        "then XX or //",
        got=f"{got} in line {number} of {path}",
        remedy="correct the file",
    )
