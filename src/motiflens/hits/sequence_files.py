"""Sequences of any file and any size, a stretch at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from os import SEEK_END
from pathlib import Path

import numpy as np

from motiflens.datasets import SequenceDataset, open_mapped
from motiflens.errors import InputError
from motiflens.files import open_binary
from motiflens.hits.blocks import BLOCK, Stretch
from motiflens.hits.intervals import Intervals, intervals_of_bed, whole_contigs
from motiflens.io import sniff
from motiflens.io.binding_arrays import read_deepbind
from motiflens.io.fasta import dataset_of, read_records, stream_lines
from motiflens.io.genome import open_genome
from motiflens.io.mapped import stream_entries
from motiflens.io.values import refuse_protein
from motiflens.progress import Advance
from motiflens.sequences import ALPHABET, IUPAC, PAD, encode

_WRONG = b"\xff"


def _make_codes() -> bytes:
    codes = bytearray(_WRONG * 256)
    for letter, bases in {**IUPAC, "U": (ALPHABET.index("T"),)}.items():
        for byte in (ord(letter), ord(letter.lower())):
            codes[byte] = bases[0] if len(bases) == 1 else PAD
    return bytes(codes)


_CODES = _make_codes()


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
    """Open sequences of any kind for a search; see :func:`motiflens.io.sniff.kind_of`.

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
    kind = sniff.kind_of(path, with_genome=genome is not None)
    if (kind == sniff.BED) != (genome is not None):
        if genome is None:
            raise InputError(
                f"{path} is a BED file and needs genome=FILE",
                remedy="give FASTA or 2bit, such as genome=hg38.fa",
                argument="genome",
            )
        raise InputError(
            f"{path} is {kind}, and there is genome={genome}",
            remedy="leave it out to search the sequences themselves",
            argument="genome",
        )
    if genome is not None:
        return _open_intervals(intervals_of_bed(path, open_genome(genome)))
    if kind == sniff.MAPPED:
        return _open_dataset(open_mapped(path))
    if kind == sniff.TWO_BIT:
        return _open_intervals(whole_contigs(open_genome(path)))
    size = _size(path)
    if kind == sniff.TABLE:
        return SequenceFile(size, lambda _, advance, names: _read_table(path, advance, names))
    if kind == sniff.FASTA:
        return SequenceFile(
            size, lambda widest, advance, names: _read_fasta(path, widest, advance, names)
        )
    if kind == sniff.DEEPBIND:
        return _open_dataset(read_deepbind(path))
    records = read_records(path)
    return _open_dataset(dataset_of(records, [1.0] * len(records)))


def _size(path: Path) -> int:
    """Return the bytes of a file; one that is not there is an InputError."""
    with open_binary(path) as file:
        return file.seek(0, SEEK_END)


def _open_intervals(intervals: Intervals) -> SequenceFile:
    def read(widest: int, advance: Advance, names: list[str]) -> Iterator[Stretch]:
        names += intervals.names
        return intervals.stretches(widest, advance)

    return SequenceFile(intervals.n_bases, read, intervals.notes)


def _open_dataset(dataset: SequenceDataset) -> SequenceFile:
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


def _read_fasta(path: Path, widest: int, advance: Advance, names: list[str]) -> Iterator[Stretch]:
    """Read stretches in which every window of up to ``widest`` bases lies whole in one.

    Letters of the IUPAC code other than ACGT read as N.
    """
    held, start = bytearray(), 0
    for number, text in stream_lines(path, advance):
        if text.startswith(">"):
            if names:
                yield _stretch(names, start, held)
            words = text[1:].split()
            names.append(words[0] if words else f"seq{len(names) + 1:04}")
            held, start = bytearray(), 0
            continue
        held += codes_of_letters(text, f"in line {number} of {path}")
        while len(held) >= BLOCK + widest - 1:
            yield _stretch(names, start, held[: BLOCK + widest - 1])._replace(n_starts=BLOCK)
            del held[:BLOCK]
            start += BLOCK
    yield _stretch(names, start, held)


def _stretch(names: list[str], start: int, codes: bytearray) -> Stretch:
    return Stretch(len(names) - 1, start, np.frombuffer(bytes(codes), np.uint8), len(codes))


def codes_of_letters(text: str, where: str) -> bytes:
    """Return the codes of letters of the IUPAC code, in any case; other than ACGTU read as N.

    Raises
    ------
    InputError
        For other characters and for protein, with the place.
    """
    letters = text.strip().encode("ascii", errors="replace")
    codes = letters.translate(_CODES)
    wrong = codes.find(_WRONG)
    if wrong >= 0:
        refuse_protein(text.strip(), where)
        what = f"{text.strip()[wrong]!r} at position {wrong + 1} is no nucleotide"
        raise InputError(what, where, "correct the file")
    return codes
