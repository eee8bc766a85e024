"""One file and what a user says about it, made into a data set; a function a kind of file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from motiflens.datasets import REGRESSION, Loci, SequenceDataset, open_mapped
from motiflens.errors import InputError
from motiflens.io import sniff
from motiflens.io.bed import read_loci
from motiflens.io.binding_arrays import DEFAULT_SD, read_deepbind, read_microarray, read_signals
from motiflens.io.fasta import dataset_of, read_records, with_labels, with_labels_in_headers
from motiflens.io.genome import Genome, Windows, extract, open_genome
from motiflens.io.negatives import bind, make_negatives, split_kind
from motiflens.io.options import ReadOptions
from motiflens.io.tables import LOCUS_COLUMNS, open_table, read_table

LABELLED = "given"
"""What `Reading.negatives` says when the labels came with the data."""

MAX_WITHOUT_WIDTH = 1000
"""Bases of an interval above which windows of one width are recommended."""


@dataclass(frozen=True)
class Reading:
    """A data set, where its negatives come from, and what to tell the user about it.

    Parameters
    ----------
    dataset
        Positives and negatives.
    negatives
        The kind, as in :class:`ReadOptions`; "given" where the labels came with the data.
    notes
        Sentences for a log: what was counted, dropped and assumed.
    """

    dataset: SequenceDataset
    negatives: str = LABELLED
    notes: tuple[str, ...] = ()


class _Source(NamedTuple):
    path: Path | str
    options: ReadOptions
    seed: int
    need_labels: bool


def read_source(
    path: Path | str, options: ReadOptions, seed: int, need_labels: bool = True
) -> Reading:
    """Read one file; see :func:`motiflens.io.read.read`."""
    with_signal = options.signal_column is not None or options.positive_sd is not None
    kind = sniff.kind_of(path, with_genome=options.genome is not None, with_signal=with_signal)
    _check_options(path, options, kind)
    source = _Source(path, options, seed, need_labels)
    return KINDS[kind].read(source)


def options_beside(path: Path | str, options: ReadOptions, negatives: str | None) -> ReadOptions:
    """Return those options of the main file that a file of another split can have.

    Labels are of one file. What is for another kind of file, and a word or the name of a peak that
    this one does not hold, are left out.
    """
    beside = replace(options, labels=None, negatives=negatives)
    with_signal = options.signal_column is not None or options.positive_sd is not None
    kind = sniff.kind_of(path, with_genome=options.genome is not None, with_signal=with_signal)
    takes = KINDS[kind].takes if kind in KINDS else ()
    unknown = {name: None for name in beside.given() if name not in takes}
    unknown.pop("negatives", None)  # given for this very file: a mistake is told
    if kind == sniff.TABLE and options.positive is not None:
        names, rows = open_table(path)
        index = names.index("label")
        if all(row[index].strip() in ("", "0", "1") for row, _ in rows):
            unknown["positive"] = None
    elif kind == sniff.BED and options.peak_name and not any(read_loci(path).named()):
        unknown["peak_name"] = None
    elif kind in (sniff.FASTA, sniff.LINES):
        unknown["positive"] = None
    return replace(beside, **unknown)


def _check_options(path: Path | str, options: ReadOptions, kind: str) -> None:
    if kind == sniff.TWO_BIT:
        raise InputError(
            f"{path} is 2bit, not sequences to train on",
            remedy="give a BED file, and this one as genome=FILE",
            argument="genome",
        )
    given = options.given()
    wrong = next((name for name in given if name not in KINDS[kind].takes), None)
    if wrong is not None:
        kinds = [other for other, one in KINDS.items() if wrong in one.takes]
        raise InputError(
            f"{wrong}={given[wrong]} is for {' or '.join(kinds)}, and {path} is {kind}",
            remedy="leave it out",
            argument=wrong,
        )
    if options.labels is not None and options.negatives is not None:
        raise InputError(
            f"there are labels={options.labels} and negatives={options.negatives}",
            remedy="leave one of them out",
            argument=("labels", "negatives"),
        )
    if options.task == REGRESSION:
        _check_regression(options)


def _check_regression(options: ReadOptions) -> None:
    """Refuse what makes two classes, where numbers are to be predicted."""
    for name in ("negatives", "positive_sd"):
        value = getattr(options, name)
        if value is not None:
            raise InputError(
                f"there is {name}={value}, which is for two classes, and task={REGRESSION}",
                remedy="leave one of them out",
                argument=(name, "task"),
            )


def _read_table(source: _Source) -> Reading:
    dataset = read_table(source.path, source.options.positive, source.options.task)
    if dataset.coordinates is not None:
        return Reading(dataset)
    names = open_table(source.path)[0]
    unused = " and ".join(name for name in LOCUS_COLUMNS[:3] if name in names)
    note = f"{unused} of {source.path} is not used: coordinates need chrom, start and end"
    return Reading(dataset, LABELLED, (note,) * bool(unused))


def _read_microarray(source: _Source) -> Reading:
    column, sd = source.options.signal_column, source.options.positive_sd
    if column is None:
        raise InputError(
            f"there is positive_sd={sd:g} and no signal_column",
            remedy="give the number of the column that holds the signal, such as signal_column=2",
            argument=("positive_sd", "signal_column"),
        )
    if source.options.task == REGRESSION:
        dataset, in_words = read_signals(source.path, signal_column=column)
        return Reading(dataset, LABELLED, (in_words,))
    sd = DEFAULT_SD if sd is None else sd
    dataset = read_microarray(source.path, signal_column=column, positive_sd=sd)
    note = (
        f"{int(dataset.labels.sum())} of {len(dataset)} probes are positives: signal above the "
        f"mean plus {sd:g} standard deviations"
    )
    return Reading(dataset, LABELLED, (note,))


def _read_deepbind(source: _Source) -> Reading:
    dataset, negatives = read_deepbind(source.path), source.options.negatives
    if (dataset.labels == 1).all():
        chosen = () if negatives else ("the file has positives only",)
        return _with_negatives(source, dataset, negatives or "shuffle", chosen)
    if negatives is not None:
        raise InputError(
            f"there is negatives={negatives}, and {source.path} has both labels",
            remedy="leave them out",
            argument="negatives",
        )
    return Reading(dataset)


def _read_sequences(source: _Source) -> Reading:
    path, options = source.path, source.options
    if options.positive is not None and options.labels is None:
        problem = f"there is positive={options.positive}, and no labels that are words"
        raise InputError(problem, f"beside {path}", "give labels=FILE, or leave it out", "positive")
    records = read_records(path)
    if options.labels is not None:
        dataset, notes = with_labels(path, records, options.labels, options.positive, options.task)
        return Reading(dataset, LABELLED, notes)
    names = [record.name for record in records]
    has_labels = "0" in names and set(names) <= {"0", "1"}
    if options.negatives is None:
        if source.need_labels or has_labels or options.task == REGRESSION:
            return Reading(with_labels_in_headers(path, records, options.task))
        return Reading(dataset_of(records, [1.0] * len(records)), "")
    if has_labels:
        raise InputError(
            f"there is negatives={options.negatives}, and a header that is the label 0",
            f"in line {records[names.index('0')].line} of {path}",
            "leave the negatives out, or rename the header",
            "negatives",
        )
    positives = dataset_of(records, [1.0] * len(records))
    genome = None if options.genome is None else open_genome(options.genome)
    return _with_negatives(source, positives, options.negatives, (), genome)


def _read_bed(source: _Source) -> Reading:
    path, options = source.path, source.options
    if options.genome is None:
        raise InputError(
            f"{path} is a BED file and needs genome=FILE",
            remedy="give FASTA or 2bit, such as genome=hg38.fa",
            argument="genome",
        )
    loci = read_loci(path, name_pattern=options.peak_name)
    genome = open_genome(options.genome)
    chosen, avoid, n_excluded = _without_excluded(loci.windows(options.width), loci, source, genome)
    windows = extract(genome, chosen)
    dropped = f"{n_excluded} windows dropped, as they overlap {options.exclude}"
    notes = (
        *_notes_on_windows(windows, len(loci)),
        *([dropped] if n_excluded else []),
        *_note_on_width(options, loci),
    )
    negatives = options.negatives or "matched"
    return _with_negatives(source, windows.dataset(1), negatives, notes, genome, avoid)


def _without_excluded(
    windows: Loci, loci: Loci, source: _Source, genome: Genome
) -> tuple[Loci, Loci, int]:
    """Return the windows to keep, all that negatives avoid, and how many windows are excluded."""
    path = source.options.exclude
    if path is None:
        return windows, loci, 0
    excluded = read_loci(path)
    own, there = (
        replace(some, chrom=np.where(names == "", some.chrom, names))
        for some, names in ((one, genome.names_of(one.chrom)) for one in (windows, excluded))
    )
    overlaps = own.overlap(there)
    if overlaps.all():
        raise InputError(
            f"all {len(windows)} windows overlap exclude={path}",
            remedy="check that it is the right file",
            argument="exclude",
        )
    return windows.subset(~overlaps), Loci.join([loci, excluded]), int(overlaps.sum())


def _note_on_width(options: ReadOptions, loci: Loci) -> tuple[str, ...]:
    longest = int((loci.end - loci.start).max())
    if options.width is not None or longest <= MAX_WITHOUT_WIDTH:
        return ()
    return (
        f"intervals stay as they are, the longest with {longest:,} bp; width=200 takes "
        "windows around their summits or middles, where motifs lie, and trains faster",
    )


_NOTES = {
    "missing_contig": "dropped, as the genome lacks their contig",
    "over_end": "dropped, as they go over the end of their contig",
    "mostly_n": "dropped, as more than half of them is N",
    "renamed_contig": "found under the contig's other name, with or without chr",
    "with_n": "kept with some N",
    "duplicates": "kept though another is equal",
}


def _notes_on_windows(windows: Windows, n_rows: int) -> tuple[str, ...]:
    counts = windows.counts
    notes = [f"{counts[name]} windows {text}" for name, text in _NOTES.items() if counts[name]]
    repeat = float(windows.repeat.mean())
    return (
        f"{counts['kept']} of {n_rows} rows became windows",
        *notes,
        *([f"{repeat:.0%} of their bases are soft-masked repeats"] if repeat else []),
    )


def _with_negatives(
    source: _Source,
    positives: SequenceDataset,
    kind: str,
    notes: tuple[str, ...],
    genome: Genome | None = None,
    loci: Loci | None = None,
) -> Reading:
    if source.options.negatives is None and not source.need_labels:
        return Reading(positives, "", notes)
    negatives = make_negatives(
        kind,
        positives,
        genome=genome,
        loci=loci,
        width=source.options.width,
        seed=source.seed,
    )
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


def _read_mapped(source: _Source) -> Reading:
    return Reading(open_mapped(source.path))


class Kind(NamedTuple):
    """How files of a kind are read, and the options that they take."""

    read: Callable[[_Source], Reading]
    takes: tuple[str, ...]


#: Every kind of file that holds sequences, by what :mod:`motiflens.io.sniff` calls it.
KINDS = {
    sniff.MAPPED: Kind(_read_mapped, ()),
    sniff.TABLE: Kind(_read_table, ("positive", "task")),
    sniff.MICROARRAY: Kind(_read_microarray, ("signal_column", "positive_sd", "task")),
    sniff.BED: Kind(_read_bed, ("negatives", "genome", "width", "peak_name", "exclude")),
    sniff.DEEPBIND: Kind(_read_deepbind, ("negatives",)),
    sniff.FASTA: Kind(_read_sequences, ("labels", "positive", "negatives", "genome", "task")),
    sniff.LINES: Kind(_read_sequences, ("labels", "positive", "negatives", "genome", "task")),
}
