"""Sequences without a table: FASTA, or one a line; their labels from headers or from a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from motiflens.datasets import REGRESSION, Loci, SequenceDataset, default_names
from motiflens.errors import InputError
from motiflens.files import read_text, stream_text
from motiflens.io.sniff import FASTA, kind_of
from motiflens.io.values import (
    at,
    convert_each,
    find_task,
    parse_label,
    parse_number,
    parse_sequence,
)

_LOCUS = re.compile(r"(.+):([0-9]{1,12})-([0-9]{1,12})(?:\(([+-])\))?")


class Record(NamedTuple):
    """A sequence, its header (None in a file of lines) and the line where it starts."""

    header: str | None
    sequence: str
    line: int

    @property
    def name(self) -> str:
        """The first word of the header; empty when there is none."""
        return ((self.header or "").split() or [""])[0]


def stream_lines(
    path: Path | str, advance: Callable[[int], None] = lambda n_bytes: None
) -> Iterator[tuple[int, str]]:
    """Read a FASTA file line by line, without blank lines.

    Yields
    ------
    number, text
        Counted from 1. The first line is a header, and after every header comes a line that is
        none.

    Raises
    ------
    InputError
        When the file is missing, empty, damaged, not text or no FASTA, and for a header without a
        sequence.
    """
    bare: tuple[int, str] | None = None
    started = False
    for number, line in enumerate(stream_text(path, advance), start=1):
        text = line.rstrip("\n")
        if text.startswith(">"):
            if bare:
                raise _without_sequence(*bare, path)
            bare = number, text
        elif not text.strip():
            continue
        elif bare is None and not started:
            raise InputError(
                f"no header, '>name', comes before {text[:40]!r}",
                f"in line {number} of {path}",
                "add one, or rename the file to .txt when it has one sequence a line",
            )
        else:
            bare = None
        started = True
        yield number, text
    if bare:
        raise _without_sequence(*bare, path)


def _without_sequence(number: int, header: str, path: Path | str) -> InputError:
    return InputError(
        f"no sequence follows {header[:40]!r}",
        f"in line {number} of {path}",
        "add the sequence, or delete the header",
    )


def stream_fasta(path: Path | str) -> Iterator[Record]:
    """Read the records of a FASTA file one by one.

    Sequences may go over several lines, with blank lines among them; their case is kept.

    Raises
    ------
    InputError
        As `stream_lines`, and for letters outside ACGTN (with line and column).
    """
    header, start, pieces = "", 0, list[str]()
    for number, text in stream_lines(path):
        if text.startswith(">"):
            if pieces:
                yield Record(header, "".join(pieces), start)
            header, start, pieces = text[1:], number, []
            continue
        try:
            pieces.append(parse_sequence(text))
        except InputError as error:
            raise at(error, f"in line {number} of {path}") from None
    yield Record(header, "".join(pieces), start)


def _stream_one_a_line(path: Path | str) -> Iterator[Record]:
    """Read one sequence a line; blank lines may follow the last one."""
    blank = 0
    for number, line in enumerate(stream_text(path), start=1):
        if not line.strip():
            blank = blank or number
            continue
        try:
            sequence = parse_sequence("" if blank else line)
        except InputError as error:
            raise at(error, f"in line {blank or number} of {path}") from None
        yield Record(None, sequence, number)


def read_records(path: Path | str) -> list[Record]:
    """Read a file that is FASTA by its ending or its first letter, ``>``, and else has lines.

    Raises
    ------
    InputError
        When the file is missing, empty, damaged or not text, and for letters outside ACGTN (with
        line and column).
    """
    return list(stream_fasta(path) if kind_of(path) == FASTA else _stream_one_a_line(path))


def dataset_of(
    records: list[Record], labels: list[float], *, prefix: str = "seq", task: str | None = None
) -> SequenceDataset:
    """Make a data set; names and coordinates come from the headers where all have them.

    Without names they are called ``seq0001`` and so on, or with another prefix.

    ``chr1:5-205`` or ``chr1:5-205(-)`` are coordinates when the interval is as long as the
    sequence, counted from 0 with the end excluded (as bedtools does) or else from 1 with the end
    (samtools).
    """
    names = [record.name for record in records]
    loci = [_locus_of(record) for record in records]
    known = [locus for locus in loci if locus is not None]
    return SequenceDataset.from_sequences(
        [record.sequence for record in records],
        labels,
        names=names if all(names) else default_names(len(names), prefix).tolist(),
        coordinates=Loci(*map(np.array, zip(*known, strict=True)))
        if len(known) == len(loci)
        else None,
        task=task,
    )


def _locus_of(record: Record) -> tuple[str, int, int, str] | None:
    match = _LOCUS.fullmatch(record.name)
    if match is None:
        return None
    start, end, strand = int(match[2]), int(match[3]), match[4] or "."
    first = start - (len(record.sequence) - (end - start))  # 1-based: one more than end - start
    fits = first in (start, start - 1) and 0 <= first < end
    return (match[1], first, end, strand) if fits else None


def with_labels(
    path: Path | str,
    records: list[Record],
    labels: Path | str,
    positive: str | None,
    task: str | None = None,
) -> tuple[SequenceDataset, tuple[str, ...]]:
    """Label the records of a file by the lines of another.

    Parameters
    ----------
    path
        Of the sequences, for messages.
    records
        Its sequences.
    labels
        File with a label a line, or two columns of which the first is 1 for a positive.
    positive
        The word that is the positive label, where labels are words.
    task
        See :func:`motiflens.io.values.find_task`.

    Returns
    -------
    dataset, notes

    Raises
    ------
    InputError
        If a line is no label, or there are not as many as sequences.
    """
    lines = read_text(labels).rstrip().split("\n")
    two_columns = positive is None and all(word in ("0", "1") for word in lines[0].split()[:2])
    two_columns = two_columns and len(lines[0].split()) == 2
    n_columns = len(lines[0].split())
    if not two_columns and n_columns > 1 and _are_numbers(lines[0].split()):
        raise InputError(
            f"there are {n_columns} columns of labels",
            f"in {labels}",
            "one is learnt at a time: give a file with that column",
            "labels",
        )
    if not two_columns:
        task = find_task(lines, labels, positive, task)
    values = convert_each(
        lines,
        parse_number if task == REGRESSION else partial(_parse_label_line, positive=positive),
        lambda i: f"in line {i + 1} of {labels}",
    )
    if len(values) != len(records):
        raise InputError(
            f"there are {len(values)} labels in {labels} for {len(records)} sequences in {path}",
            remedy="check that the two files belong together",
        )
    notes = (f"{labels} has two columns; the first is taken for the positives",) * two_columns
    return dataset_of(records, values, task=task), notes


def _are_numbers(words: list[str]) -> bool:
    try:
        list(map(parse_number, words))
    except InputError:
        return False
    return True


def _parse_label_line(line: str, positive: str | None) -> float:
    """Read a label, or two columns of which the first is 1 for a positive."""
    columns = line.split()
    if len(columns) != 2 or positive is not None:
        return parse_label(line, positive)
    first, second = map(parse_label, columns)
    if first + second != 1:
        raise InputError(
            f"{line!r} does not have one 1 and one 0", remedy="correct the row, or delete it"
        )
    return first


def with_labels_in_headers(
    path: Path | str, records: list[Record], task: str | None = None
) -> SequenceDataset:
    """Label the records of a FASTA file by their names, 0 or 1, or numbers of a regression.

    Raises
    ------
    InputError
        If a record has another name.
    """
    if task == REGRESSION:
        values = convert_each(
            (record.name for record in records),
            parse_number,
            lambda i: f"in line {records[i].line} of {path}",
        )
        return SequenceDataset.from_sequences([r.sequence for r in records], values, task=task)
    unlabelled = next((record for record in records if record.name not in ("0", "1")), None)
    if unlabelled is not None:
        raise InputError(
            "there is no label for the sequence",
            f"in line {unlabelled.line} of {path}",
            "give labels=FILE, negatives=FILE or negatives=shuffle, or FASTA headers that begin "
            "with 0 or 1",
            ("labels", "negatives"),
        )
    return SequenceDataset.from_sequences(
        [record.sequence for record in records], [float(record.name) for record in records]
    )
