"""Files of assays: DeepBind's ``.seq`` and the text of protein-binding microarrays."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from motiflens.datasets import SequenceDataset
from motiflens.datasets.located import convert_each, parse_label, parse_sequence
from motiflens.errors import InputError
from motiflens.files import read_text

DEFAULT_SD = 4.0
"""Standard deviations above the mean, from which a probe counts as bound."""


def read_deepbind(path: Path | str) -> SequenceDataset:
    """Read DeepBind's ``.seq``: a header line, then columns separated by tabs.

    The columns ``seq`` and ``Bound`` (0 or 1) are needed; ``EventID`` gives the names.

    Raises
    ------
    InputError
        When the file is missing, empty, damaged or not text, a column is missing, and for a line
        that is none (with its number).
    """
    lines = read_text(path).rstrip("\n").split("\n")
    header = [name.strip().lower() for name in lines[0].split("\t")]
    if header.count("seq") != 1 or header.count("bound") != 1 or len(lines) < 2:
        raise InputError(
            "a .seq file has a first line with the columns 'seq' and 'Bound', and then rows",
            got=f"{lines[0][:60]!r} and {len(lines) - 1} rows in {path}",
            remedy="add the line, or rename the file to .txt when it has one sequence a line",
        )
    rows = _split_rows(path, lines, header, first=1)

    def place(index: int) -> str:
        return f"line {index + 2} of {path}"

    def column(name: str) -> list[str]:
        return [row[header.index(name)] for row in rows]

    return SequenceDataset.from_sequences(
        convert_each(column("seq"), parse_sequence, place),
        convert_each(column("bound"), parse_label, place),
        names=column("eventid") if "eventid" in header else None,
    )


def _split_rows(
    path: Path | str, lines: list[str], columns: list[str], first: int
) -> list[list[str]]:
    rows = [line.split("\t") for line in lines[first:]]
    wrong = next((i for i, row in enumerate(rows) if len(row) != len(columns)), None)
    if wrong is not None:
        raise InputError(
            f"a row has a value for each of the {len(columns)} columns",
            got=f"{len(rows[wrong])} in line {first + wrong + 1} of {path}",
            remedy="correct the line; columns are separated by tabs",
        )
    return rows


def read_microarray(
    path: Path | str, *, signal_column: int, positive_sd: float = DEFAULT_SD
) -> SequenceDataset:
    """Read the probes of a protein-binding microarray; the bright ones are positives.

    A line has no header, columns separated by tabs, and the sequence first. A probe is positive
    when its signal is above the mean of all probes plus ``positive_sd`` standard deviations.

    Parameters
    ----------
    path
        The file.
    signal_column
        The column of the signal, counted from 1, so 2 or more.
    positive_sd
        How bright a positive is.

    Raises
    ------
    InputError
        When the file is missing, empty, damaged or not text, for a line that is none (with its
        number), and when one class would be empty.
    """
    if signal_column < 2:
        raise InputError(
            "the signal is in column 2 or beyond, as the sequence is in column 1",
            got=str(signal_column),
            remedy="correct the number of the column; the first is 1",
        )
    lines = read_text(path).rstrip("\n").split("\n")
    rows = _split_rows(path, lines, lines[0].split("\t"), first=0)
    if len(rows[0]) < signal_column:
        raise InputError(
            f"every row has a signal in column {signal_column}",
            got=f"{len(rows[0])} columns in {path}",
            remedy="correct the number of the column; the first is 1",
        )

    def place(index: int) -> str:
        return f"line {index + 1} of {path}"

    sequences = convert_each((row[0] for row in rows), parse_sequence, place)
    texts = (row[signal_column - 1] for row in rows)
    signal = np.array(convert_each(texts, _parse_signal, place))
    bound = signal > signal.mean() + positive_sd * signal.std()
    if bound.all() or not bound.any():
        raise InputError(
            f"some probes, not all, are brighter than the mean plus {positive_sd:g} standard "
            "deviations",
            got=f"{bound.sum()} of {len(bound)} in {path}, where the brightest is "
            f"{(signal.max() - signal.mean()) / (signal.std() or 1):.1f} above",
            remedy="choose another number of standard deviations, or another column",
        )
    return SequenceDataset.from_sequences(sequences, bound)


def _parse_signal(text: str) -> float:
    try:
        signal = float(text)
    except ValueError:
        signal = math.nan
    if not abs(signal) < 1e100:  # so that the squares of all of them can be added
        raise InputError("a signal is a number", got=repr(text), remedy="correct the line")
    return signal
