"""Negatives for positives that come alone: shuffled, taken from the genome, or from a file.

The choice decides what a score means. Against shuffles, whatever sets genomic sequence apart from
random letters helps a model; against windows that are not matched, base composition does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motiflens.datasets import Coordinates, SequenceDataset, concatenate
from motiflens.errors import InputError
from motiflens.io.bed import NO_SUMMIT, Loci
from motiflens.io.genome import Genome
from motiflens.io.records import dataset_of, read_records
from motiflens.io.windows import extract
from motiflens.shuffles import dinucleotide_shuffle

KINDS = ("shuffle", "matched")
SHUFFLED = "_shuffled"
"""What the name of a shuffle ends in."""

N_CANDIDATES = 100
"""Windows drawn for one positive, of which the most similar becomes its negative."""
N_DRAWS = 10
"""How often so many are drawn, when none of them will do."""
TOLERANCE = 0.1
"""The difference in GC fraction plus repeat fraction above which a window is not similar."""

_GC, _REPEAT, _BLOCKED = 1, 2, 4
_FLAGS = np.full(256, _BLOCKED, dtype=np.uint8)
for _letter, _flag in zip("ATCGatcg", (0, 0, 1, 1, 2, 2, 3, 3), strict=True):
    _FLAGS[ord(_letter)] = _flag


def make_negatives(
    kind: str,
    positives: SequenceDataset,
    *,
    genome: Genome | None = None,
    loci: Loci | None = None,
    seed: int,
) -> SequenceDataset:
    """Make negatives of a kind, or of several joined by ``+``.

    Parameters
    ----------
    kind
        ``shuffle``: each positive with its letters in another order and the same dinucleotide
        counts. It has no place on the genome; ``groups`` names its positive, so that both can go
        to the same split (see :func:`bind`). ``matched``: windows of the genome, see
        `matched_windows`. Anything else is a file of sequences, in FASTA or one a line.
        ``shuffle+other.fa``: one kind after the other.
    positives
        N sequences; those of ``matched`` have coordinates.
    genome, loci
        For ``matched``: where to look, and what to leave out besides the positives.
    seed
        Of what is random: equal input and seed give equal negatives.

    Raises
    ------
    InputError
        When ``matched`` lacks the genome or the coordinates, or finds no free window; when a
        file is missing, empty or damaged.
    """
    return concatenate([_make(part, positives, genome, loci, seed) for part in split_kind(kind)])


def bind(positives: SequenceDataset, negatives: SequenceDataset) -> SequenceDataset:
    """Put positives and the negatives that were made of them into one data set.

    Positives get the numbers in ``groups`` by which their shuffles name them.
    """
    if negatives.groups is not None:
        positives = replace(positives, groups=np.arange(len(positives)))
    return concatenate([positives, negatives])


def shuffles_off_genome(dataset: SequenceDataset) -> SequenceDataset:
    """Take from shuffles the place of their positive, which runs of version 0.1 gave them."""
    places = dataset.coordinates
    if places is None:
        return dataset
    is_shuffle = (dataset.labels == 0) & np.char.endswith(dataset.names, SHUFFLED)
    if not (is_shuffle & (places.chrom != "")).any():
        return dataset
    n = len(dataset)
    rows = np.arange(n) + np.where(is_shuffle, n, 0)
    unknown = Coordinates.join([places, Coordinates.unknown(n)]).subset(rows)
    return replace(dataset, coordinates=unknown)


def split_kind(kind: str) -> list[str]:
    """Take a kind apart at each ``+``, unless it is the name of a file."""
    if os.path.exists(kind):
        return [kind]
    parts = kind.split("+")
    if not all(parts):
        raise InputError(
            "negatives are shuffle, matched, a file, or several of them joined by +",
            got=f"nothing on one side of a + in {kind!r}" if len(parts) > 1 else repr(kind),
            remedy="name the other kind, or leave the + out",
        )
    return parts


def _make(
    kind: str, positives: SequenceDataset, genome: Genome | None, loci: Loci | None, seed: int
) -> SequenceDataset:
    if kind == "shuffle":
        return _shuffled(positives, seed)
    if kind == "matched":
        return _matched(positives, genome, loci, seed)
    records = read_records(Path(kind))
    return dataset_of(records, [0.0] * len(records), prefix="negative")


def _shuffled(positives: SequenceDataset, seed: int) -> SequenceDataset:
    generator = np.random.default_rng(seed)
    codes = dinucleotide_shuffle(positives.codes, positives.lengths, generator)
    names = [f"{name}{SHUFFLED}" for name in positives.names.tolist()]
    return SequenceDataset(
        codes,
        positives.lengths,
        np.zeros(len(positives), dtype=np.float32),
        np.array(names, dtype=np.str_),
        groups=np.arange(len(positives)),
    )


def _matched(
    positives: SequenceDataset, genome: Genome | None, loci: Loci | None, seed: int
) -> SequenceDataset:
    if genome is None or positives.coordinates is None:
        raise InputError(
            "matched negatives are windows of the genome that the positives come from",
            got="no genome" if genome is None else "positives of unknown place",
            remedy="give a BED file and its genome, or take shuffled negatives",
        )
    found = extract(genome, matched_windows(positives.coordinates, genome, loci, seed))
    return SequenceDataset.from_sequences(
        found.sequences,
        np.zeros(len(found.sequences)),
        names=found.names,
        coordinates=found.coordinates,
    )


def matched_windows(positives: Coordinates, genome: Genome, loci: Loci | None, seed: int) -> Loci:
    """Find a window for each positive: same contig, length and strand, and nearest in content.

    Of `N_CANDIDATES` random windows on the contig that overlap no positive, no locus, no other
    negative and no N, the one with the smallest difference in GC fraction plus difference in
    repeat fraction (lower-case bases) is taken: the idea of genNullSeqs (Ghandi et al.,
    Bioinformatics 32:2205, 2016). They are drawn again, `N_DRAWS` times at most, until one is
    within `TOLERANCE`; a positive that finds none gets no negative.

    Parameters
    ----------
    positives
        N places on contigs of the genome.
    genome
        Where to look.
    loci
        Intervals to leave out besides; those on contigs that the genome lacks do not matter.
    seed
        Of the windows drawn.

    Returns
    -------
    loci
        M <= N windows, contig by contig.

    Raises
    ------
    InputError
        When a positive lies beyond the genome, and when no window is free at all.
    """
    generator = np.random.default_rng(seed)
    names = np.array([genome.name_of(chrom) or chrom for chrom in positives.chrom.tolist()])
    others = loci if loci is not None else _loci_of(positives)
    avoided = np.array([genome.name_of(chrom) or "" for chrom in others.chrom.tolist()])
    chrom, start, rows = [], [], []
    for contig in dict.fromkeys(names.tolist()):
        here, taken = np.flatnonzero(names == contig), avoided == contig
        blocked = np.stack([others.start[taken], others.end[taken]], axis=1)
        places = np.stack([positives.start[here], positives.end[here]], axis=1)
        found = list(_match(_flags_of(genome, contig, places), places, blocked, generator))
        rows += [int(here[index]) for index, _ in found]
        start += [place for _, place in found]
        chrom += [contig] * len(found)
    if not rows:
        raise InputError(
            "the genome has free windows beside the positives",
            got="none without an N or a positive",
            remedy="take shuffled negatives or a smaller width",
        )
    first = np.array(start, dtype=np.int64)
    width = positives.end[rows] - positives.start[rows]
    return Loci(
        np.array(chrom),
        first,
        first + width,
        positives.strand[rows],
        np.full(len(rows), "", dtype=np.str_),
        np.full(len(rows), NO_SUMMIT, dtype=np.int64),
    )


def _loci_of(places: Coordinates) -> Loci:
    none = np.full(len(places), NO_SUMMIT, dtype=np.int64)
    return Loci(places.chrom, places.start, places.end, places.strand, places.chrom, none)


def _flags_of(genome: Genome, contig: str, places: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Mark each base of a contig (G or C, lower case, unknown), once the places fit on it."""
    genome.fetch(contig, int(places[:, 0].min()), int(places[:, 1].max()))
    letters = genome.fetch(contig, 0, genome.contigs[contig].size)
    return _FLAGS[np.frombuffer(letters.encode("ascii"), dtype=np.uint8)]


def _match(
    flags: NDArray[np.uint8],
    places: NDArray[np.int64],
    blocked: NDArray[np.int64],
    generator: np.random.Generator,
) -> Iterator[tuple[int, int]]:
    """Index of a place (P, 2) and start of its negative, for each that gets one."""
    wanted = [_content(flags[None, start:end])[:, 0] for start, end in places.tolist()]
    for start, end in [*places.tolist(), *blocked.tolist()]:
        flags[max(start, 0) : end] |= _BLOCKED
    for index, (start, end) in enumerate(places.tolist()):
        found = _nearest(flags, end - start, wanted[index], generator)
        if found is not None:
            flags[found : found + end - start] |= _BLOCKED
            yield index, found


def _nearest(
    flags: NDArray[np.uint8],
    width: int,
    wanted: NDArray[np.float64],
    generator: np.random.Generator,
) -> int | None:
    for _ in range(N_DRAWS):
        starts = generator.integers(0, len(flags) - width + 1, N_CANDIDATES)
        windows = flags[starts[:, None] + np.arange(width)]
        free = windows.max(axis=1) < _BLOCKED
        distance = np.full(len(windows), np.inf)
        distance[free] = np.abs(_content(windows[free]) - wanted[:, None]).sum(axis=0)
        best = int(distance.argmin())
        if distance[best] <= TOLERANCE:
            return int(starts[best])
    return None


def _content(windows: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Give GC and repeat fraction (2, W) of windows (W, L); a base that is N counts in neither."""
    n_known = np.maximum((windows < _BLOCKED).sum(axis=1), 1)
    content: NDArray[np.float64] = np.stack(
        [np.count_nonzero(windows & flag, axis=1) / n_known for flag in (_GC, _REPEAT)]
    )
    return content
