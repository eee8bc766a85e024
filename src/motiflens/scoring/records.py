"""Sequences of any file, of a pipe or from Python, one by one, none of them lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import numpy as np

from motiflens.datasets import Loci, SequenceDataset, open_mapped
from motiflens.errors import InputError
from motiflens.files import STDIN, is_pipe, stream_pipe, stream_text
from motiflens.hits.sequence_files import codes_of_letters
from motiflens.io import sniff
from motiflens.io.bed import stream_bed
from motiflens.io.binary_tables import Row
from motiflens.io.genome import Genome, open_genome
from motiflens.io.inputs import Sequences, as_dataset, is_frame, is_sequence
from motiflens.io.tables import FRAME, delimited_rows, open_frame, open_table
from motiflens.sequences import reverse_complement_string

#: Rows of a BED file that are placed on the genome at a time.
AT_ONCE = 1000
#: The columns that a table of sequences must have.
_NEEDED = ("sequence",)


class Record(NamedTuple):
    """A sequence.

    Parameters
    ----------
    name
        Its own, its place on a genome, or its number: ``seq0001``.
    codes
        One byte a base; of a sequence that is longer than was asked for, none.
    length
        In bases.
    problem
        Why there is no sequence, or empty.
    """

    name: str
    codes: bytes
    length: int
    problem: str = ""


@dataclass(frozen=True, eq=False)
class Records:
    """Sequences in their order.

    Parameters
    ----------
    origin
        Where they come from, for messages.
    read
        ``read(longest)`` gives them, the codes of up to ``longest`` bases.
    once
        Whether they can be read only once.
    """

    origin: str
    read: Callable[[int], Iterator[Record]]
    once: bool = False

    def count(self) -> int:
        """Go through all of them and count."""
        return sum(1 for _ in self.read(0))


def open_records(
    sequences: Sequences, genome: Path | str | None = None, width: int | None = None
) -> Records:
    """Open sequences of any kind.

    Parameters
    ----------
    sequences
        A file (FASTA, a table, one a line, DeepBind's, BED, a folder .motiflens), ``-`` for
        standard input, or what :func:`motiflens.one_hot` takes. Letters of the IUPAC code other
        than ACGT read as N. A header without a sequence and an empty line are sequences of no base.
    genome
        FASTA or 2bit, for BED.
    width
        Bases of windows around the summits or middles of BED; None for intervals as they are.

    Raises
    ------
    InputError
        When a file is missing, empty, damaged or of another kind, or is BED without a genome; for
        other letters when they are read.
    """
    if isinstance(sequences, str | PathLike) and not is_sequence(sequences):
        return _open_file(Path(sequences), genome, width)
    if genome is not None:
        raise InputError(
            f"genome={genome} is for a BED file", remedy="leave it out", argument="genome"
        )
    if isinstance(sequences, list | tuple) and all(isinstance(one, str) for one in sequences):
        texts = [str(one) for one in sequences]
        return Records("the sequences", lambda longest: _of_texts(texts, longest))
    if is_frame(sequences):
        return Records(FRAME, lambda longest: _of_rows(*open_frame(sequences, _NEEDED), longest))
    return _of_dataset(as_dataset(sequences))


def _of_texts(texts: Iterable[str], longest: int) -> Iterator[Record]:
    for number, text in enumerate(texts, start=1):
        yield _record("", text, number, f"in sequence {number}", longest)


def _of_dataset(dataset: SequenceDataset) -> Records:
    def read(longest: int) -> Iterator[Record]:
        for row, (name, n) in enumerate(
            zip(dataset.names.tolist(), dataset.lengths.tolist(), strict=True)
        ):
            codes = np.asarray(dataset.codes[row, :n]).tobytes() if n <= longest else b""
            yield Record(name, codes, n)

    return Records("the data set", read)


def _open_file(path: Path, genome: Path | str | None, width: int | None) -> Records:
    if width is not None and width < 1:
        raise InputError(f"width={width} is below 1", remedy="try width=200", argument="width")
    once, lines = is_pipe(path), None
    if once:
        lines = stream_pipe(path)
        path = Path("standard input") if str(path) == STDIN else path
        first = next(lines)
        kind = sniff.kind_of_line(first, path, with_genome=genome is not None)
        lines = chain([first], lines)
    else:
        kind = sniff.kind_of(path, with_genome=genome is not None)
    _check(path, kind, genome, width)
    if kind == sniff.MAPPED:
        return _of_dataset(open_mapped(path))
    if genome is not None:
        opened = open_genome(genome)
        return Records(
            str(path), lambda longest: _bed(path, lines, opened, width, longest), once=once
        )
    read = {sniff.TABLE: _table, sniff.DEEPBIND: _deepbind, sniff.FASTA: _fasta}.get(kind, _lines)
    return Records(str(path), lambda longest: read(path, lines, longest), once=once)


def _check(path: Path, kind: str, genome: Path | str | None, width: int | None) -> None:
    """Refuse a kind that holds no sequences, and options of another one."""
    if kind == sniff.TWO_BIT:
        raise InputError(
            f"{path} is 2bit, a genome", remedy="give a BED file, and this one as genome=FILE"
        )
    if kind == sniff.BED and genome is None:
        raise InputError(
            f"{path} is a BED file and needs genome=FILE",
            remedy="give FASTA or 2bit, such as genome=hg38.fa",
            argument="genome",
        )
    given = {"genome": genome, "width": width}
    wrong = next((name for name, value in given.items() if value is not None), None)
    if kind != sniff.BED and wrong:
        raise InputError(
            f"{path} is {kind}, and there is {wrong}={given[wrong]}",
            remedy="leave it out",
            argument=wrong,
        )


def _record(name: str, text: str, number: int, where: str, longest: int) -> Record:
    codes = codes_of_letters(text, where)
    return Record(name or f"seq{number:04}", codes if len(codes) <= longest else b"", len(codes))


def _lines(path: Path, lines: Iterator[str] | None, longest: int) -> Iterator[Record]:
    """Read one sequence a line; blank lines behind the last one are none."""
    blank = 0
    for number, line in enumerate(lines or stream_text(path), start=1):
        if not line.strip():
            blank += 1
            continue
        for empty in range(number - blank, number):
            yield Record(f"seq{empty:04}", b"", 0)
        blank = 0
        yield _record("", line, number, f"in line {number} of {path}", longest)


def _fasta(path: Path, lines: Iterator[str] | None, longest: int) -> Iterator[Record]:
    """Read FASTA; only one sequence of up to ``longest`` bases is held."""
    name, held, length, count = "", bytearray(), 0, 0
    for number, line in enumerate(lines or stream_text(path), start=1):
        text = line.strip()
        if text.startswith(">"):
            if count:
                yield Record(name, bytes(held), length)
            count += 1
            name = ([*text[1:].split(), ""])[0] or f"seq{count:04}"
            held, length = bytearray(), 0
        elif text:
            if not count:
                raise InputError(
                    f"no header, '>name', comes before {text[:40]!r}",
                    f"in line {number} of {path}",
                    "add one, or rename the file to .txt when it has one sequence a line",
                )
            codes = codes_of_letters(text, f"in line {number} of {path}")
            length += len(codes)
            if length <= longest:
                held += codes
            else:
                held.clear()
    yield Record(name, bytes(held), length)


def _table(path: Path, lines: Iterator[str] | None, longest: int) -> Iterator[Record]:
    return _of_rows(*open_table(path, _NEEDED, lines), longest)


def _of_rows(names: list[str], rows: Iterator[Row], longest: int) -> Iterator[Record]:
    sequence, name = names.index("sequence"), names.index("name") if "name" in names else None
    for number, (row, where) in enumerate(rows, start=1):
        own = "" if name is None else row[name]
        yield _record(own, row[sequence], number, where, longest)


def _deepbind(path: Path, lines: Iterator[str] | None, longest: int) -> Iterator[Record]:
    rows = delimited_rows(lines or stream_text(path), path, "\t")
    header = [name.strip().lower() for name in next(rows)[0]]
    if "seq" not in header:
        raise InputError(
            f"the first line of {path} does not name a column 'seq': {header[:6]}",
            remedy="add the line, or rename the file to .txt when it has one sequence a line",
        )
    for number, (row, where) in enumerate(rows, start=1):
        own = row[header.index("eventid")] if "eventid" in header else ""
        yield _record(own, row[header.index("seq")], number, where, longest)


def _bed(
    path: Path, lines: Iterator[str] | None, genome: Genome, width: int | None, longest: int
) -> Iterator[Record]:
    rows = stream_bed(path, lines)
    while block := list(islice(rows, AT_ONCE)):
        loci = Loci(*map(np.array, zip(*block, strict=True)))
        windows = loci.windows(width)
        contigs = genome.names_of(windows.chrom).tolist()
        for name, contig, (_, start, end), strand in zip(
            loci.names(), contigs, windows.spans(), loci.strand.tolist(), strict=True
        ):
            if not contig or start < 0 or end > genome.contigs[contig].size:
                yield Record(name, b"", end - start, "not in the genome")
            elif end - start > longest:
                yield Record(name, b"", end - start)
            else:
                letters = genome.fetch(contig, start, end)
                letters = reverse_complement_string(letters) if strand == "-" else letters
                yield Record(name, codes_of_letters(letters, f"in {genome.path}"), end - start)
