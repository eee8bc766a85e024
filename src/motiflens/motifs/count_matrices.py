"""Motifs in files of counts: JASPAR's ``.jaspar`` and raw ``.pfm``, and TRANSFAC's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from motiflens.errors import InputError
from motiflens.files import read_text
from motiflens.motifs.motif import Motif
from motiflens.sequences import ALPHABET

_JASPAR_ROW = re.compile(r"(?:([ACGT])\s*\|?\s*)?\[?([-+.\deE\s]+)\]?", re.IGNORECASE)
_TRANSFAC_HEADING = re.compile(r"P[0O]((?:\s+[ACGT]){4})\s*", re.IGNORECASE)
_TRANSFAC_ROW = re.compile(r"([0-9]{1,9})((?:\s+[-+.\deE]+){4})(?:\s+\S+)?\s*")


def looks_like_jaspar(text: str) -> bool:
    """Return whether a text begins with a header, ``>``, or with a row of numbers."""
    line = text.lstrip().partition("\n")[0]
    return line.startswith(">") or _JASPAR_ROW.fullmatch(line.strip()) is not None


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
                motifs.append(_jaspar_motif(header, rows, begin, path))
            header, begin, rows = line[1:], number, {}
        elif line.strip():
            _add_row(rows, line.strip(), number, path)
    motifs.append(_jaspar_motif(header, rows, begin, path))
    return motifs


def _add_row(rows: dict[str, list[float]], line: str, number: int, path: Path | str) -> None:
    match = _JASPAR_ROW.fullmatch(line)
    base = (match[1] or ALPHABET[len(rows) % 4]).upper() if match else ""
    values = _numbers(match[2]) if match else []
    width = len(next(iter(rows.values()), values))
    if not values or base in rows or len(values) != width:
        raise InputError(
            f"{line[:40]!r} is no row of a JASPAR matrix",
            f"in line {number} of {path}",
            "write one row of numbers for each of A C G T, all of one length",
        )
    rows[base] = values


def _jaspar_motif(header: str, rows: dict[str, list[float]], begin: int, path: Path | str) -> Motif:
    words = header.split()
    if not words or len(rows) != 4:
        raise InputError(
            f"the matrix has {len(rows)} rows, not 4" if words else "the matrix has no name",
            f"in line {begin} of {path}",
            "correct the JASPAR file",
        )
    counts = [rows[base] for base in ALPHABET]
    return _from_counts(words[0], counts, "_".join(words[1:]), begin, path)


def looks_like_transfac(text: str) -> bool:
    """Return whether a text has a line that heads a matrix, ``P0  A C G T``."""
    return any(_TRANSFAC_HEADING.fullmatch(line) for line in text.split("\n"))


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
        if heading := _TRANSFAC_HEADING.fullmatch(line):
            order, begin, rows, inside = "".join(heading[1].upper().split()), number, [], True
            if set(order) != set(ALPHABET):
                raise _no_row(line, number, path)
        elif inside and rows is not None and re.match(r"[0-9]", line):
            rows.append(_counts(line, len(rows) + 1, order, number, path))
        elif line.startswith("//"):
            if rows is not None:
                motifs.append(_transfac_motif(names, rows, begin, path))
            names, rows, inside = {}, None, False
        elif line.strip():
            inside = False
            names.setdefault(key.strip(), "_".join(value.split()))
    if inside:
        problem = f"the file ends after row {len(rows or [])} of a matrix, without XX or //"
        raise _broken(problem, begin, path)
    if rows is not None:
        motifs.append(_transfac_motif(names, rows, begin, path))
    if not motifs:
        raise _broken("there is no matrix", 1, path)
    return motifs


def _counts(line: str, row: int, order: str, number: int, path: Path | str) -> list[float]:
    match = _TRANSFAC_ROW.fullmatch(line)
    values = _numbers(match[2]) if match and int(match[1]) == row else []
    if not values:
        raise _no_row(line, number, path)
    return [values[order.index(base)] for base in ALPHABET]


def _transfac_motif(
    names: dict[str, str], rows: list[list[float]], begin: int, path: Path | str
) -> Motif:
    called = [names[key] for key in ("AC", "ID", "NA", "DE") if names.get(key)]
    if not called:
        raise _broken("the entry has no AC, ID, NA or DE", begin, path)
    second = next((names[key] for key in ("NA", "ID") if names.get(key)), "")
    counts = [list(column) for column in zip(*rows, strict=True)] or [[]] * 4
    return _from_counts(called[0], counts, "" if second == called[0] else second, begin, path)


def _no_row(line: str, number: int, path: Path | str) -> InputError:
    return _broken(f"{line!r} is no row of a TRANSFAC matrix", number, path)


def _broken(problem: str, number: int, path: Path | str) -> InputError:
    remedy = "write a heading P0 A C G T, then rows of four counts numbered from 01, then XX or //"
    return InputError(problem, f"in line {number} of {path}", remedy)


def _numbers(text: str) -> list[float]:
    """Return the numbers of a row, or none where one of its words is no number."""
    try:
        return [float(word) for word in text.split()]
    except ValueError:
        return []


def _from_counts(
    name: str, counts: Sequence[Sequence[float]], alt_name: str, begin: int, path: Path | str
) -> Motif:
    try:
        return Motif.from_counts(name, counts, alt_name)
    except InputError as error:
        raise InputError(error.problem, f"in line {begin} of {path}", error.remedy) from None
