"""Rows of tables that are no text: Parquet and Excel workbooks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lazy_loader  # type: ignore[import-untyped]
import pyarrow.parquet as pq

from motiflens.errors import InputError
from motiflens.files import open_binary

Row = tuple[list[str], str]
"""The values of a row, and where it is."""

pandas = lazy_loader.load("pandas")  # wanted for workbooks alone, and slow to import


def parquet_rows(path: Path | str, names: list[str]) -> Iterator[Row]:
    """Read the rows of a Parquet file, those columns as text; rows count from 1."""
    number = 0
    with decoded(path, "Parquet"), open_binary(path) as content, pq.ParquetFile(content) as file:
        for batch in file.iter_batches(columns=names):
            columns = [batch.column(name).to_pylist() for name in names]
            for row in zip(*columns, strict=True):
                number += 1
                texts = ["" if value is None else str(value) for value in row]
                yield texts, f"in row {number} of {path}"


def workbook_rows(path: Path | str) -> Iterator[Row]:
    """Read the rows of the first sheet of an Excel workbook, the first of which is the header."""
    if str(path).lower().endswith(".xls"):
        raise InputError(
            f"{path} is an Excel workbook of the old kind", remedy="save it as .xlsx or CSV"
        )
    with decoded(path, "an Excel workbook"), open_binary(path) as content:
        try:
            frame = pandas.read_excel(content, header=None, dtype=str, keep_default_na=False)
        except ImportError:
            raise InputError(
                f"{path} is an Excel workbook, which openpyxl reads and is not installed",
                remedy="save the sheet as CSV, or install motiflens[excel]",
            ) from None
    if frame.empty:
        raise InputError(f"the first sheet of {path} is empty", remedy="save the right one as CSV")
    for number, row in enumerate(frame.to_numpy().tolist(), start=1):
        if any(row):
            yield [str(value) for value in row], f"in row {number} of {path}"


@contextmanager
def decoded(path: Path | str, kind: str) -> Iterator[None]:
    """Turn what goes wrong in a decoder, at any place of the file, into an InputError."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # a damaged file may fail anywhere in the decoder
        raise InputError(
            f"{path} is no whole {kind.removeprefix('an ')} file: {error}",
            remedy="give it the ending of what it is, or make it again",
        ) from None
