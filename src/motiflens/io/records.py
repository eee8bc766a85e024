"""Sequences without labels: FASTA, or one sequence a line, plain or gzip."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from motiflens.datasets import Coordinates, SequenceDataset, default_names
from motiflens.datasets.located import at, convert_each, parse_sequence
from motiflens.errors import InputError
from motiflens.files import read_text

FASTA_NAME = re.compile(r"\.(fa|fasta|fna)(\.gz)?$", re.IGNORECASE)
_PLACE = re.compile(r"(.+):([0-9]{1,12})-([0-9]{1,12})(?:\(([+-])\))?")


class Record(NamedTuple):
    """A sequence, its header (None in a file of lines) and the line where it starts."""

    header: str | None
    sequence: str
    line: int

    @property
    def name(self) -> str:
        """The first word of the header; empty when there is none."""
        return ((self.header or "").split() or [""])[0]


def read_fasta(path: Path | str) -> list[tuple[str, str]]:
    """Read the names (the first word of each header) and sequences of a FASTA file.

    Sequences may go over several lines, with blank lines among them; their case is kept.

    Raises
    ------
    InputError
        When the file is missing, empty or no FASTA, for letters outside ACGTN (with line and
        column) and for a header without a sequence.
    """
    return [(record.name, record.sequence) for record in _parse_fasta(path, read_text(path))]


def read_records(path: Path | str) -> list[Record]:
    """Read a file that is FASTA by its ending or its first letter, ``>``, and else has lines.

    Raises
    ------
    InputError
        When the file is missing, empty, damaged or not text, and for letters outside ACGTN (with
        line and column).
    """
    text = read_text(path)
    if FASTA_NAME.search(Path(path).name) or text.startswith(">"):
        return _parse_fasta(path, text)
    lines = text.rstrip().split("\n")
    sequences = convert_each(lines, parse_sequence, lambda i: f"line {i + 1} of {path}")
    return [Record(None, sequence, line) for line, sequence in enumerate(sequences, start=1)]


def _parse_fasta(path: Path | str, text: str) -> list[Record]:
    lines = text.split("\n")
    starts = [index for index, line in enumerate(lines) if line.startswith(">")]
    first = next(index for index, line in enumerate(lines) if line.strip())
    if not starts or first < starts[0]:
        raise InputError(
            "a FASTA file begins with a header, '>name'",
            got=f"{lines[first][:40]!r} in line {first + 1} of {path}",
            remedy="add the header, or rename the file to .txt when it has one sequence a line",
        )
    records = []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        body = [
            _parse_line(lines[index], index + 1, path)
            for index in range(start + 1, end)
            if lines[index].strip()
        ]
        if not body:
            raise InputError(
                "every FASTA header is followed by a sequence",
                got=f"{lines[start][:40]!r} without one in line {start + 1} of {path}",
                remedy="add the sequence or drop the header",
            )
        records.append(Record(lines[start][1:], "".join(body), start + 1))
    return records


def _parse_line(text: str, line: int, path: Path | str) -> str:
    try:
        return parse_sequence(text)
    except InputError as error:
        raise at(error, f"line {line} of {path}") from None


def dataset_of(
    records: list[Record], labels: list[float], *, prefix: str = "seq"
) -> SequenceDataset:
    """Make a data set; names and coordinates come from the headers where all have them.

    Without names they are called ``seq0001`` and so on, or with another prefix.

    ``chr1:5-205`` or ``chr1:5-205(-)`` is a place when it is as long as the sequence, counted
    from 0 with the end excluded (as bedtools does) or else from 1 with the end (samtools).
    """
    names = [record.name for record in records]
    places = [_place_of(record) for record in records]
    known = [place for place in places if place is not None]
    return SequenceDataset.from_sequences(
        [record.sequence for record in records],
        labels,
        names=names if all(names) else default_names(len(names), prefix).tolist(),
        coordinates=Coordinates(*map(np.array, zip(*known, strict=True)))
        if len(known) == len(places)
        else None,
    )


def _place_of(record: Record) -> tuple[str, int, int, str] | None:
    match = _PLACE.fullmatch(record.name)
    if match is None:
        return None
    start, end, strand = int(match[2]), int(match[3]), match[4] or "."
    first = start - (len(record.sequence) - (end - start))  # 1-based: one more than end - start
    fits = first in (start, start - 1) and 0 <= first < end
    return (match[1], first, end, strand) if fits else None
