"""Files of other kinds, made into a data set.

Sequences come from a FASTA file or from a file with one sequence a line. Their labels come from
a second file of negatives, from a file with one label a line, or from the FASTA headers
(``>1``, ``>0``). A table has its labels with it. All of them may be compressed (``.gz``).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from motiflens.datasets import SequenceDataset, read_table, table_kind
from motiflens.datasets.located import at, convert_each, parse_label, parse_sequence
from motiflens.errors import InputError
from motiflens.files import read_text

_FASTA_NAME = re.compile(r"\.(fa|fasta|fna)(\.gz)?$", re.IGNORECASE)


class _Record(NamedTuple):
    """A sequence, its header (None in a file of lines) and the line where it starts."""

    header: str | None
    sequence: str
    line: int

    @property
    def name(self) -> str:
        return ((self.header or "").split() or [""])[0]


def read_dataset(
    path: Path | str, *, labels: Path | str | None = None, negatives: Path | str | None = None
) -> SequenceDataset:
    """Read sequences and labels.

    The ending of the name tells what a file is: ``.parquet .tsv .csv`` a table,
    ``.fa .fasta .fna`` FASTA. Any other file is FASTA when it begins with ``>``, and else holds one
    sequence a line.

    Parameters
    ----------
    path
        A table, or sequences in FASTA or one a line.
    labels
        One label a line, for the sequences of ``path`` in their order.
    negatives
        Sequences in FASTA or one a line; those of ``path`` are positives then.

    Raises
    ------
    InputError
        When a file is missing, empty, damaged or not text, for letters outside ACGTN and labels
        other than 0 and 1 (with file and line), when sequences and labels differ in number, and
        when it cannot be told where the labels are.
    """
    if labels is not None and negatives is not None:
        raise InputError(
            "labels come from one place",
            got=f"the labels {labels} and the negatives {negatives}",
            remedy="leave one of them out",
        )
    if table_kind(path) is not None:
        if labels is not None or negatives is not None:
            raise InputError(
                "a table has its labels in the column 'label'",
                got=f"{labels or negatives} beside {path}",
                remedy="leave it out",
            )
        return read_table(path)
    records = _read_records(path)
    if negatives is not None:
        return _with_negatives(records, _read_records(negatives))
    if labels is not None:
        return _with_labels(path, records, labels)
    return _with_labels_in_headers(path, records)


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


def _read_records(path: Path | str) -> list[_Record]:
    text = read_text(path)
    if _FASTA_NAME.search(Path(path).name) or text.startswith(">"):
        return _parse_fasta(path, text)
    lines = text.rstrip().split("\n")
    sequences = convert_each(lines, parse_sequence, lambda i: f"line {i + 1} of {path}")
    return [_Record(None, sequence, line) for line, sequence in enumerate(sequences, start=1)]


def _parse_fasta(path: Path | str, text: str) -> list[_Record]:
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
        records.append(_Record(lines[start][1:], "".join(body), start + 1))
    return records


def _parse_line(text: str, line: int, path: Path | str) -> str:
    try:
        return parse_sequence(text)
    except InputError as error:
        raise at(error, f"line {line} of {path}") from None


def _with_negatives(positives: list[_Record], negatives: list[_Record]) -> SequenceDataset:
    records = positives + negatives
    return SequenceDataset.from_sequences(
        [record.sequence for record in records],
        [1.0] * len(positives) + [0.0] * len(negatives),
        names=_names(records),
    )


def _with_labels(path: Path | str, records: list[_Record], labels: Path | str) -> SequenceDataset:
    lines = read_text(labels).rstrip().split("\n")
    values = convert_each(lines, parse_label, lambda i: f"line {i + 1} of {labels}")
    if len(values) != len(records):
        raise InputError(
            "there are as many labels as sequences",
            got=f"{len(values)} labels in {labels} for {len(records)} sequences in {path}",
            remedy="check that the two files belong together",
        )
    sequences = [record.sequence for record in records]
    return SequenceDataset.from_sequences(sequences, values, names=_names(records))


def _with_labels_in_headers(path: Path | str, records: list[_Record]) -> SequenceDataset:
    unlabelled = next((record for record in records if record.name not in ("0", "1")), None)
    if unlabelled is not None:
        raise InputError(
            "sequences have labels: a file of labels or of negatives, or FASTA headers that "
            "begin with 0 or 1",
            got=f"no label for the sequence in line {unlabelled.line} of {path}",
            remedy="give the labels or the negatives too",
        )
    return SequenceDataset.from_sequences(
        [record.sequence for record in records], [float(record.name) for record in records]
    )


def _names(records: list[_Record]) -> list[str] | None:
    """Give the names in the headers, or None (for numbers) as soon as a record has none."""
    return [record.name for record in records] if all(r.name for r in records) else None
