"""Sequences of any input, any stretch of which can be read by any thread, in bounded memory.

What comes as a stream, such as FASTA, is read once, into an unnamed temporary file of a byte a
base; intervals of a BED file stay in the genome.
"""

from __future__ import annotations

import hashlib
import mmap
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from motiflens.datasets import Loci, SequenceDataset
from motiflens.hits.sequence_files import open_sequences
from motiflens.io import sniff
from motiflens.io.bed import read_loci
from motiflens.io.genome import Genome, none_lies_in, open_genome
from motiflens.io.inputs import Sequences, as_dataset, is_sequence
from motiflens.sequences import Codes, encode, reverse_complement_codes

#: Bases of an interval that are hashed at a time.
AT_ONCE = 1 << 20


class Placed(NamedTuple):
    """Where a sequence lies: positions are of ``chrom``, and ``-`` is read as the other strand."""

    chrom: str
    start: int
    strand: str = "+"


@dataclass(frozen=True, eq=False)
class StoredSequences:
    """N sequences in the order of the input.

    Parameters
    ----------
    places
        Of each: its contig in a genome, or its own name and 0.
    lengths
        int64 (N,), in bases.
    fetch
        From the number of a sequence, a start and an end to codes, uint8 (end - start,).
    sha256
        Of places and bases.
    notes
        Sentences for a log.
    """

    places: tuple[Placed, ...]
    lengths: NDArray[np.int64]
    fetch: Callable[[int, int, int], Codes]
    sha256: str
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.places)


def store_sequences(sequences: Sequences, genome: Path | str | None = None) -> StoredSequences:
    """Make sequences readable at any place, whatever they come as.

    Parameters
    ----------
    sequences
        A file, as :func:`motiflens.hits.sequence_files.open_sequences` takes it; strings, a data
        set or one-hot (N, 4, L). Intervals of a BED file are kept one by one, in their order, each
        on its strand; those that the genome does not hold whole are left out, with a note.
    genome
        FASTA or 2bit, where ``sequences`` is a BED file.

    Raises
    ------
    InputError
        When a file is missing, empty or damaged, holds other letters, or is BED without a genome
        or another kind beside one.
    """
    path = _path_of(sequences)
    if path is None:
        dataset = as_dataset(sequences)
        names = dataset.names.tolist()
        return _store(names, _rows(dataset))
    if genome is not None and sniff.kind_of(path, with_genome=True) == sniff.BED:
        return _of_intervals(read_loci(path), open_genome(genome))
    source, names = open_sequences(path, genome), list[str]()
    stretches = source.read(1, lambda steps: None, names)
    stored = _store(names, ((s.sequence, s.codes) for s in stretches))
    return replace(stored, notes=source.notes)


def _path_of(sequences: Sequences) -> Path | None:
    """Return the path of a file; None for sequences themselves, letters among them."""
    if not isinstance(sequences, str | PathLike):
        return None
    return None if is_sequence(sequences) else Path(sequences)


def _rows(dataset: SequenceDataset) -> Iterator[tuple[int, Codes]]:
    for row, length in enumerate(dataset.lengths.tolist()):
        yield row, np.asarray(dataset.codes[row, :length])


def _store(names: list[str], pieces: Iterator[tuple[int, Codes]]) -> StoredSequences:
    """Write pieces, of one sequence after the other, into a file that is mapped."""
    lengths, digest = list[int](), hashlib.sha256()
    with tempfile.TemporaryFile() as file:
        for row, codes in pieces:
            lengths += [0] * (row + 1 - len(lengths))
            lengths[row] += len(codes)
            content = codes.tobytes()
            digest.update(content)
            file.write(content)
        file.flush()
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if sum(lengths) else b""
    codes = np.frombuffer(mapped, dtype=np.uint8)
    sizes = np.array(lengths, dtype=np.int64)
    first = (np.cumsum(sizes) - sizes).tolist()
    places = tuple(Placed("_".join(name.split()), 0) for name in names)

    def fetch(row: int, start: int, end: int) -> Codes:
        return np.asarray(codes[first[row] + start : first[row] + end])

    return StoredSequences(places, sizes, fetch, _with_places(digest, places, sizes))


def _of_intervals(loci: Loci, genome: Genome) -> StoredSequences:
    names = genome.names_of(loci.chrom)
    sizes = np.array([genome.contigs[name].size if name else 0 for name in names.tolist()])
    inside = loci.end <= sizes
    if not inside.any():
        raise none_lies_in(genome, loci)
    kept = replace(loci, chrom=names).subset(inside)
    places = tuple(
        Placed(chrom, start, "-" if strand == "-" else "+")
        for (chrom, start, _), strand in zip(kept.spans(), kept.strand.tolist(), strict=True)
    )
    lengths = (kept.end - kept.start).astype(np.int64)

    def fetch(row: int, start: int, end: int) -> Codes:
        place, length = places[row], int(lengths[row])
        if place.strand == "-":
            start, end = length - end, length - start
        letters = genome.fetch(place.chrom, place.start + start, place.start + end)
        codes, found = encode([letters])
        return (reverse_complement_codes(codes, found) if place.strand == "-" else codes)[0]

    digest = hashlib.sha256()
    for row, length in enumerate(lengths.tolist()):
        for start in range(0, length, AT_ONCE):
            digest.update(fetch(row, start, min(start + AT_ONCE, length)).tobytes())
    n_lost = int((~inside).sum())
    note = f"{n_lost} of {len(loci)} intervals left out, as the genome does not hold them whole"
    sha256 = _with_places(digest, places, lengths)
    return StoredSequences(places, lengths, fetch, sha256, (note,) * bool(n_lost))


def _with_places(
    digest: hashlib._Hash, places: tuple[Placed, ...], lengths: NDArray[np.int64]
) -> str:
    for place, length in zip(places, lengths.tolist(), strict=True):
        digest.update(f"\n{place.chrom}\t{place.start}\t{place.strand}\t{length}".encode())
    return digest.hexdigest()
