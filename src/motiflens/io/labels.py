"""Labels of sequences that come without a table: from a file beside them, or from their headers."""

from __future__ import annotations

from pathlib import Path

from motiflens.datasets import SequenceDataset
from motiflens.datasets.located import convert_each, parse_label
from motiflens.errors import InputError
from motiflens.files import read_text
from motiflens.io.records import Record, dataset_of


def with_labels(
    path: Path | str, records: list[Record], labels: Path | str
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

    Returns
    -------
    dataset, notes

    Raises
    ------
    InputError
        If a line is no label, or there are not as many as sequences.
    """
    lines = read_text(labels).rstrip().split("\n")
    values = convert_each(lines, _parse_label_line, lambda i: f"line {i + 1} of {labels}")
    if len(values) != len(records):
        raise InputError(
            "there are as many labels as sequences",
            got=f"{len(values)} labels in {labels} for {len(records)} sequences in {path}",
            remedy="check that the two files belong together",
        )
    two_columns = len(lines[0].split()) == 2
    notes = (f"{labels} has two columns; the first is taken for the positives",) * two_columns
    return dataset_of(records, values), notes


def _parse_label_line(line: str) -> float:
    """Read a label, or two columns of which the first is 1 for a positive."""
    columns = line.split()
    if len(columns) != 2:
        return parse_label(line)
    positive, negative = map(parse_label, columns)
    if positive + negative != 1:
        raise InputError(
            "of two columns of labels, one is 1 and the other 0",
            got=repr(line),
            remedy="correct or drop the row",
        )
    return positive


def with_labels_in_headers(path: Path | str, records: list[Record]) -> SequenceDataset:
    """Label the records of a FASTA file by their names, 0 or 1.

    Raises
    ------
    InputError
        If a record has another name.
    """
    unlabelled = next((record for record in records if record.name not in ("0", "1")), None)
    if unlabelled is not None:
        raise InputError(
            "sequences have labels: a file of labels, negatives, or FASTA headers that "
            "begin with 0 or 1",
            got=f"no label for the sequence in line {unlabelled.line} of {path}",
            remedy="give them too, as --labels FILE or --negatives FILE (or shuffle)",
        )
    return SequenceDataset.from_sequences(
        [record.sequence for record in records], [float(record.name) for record in records]
    )
