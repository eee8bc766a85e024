"""Files of assays: DeepBind's ``.seq`` and the text of protein-binding microarrays."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motiflens.datasets import REGRESSION, SequenceDataset
from motiflens.errors import InputError
from motiflens.files import stream_text
from motiflens.io.tables import delimited_rows
from motiflens.io.values import at, parse_label, parse_sequence

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
    rows = delimited_rows(stream_text(path), path, "\t")
    first, _ = next(rows, ([], ""))
    header = [name.strip().lower() for name in first]
    if header.count("seq") != 1 or header.count("bound") != 1:
        raise InputError(
            f"the first line of {path} does not name columns 'seq' and 'Bound': {first[:6]}",
            remedy="add the line, or rename the file to .txt when it has one sequence a line",
        )
    named = [header.index(name) for name in ("seq", "bound", "eventid") if name in header]
    sequences, labels, names = [], [], []
    for row, where in rows:
        sequence, label, *name = (row[index] for index in named)
        try:
            sequences.append(parse_sequence(sequence))
            labels.append(parse_label(label))
        except InputError as error:
            raise at(error, where) from None
        names += name
    if not sequences:
        raise InputError(f"{path} names columns and has no rows", remedy="check how it was made")
    return SequenceDataset.from_sequences(sequences, labels, names=names or None)


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
    sequences, signal = _probes(path, signal_column)
    bound = signal > signal.mean() + positive_sd * signal.std()
    if bound.all() or not bound.any():
        brightest = (signal.max() - signal.mean()) / (signal.std() or 1)
        raise InputError(
            f"{bound.sum()} of {len(bound)} probes are brighter than the mean plus {positive_sd:g} "
            f"standard deviations (the brightest is {brightest:.1f} above)",
            f"in {path}",
            "choose another positive_sd, or another signal_column",
            ("positive_sd", "signal_column"),
        )
    return SequenceDataset.from_sequences(sequences, bound)


def read_signals(path: Path | str, *, signal_column: int) -> tuple[SequenceDataset, str]:
    """Read the probes of a protein-binding microarray with their signals, for a regression.

    Parameters
    ----------
    path, signal_column
        See `read_microarray`.

    Returns
    -------
    dataset, note
        Labels are the logarithms of the signals to base 2, as their noise grows with them; or,
        where one is not above 0, the signals themselves. The note says which.

    Raises
    ------
    InputError
        See `read_microarray`.
    """
    sequences, signal = _probes(path, signal_column)
    note = f"labels are the signals of {len(signal):,} probes"
    if (signal > 0).all():
        note = f"labels are the base-2 logarithms of the signals of {len(signal):,} probes"
        signal = np.log2(signal)
    dataset = SequenceDataset.from_sequences(sequences, signal, task=REGRESSION)
    return dataset, note


def _probes(path: Path | str, signal_column: int) -> tuple[list[str], NDArray[np.float64]]:
    """Return the sequences and the signals of all lines."""
    if signal_column < 2:
        raise InputError(
            f"signal_column={signal_column} is below 2",
            remedy="count from 1; column 1 holds the sequence",
            argument="signal_column",
        )
    sequences, signals = [], []
    for row, where in delimited_rows(stream_text(path), path, "\t"):
        if len(row) < signal_column:
            raise InputError(
                f"there is no column {signal_column}, and {len(row)} columns",
                where,
                "correct signal_column, which counts from 1",
                "signal_column",
            )
        try:
            sequences.append(parse_sequence(row[0]))
            signals.append(_parse_signal(row[signal_column - 1]))
        except InputError as error:
            raise at(error, where) from None
    return sequences, np.array(signals)


def _parse_signal(text: str) -> float:
    try:
        signal = float(text)
    except ValueError:
        signal = math.nan
    if not abs(signal) < 1e100:  # so that the squares of all of them can be added
        raise InputError(f"the signal {text!r} is no number", remedy="correct the line")
    return signal
