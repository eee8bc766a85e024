"""Intervals of a genome, read a stretch at a time, each base once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motiflens.hits.blocks import BLOCK, Stretch
from motiflens.io.bed import read_loci
from motiflens.io.genome import Genome, none_lies_in
from motiflens.progress import Advance
from motiflens.sequences import encode

Positions = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Intervals:
    """Intervals of a genome, in its order.

    Parameters
    ----------
    genome
        Where they are read.
    by_contig
        Of each contig its starts, in ascending order, and their ends.
    notes
        What was left out.
    """

    genome: Genome
    by_contig: dict[str, tuple[Positions, Positions]]
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """Names of the contigs."""
        return list(self.by_contig)

    @property
    def n_bases(self) -> int:
        """Bases that lie in an interval, each counted once."""
        return sum(end - start for name in self.by_contig for start, end in self.spans(name))

    def spans(self, name: str) -> list[tuple[int, int]]:
        """Return the intervals of a contig, those that overlap or touch as one."""
        return _spans(*self.by_contig[name])

    def stretches(self, widest: int, advance: Advance) -> Iterator[Stretch]:
        """Read all bases, so that each window that lies in one interval lies in one stretch."""
        for index, (name, (starts, ends)) in enumerate(self.by_contig.items()):
            reach = np.maximum.accumulate(ends)
            for first, last in self.spans(name):
                for begin in range(first, last, BLOCK):
                    n_starts = min(BLOCK, last - begin)
                    end = min(begin + BLOCK + widest - 1, last)
                    codes = encode([self.genome.fetch(name, begin, end)])[0][0]
                    row = np.searchsorted(starts, np.arange(begin, end), side="right") - 1
                    advance(n_starts)
                    yield Stretch(index, begin, codes, n_starts, reach[row] - begin)


def _spans(starts: Positions, ends: Positions) -> list[tuple[int, int]]:
    """Join the intervals that overlap or touch."""
    reach = np.maximum.accumulate(ends)
    first = np.flatnonzero(np.concatenate([[True], starts[1:] > reach[:-1]]))
    last = np.append(first[1:], len(starts)) - 1
    return list(zip(starts[first].tolist(), reach[last].tolist(), strict=True))


def whole_contigs(genome: Genome) -> Intervals:
    """Take every contig as one interval."""
    sizes = {name: contig.size for name, contig in genome.contigs.items()}
    none = np.zeros(1, dtype=np.int64)
    return Intervals(genome, {name: (none, np.array([size])) for name, size in sizes.items()})


def intervals_of_bed(path: Path | str, genome: Genome) -> Intervals:
    """Read the intervals of a BED or narrowPeak file; those the genome lacks are left out.

    Raises
    ------
    InputError
        When the file is none, and when the genome holds no interval.
    """
    loci = read_loci(path)
    names = genome.names_of(loci.chrom)
    sizes = {name: contig.size for name, contig in genome.contigs.items()}
    inside = loci.end <= np.array([sizes.get(name, 0) for name in names.tolist()])
    if not inside.any():
        raise none_lies_in(genome, loci)
    by_contig = {}
    for name in sizes:
        rows = np.flatnonzero(inside & (names == name))
        rows = rows[np.argsort(loci.start[rows], kind="stable")]
        if len(rows):
            by_contig[name] = loci.start[rows], loci.end[rows]
    n_lost = int((~inside).sum())
    n_renamed = int((inside & (names != loci.chrom)).sum())
    notes = {
        "left out, as the genome does not hold them whole": n_lost,
        "found under the contig's other name, with or without chr": n_renamed,
    }
    told = (f"{n} of {len(loci)} intervals {text}" for text, n in notes.items() if n)
    return Intervals(genome, by_contig, tuple(told))
