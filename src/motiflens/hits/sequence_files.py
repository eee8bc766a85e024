"""Sequences of any file and any size, a stretch at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from motiflens.datasets import default_names, open_mapped, stream_entries, table_kind
from motiflens.errors import InputError
from motiflens.files import open_binary
from motiflens.hits.blocks import Stretch
from motiflens.hits.fasta_stream import stream_fasta, unpacked
from motiflens.hits.intervals import Intervals, intervals_of_bed, whole_contigs
from motiflens.io.genome import open_genome
from motiflens.io.records import FASTA_NAME, read_records
from motiflens.io.two_bit import is_two_bit
from motiflens.progress import Advance
from motiflens.sequences import encode

MAPPED_NAME = ".motiflens"
_BED_NAME = re.compile(r"\.(bed|narrowpeak|broadpeak)(\.gz)?$", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class SequenceFile:
    """Sequences that can be read more than once.

    Parameters
    ----------
    total
        About how many steps of progress one reading counts: bases, or bytes of the file.
    read
        ``read(widest, advance, names)`` gives stretches in which every window of up to ``widest``
        bases lies whole in one, counts steps, and puts the name of each sequence into the list.
    notes
        Sentences for a log.
    """

    total: int
    read: Callable[[int, Advance, list[str]], Iterator[Stretch]]
    notes: tuple[str, ...] = field(default=())


def open_sequences(path: Path | str, genome: Path | str | None = None) -> SequenceFile:
    """Open sequences of any kind for a search.

    By its name a file is a BED file (``.bed .narrowPeak .broadPeak``), a table (``.parquet .tsv
    .csv``), a folder ``.motiflens`` or FASTA (``.fa .fasta .fna``). Of other files, the content
    tells 2bit, FASTA (``>``), or one sequence a line; beside a genome such a file is BED.

    Of a FASTA file, letters of the IUPAC code other than ACGT read as N. Intervals of a BED file
    are searched on the strands of the genome, whatever their own; those that overlap share their
    sites. Intervals that the genome does not hold whole are left out, with a note.

    Raises
    ------
    InputError
        When the file is missing, empty or damaged, holds other letters, or is BED without a genome
        or another kind beside one; some of it only when it is read.
    """
    path = Path(path)
    is_fasta = FASTA_NAME.search(path.name) is not None
    if _BED_NAME.search(path.name) or (genome is not None and not is_fasta):
        return _open_intervals(_intervals(path, genome))
    if genome is not None:
        raise InputError(
            "a genome goes with a BED file",
            got=f"{genome} beside {path}",
            remedy="leave the genome out to search the sequences themselves",
        )
    if path.name.endswith(MAPPED_NAME):
        return _open_mapped(path)
    with open_binary(path) as file:
        is_genome = is_two_bit(file.read(16))
        size = file.seek(0, 2)
    if table_kind(path) is not None:
        return SequenceFile(size, lambda _, advance, names: _read_table(path, advance, names))
    if is_genome:
        return _open_intervals(whole_contigs(open_genome(path)))
    with unpacked(path) as (_, content):
        is_fasta = is_fasta or content.read(1) == b">"
    if is_fasta:
        return SequenceFile(
            size, lambda widest, advance, names: stream_fasta(path, widest, advance, names)
        )
    return _open_lines(path)


def _intervals(path: Path, genome: Path | str | None) -> Intervals:
    if genome is None:
        raise InputError(
            "a BED file takes its sequences from a genome",
            got=f"no genome beside {path}",
            remedy="give its genome (FASTA or 2bit), such as --genome hg38.fa",
        )
    return intervals_of_bed(path, open_genome(genome))


def _open_intervals(intervals: Intervals) -> SequenceFile:
    def read(widest: int, advance: Advance, names: list[str]) -> Iterator[Stretch]:
        names += intervals.names
        return intervals.stretches(widest, advance)

    return SequenceFile(intervals.n_bases, read, intervals.notes)


def _open_lines(path: Path) -> SequenceFile:
    records = read_records(path)

    def read(_: int, advance: Advance, names: list[str]) -> Iterator[Stretch]:
        names += default_names(len(records)).tolist()
        for index, record in enumerate(records):
            codes = encode([record.sequence])[0][0]
            advance(len(codes))
            yield Stretch(index, 0, codes, len(codes))

    return SequenceFile(sum(len(record.sequence) for record in records), read)


def _open_mapped(path: Path) -> SequenceFile:
    dataset = open_mapped(path)

    def read(_: int, advance: Advance, names: list[str]) -> Iterator[Stretch]:
        names += dataset.names.tolist()
        for index, length in enumerate(dataset.lengths.tolist()):
            advance(length)
            yield Stretch(index, 0, np.asarray(dataset.codes[index, :length]), length)

    return SequenceFile(int(dataset.lengths.sum(dtype=np.int64)), read)


def _read_table(path: Path, advance: Advance, names: list[str]) -> Iterator[Stretch]:
    for index, entry in enumerate(stream_entries(path)):
        names.append(entry.name or f"seq{index + 1:04}")
        codes = encode([entry.sequence])[0][0]
        advance(len(codes))
        yield Stretch(index, 0, codes, len(codes))
