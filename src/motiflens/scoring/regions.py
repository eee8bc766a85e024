"""Regions of a genome that a user names, in order and checked."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from motiflens.errors import InputError
from motiflens.io.bed import read_loci
from motiflens.io.genome import Genome

ALL = "all"


class Interval(NamedTuple):
    """Bases of a contig, by its name in the genome; 0-based, half-open."""

    chrom: str
    start: int
    end: int


Regions = Path | str | Sequence[tuple[str, int, int]]


def read_regions(regions: Regions, genome: Genome) -> list[Interval]:
    """Return regions in order, those that overlap joined.

    They are those of a BED file, all contigs for ``all``, or triples.

    Raises
    ------
    InputError
        When a region is not in the genome.
    """
    if isinstance(regions, Path | str) and str(regions) == ALL:
        return sorted(Interval(name, 0, of.size) for name, of in genome.contigs.items() if of.size)
    given = read_loci(regions).spans() if isinstance(regions, Path | str) else regions
    if not isinstance(given, Iterable):
        raise _no_region(given)
    joined: list[Interval] = []
    for chrom, start, end in sorted(_in_genome(genome, span) for span in given):
        last = joined[-1] if joined else None
        if last and last.chrom == chrom and start <= last.end:
            joined[-1] = Interval(chrom, last.start, max(last.end, end))
        else:
            joined.append(Interval(chrom, start, end))
    return joined


def _no_region(given: object) -> InputError:
    return InputError(
        f"{given!r} is no region",
        remedy="give triples of chromosome, start and end, such as ('chr1', 0, 200), start < end",
        argument="regions",
    )


def _in_genome(genome: Genome, span: tuple[str, int, int]) -> Interval:
    try:
        chrom, start, end = span
        start, end = operator.index(start), operator.index(end)
    except (TypeError, ValueError):
        raise _no_region(span) from None
    if not isinstance(chrom, str) or not 0 <= start < end:
        raise _no_region(span)
    name = genome.name_of(chrom)
    if name is None or end > genome.contigs[name].size:
        size = f"has {genome.contigs[name].size} bases" if name else "is not in it"
        raise InputError(
            f"the region {chrom}:{start}-{end} is not in {genome.path}: {chrom} {size}",
            remedy="correct the regions, or take the genome that they belong to",
            argument="regions",
        )
    return Interval(name, start, end)
