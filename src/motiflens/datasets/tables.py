"""The table that a data set is kept in.

A table is a ``.parquet``, ``.tsv`` or ``.csv`` file (the last two also with ``.gz``) with the
columns ``sequence`` and ``label``, and where they are known ``name``, ``split``, ``sites`` and the
coordinates ``chrom``, ``start``, ``end`` (0-based, half-open) and ``strand``. Other columns are
passed over, and so are coordinates that lack one of the first three.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from motiflens.datasets.coordinates import Coordinates
from motiflens.datasets.dataset import SPLITS, SequenceDataset
from motiflens.datasets.located import at, convert_each, parse_label, parse_position, parse_sequence
from motiflens.errors import InputError
from motiflens.files import read_bytes, read_text, write_whole
from motiflens.sequences import format_sites, parse_sites

PLACE_COLUMNS = ("chrom", "start", "end", "strand")
COLUMNS = ("sequence", "label", "name", "split", "sites", *PLACE_COLUMNS)

# The default of 131,072 letters a field is less than some models read at once.
csv.field_size_limit(2**31 - 1)


def _columns(dataset: SequenceDataset) -> dict[str, list[str] | list[int]]:
    columns: dict[str, list[str] | list[int]] = {
        "sequence": dataset.sequences(),
        "label": dataset.labels.astype(int).tolist(),
        "name": dataset.names.tolist(),
    }
    if dataset.split is not None:
        columns["split"] = dataset.split.tolist()
    if dataset.sites is not None:
        columns["sites"] = [format_sites(row) for row in dataset.sites]
    if dataset.coordinates is not None:
        columns |= {name: getattr(dataset.coordinates, name).tolist() for name in PLACE_COLUMNS}
    return columns


def _delimited(columns: dict[str, list[str] | list[int]], delimiter: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue().encode()


def table_kind(path: Path | str) -> str | None:
    """Tell by its name what a table is: "parquet", "tsv", "csv"; None for any other file."""
    name = Path(path).name.lower()
    if name.endswith(".parquet"):
        return "parquet"
    match = re.search(r"\.(tsv|csv)(\.gz)?$", name)
    return match[1] if match else None


def _require_table(path: Path | str) -> str:
    kind = table_kind(path)
    if kind is None:
        raise InputError(
            "a table is a .parquet, .tsv or .csv file, the last two also with .gz",
            got=str(path),
            remedy="give the file one of these endings",
        )
    return kind


def write_table(dataset: SequenceDataset, path: Path | str) -> None:
    """Write a data set as a table, whole or not at all; equal data give equal bytes.

    Raises
    ------
    InputError
        For another ending than those of a table, and where the file cannot be written.
    """
    kind = _require_table(path)
    columns = _columns(dataset)
    if kind == "parquet":
        buffer = io.BytesIO()
        pq.write_table(pa.table(columns), buffer)
        write_whole(path, buffer.getvalue())
    else:
        write_whole(path, _delimited(columns, "\t" if kind == "tsv" else ","))


def read_table(path: Path | str) -> SequenceDataset:
    """Read a data set from a table.

    Column names may be in any case. Labels are 0 or 1, also 0.0 and 1.0, false and true.

    Raises
    ------
    InputError
        When the file is missing, empty, damaged or no table, when ``sequence`` or ``label`` is
        missing, and for a value that is none; the last names the line (in Parquet the row,
        counted from 1).
    """
    read = _read_parquet if _require_table(path) == "parquet" else _read_delimited
    columns, place = read(path)
    if not columns["sequence"]:
        raise InputError(
            "a table holds at least one sequence",
            got=f"only the names of the columns in {path}",
            remedy="check how the table was made",
        )
    sequences = convert_each(columns["sequence"], parse_sequence, place)
    labels = convert_each(columns["label"], parse_label, place)
    split = convert_each(columns["split"], parse_split, place) if "split" in columns else None
    sites = convert_each(columns["sites"], parse_sites, place) if "sites" in columns else None
    try:
        return SequenceDataset.from_sequences(
            sequences,
            labels,
            names=columns.get("name"),
            split=split,
            sites=sites,
            coordinates=_parse_coordinates(columns, place),
        )
    except InputError as error:
        raise at(error, str(path)) from None


Columns = dict[str, list[str]]
Place = Callable[[int], str]


def _read_parquet(path: Path | str) -> tuple[Columns, Place]:
    content = pa.BufferReader(read_bytes(path))
    try:
        with pq.ParquetFile(content) as file:
            header = file.schema_arrow.names
            found = find_columns(header, path)
            table = file.read(columns=[header[index] for index in found.values()])
        columns = {
            name: [
                "" if value is None else str(value) for value in table[header[index]].to_pylist()
            ]
            for name, index in found.items()
        }
    except InputError:
        raise
    except Exception as error:  # a damaged file may fail anywhere in the decoder
        raise InputError(
            "a file named .parquet is a Parquet file",
            got=f"{path}: {error}",
            remedy="give it the ending of what it is, or make it again",
        ) from None
    return columns, lambda index: f"row {index + 1} of {path}"


def _read_delimited(path: Path | str) -> tuple[Columns, Place]:
    delimiter = "\t" if table_kind(path) == "tsv" else ","
    reader = csv.reader(io.StringIO(read_text(path), newline=""), delimiter=delimiter)
    header: list[str] = []
    rows: list[list[str]] = []
    lines: list[int] = []
    for row in reader:
        if not header:
            header = row
        elif row:
            if len(row) != len(header):
                raise InputError(
                    f"a row has a value for each of the {len(header)} columns",
                    got=f"{len(row)} in line {reader.line_num} of {path}",
                    remedy="correct the row, or put quotes around a value with the delimiter in it",
                )
            rows.append(row)
            lines.append(reader.line_num)
    found = find_columns(header, path)
    columns = {name: [row[index] for row in rows] for name, index in found.items()}
    return columns, lambda index: f"line {lines[index]} of {path}"


def find_columns(header: Sequence[str], path: Path | str) -> dict[str, int]:
    """Tell where our columns stand in a header.

    Raises
    ------
    InputError
        When ``sequence`` or ``label`` is missing, or a column is there twice.
    """
    names = [name.strip().lower() for name in header]
    twice = next((name for name in COLUMNS if names.count(name) > 1), None)
    missing = next((name for name in COLUMNS[:2] if name not in names), None)
    if twice or missing:
        near = difflib.get_close_matches(missing or "", names, n=1)
        remedy = f"rename the column {near[0]!r}" if near else "name the columns in the first line"
        raise InputError(
            "a table has one column 'sequence' and one 'label'",
            got=f"{'two' if twice else 'no'} {twice or missing!r} among the columns "
            f"{', '.join(map(repr, header))} of {path}",
            remedy=f"{remedy} to {missing!r}" if near else "correct the names of the columns",
        )
    return {name: names.index(name) for name in COLUMNS if name in names}


def _parse_coordinates(columns: Columns, place: Place) -> Coordinates | None:
    if not set(PLACE_COLUMNS[:3]) <= set(columns):
        return None
    start, end = (
        np.array(convert_each(columns[name], parse_position, place), dtype=np.int64)
        for name in ("start", "end")
    )
    strand = [text or "." for text in columns.get("strand", [""] * len(start))]
    return Coordinates(np.array(columns["chrom"]), start, end, np.array(strand))


def parse_split(text: str) -> str:
    """Read the name of a part.

    Raises
    ------
    InputError
        For anything but train, valid and test.
    """
    if text not in SPLITS:
        raise InputError(
            f"split is one of {', '.join(SPLITS)}", got=repr(text), remedy="correct the value"
        )
    return text
