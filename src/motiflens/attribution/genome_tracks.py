"""Explanations laid on a genome: bigWig tracks and BED intervals for a genome browser."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pybigtools
from numpy.typing import NDArray

from motiflens.attribution import Attributions
from motiflens.datasets import SequenceDataset
from motiflens.datasets.loci import Loci
from motiflens.errors import InputError
from motiflens.files import write_whole

Covered = tuple[NDArray[np.int64], NDArray[np.float64]]


def located(dataset: SequenceDataset) -> bool:
    """Tell whether the place of any sequence is known."""
    return dataset.coordinates is not None and bool((dataset.coordinates.chrom != "").any())


def write_big_wig(path: str | Path, found: Attributions, dataset: SequenceDataset) -> None:
    """Write the track of an explanation as bigWig, one value a base.

    Where sequences overlap, the value is the mean of theirs; a sequence of the strand - is turned
    round. Sequences of no known place are left out. The file names the chromosomes with the end
    of the last sequence on each as their size, as the data tell no more.

    Parameters
    ----------
    path
        File to write; it appears whole or not at all.
    found
        An explanation of all sequences of the data set, in their order.
    dataset
        With coordinates.

    Raises
    ------
    InputError
        If the data have no coordinates, or an interval is not as long as its sequence.
    """
    coordinates = _checked(found, dataset)
    rows = np.flatnonzero(coordinates.chrom != "")
    covered = {
        str(chrom): _averaged(found, dataset, rows[coordinates.chrom[rows] == chrom])
        for chrom in np.unique(coordinates.chrom[rows])
    }
    sizes = {chrom: int(places[-1]) + 1 for chrom, (places, _) in covered.items()}
    # The library writes to a path alone.
    with tempfile.TemporaryDirectory() as folder:
        aside = Path(folder) / "track.bw"
        pybigtools.open(str(aside), "w").write(sizes, _intervals(covered))
        write_whole(path, aside.read_bytes())


def write_bed(path: str | Path, found: Attributions, dataset: SequenceDataset) -> None:
    """Write the explained intervals as BED, 0-based and half-open, in order of the genome.

    The score is the strongest base of a sequence, as thousandths of the strongest of all.
    Parameters and errors are those of :func:`write_big_wig`.
    """
    coordinates = _checked(found, dataset)
    strongest = np.abs(found.track).max(axis=1, initial=0)
    scores = np.rint(1000 * strongest / max(float(strongest.max(initial=0)), 1e-30)).astype(int)
    rows = np.flatnonzero(coordinates.chrom != "")
    order = rows[np.lexsort((coordinates.start[rows], coordinates.chrom[rows]))]
    lines = [
        f"{coordinates.chrom[row]}\t{coordinates.start[row]}\t{coordinates.end[row]}\t"
        f"{dataset.names[row] or '.'}\t{scores[row]}\t{coordinates.strand[row]}\n"
        for row in order
    ]
    write_whole(path, "".join(lines).encode())


def _checked(found: Attributions, dataset: SequenceDataset) -> Loci:
    coordinates = dataset.coordinates
    if coordinates is None or not located(dataset):
        raise InputError(
            "a genome track is made of sequences whose place in a genome is known",
            got="data without coordinates",
            remedy="add the columns chrom, start, end, or read a BED file with --genome",
        )
    if len(found.one_hot) != len(dataset):
        raise InputError(
            f"the explanation is of the data set's {len(dataset)} sequences",
            got=f"one of {len(found.one_hot)} sequences",
            remedy="explain dataset.one_hot()",
        )
    lengths = coordinates.end - coordinates.start
    wrong = np.flatnonzero((coordinates.chrom != "") & (lengths != dataset.lengths))
    if len(wrong):
        row = int(wrong[0])
        raise InputError(
            "an interval is as long as its sequence",
            got=f"{lengths[row]} bases for {dataset.lengths[row]} of sequence {row + 1}",
            remedy="give the coordinates of the bases that the sequences hold",
        )
    return coordinates


def _averaged(found: Attributions, dataset: SequenceDataset, rows: NDArray[np.intp]) -> Covered:
    """Give the covered places of one chromosome and their mean values."""
    assert dataset.coordinates is not None
    places, values = [], []
    tracks = found.contributions[rows].sum(axis=1)
    for row, whole in zip(rows, tracks, strict=True):
        track = whole[: dataset.lengths[row]]
        values.append(track[::-1] if dataset.coordinates.strand[row] == "-" else track)
        places.append(np.arange(dataset.coordinates.start[row], dataset.coordinates.end[row]))
    distinct, index = np.unique(np.concatenate(places), return_inverse=True)
    sums = np.bincount(index, np.concatenate(values).astype(np.float64), len(distinct))
    return distinct, sums / np.bincount(index, minlength=len(distinct))


def _intervals(covered: dict[str, Covered]) -> Iterator[tuple[str, int, int, float]]:
    for chrom, (places, values) in covered.items():
        for place, value in zip(places.tolist(), values.tolist(), strict=True):
            yield chrom, place, place + 1, value
