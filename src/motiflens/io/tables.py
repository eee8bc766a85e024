"""Tables: read row by row, and the one that a data set is kept in.

A table is a ``.parquet``, ``.tsv`` or ``.csv`` file (the last two also with ``.gz``, separated by
commas, tabs, semicolons or ``|``), an Excel workbook or a pandas data frame, with the columns
``sequence`` (also ``seq``) and ``label``, and where they are known ``name`` (also ``id``),
``split``, ``sites`` and the coordinates ``chrom``, ``start``, ``end`` (0-based, half-open) and
``strand``. Other columns are passed over, and so are coordinates that lack one of the first three.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from motiflens.datasets import REGRESSION, Loci, SequenceDataset
from motiflens.errors import InputError
from motiflens.files import open_binary, stream_text, write_whole
from motiflens.io.binary_tables import Row, decoded, parquet_rows, workbook_rows
from motiflens.io.sniff import SEPARATORS, column_names, is_header
from motiflens.io.values import (
    at,
    convert_each,
    find_task,
    parse_label,
    parse_number,
    parse_position,
    parse_sequence,
    parse_split,
)
from motiflens.sequences import format_sites, parse_sites

LOCUS_COLUMNS = ("chrom", "start", "end", "strand")
COLUMNS = ("sequence", "label", "name", "split", "sites", *LOCUS_COLUMNS)

#: What a data frame is called in messages.
FRAME = "the data frame"

#: Names by which our columns may go elsewhere, but which may as well name something else.
MEANT = {
    "sequence": ("dna", "rna", "text", "read", "region", "window"),
    "label": ("class", "target", "y", "outcome", "group", "bound", "类别"),
}

_DATA = re.compile(r"[ACGTUN]{4,}", re.IGNORECASE)

if TYPE_CHECKING:
    from pandas import DataFrame

# The default of 131,072 letters a field is less than some models read at once.
csv.field_size_limit(2**31 - 1)


def table_kind(path: Path | str) -> str | None:
    """Return what a table is by its name: parquet, tsv, csv, xlsx or xls; None for other files."""
    match = re.search(r"\.(?:(parquet|xlsx?)|(tsv|csv)(?:\.gz)?)$", Path(path).name.lower())
    return match and (match[1] or match[2])


def write_table(dataset: SequenceDataset, path: Path | str) -> None:
    """Write a data set as a table, whole or not at all; equal data give equal bytes.

    Raises
    ------
    InputError
        For another ending than those of a table, and where the file cannot be written.
    """
    kind = table_kind(path)
    columns = _columns(dataset)
    if kind == "parquet":
        buffer = io.BytesIO()
        pq.write_table(pa.table(columns), buffer)
        write_whole(path, buffer.getvalue())
    elif kind in ("tsv", "csv"):
        text = io.StringIO()
        writer = csv.writer(text, delimiter="\t" if kind == "tsv" else ",", lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
        write_whole(path, text.getvalue().encode())
    else:
        raise InputError(
            f"{path} is not the name of a table",
            remedy="let it end in .parquet, .tsv or .csv, the last two also with .gz",
        )


def _columns(dataset: SequenceDataset) -> dict[str, list[str] | list[int] | list[float]]:
    columns: dict[str, list[str] | list[int] | list[float]] = {
        "sequence": dataset.sequences(),
        "label": dataset.written_labels(),
        "name": dataset.names.tolist(),
    }
    if dataset.split is not None:
        columns["split"] = dataset.split.tolist()
    if dataset.sites is not None:
        columns["sites"] = [format_sites(row) for row in dataset.sites]
    if dataset.coordinates is not None:
        columns |= {name: getattr(dataset.coordinates, name).tolist() for name in LOCUS_COLUMNS}
    return columns


def read_table(
    path: Path | str, positive: str | None = None, task: str | None = None
) -> SequenceDataset:
    """Read a data set from a table.

    Column names may be in any case. Labels are 0 or 1, also 0.0 and 1.0, false and true, or numbers
    to predict.

    Parameters
    ----------
    path
        The table.
    positive
        The word that is the positive label, where labels are words; all others are negative.
    task
        See :func:`motiflens.io.values.find_task`.

    Raises
    ------
    InputError
        When the file is missing, empty, damaged or no table, when ``sequence`` or ``label`` is
        missing, and for a value that is none; the last names the line (in Parquet and workbooks
        the row, counted from 1).
    """
    return _dataset(*open_table(path), path, positive, task)


def read_frame(
    frame: DataFrame, positive: str | None = None, task: str | None = None
) -> SequenceDataset:
    """Read a data set from a pandas data frame, as `read_table` does from a file."""
    return _dataset(*open_frame(frame), FRAME, positive, task)


def open_frame(
    frame: DataFrame, needed: Sequence[str] = COLUMNS[:2]
) -> tuple[list[str], Iterator[Row]]:
    """Open a pandas data frame, as `open_table` does a file; rows are counted from 1."""
    found = find_columns([str(name) for name in frame.columns], FRAME, needed)
    columns = [frame.iloc[:, index] for index in found.values()]
    texts = [column.astype(str).mask(column.isna(), "").tolist() for column in columns]
    rows = enumerate(zip(*texts, strict=True), start=1)
    return list(found), ((list(row), f"in row {i} of {FRAME}") for i, row in rows)


def _dataset(
    names: list[str],
    rows: Iterator[Row],
    path: Path | str,
    positive: str | None,
    task: str | None,
) -> SequenceDataset:
    values, places = [], []
    for row, place in rows:
        values.append(row)
        places.append(place)
    if not values:
        raise InputError(
            f"{path} holds the names of columns and nothing else",
            remedy="check how the table was made",
        )
    columns = dict(zip(names, zip(*values, strict=True), strict=True))
    task = find_task(columns["label"], path, positive, task)
    parse = parse_number if task == REGRESSION else partial(parse_label, positive=positive)

    def where(index: int) -> str:
        return places[index]

    def column(name: str, parse: Callable[[str], object]) -> list[object] | None:
        return convert_each(columns[name], parse, where) if name in columns else None

    sequences = convert_each(columns["sequence"], parse_sequence, where)
    labels = convert_each(columns["label"], parse, where)
    split, sites = column("split", parse_split), column("sites", parse_sites)
    try:
        return SequenceDataset.from_sequences(
            sequences,
            labels,
            names=columns.get("name"),
            split=split,  # type: ignore[arg-type]
            sites=sites,  # type: ignore[arg-type]
            coordinates=_loci(columns, where),
            task=task,
        )
    except InputError as error:
        raise error if str(path) in error.where else at(error, f"in {path}") from None


def _loci(columns: dict[str, tuple[str, ...]], where: Callable[[int], str]) -> Loci | None:
    if not set(LOCUS_COLUMNS[:3]) <= set(columns):
        return None
    start, end = (
        np.array(convert_each(columns[name], parse_position, where), dtype=np.int64)
        for name in ("start", "end")
    )
    strand = [text or "." for text in columns.get("strand", [""] * len(start))]
    return Loci(np.array(columns["chrom"]), start, end, np.array(strand))


def open_table(
    path: Path | str, needed: Sequence[str] = COLUMNS[:2], lines: Iterator[str] | None = None
) -> tuple[list[str], Iterator[Row]]:
    """Open a table: which of our columns it has, and its rows, with the values of these columns.

    Lines may come from elsewhere, such as a pipe.

    Raises
    ------
    InputError
        When the file is missing or no table, a column that is needed is missing, or one is there
        twice; the rows raise for what is wrong in them.
    """
    kind = None if lines else table_kind(path)
    if kind == "parquet":
        with decoded(path, "Parquet"), open_binary(path) as content:
            header: Sequence[str] = pq.read_schema(content).names
        found = find_columns(header, path, needed)
        return list(found), parquet_rows(path, [header[index] for index in found.values()])
    is_book = kind in ("xlsx", "xls")
    rows = workbook_rows(path) if is_book else _text_rows(lines or stream_text(path), path, kind)
    header = next(rows, ([], ""))[0]
    found = find_columns(header, path, needed)
    chosen = list(found.values())
    return list(found), (([row[index] for index in chosen], place) for row, place in rows)


def find_columns(
    header: Sequence[str], path: Path | str, needed: Sequence[str] = COLUMNS[:2]
) -> dict[str, int]:
    """Return where our columns stand in a header.

    Raises
    ------
    InputError
        When one that is needed is missing, or a column is there twice.
    """
    names = column_names(header)
    twice = next((name for name in COLUMNS if names.count(name) > 1), None)
    if twice:
        raise InputError(f"two columns are named {twice!r}", f"in {path}", "rename one of them")
    missing = next((name for name in needed if name not in names), None)
    if missing:
        raise _missing_column(missing, header, names, path)
    return {name: names.index(name) for name in COLUMNS if name in names}


def _missing_column(
    missing: str, header: Sequence[str], names: list[str], path: Path | str
) -> InputError:
    if any(_DATA.fullmatch(name) for name in names):
        return InputError(
            f"the first line of {path} is data, not the names of the columns",
            remedy="add a first line such as sequence,label",
        )
    several = [name for name in names if name.startswith("label")]
    if missing == "label" and len(several) > 1:
        return InputError(
            f"there are {len(several)} columns of labels, {', '.join(several[:8])},",
            f"in {path}",
            "one is learnt at a time: rename it to 'label'",
        )
    near = difflib.get_close_matches(missing, names, n=1)
    near = near or [name for name in names if name in MEANT[missing]]
    remedy = f"rename the column {near[0]!r} to" if near else "name one of them"
    told = ", ".join(map(repr, header[:8])) + (", ..." if len(header) > 8 else "")
    return InputError(
        f"no column is named {missing!r}", f"among {told} in {path}", f"{remedy} {missing!r}"
    )


def delimited_rows(
    lines: Iterable[str], path: Path | str, separator: str
) -> Iterator[tuple[list[str], str]]:
    """Read the rows of a delimited text, each with as many values as the first.

    Raises
    ------
    InputError
        For a row with more or fewer, and for an open quote.
    """
    n_columns = 0
    reader = csv.reader(lines, delimiter=separator)
    try:
        for row in reader:
            if not any(value.strip() for value in row):
                continue
            n_columns = n_columns or len(row)
            if len(row) != n_columns:
                raise InputError(
                    f"there are {len(row)} values, where the first line has {n_columns},",
                    f"in line {reader.line_num} of {path}",
                    "correct the row, or put quotes around a value with the separator in it",
                )
            yield row, f"in line {reader.line_num} of {path}"
    except csv.Error as error:
        raise InputError(str(error), f"in line {reader.line_num} of {path}") from None


def _text_rows(lines: Iterator[str], path: Path | str, kind: str | None) -> Iterator[Row]:
    first = [""]
    while not first[-1].strip():  # until the end, which raises, where all are blank
        first.append(next(lines))
    separator = _separator(first[-1].rstrip("\n"), "," if kind == "csv" else "\t")
    return delimited_rows(chain(first[1:], lines), path, separator)


def _separator(line: str, usual: str) -> str:
    """Return what separates the columns of a first line: the usual, where it names our columns."""
    options = (usual, *(separator for separator in SEPARATORS if separator != usual))
    named = (separator for separator in options if is_header(line.split(separator)))
    return next(named, max(options, key=line.count))
