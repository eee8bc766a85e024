"""Files of any kind, made into a data set.

Sequences come from a FASTA file, from a file with one sequence a line, or from a BED file and a
genome. Their labels come from a second file, from the FASTA headers (``>1``, ``>0``), or the
sequences are positives and negatives are made or read. A table has its labels with it, as have
DeepBind's files and, by their signal, microarrays. All of them may be compressed (``.gz``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from motiflens.datasets import SequenceDataset, open_mapped, read_table, table_kind
from motiflens.errors import InputError
from motiflens.files import read_text
from motiflens.io.bed import Loci, read_loci
from motiflens.io.binding_arrays import DEFAULT_SD, read_deepbind, read_microarray
from motiflens.io.genome import Genome, open_genome
from motiflens.io.labels import with_labels, with_labels_in_headers
from motiflens.io.negatives import bind, make_negatives, split_kind
from motiflens.io.records import FASTA_NAME, Record, dataset_of, read_fasta, read_records
from motiflens.io.windows import Windows, extract

__all__ = ["Reading", "Source", "read", "read_dataset", "read_fasta"]

LABELLED = "given"
"""What `Reading.negatives` says when the labels came with the data."""

MAPPED_NAME = ".motiflens"
LONG = 1000
"""Bases of an interval above which windows of one width are recommended."""

_BED_NAME = re.compile(r"\.(bed|narrowpeak|broadpeak)(\.gz)?$", re.IGNORECASE)
_DEEPBIND_NAME = re.compile(r"\.seq(\.gz)?$", re.IGNORECASE)


@dataclass(frozen=True)
class Source:
    """A file, and what is needed to make a data set of it.

    Parameters
    ----------
    path
        A table, sequences, a BED file, DeepBind's ``.seq``, the text of a microarray, or a folder
        ``.motiflens`` of mapped arrays.
    labels
        One label a line, for the sequences of ``path`` in their order. With two columns, the
        first is 1 for a positive and the second 1 for a negative.
    negatives
        The sequences of ``path`` are positives, and these the negatives: ``shuffle``,
        ``matched``, a file, or several joined by ``+`` (see
        :func:`motiflens.io.negatives.make_negatives`). By default ``matched`` for BED files and
        ``shuffle`` for a ``.seq`` of positives only.
    genome
        FASTA or 2bit, for a BED file.
    width
        Of windows around the summits or middles of a BED file; else intervals as they are.
    peak_name
        Only the rows of a BED file whose name matches, such as ``CTCF_*``.
    signal_column, positive_sd
        For a microarray, see :func:`motiflens.io.binding_arrays.read_microarray`.
    seed
        Of negatives that are made.
    """

    path: Path | str
    labels: Path | str | None = None
    negatives: Path | str | None = None
    genome: Path | str | None = None
    width: int | None = None
    peak_name: str | None = None
    signal_column: int | None = None
    positive_sd: float | None = None
    seed: int = 0


@dataclass(frozen=True)
class Reading:
    """A data set, where its negatives come from, and what to tell the user about it.

    Parameters
    ----------
    dataset
        Positives and negatives.
    negatives
        The kind, as in `Source`; "given" where the labels came with the data.
    notes
        Sentences for a log: what was counted, dropped and assumed.
    """

    dataset: SequenceDataset
    negatives: str
    notes: tuple[str, ...] = ()


_OPTIONS = {
    "a mapped data set has its labels with it": (),
    "a table has its labels in the column 'label', and its sequences beside them": (),
    "a microarray has its labels in the signal": ("signal_column", "positive_sd"),
    "a BED file takes its sequences from a genome, and its negatives too or from a file": (
        "negatives",
        "genome",
        "width",
        "peak_name",
    ),
    "a .seq file has its labels in the column 'Bound'; positives alone take negatives": (
        "negatives",
    ),
    "sequences take labels or negatives, and a genome for those that are matched": (
        "labels",
        "negatives",
        "genome",
    ),
}
_MAPPED, _TABLE, _MICROARRAY, _BED, _DEEPBIND, _SEQUENCES = _OPTIONS


def read_dataset(path: Path | str, **options: Any) -> SequenceDataset:
    """Read a data set; ``options`` are the other fields of `Source`, such as ``labels``.

    Raises
    ------
    InputError
        See `read`.
    """
    return read(Source(path, **options)).dataset


def read(source: Source) -> Reading:
    """Read a data set, and tell what was done.

    The ending of the name tells what a file is: ``.motiflens`` a folder made by
    :func:`motiflens.datasets.convert_streaming`, in which the sequences stay, ``.parquet .tsv
    .csv`` a table, ``.fa .fasta .fna`` FASTA, ``.bed .narrowPeak .broadPeak`` BED, ``.seq``
    DeepBind's. Any other file is a microarray when a signal column is named, FASTA when it begins
    with ``>``, a BED file when a genome is given, and else holds one sequence a line.

    Raises
    ------
    InputError
        When a file is missing, empty, damaged or not text, for lines, letters and labels that are
        none (with file and line), when sequences and labels differ in number, for an option that
        does not go with the file, and when it cannot be told where the labels are.
    """
    kind = _kind(source)
    _check_options(source, kind)
    if kind == _MAPPED:
        return Reading(open_mapped(source.path), LABELLED)
    if kind == _TABLE:
        return Reading(read_table(source.path), LABELLED)
    if kind == _MICROARRAY:
        return _read_microarray(source)
    if kind == _BED:
        return _read_bed(source)
    if kind == _DEEPBIND:
        return _read_deepbind(source)
    records = read_records(source.path)
    if source.negatives is not None:
        return _with_negatives(source, records)
    if source.labels is not None:
        dataset, notes = with_labels(source.path, records, source.labels)
        return Reading(dataset, LABELLED, notes)
    return Reading(with_labels_in_headers(source.path, records), LABELLED)


def _kind(source: Source) -> str:
    name = Path(source.path).name
    if name.endswith(MAPPED_NAME):
        return _MAPPED
    if table_kind(source.path) is not None:
        return _TABLE
    if source.signal_column is not None or source.positive_sd is not None:
        return _MICROARRAY
    if _BED_NAME.search(name):
        return _BED
    if _DEEPBIND_NAME.search(name):
        return _DEEPBIND
    is_fasta = FASTA_NAME.search(name) or read_text(source.path).startswith(">")
    return _BED if source.genome is not None and not is_fasta else _SEQUENCES


def _check_options(source: Source, kind: str) -> None:
    given = {
        field.name: getattr(source, field.name)
        for field in fields(source)
        if field.name not in ("path", "seed") and getattr(source, field.name) is not None
    }
    wrong = next((name for name in given if name not in _OPTIONS[kind]), None)
    if wrong is not None:
        raise InputError(
            kind, got=f"{wrong} {given[wrong]} beside {source.path}", remedy="leave it out"
        )
    if source.labels is not None and source.negatives is not None:
        raise InputError(
            "labels come from one place",
            got=f"the labels {source.labels} and the negatives {source.negatives}",
            remedy="leave one of them out",
        )


def _read_microarray(source: Source) -> Reading:
    if source.signal_column is None:
        raise InputError(
            "the signal of a microarray is in a column that is named by its number",
            got=f"only positive_sd {source.positive_sd}",
            remedy="give the column of the signal, such as 2",
        )
    sd = DEFAULT_SD if source.positive_sd is None else source.positive_sd
    dataset = read_microarray(source.path, signal_column=source.signal_column, positive_sd=sd)
    note = (
        f"{int(dataset.labels.sum())} of {len(dataset)} probes are positives: signal above the "
        f"mean plus {sd:g} standard deviations"
    )
    return Reading(dataset, LABELLED, (note,))


def _read_deepbind(source: Source) -> Reading:
    dataset = read_deepbind(source.path)
    if (dataset.labels == 1).all():
        chosen = () if source.negatives else ("the file has positives only",)
        kind = str(source.negatives or "shuffle")
        return _complete(source, dataset, kind, chosen)
    if source.negatives is not None:
        raise InputError(
            _DEEPBIND,
            got=f"the negatives {source.negatives} beside {source.path}, which has both labels",
            remedy="leave them out",
        )
    return Reading(dataset, LABELLED)


def _read_bed(source: Source) -> Reading:
    if source.genome is None:
        raise InputError(
            _BED,
            got=f"no genome beside {source.path}",
            remedy="give its genome (FASTA or 2bit), such as --genome hg38.fa",
        )
    loci = read_loci(source.path, name_pattern=source.peak_name)
    genome = open_genome(source.genome)
    windows = extract(genome, loci.windows(source.width))
    positives = SequenceDataset.from_sequences(
        windows.sequences,
        np.ones(len(windows.sequences)),
        names=windows.names,
        coordinates=windows.coordinates,
    )
    kind = str(source.negatives or "matched")
    notes = (*_notes(windows), *_note_on_width(source, loci))
    return _complete(source, positives, kind, notes, genome, loci)


def _note_on_width(source: Source, loci: Loci) -> tuple[str, ...]:
    longest = int((loci.end - loci.start).max())
    if source.width is not None or longest <= LONG:
        return ()
    return (
        f"intervals stay as they are, the longest with {longest:,} bp; --width 200 takes windows "
        "around their summits or middles, where motifs lie, and trains faster",
    )


_NOTES = {
    "missing_contig": "dropped, as the genome lacks their contig",
    "over_end": "dropped, as they go over the end of their contig",
    "mostly_n": "dropped, as more than half of them is N",
    "renamed_contig": "found under the contig's other name, with or without chr",
    "with_n": "kept with some N",
    "duplicates": "kept though another is equal",
}


def _notes(windows: Windows) -> tuple[str, ...]:
    counts = windows.counts
    found = [f"{counts[name]} windows {text}" for name, text in _NOTES.items() if counts[name]]
    repeat = float(windows.repeat.mean())
    return (
        f"{counts['kept']} of {counts['rows']} rows became windows",
        *found,
        *([f"{repeat:.0%} of their bases are soft-masked repeats"] if repeat else []),
    )


def _with_negatives(source: Source, records: list[Record]) -> Reading:
    names = [record.name for record in records]
    if "0" in names and set(names) <= {"0", "1"}:
        raise InputError(
            "sequences take labels from their headers or take negatives",
            got=f"the label 0 in line {records[names.index('0')].line} of {source.path}, and the "
            f"negatives {source.negatives}",
            remedy="leave one of them out",
        )
    positives = dataset_of(records, [1.0] * len(records))
    genome = None if source.genome is None else open_genome(source.genome)
    return _complete(source, positives, str(source.negatives), (), genome)


def _complete(
    source: Source,
    positives: SequenceDataset,
    kind: str,
    notes: tuple[str, ...],
    genome: Genome | None = None,
    loci: Loci | None = None,
) -> Reading:
    negatives = make_negatives(kind, positives, genome=genome, loci=loci, seed=source.seed)
    n_unmatched = len(positives) - len(negatives) if split_kind(kind) == ["matched"] else 0
    added = [
        f"{len(negatives)} negatives: {kind}; GC {_gc(positives):.0%} in positives, "
        f"{_gc(negatives):.0%} in negatives"
    ]
    if n_unmatched:
        added.append(f"{n_unmatched} positives have no negative, as no similar window is free")
    return Reading(bind(positives, negatives), kind, (*notes, *added))


def _gc(dataset: SequenceDataset) -> float:
    a, c, g, t = (int((dataset.codes == code).sum()) for code in range(4))
    return (c + g) / max(a + c + g + t, 1)
