"""Every substitution in the middle of its window: by shared activations, as tables, as bigWig."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pybigtools
import pytest

import motiflens as ml
from command import motiflens
from motiflens.errors import InputError
from motiflens.io.genome import open_genome
from motiflens.models import build_model
from motiflens.scoring.carry_out import carry_out, merge
from motiflens.scoring.mutations import MutatedBases, Mutations, read_regions
from motiflens.scoring.substitutions import (
    SharedActivations,
    WholeWindows,
    substitutions_of,
)
from motiflens.scoring.work import Shard
from toy_models import random_codes
from variant_runs import make_genome, make_run, random_cnn, scorer_of


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("mutations"))


@pytest.fixture(scope="module")
def genome(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_genome(tmp_path_factory.mktemp("genome"))


@pytest.mark.parametrize("both_strands", [True, False])
@pytest.mark.parametrize(("kernel_size", "length"), [(5, 9), (6, 11), (5, 30), (6, 31), (1, 8)])
def test_shared_activations_are_those_of_whole_windows(
    kernel_size: int, length: int, both_strands: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("motiflens.scoring.substitutions.CENTRES_AT_ONCE", 13)
    members = [random_cnn(kernel_size, seed, both_strands=both_strands) for seed in (0, 1)]
    scorer = scorer_of(*members, length=length, both_strands=both_strands)
    codes = random_codes(1, 300)[0]
    centres = np.unique(np.random.default_rng(1).integers(40, 260, size=70))
    owners = np.random.default_rng(2).permutation(np.repeat(np.arange(len(centres)), 2))
    bases = ((codes[centres[owners]] + 1 + np.arange(len(owners)) % 3) % 4).astype(np.uint8)
    assert SharedActivations.suits(scorer)
    shared = SharedActivations(scorer).logits(codes, centres, owners, bases)
    whole = WholeWindows(scorer).logits(codes, centres, owners, bases)
    assert shared.reference.shape == (2, len(centres))
    np.testing.assert_allclose(shared.reference, whole.reference, atol=1e-5, rtol=1e-5)
    np.testing.assert_allclose(shared.alternate, whole.alternate, atol=1e-5, rtol=1e-5)
    assert np.ptp(whole.alternate) > 0.1


def test_other_models_get_whole_windows() -> None:
    attention = build_model("attention", length=50, seed=0)
    assert isinstance(substitutions_of(scorer_of(attention, length=50)), WholeWindows)
    narrow = scorer_of(random_cnn(9, 0, both_strands=True), length=16)
    assert isinstance(substitutions_of(narrow), WholeWindows)


def test_mutations_are_the_differences_of_whole_windows(run: Path, genome: Path) -> None:
    table = ml.score_mutations(run, [("1", 30, 60), ("gaps", 70, 90)], genome)
    model, opened = ml.load_run(run).models["cnn"], open_genome(genome)
    assert list(table["pos"].unique()) == [*range(31, 61), *range(71, 83)]  # up to the first N
    assert len(table) == 3 * table["pos"].nunique()
    for row in table.itertuples():
        window = opened.fetch(row.chrom, row.pos - 1 - 18, row.pos - 1 + 19)
        assert window[18] == row.ref != row.alt
        changed = f"{window[:18]}{row.alt}{window[19:]}"
        pair = [window, changed]
        reference, alternate = model.predict(pair)
        assert row.reference == pytest.approx(reference, abs=1e-5)
        assert row.difference == pytest.approx(alternate - reference, abs=1e-5)
        errors = np.diff([seed.predict(pair) for seed in model.seeds]).std(ddof=1) / np.sqrt(2)
        assert row.standard_error == pytest.approx(errors, abs=1e-5)


def test_regions_are_joined_and_checked(genome: Path, tmp_path: Path) -> None:
    opened, bed = open_genome(genome), tmp_path / "regions.bed"
    bed.write_text("chr1\t50\t70\nHLA:a-1\t0\t9\n1\t60\t80\nchr1\t90\t95\n")
    spans = [tuple(span) for span in read_regions(bed, opened)]
    assert spans == [("HLA:a-1", 0, 9), ("chr1", 50, 80), ("chr1", 90, 95)]
    assert sum(end - start for _, start, end in read_regions("all", opened)) == 850
    with pytest.raises(InputError, match=r"chr1:400-421 is not in .* chr1 has 420 bases"):
        read_regions([("chr1", 400, 421)], opened)
    with pytest.raises(InputError, match="chr9 is not in it"):
        read_regions([("chr9", 1, 2)], opened)


@pytest.mark.parametrize(
    "regions",
    [
        ("chr1", 10, 20),
        [("chr1", 20, 10)],
        [("chr1", -5, 10)],
        [("chr1", 10.0, 20)],
        [(1, 10, 20)],
        pd.DataFrame({"chrom": ["chr1"], "start": [10], "end": [20]}),
        None,
    ],
)
def test_what_is_no_region_is_refused(genome: Path, regions: Any) -> None:
    with pytest.raises(InputError, match="is no region; give triples of chromosome, start and end"):
        read_regions(regions, open_genome(genome))


@pytest.mark.parametrize("name", [".", "-", "out.csv", "out.bw", "out.parquet", "out.txt.gz"])
def test_an_output_that_names_no_table_or_tracks_is_refused(tmp_path: Path, name: str) -> None:
    done = motiflens("mutations", "no-run", "all", "--genome", "no.fa", "-o", name, cwd=tmp_path)
    assert done.returncode == 2
    assert f"{name} names neither a table nor the beginning of four bigWigs" in done.stderr
    assert not list(tmp_path.iterdir())


def test_bytes_of_a_tile_are_read_again() -> None:
    values = np.arange(9 * 7, dtype=np.float32).reshape(9, 7)
    made = MutatedBases(random_codes(1, 7)[0], values[0], values[1:5], values[5:])
    for ours, read in zip(made, MutatedBases.from_bytes(made.to_bytes()), strict=True):
        np.testing.assert_array_equal(ours, read)


def test_a_big_wig_without_a_value_is_not_written(run: Path, genome: Path, tmp_path: Path) -> None:
    letter = open_genome(genome).fetch("chr1", 100, 101).upper()
    (tmp_path / "r.bed").write_text("chr1\t100\t101\n")
    (tmp_path / "n.bed").write_text("chr1\t0\t1\n")
    (tmp_path / f"out.{letter}.bw").write_text("of another genome")
    shared = ("mutations", run, "r.bed", "--genome", genome, "-o", "out", "--overwrite")
    made = motiflens(*shared, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert f"out.{letter}.bw is not written: nothing becomes {letter}" in made.stderr
    written = {f"out.{base}.bw" for base in "ACGT" if base != letter}
    assert {path.name for path in tmp_path.glob("out*")} == written
    assert all(name in made.stdout for name in written)
    none = motiflens("mutations", run, "n.bed", "--genome", genome, "-o", "none", cwd=tmp_path)
    assert none.returncode == 2
    assert "no window of" in none.stderr
    assert not list(tmp_path.glob("none*.bw"))


def test_four_big_wigs_are_empty_at_the_reference(run: Path, genome: Path, tmp_path: Path) -> None:
    (tmp_path / "r.bed").write_text("chr1\t100\t140\nHLA:a-1\t0\t60\n")
    shared = ("mutations", run, "r.bed", "--genome", genome, "--threads", "1")
    made = motiflens(*shared, "-o", "out", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert "out.T.bw: 100 bases" in made.stdout
    made = motiflens(*shared, "-o", "out.tsv.gz", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    table = pd.read_csv(tmp_path / "out.tsv.gz", sep="\t")
    assert list(table.columns)[:4] == ["#chrom", "pos", "ref", "alt"]
    opened = open_genome(genome)
    for base in "ACGT":
        track = pybigtools.open(str(tmp_path / f"out.{base}.bw"))
        assert track.chroms() == {"chr1": 420, "HLA:a-1": 150}
        own = table[table["alt"] == base]
        for chrom in ("chr1", "HLA:a-1"):
            records = list(track.records(chrom))
            rows = own[own["#chrom"] == chrom]
            assert [start for start, *_ in records] == (rows["pos"] - 1).tolist()
            assert [value for *_, value in records] == pytest.approx(rows["difference"], abs=1e-4)
            letters = opened.fetch(chrom, 0, opened.contigs[chrom].size)
            assert all(letters[start] != base for start, *_ in records)
    told = motiflens(*shared, "-o", "dry", "--dry-run", "--json", cwd=tmp_path)
    assert json.loads(told.stdout)["bases"] == 100
    assert not list(tmp_path.glob("dry*"))
    again = motiflens(*shared, "-o", "out", cwd=tmp_path)
    assert again.returncode == 2
    assert "out.A.bw already exists; use another name, or --overwrite" in again.stderr


def test_shards_make_the_same_bytes(
    run: Path, genome: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("motiflens.scoring.mutations.AT_ONCE", 70)
    arguments = {"run": str(run), "model": None, "device": "cpu", "regions": "all"}
    arguments["genome"] = str(genome)
    for name in ("whole.tsv", "parts.tsv"):
        work = Mutations(**arguments, output=str(tmp_path / name))
        shards = [Shard(n, 3) for n in (2, 3, 1)] if name == "parts.tsv" else [Shard()]
        for shard in shards:
            carry_out(work, shard=shard, threads=2)
    assert len(work.sizes) > 10
    merge(tmp_path / "parts.tsv")
    parts, whole = ((tmp_path / name).read_bytes() for name in ("parts.tsv", "whole.tsv"))
    assert parts == whole
