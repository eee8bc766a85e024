"""Labelled sequences read one at a time, from files that are larger than memory.

Tables (``.parquet .tsv .csv``, the last two also with ``.gz``) and FASTA whose headers begin with
the label (``>1``), as the readers of whole files take them.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

from motiflens.datasets.located import at, parse_label, parse_sequence
from motiflens.datasets.tables import find_columns, parse_split, table_kind
from motiflens.errors import InputError
from motiflens.files import open_binary


class Entry(NamedTuple):
    """A sequence, its label, and where they are known its name and the part it is in."""

    sequence: str
    label: float
    name: str = ""
    split: str = ""


def stream_entries(path: Path | str) -> Iterator[Entry]:
    """Read the sequences and labels of a table or a FASTA file one by one.

    Raises
    ------
    InputError
        When the file is missing, damaged or not text, for letters outside ACGTN and labels other
        than 0 and 1 (with file and line; in Parquet the row), and for a header without a sequence.
    """
    kind = table_kind(path)
    if kind is None:
        yield from _fasta(path)
        return
    for values, place in _parquet(path) if kind == "parquet" else _delimited(path, kind):
        try:
            yield Entry(
                parse_sequence(values["sequence"]),
                parse_label(values["label"]),
                values.get("name", ""),
                parse_split(values["split"]) if "split" in values else "",
            )
        except InputError as error:
            raise at(error, place) from None


def of_two_classes(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Pass entries on, and raise an InputError at their end if they were all of one class."""
    labels = set()
    for entry in entries:
        labels.add(entry.label)
        yield entry
    if len(labels) == 1:
        raise InputError(
            "the data hold both classes, label 1 and label 0",
            got=f"sequences that all have label {labels.pop():g}",
            remedy="add sequences of the other class",
        )


def dropped_columns(path: Path | str) -> list[str]:
    """Name the columns of a table that a stream of it leaves out: sites and coordinates.

    Raises
    ------
    InputError
        As :func:`stream_entries`.
    """
    kind = table_kind(path)
    if kind is None:
        return []
    if kind == "parquet":
        with _decoded(path, "Parquet"), open_binary(path) as content:
            header = list(pq.read_schema(content).names)
    else:
        with _text(path, newline="") as file:
            header = next(csv.reader(file, delimiter="\t" if kind == "tsv" else ","), [])
    return [name for name in find_columns(header, path) if name not in Entry._fields]


def _delimited(path: Path | str, kind: str) -> Iterator[tuple[dict[str, str], str]]:
    """Give every row of a CSV or TSV file as column → text, with its place."""
    with _text(path, newline="") as file:
        reader = csv.reader(file, delimiter="\t" if kind == "tsv" else ",")
        header = next(reader, [])
        found = find_columns(header, path)
        for row in reader:
            if row and len(row) != len(header):
                raise InputError(
                    f"a row has a value for each of the {len(header)} columns",
                    got=f"{len(row)} in line {reader.line_num} of {path}",
                    remedy="correct the row, or put quotes around a value with the delimiter in it",
                )
            if row:
                values = {name: row[index] for name, index in found.items()}
                yield values, f"line {reader.line_num} of {path}"


def _parquet(path: Path | str) -> Iterator[tuple[dict[str, str], str]]:
    """Give every row of a Parquet file as column → text, with its place."""
    number = 0
    with _decoded(path, "Parquet"), open_binary(path) as content, pq.ParquetFile(content) as file:
        header = file.schema_arrow.names
        found = find_columns(header, path)
        for batch in file.iter_batches(columns=[header[index] for index in found.values()]):
            columns = [batch.column(header[index]).to_pylist() for index in found.values()]
            for row in zip(*columns, strict=True):
                number += 1
                texts = ["" if value is None else str(value) for value in row]
                yield dict(zip(found, texts, strict=True)), f"row {number} of {path}"


def _fasta(path: Path | str) -> Iterator[Entry]:
    """Give every sequence of a FASTA file whose headers begin with 0 or 1."""
    header, parts, number = "", list[str](), 0
    with _text(path, newline=None) as file:
        for number, line in enumerate(file, start=1):
            if line.startswith(">"):
                if header:
                    yield _entry(header, parts, f"the record before line {number} of {path}")
                header, parts = line[1:].strip() or "?", []
            elif line.strip():
                if not header:
                    break
                try:
                    parts.append(parse_sequence(line.rstrip("\n")))
                except InputError as error:
                    raise at(error, f"line {number} of {path}") from None
    if not header:
        raise InputError(
            "a file read as a stream is a table, or FASTA with headers '>1' and '>0'",
            got=f"no header by line {number} of {path}",
            remedy="name a table .csv, .tsv or .parquet, or add the headers",
        )
    yield _entry(header, parts, f"the last record of {path}")


def _entry(header: str, parts: list[str], place: str) -> Entry:
    if not parts:
        raise InputError(
            "every FASTA header is followed by a sequence",
            got=f"{header[:40]!r} without one, {place}",
            remedy="add the sequence or drop the header",
        )
    try:
        return Entry("".join(parts), parse_label(header.split()[0]))
    except InputError as error:
        raise at(error, place) from None


@contextmanager
def _text(path: Path | str, newline: str | None) -> Iterator[io.TextIOBase]:
    """Open a text file, unpacked if its name ends in ``.gz``."""
    packed = Path(path).suffix.lower() == ".gz"
    kind = "whole gzip file of UTF-8 text" if packed else "UTF-8 text"
    with _decoded(path, kind), open_binary(path) as file:
        content = gzip.GzipFile(fileobj=file) if packed else file
        with io.TextIOWrapper(content, encoding="utf-8-sig", newline=newline) as text:
            yield text


@contextmanager
def _decoded(path: Path | str, kind: str) -> Iterator[None]:
    """Turn what goes wrong in a decoder, at any place of the file, into an InputError."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # a damaged file may fail anywhere in the decoder
        raise InputError(
            f"the content is {kind}, as the name says",
            got=f"{path}: {error}",
            remedy="give it the ending of what it is, or make it again",
        ) from None
