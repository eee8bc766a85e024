"""BED and narrowPeak files. Positions are 0-based and intervals half-open, as in the files."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

import numpy as np

from motiflens.datasets.loci import NO_SUMMIT, Loci
from motiflens.errors import InputError
from motiflens.files import stream_text
from motiflens.io.values import at, parse_position

_NARROW_PEAK_COLUMNS = 10
_HEADERS = {("start", "end"), ("start", "stop"), ("chromstart", "chromend"), ("begin", "end")}


class BedRow(NamedTuple):
    """A row of a BED file: what is not there is "", ``.`` or `NO_SUMMIT`."""

    chrom: str
    start: int
    end: int
    strand: str
    name: str
    summit: int


def read_loci(path: Path | str, *, name_pattern: str | None = None) -> Loci:
    """Read a BED or narrowPeak file, plain or gzip (bgzip too).

    Columns are separated by tabs; in a file whose first row has none, by blanks. Three are needed:
    chromosome, start, end; the fourth is the name and the sixth the strand, where ``.`` stands for
    none. Of further columns only the tenth counts, in a file of exactly ten (narrowPeak): the
    summit, counted from the start, or -1 for none. Blank lines, comments (``#``) and the lines that
    begin with the words ``track`` and ``browser`` are passed over, and so is a first row that names
    the columns start and end. Rows may be equal.

    Parameters
    ----------
    path
        The file.
    name_pattern
        Only rows whose name matches, as file names do: ``CTCF_*``; case-sensitive.

    Raises
    ------
    InputError
        When the file is missing, empty, damaged or not text, for a line that is none of the above
        (with its number), and when no row is there or matches.
    """
    rows = list(stream_bed(path))
    if not rows:
        raise InputError(f"{path} has no rows", remedy="check how the file was made")
    kept = [row for row in rows if name_pattern is None or fnmatchcase(row.name, name_pattern)]
    if not kept:
        raise _no_match(rows, name_pattern or "", path)
    return Loci(*map(np.array, zip(*kept, strict=True)))


def stream_bed(path: Path | str, lines: Iterator[str] | None = None) -> Iterator[BedRow]:
    """Read the rows of a BED or narrowPeak file one by one; see `read_loci`.

    Parameters
    ----------
    path
        The file.
    lines
        Its lines, where they come from elsewhere, such as a pipe.

    Raises
    ------
    InputError
        As `read_loci`, but for a file without rows.
    """
    n_columns, separator = 0, None
    for number, line in enumerate(lines or stream_text(path), start=1):
        if not line.strip() or line.startswith("#") or line.split()[0] in ("track", "browser"):
            continue
        if not n_columns:
            separator = "\t" if "\t" in line else None
        fields = [text.strip() for text in line.split(separator)]
        if not n_columns and tuple(field.lower() for field in fields[1:3]) in _HEADERS:
            continue
        n_columns = n_columns or len(fields)
        try:
            yield _parse_row(fields, n_columns)
        except InputError as error:
            raise at(error, f"in line {number} of {path}") from None


def _parse_row(fields: list[str], n_columns: int) -> BedRow:
    if len(fields) != n_columns or n_columns < 3:
        first = "" if len(fields) == n_columns else f", where the first row has {n_columns},"
        raise InputError(
            f"there are {len(fields)} columns{first}",
            remedy="a BED file has three or more, separated by tabs, as many in every row",
        )
    start, end = parse_position(fields[1]), parse_position(fields[2])
    strand = fields[5] if n_columns > 5 else "."
    if not fields[0] or start >= end or strand not in ("+", "-", "."):
        raise InputError(
            f"{fields[0]!r}, {start} to {end}, strand {strand!r} is no interval",
            remedy="give a chromosome, start < end, and a strand +, - or .",
        )
    name = fields[3] if n_columns > 3 and fields[3] != "." else ""
    has_summit = n_columns == _NARROW_PEAK_COLUMNS
    summit = _parse_summit(fields[-1], start, end) if has_summit else NO_SUMMIT
    return BedRow(fields[0], start, end, strand, name, summit)


def _parse_summit(text: str, start: int, end: int) -> int:
    if text == "-1":
        return NO_SUMMIT
    summit = start + parse_position(text)
    if summit > end:  # equal to the end in files of ENCODE
        raise InputError(
            f"the summit {text}, column 10, lies beyond its interval, {start} to {end},",
            remedy="count it from the start, write -1 for none, or drop the column",
        )
    return summit


def _no_match(rows: list[BedRow], pattern: str, path: Path | str) -> InputError:
    counts = Counter(row.name for row in rows)
    inner = pattern.strip("*?")
    holding = sorted(name for name in counts if inner and inner.lower() in name.lower())
    near = holding or difflib.get_close_matches(pattern, list(counts), n=5)
    remedy = "correct the name; * stands for any letters"
    if holding:
        fitting = (one for one in _patterns(inner, holding) if _fits_all(holding, one))
        n_rows = sum(counts[name] for name in holding)
        remedy = f'for all {n_rows} rows: peak_name="{next(fitting, f"*{inner}*")}"'
    shown = near or sorted(counts)
    told = ", ".join(f"{name or 'no name'} ({counts[name]} rows)" for name in shown[:5])
    more = f" and {len(shown) - 5} more" if len(shown) > 5 else ""
    return InputError(
        f"no peak is named {pattern!r}",
        f"in {path}; {'similar' if near else 'its names are'}: {told}{more}",
        remedy,
        "peak_name",
    )


def _fits_all(names: list[str], pattern: str) -> bool:
    return all(fnmatchcase(name, pattern) for name in names)


def _patterns(inner: str, names: list[str]) -> list[str]:
    """Return patterns for names that hold some letters, the closest first."""
    start = names[0].lower().index(inner.lower())
    own = names[0][start : start + len(inner)]
    return [f"{own}_*", f"{own}*", f"*{own}", f"*{own}*"]
