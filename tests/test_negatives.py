"""Negatives: shuffled, matched with windows of the genome, from a file, and mixed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from motiflens.datasets import Loci, SequenceDataset, concatenate
from motiflens.errors import InputError
from motiflens.io.genome import Genome, open_genome
from motiflens.io.negatives import (
    TOLERANCE,
    bind,
    make_negatives,
    matched_windows,
    shuffles_off_genome,
)

N = 60
WIDTHS = np.array([30, 45, 60] * (N // 3))


def repeat(length: int, gc: float, masked: float, generator: np.random.Generator) -> str:
    """Random letters of a GC content, of which a fraction is in lower case."""
    letters = np.where(
        generator.random(length) < gc,
        generator.choice(["G", "C"], length),
        generator.choice(["A", "T"], length),
    )
    return "".join(np.where(generator.random(length) < masked, np.char.lower(letters), letters))


def place_of(rows: list[tuple[str, int, int, str]]) -> Loci:
    return Loci(*map(np.array, zip(*rows, strict=True)))


@pytest.fixture(scope="module")
def genome(tmp_path_factory) -> Genome:
    """Two contigs of blocks that differ in GC and repeats, with a gap of N in the first."""
    generator = np.random.default_rng(8)
    kinds = [(gc, masked) for gc in (0.2, 0.5, 0.8) for masked in (0.0, 0.9)]
    blocks = [
        "".join(repeat(2000, *kinds[i], generator) for i in generator.permutation(6))
        for _ in range(3)
    ]
    path = tmp_path_factory.mktemp("genome") / "g.fa"
    path.write_text(f">chr1\n{blocks[0]}{'N' * 5000}{blocks[1]}\n>chr2\n{blocks[2]}\n")
    return open_genome(path)


@pytest.fixture(scope="module")
def positives(genome) -> SequenceDataset:
    generator = np.random.default_rng(3)
    rows = []
    while len(rows) < N:
        chrom, width = ("chr1", "chr2")[len(rows) % 4 == 0], int(WIDTHS[len(rows)])
        start = int(generator.integers(0, genome.contigs[chrom].size - width))
        if "N" not in genome.fetch(chrom, start, start + width):
            rows.append((chrom, start, start + width, "+-."[len(rows) % 3]))
    return SequenceDataset.from_sequences(
        [genome.fetch(*row[:3]) for row in rows], [1] * N, coordinates=place_of(rows)
    )


def content(genome: Genome, places: Loci | Loci) -> np.ndarray:
    texts = [
        genome.fetch(chrom, start, end)
        for chrom, start, end in zip(
            places.chrom.tolist(), places.start.tolist(), places.end.tolist(), strict=True
        )
    ]
    return np.array(
        [[np.mean([c in "GCgc" for c in t]), np.mean([c.islower() for c in t])] for t in texts]
    )


def test_matched_windows_are_like_the_positives_and_free(genome, positives):
    places = positives.coordinates
    found = matched_windows(places, genome, None, seed=1)
    assert len(found) == N
    order = np.argsort(places.chrom == "chr1", kind="stable")  # the first positive is on chr2
    assert found.chrom.tolist() == places.chrom[order].tolist()
    assert (found.end - found.start).tolist() == WIDTHS[order].tolist()
    assert found.strand.tolist() == places.strand[order].tolist()
    difference = np.abs(content(genome, found) - content(genome, places)[order]).sum(axis=1)
    assert difference.max() <= TOLERANCE
    assert difference.mean() < 0.03
    assert np.corrcoef(content(genome, found)[:, 1], content(genome, places)[order, 1])[0, 1] > 0.99
    for chrom in ("chr1", "chr2"):
        taken = np.zeros(genome.contigs[chrom].size, dtype=int)
        for here, start, end in zip(places.chrom, places.start, places.end, strict=True):
            taken[start:end] |= here == chrom
        for here, start, end in zip(found.chrom, found.start, found.end, strict=True):
            assert here != chrom or not taken[start:end].any()
            assert "N" not in genome.fetch(str(here), int(start), int(end))
            taken[start:end] |= here == chrom


def test_matched_windows_avoid_all_loci(genome, positives):
    avoid = Loci(
        np.array(["1", "chr9", "2"]),  # by another name, missing, by another name
        np.array([-5, 0, 100]),
        np.array([15000, 50000, 9000]),
        np.array(["."] * 3),
        np.array([""] * 3),
        np.array([-1] * 3),
    )
    found = matched_windows(positives.coordinates, genome, avoid, seed=1)
    first = found.chrom == "chr1"
    assert (found.start[first] >= 15000).all()
    assert ((found.end[~first] <= 100) | (found.start[~first] >= 9000)).all()
    assert len(found) > N // 2
    places = positives.coordinates
    for chrom, start, end in zip(places.chrom, places.start, places.end, strict=True):
        assert not ((found.chrom == chrom) & (found.start < end) & (found.end > start)).any()


def test_matched_negatives_follow_the_seed_and_have_their_place(genome, positives):
    data = make_negatives("matched", positives, genome=genome, seed=4)
    assert (data.labels == 0).all()
    again = make_negatives("matched", positives, genome=genome, seed=4)
    assert again.sequences() == data.sequences()
    assert (
        make_negatives("matched", positives, genome=genome, seed=5).sequences() != data.sequences()
    )
    where = data.coordinates
    row = where.strand.tolist().index("+")
    place = (where.chrom[row], int(where.start[row]), int(where.end[row]))
    assert data.sequences()[row] == genome.fetch(*place).upper()
    assert data.names[row] == "{}:{}-{}".format(*place)


def test_a_positive_without_a_similar_window_gets_no_negative(tmp_path):
    path = tmp_path / "g.fa"
    path.write_text(">a\n" + "ACAT" * 50 + "GCGCGGCC" + "ATAC" * 50 + "\n")
    places = place_of([("a", 200, 208, "+"), ("a", 20, 28, "+")])
    found = matched_windows(places, open_genome(path), None, seed=0)
    assert len(found) == 1
    assert abs(content(open_genome(path), found)[0, 0] - 0.25) <= TOLERANCE


def test_a_crowded_genome_has_no_free_window(tmp_path):
    path = tmp_path / "g.fa"
    path.write_text(">a\n" + "ACAT" * 5 + "\n")
    with pytest.raises(InputError, match="no window of the genome is free"):
        matched_windows(place_of([("a", 4, 16, "+")]), open_genome(path), None, seed=0)


def test_matched_negatives_need_genome_and_places(genome, positives):
    with pytest.raises(InputError, match="there is no genome=FILE"):
        make_negatives("matched", positives, seed=0)
    bare = SequenceDataset.from_sequences(["ACG"], [1])
    with pytest.raises(InputError, match="the positives have no coordinates"):
        make_negatives("matched", bare, genome=genome, seed=0)
    beyond = SequenceDataset.from_sequences(
        ["ACG"], [1], coordinates=place_of([("chr2", 99999, 100002, "+")])
    )
    with pytest.raises(InputError, match=r"chr2:99999-100002 is not in"):
        make_negatives("matched", beyond, genome=genome, seed=0)


def pairs(sequence: str) -> Counter:
    return Counter(pairwise(sequence))


def test_shuffles_keep_dinucleotides_and_have_no_place_of_their_own(positives):
    data = make_negatives("shuffle", positives, seed=2)
    assert (data.labels == 0).all()
    ours, theirs = data.sequences(), positives.sequences()
    assert [pairs(one) for one in ours] == [pairs(other) for other in theirs]
    assert sum(one != other for one, other in zip(ours, theirs, strict=True)) == N
    assert data.coordinates is None
    whole = bind(positives, data)
    assert (whole.coordinates.chrom[N:] == "").all()
    assert (whole.coordinates.chrom[:N] == positives.coordinates.chrom).all()
    assert whole.groups.tolist() == [*range(N)] * 2
    assert data.names[:2].tolist() == ["seq0001_shuffled", "seq0002_shuffled"]
    assert make_negatives("shuffle", positives, seed=2).sequences() == ours
    assert make_negatives("shuffle", positives, seed=3).sequences() != ours


def test_files_and_mixtures(tmp_path, monkeypatch, genome, positives):
    monkeypatch.chdir(tmp_path)
    Path("n.fa").write_text(">x\nACG\n>y\nTT\n")
    Path("a+b.txt").write_text("GGGG\n")
    assert make_negatives("n.fa", positives, seed=0).names.tolist() == ["x", "y"]
    whole = make_negatives("a+b.txt", positives, seed=0)
    assert (whole.sequences(), whole.names.tolist()) == (["GGGG"], ["negative0001"])
    mixed = make_negatives("matched+n.fa+shuffle", positives, genome=genome, seed=0)
    parts = [
        make_negatives(kind, positives, genome=genome, seed=0)
        for kind in ("matched", "n.fa", "shuffle")
    ]
    assert mixed.sequences() == [text for part in parts for text in part.sequences()]
    assert mixed.coordinates.chrom[N : N + 2].tolist() == ["", ""]
    for kind in ("shufle", "shuffle+", "shuffle+no.fa"):
        with pytest.raises(InputError):
            make_negatives(kind, positives, seed=0)


def test_shuffles_of_an_older_run_lose_the_place_of_their_positive(positives):
    shuffles = make_negatives("shuffle", positives, seed=2)
    older = concatenate([positives, replace(shuffles, coordinates=positives.coordinates)])
    places = shuffles_off_genome(older).coordinates
    assert (places.chrom[N:] == "").all()
    assert (places.end[N:] == 0).all()
    assert places.start[:N].tolist() == positives.coordinates.start.tolist()
    assert shuffles_off_genome(positives) is positives
