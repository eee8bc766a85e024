"""Explanations in files of other tools: bigWig, BED and the arrays of modisco."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pybigtools
import pytest

from motiflens.attribution import Attributions, save_for_modisco
from motiflens.attribution.export import write_bed, write_big_wig
from motiflens.datasets import Loci, SequenceDataset
from motiflens.errors import InputError

# Two sequences overlap on chr2, the second of them on the other strand; one is alone on chr10, and
# one is of no known place.
TRACKS = np.array([[1, 2, 3, 4], [10, 20, 30, 0], [5, 6, 7, 8], [9, 9, 9, 9]], np.float32)


def located(**changes: object) -> SequenceDataset:
    columns = {
        "chrom": np.array(["chr2", "chr2", "chr10", ""]),
        "start": np.array([100, 102, 7, 0]),
        "end": np.array([104, 105, 11, 0]),
        "strand": np.array(["+", "-", ".", "."]),
    }
    dataset = SequenceDataset.from_sequences(
        ["ACGT", "GGA", "TTTT", "CCCC"], [1, 1, 1, 1], names=["a", "b", "c", "d"]
    )
    return replace(dataset, coordinates=Loci(**(columns | changes)))


def explained(dataset: SequenceDataset, tracks: np.ndarray = TRACKS) -> Attributions:
    one_hot = dataset.one_hot()
    return Attributions("ism", one_hot, one_hot * tracks[:, None], one_hot * 2)


def test_a_track_lies_on_the_genome_and_overlaps_are_averaged(tmp_path: Path) -> None:
    dataset = located()
    path = tmp_path / "ism.bw"
    write_big_wig(path, explained(dataset), dataset)
    with pybigtools.open(str(path)) as file:
        assert file.chroms() == {"chr10": 11, "chr2": 105}
        values = {chrom: list(file.records(chrom)) for chrom in file.chroms()}
    assert values["chr10"] == [(7, 8, 5.0), (8, 9, 6.0), (9, 10, 7.0), (10, 11, 8.0)]
    # b is 10 20 30 on its strand, so 30 20 10 on the genome from 102 on.
    expected = [1, 2, (3 + 30) / 2, (4 + 20) / 2, 10]
    assert values["chr2"] == [(100 + i, 101 + i, v) for i, v in enumerate(expected)]
    first = path.read_bytes()
    write_big_wig(path, explained(dataset), dataset)
    assert path.read_bytes() == first
    assert [p.name for p in tmp_path.iterdir()] == ["ism.bw"]


def test_intervals_in_order_of_the_genome(tmp_path: Path) -> None:
    dataset = located()
    write_bed(tmp_path / "ism.bed", explained(dataset), dataset)
    assert (tmp_path / "ism.bed").read_text() == (
        "chr10\t7\t11\tc\t267\t.\nchr2\t100\t104\ta\t133\t+\nchr2\t102\t105\tb\t1000\t-\n"
    )


@pytest.mark.parametrize("write", [write_big_wig, write_bed])
def test_data_without_places_make_no_track(write, tmp_path: Path) -> None:
    nowhere = located(chrom=np.array([""] * 4))
    other = located(end=np.array([104, 106, 11, 0]))
    for dataset, message in (
        (nowhere, "no coordinates"),
        (SequenceDataset.from_sequences(["ACGT"] * 4, [1] * 4), "no coordinates"),
        (other, "the 3 bases of sequence 2"),
    ):
        with pytest.raises(InputError, match=message):
            write(tmp_path / "x", explained(dataset), dataset)
    with pytest.raises(InputError, match="of 4 sequences"):
        write(tmp_path / "x", explained(located()), located().subset(np.arange(3)))
    assert not list(tmp_path.iterdir())


def test_modiscos_arrays(tmp_path: Path) -> None:
    found = explained(located())
    paths = save_for_modisco(found, tmp_path)
    assert [path.name for path in paths] == ["one_hot.npz", "ism.npz"]
    unknown = ~found.one_hot.any(axis=1, keepdims=True)
    inside = (found.one_hot + unknown / 4, found.hypothetical)
    for path, array, beside in zip(paths, inside, (0.25, 0.0), strict=True):
        with np.load(path) as stored:
            assert stored.files == ["arr_0"]
            assert stored["arr_0"].shape == (4, 4, 4 + 80)
            np.testing.assert_array_equal(stored["arr_0"][:, :, 40:44], array)
            assert (stored["arr_0"][:, :, :40] == beside).all()
            assert (stored["arr_0"][:, :, 44:] == beside).all()
    with pytest.raises(InputError, match="attention"):
        save_for_modisco(Attributions("attention", found.one_hot, found.contributions), tmp_path)
