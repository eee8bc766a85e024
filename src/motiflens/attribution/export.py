"""Explanations for other programs: bigWig and BED for a genome browser, arrays for TF-MoDISco."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motiflens.attribution.result import Attributions, Floats
from motiflens.datasets import SequenceDataset
from motiflens.datasets.loci import Loci
from motiflens.errors import InputError
from motiflens.files import write_whole
from motiflens.io.big_wig import write_values

Covered = tuple[NDArray[np.int64], NDArray[np.float64]]

#: Columns on either side: modisco takes no seqlet near an end, and of 50 bases nearly none.
PADDING = 40


def located(dataset: SequenceDataset) -> bool:
    """Return whether any sequence has coordinates."""
    return dataset.coordinates is not None and bool((dataset.coordinates.chrom != "").any())


def write_big_wig(path: str | Path, attributions: Attributions, dataset: SequenceDataset) -> None:
    """Write the track of an explanation as bigWig, one value a base.

    Where sequences overlap, the value is the mean of theirs; a sequence of the strand - is
    reversed. Sequences without coordinates are left out. The file names the chromosomes with the
    end of the last sequence on each as their size, as the data tell no more.

    Parameters
    ----------
    path
        File to write; it appears whole or not at all.
    attributions
        An explanation of all sequences of the data set, in their order.
    dataset
        With coordinates.

    Raises
    ------
    InputError
        If the data have no coordinates, or an interval is not as long as its sequence.
    """
    coordinates = _check_coordinates(attributions, dataset)
    rows = np.flatnonzero(coordinates.chrom != "")
    covered = {
        str(chrom): _averaged(attributions, dataset, rows[coordinates.chrom[rows] == chrom])
        for chrom in np.unique(coordinates.chrom[rows])
    }
    sizes = {chrom: int(positions[-1]) + 1 for chrom, (positions, _) in covered.items()}
    write_values(path, sizes, _intervals(covered))


def write_bed(path: str | Path, attributions: Attributions, dataset: SequenceDataset) -> None:
    """Write the explained intervals as BED, 0-based and half-open, in order of the genome.

    The score is the strongest base of a sequence, as thousandths of the strongest of all.
    Parameters and errors are those of :func:`write_big_wig`.
    """
    coordinates = _check_coordinates(attributions, dataset)
    strongest = np.abs(attributions.track).max(axis=1, initial=0)
    scores = np.rint(1000 * strongest / max(float(strongest.max(initial=0)), 1e-30)).astype(int)
    rows = np.flatnonzero(coordinates.chrom != "")
    order = rows[np.lexsort((coordinates.start[rows], coordinates.chrom[rows]))]
    lines = [
        f"{coordinates.chrom[row]}\t{coordinates.start[row]}\t{coordinates.end[row]}\t"
        f"{dataset.names[row] or '.'}\t{scores[row]}\t{coordinates.strand[row]}\n"
        for row in order
    ]
    write_whole(path, "".join(lines).encode())


def _check_coordinates(attributions: Attributions, dataset: SequenceDataset) -> Loci:
    coordinates = dataset.coordinates
    if coordinates is None or not located(dataset):
        raise InputError(
            "the data have no coordinates",
            remedy="add the columns chrom, start, end, or read a BED file with genome=",
            argument="genome",
        )
    if len(attributions.one_hot) != len(dataset):
        raise InputError(
            f"the explanation of {len(attributions.one_hot)} sequences does not fit a data set of "
            f"{len(dataset)}",
            remedy="explain dataset.one_hot()",
        )
    lengths = coordinates.end - coordinates.start
    wrong = np.flatnonzero((coordinates.chrom != "") & (lengths != dataset.lengths))
    if len(wrong):
        row = int(wrong[0])
        raise InputError(
            f"an interval of {lengths[row]} bases does not fit the {dataset.lengths[row]} bases of "
            f"sequence {row + 1}",
            remedy="give the coordinates of the bases that the sequences hold",
        )
    return coordinates


def _averaged(
    attributions: Attributions, dataset: SequenceDataset, rows: NDArray[np.intp]
) -> Covered:
    """Return the covered positions of one chromosome and their mean values."""
    assert dataset.coordinates is not None
    positions, values = [], []
    tracks = attributions.contributions[rows].sum(axis=1)
    for row, whole in zip(rows, tracks, strict=True):
        track = whole[: dataset.lengths[row]]
        values.append(track[::-1] if dataset.coordinates.strand[row] == "-" else track)
        positions.append(np.arange(dataset.coordinates.start[row], dataset.coordinates.end[row]))
    distinct, index = np.unique(np.concatenate(positions), return_inverse=True)
    sums = np.bincount(index, np.concatenate(values).astype(np.float64), len(distinct))
    return distinct, sums / np.bincount(index, minlength=len(distinct))


def _intervals(covered: dict[str, Covered]) -> Iterator[tuple[str, int, int, float]]:
    for chrom, (positions, values) in covered.items():
        for start, value in zip(positions.tolist(), values.tolist(), strict=True):
            yield chrom, start, start + 1, value


def padded_for_modisco(attributions: Attributions) -> tuple[Floats, Floats]:
    """Return sequences and hypothetical contributions with ``PADDING`` columns on either side.

    These columns, and those of N and padding, contribute nothing and hold a quarter of each base.
    Of columns of zeros modisco makes NaN where it looks for the most informative ones, takes them,
    and then merges motifs without end.

    Parameters
    ----------
    attributions
        An explanation with ``hypothetical``.

    Returns
    -------
    one_hot, hypothetical
        float32 (N, 4, L + 80).

    Raises
    ------
    InputError
        If the method has no hypothetical contributions.
    """
    if attributions.hypothetical is None:
        raise InputError(
            f"{attributions.method} has no hypothetical contributions, which modisco reads",
            remedy="explain by deeplift_shap, ism or a method of gradients",
            argument="method",
        )
    beside = ((0, 0), (0, 0), (PADDING, PADDING))
    one_hot = np.pad(attributions.one_hot, beside)
    one_hot += 0.25 * ~one_hot.any(axis=1, keepdims=True)
    return one_hot, np.pad(attributions.hypothetical, beside)


def save_for_modisco(attributions: Attributions, folder: str | Path) -> tuple[Path, Path]:
    """Write the sequences and the hypothetical contributions for ``modisco motifs``.

    The command is ``modisco motifs -s FOLDER/one_hot.npz -a FOLDER/METHOD.npz -n 2000 -w WIDTH
    -o OUT.h5``, with the length of the sequences and 80 for WIDTH, or less for its middle.

    Parameters
    ----------
    attributions
        An explanation with ``hypothetical``.
    folder
        An existing folder.

    Returns
    -------
    one_hot, hypothetical
        The files written: float32 (N, 4, L + 80) as ``arr_0``, 40 columns without a base on either
        side.

    Raises
    ------
    InputError
        If the method has no hypothetical contributions, or a file cannot be written.
    """
    paths = (Path(folder) / "one_hot.npz", Path(folder) / f"{attributions.method}.npz")
    for path, array in zip(paths, padded_for_modisco(attributions), strict=True):
        stream = io.BytesIO()
        np.savez_compressed(stream, array)
        write_whole(path, stream.getvalue())
    return paths
