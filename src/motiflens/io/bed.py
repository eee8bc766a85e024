"""Intervals of a genome: BED and narrowPeak files, and windows around their summits.

Positions are 0-based and intervals half-open, as in the files.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from motiflens.datasets.located import at, parse_position
from motiflens.errors import InputError
from motiflens.files import read_text

NO_SUMMIT = -1

_NARROW_PEAK_COLUMNS = 10


@dataclass(frozen=True, eq=False)
class Loci:
    """N intervals of a genome.

    Parameters
    ----------
    chrom
        (N,) strings.
    start, end
        int64 (N,). In a file 0 <= start < end; a window may begin before 0.
    strand
        (N,) of ``+``, ``-`` and ``.``.
    name
        (N,) strings, empty where there is no name; they need not differ.
    summit
        int64 (N,), the position of the summit in the chromosome; `NO_SUMMIT` where there is none.
    """

    chrom: NDArray[np.str_]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    strand: NDArray[np.str_]
    name: NDArray[np.str_]
    summit: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.chrom)

    def subset(self, index: ArrayLike) -> Loci:
        """Give the rows of an index array or of a mask (N,), in that order."""
        rows = np.arange(len(self))[np.asarray(index)]
        columns = (self.chrom, self.start, self.end, self.strand, self.name, self.summit)
        return Loci(*(column[rows] for column in columns))

    def windows(self, width: int | None) -> Loci:
        """Give windows of one width around the summits, or the middle where there is none.

        The centre is base ``width // 2`` of the window, counted along the + strand whatever the
        strand. Without a width the intervals stay as they are.

        Raises
        ------
        InputError
            For a width below 1.
        """
        if width is None:
            return self
        if width < 1:
            raise InputError(
                "a window has a width of 1 base or more",
                got=str(width),
                remedy="choose a width such as 200",
            )
        centre = np.where(self.summit == NO_SUMMIT, (self.start + self.end) // 2, self.summit)
        start = centre - width // 2
        return replace(self, start=start, end=start + width)


def read_loci(path: Path | str, *, name_pattern: str | None = None) -> Loci:
    """Read a BED or narrowPeak file, plain or gzip (bgzip too).

    Columns are separated by tabs; in a file without any, by blanks. Three are needed: chromosome,
    start, end; the fourth is the name and the sixth the strand, where ``.`` stands for none. Of
    further columns only the tenth counts, in a file of exactly ten (narrowPeak): the summit,
    counted from the start, or -1 for none. Blank lines, comments (``#``) and the lines that
    begin with the words ``track`` and ``browser`` are passed over. Rows may be equal.

    Parameters
    ----------
    path
        The file.
    name_pattern
        Only rows whose name matches, as file names do: ``CTCF_*``; capitals count.

    Raises
    ------
    InputError
        When the file is missing, empty, damaged or not text, for a line that is none of the above
        (with its number), and when no row is there or matches.
    """
    numbered = enumerate(read_text(path).split("\n"), start=1)
    lines = [(number, line) for number, line in numbered if not _is_header(line)]
    tabs = any("\t" in line for _, line in lines)
    rows: list[_Row] = []
    n_columns = 0
    for number, line in lines:
        fields = [text.strip() for text in line.split("\t" if tabs else None)]
        n_columns = n_columns or len(fields)
        try:
            rows.append(_parse_row(fields, n_columns))
        except InputError as error:
            raise at(error, f"line {number} of {path}") from None
    kept = [row for row in rows if name_pattern is None or fnmatchcase(row.name, name_pattern)]
    if not kept:
        raise _no_rows(rows, name_pattern, path)
    chrom, start, end, strand, name, summit = map(np.array, zip(*kept, strict=True))
    return Loci(chrom, start, end, strand, name, summit)


class _Row(NamedTuple):
    chrom: str
    start: int
    end: int
    strand: str
    name: str
    summit: int


def _is_header(line: str) -> bool:
    return not line.strip() or line.startswith("#") or line.split()[0] in ("track", "browser")


def _parse_row(fields: list[str], n_columns: int) -> _Row:
    if len(fields) != n_columns or n_columns < 3:
        raise InputError(
            "a BED file has three columns or more, as many in every row as in the first",
            got=f"{len(fields)} columns, {n_columns} in the first row,",
            remedy="correct the line; columns are separated by tabs",
        )
    start, end = parse_position(fields[1]), parse_position(fields[2])
    strand = fields[5] if n_columns > 5 else "."
    if not fields[0] or start >= end or strand not in ("+", "-", "."):
        raise InputError(
            "an interval has a chromosome, start < end, and a strand +, - or .",
            got=f"{fields[0]!r}, {start} to {end}, strand {strand!r}",
            remedy="correct the line",
        )
    name = fields[3] if n_columns > 3 and fields[3] != "." else ""
    has_summit = n_columns == _NARROW_PEAK_COLUMNS
    summit = _parse_summit(fields[-1], start, end) if has_summit else NO_SUMMIT
    return _Row(fields[0], start, end, strand, name, summit)


def _parse_summit(text: str, start: int, end: int) -> int:
    if text == "-1":
        return NO_SUMMIT
    summit = start + parse_position(text)
    if summit > end:  # equal to the end in files of ENCODE
        raise InputError(
            "a summit, column 10, lies in its interval, counted from the start; -1 means none",
            got=f"{text} in {start} to {end}",
            remedy="correct the line, or drop the column",
        )
    return summit


def _no_rows(rows: list[_Row], pattern: str | None, path: Path | str) -> InputError:
    names = sorted({row.name for row in rows})
    return InputError(
        "a BED file has rows" + ("" if pattern is None else f" whose name matches {pattern!r}"),
        got=f"{len(rows)} rows in {path}"
        + (f", with names such as {', '.join(map(repr, names[:5]))}" if names else ""),
        remedy="correct the pattern" if names else "check how the file was made",
    )
