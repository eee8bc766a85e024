"""Negatives for positives that come alone: shuffled, taken from the genome, or from a file.

The choice decides what a score means. Against shuffles, whatever sets genomic sequence apart from
random letters helps a model; against windows that are not matched, base composition does.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motiflens.datasets import Loci, SequenceDataset, concatenate, default_names
from motiflens.errors import InputError
from motiflens.io import sniff
from motiflens.io.bed import read_loci
from motiflens.io.fasta import dataset_of, read_records
from motiflens.io.genome import Genome, extract
from motiflens.io.tables import open_table
from motiflens.io.values import convert_each, parse_label, parse_sequence
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
    width: int | None = None,
    seed: int,
) -> SequenceDataset:
    """Make negatives of a kind, or of several joined by ``+``.

    Parameters
    ----------
    kind
        ``shuffle``: each positive with its letters in another order and the same dinucleotide
        counts. It has no coordinates; ``groups`` names its positive, so that both can go
        to the same split (see :func:`bind`). ``matched``: windows of the genome, see
        `matched_windows`. Anything else is a file of sequences: FASTA, one a line, a table (whose
        labels, if it has some, are all 0), or BED with a genome.
        ``shuffle+other.fa``: one kind after the other.
    positives
        N sequences; those of ``matched`` have coordinates.
    genome, loci
        For ``matched``: where to look, and what to leave out besides the positives.
    width
        Of windows around the summits or middles of a BED file of negatives.
    seed
        Of what is random: equal input and seed give equal negatives.

    Raises
    ------
    InputError
        When ``matched`` lacks the genome or the coordinates, or finds no free window; when a
        file is missing, empty or damaged.
    """
    made = []
    for one in split_kind(kind):
        if one == "shuffle":
            made.append(_shuffled(positives, seed))
        elif one == "matched":
            made.append(_matched(positives, genome, loci, seed))
        else:
            made.append(_of_file(one, genome, width))
    return concatenate(made)


def bind(positives: SequenceDataset, negatives: SequenceDataset) -> SequenceDataset:
    """Put positives and the negatives that were made of them into one data set.

    Positives get the numbers in ``groups`` by which their shuffles name them.
    """
    if negatives.groups is not None:
        positives = replace(positives, groups=np.arange(len(positives)))
    return concatenate([positives, negatives])


def shuffles_off_genome(dataset: SequenceDataset) -> SequenceDataset:
    """Take from shuffles the locus of their positive, which runs of version 0.1 gave them."""
    loci = dataset.coordinates
    if loci is None or dataset.is_regression:
        return dataset
    is_shuffle = (dataset.labels == 0) & np.char.endswith(dataset.names, SHUFFLED)
    if not (is_shuffle & (loci.chrom != "")).any():
        return dataset
    n = len(dataset)
    rows = np.arange(n) + np.where(is_shuffle, n, 0)
    return replace(dataset, coordinates=Loci.join([loci, Loci.unknown(n)]).subset(rows))


def split_kind(kind: str) -> list[str]:
    """Take a kind apart at each ``+``, unless it is the name of a file."""
    if os.path.exists(kind):
        return [kind]
    kinds = kind.split("+")
    if not all(kinds):
        raise InputError(
            f"nothing is on one side of a + in {kind!r}" if len(kinds) > 1 else "negatives is ''",
            remedy="name shuffle, matched, a file, or several of them joined by +",
            argument="negatives",
        )
    return kinds


def _of_file(kind: str, genome: Genome | None, width: int | None) -> SequenceDataset:
    if not os.path.lexists(kind) and len(Path(kind).parts) == 1:
        near = difflib.get_close_matches(kind.lower(), KINDS, n=1)
        if near:
            raise InputError(
                f"{kind!r} is no kind of negatives and no file",
                remedy=f"did you mean {near[0]}?",
            )
    what = sniff.kind_of(kind)
    if what == sniff.BED:
        if genome is None:
            raise InputError(
                f"negatives={kind} is a BED file and needs genome=FILE",
                remedy="give FASTA or 2bit, such as genome=hg38.fa",
                argument=("negatives", "genome"),
            )
        return extract(genome, read_loci(kind).windows(width)).dataset(0)
    if what == sniff.TABLE:
        return _of_table(kind)
    if what in (sniff.MAPPED, sniff.TWO_BIT):
        remedy = "give FASTA, a table, BED with a genome, or one sequence a line"
        raise InputError(f"negatives={kind} is {what}", remedy=remedy, argument="negatives")
    records = read_records(Path(kind))
    names = {record.name for record in records}
    if "1" in names and names <= {"0", "1"}:
        line = next(record.line for record in records if record.name == "1")
        raise InputError(
            f"there is negatives={kind}, and a header that is the label 1",
            f"in line {line} of {kind}",
            "give a file of negatives alone",
            "negatives",
        )
    return dataset_of(records, [0.0] * len(records), prefix="negative")


def _of_table(path: str) -> SequenceDataset:
    """Read the sequences of a table, which are negatives if it has no other labels than 0."""
    names, rows = open_table(path, needed=("sequence",))
    texts, places = [], []
    for row, place in rows:
        values = dict(zip(names, row, strict=True))
        if "label" in values and parse_label(values["label"]) != 0:
            raise InputError(
                f"there is negatives={path}, and a label {values['label']}",
                place,
                "give a file of negatives alone",
                "negatives",
            )
        texts.append(values["sequence"])
        places.append(place)
    sequences = convert_each(texts, parse_sequence, places.__getitem__)
    if not sequences:
        raise InputError(f"{path} has no rows", remedy="check how the table was made")
    called = default_names(len(sequences), "negative")
    return SequenceDataset.from_sequences(
        sequences, np.zeros(len(sequences)), names=called.tolist()
    )


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
        what = "there is no genome=FILE" if genome is None else "the positives have no coordinates"
        raise InputError(
            f"negatives=matched cannot be made: {what}",
            remedy="give a BED file and genome=FILE, or take negatives=shuffle",
            argument=("negatives", "genome"),
        )
    return extract(genome, matched_windows(positives.coordinates, genome, loci, seed)).dataset(0)


def matched_windows(positives: Loci, genome: Genome, loci: Loci | None, seed: int) -> Loci:
    """Find a window for each positive: same contig, length and strand, and nearest in content.

    Of `N_CANDIDATES` random windows on the contig that overlap no positive, no locus, no other
    negative and no N, the one with the smallest difference in GC fraction plus difference in
    repeat fraction (lower-case bases) is taken: the idea of genNullSeqs (Ghandi et al.,
    Bioinformatics 32:2205, 2016). They are drawn again, `N_DRAWS` times at most, until one is
    within `TOLERANCE`; a positive that finds none gets no negative.

    Parameters
    ----------
    positives
        N loci on contigs of the genome.
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
    known = genome.names_of(positives.chrom)
    names = np.where(known == "", positives.chrom, known)
    others = positives if loci is None else loci
    avoided = genome.names_of(others.chrom)
    chrom, start, rows = [], [], []
    for contig in dict.fromkeys(names.tolist()):
        here, taken = np.flatnonzero(names == contig), avoided == contig
        blocked = np.stack([others.start[taken], others.end[taken]], axis=1)
        own = np.stack([positives.start[here], positives.end[here]], axis=1)
        matches = list(_match(_flags_of(genome, contig, own), own, blocked, generator))
        rows += [int(here[index]) for index, _ in matches]
        start += [first for _, first in matches]
        chrom += [contig] * len(matches)
    if not rows:
        raise InputError(
            "no window of the genome is free of N and of positives",
            remedy="take negatives=shuffle, or a smaller width",
            argument=("negatives", "width"),
        )
    first = np.array(start, dtype=np.int64)
    width = positives.end[rows] - positives.start[rows]
    return Loci(np.array(chrom), first, first + width, positives.strand[rows])


def _flags_of(genome: Genome, contig: str, own: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Mark each base of a contig (G or C, lower case, unknown), once the intervals fit on it."""
    genome.fetch(contig, int(own[:, 0].min()), int(own[:, 1].max()))
    letters = genome.fetch(contig, 0, genome.contigs[contig].size)
    return _FLAGS[np.frombuffer(letters.encode("ascii"), dtype=np.uint8)]


def _match(
    flags: NDArray[np.uint8],
    own: NDArray[np.int64],
    blocked: NDArray[np.int64],
    generator: np.random.Generator,
) -> Iterator[tuple[int, int]]:
    """Yield the index of an interval (P, 2) and start of its negative, for each that gets one."""
    wanted = [_content(flags[None, start:end])[:, 0] for start, end in own.tolist()]
    for start, end in [*own.tolist(), *blocked.tolist()]:
        flags[max(start, 0) : end] |= _BLOCKED
    for index, (start, end) in enumerate(own.tolist()):
        first = _nearest(flags, end - start, wanted[index], generator)
        if first is not None:
            flags[first : first + end - start] |= _BLOCKED
            yield index, first


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
    """Return GC and repeat fraction (2, W) of windows (W, L); N counts in neither."""
    n_known = np.maximum((windows < _BLOCKED).sum(axis=1), 1)
    content: NDArray[np.float64] = np.stack(
        [np.count_nonzero(windows & flag, axis=1) / n_known for flag in (_GC, _REPEAT)]
    )
    return content
