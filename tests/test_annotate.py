"""Hits called from contributions: exact sites of hand-set filters, the null, files, tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from tests.toy_models import random_codes

import motiflens as ml
from motiflens.cli import main
from motiflens.errors import InputError
from motiflens.hits.intervals import intervals_of_bed
from motiflens.io.bed import read_loci
from motiflens.io.genome import open_genome
from motiflens.models import BothStrands
from motiflens.models.base import SequenceModel
from motiflens.motifs import Motif, write_motifs
from motiflens.runs import Run
from motiflens.scoring import annotator as annotator_module
from motiflens.scoring.annotate import COLUMNS, Annotation
from motiflens.scoring.annotator import Annotator
from motiflens.scoring.carry_out import carry_out, merge
from motiflens.scoring.significance import Significance, TileCalls
from motiflens.scoring.tiles import folder_of
from motiflens.scoring.work import Shard
from motiflens.sequences import one_hot, reverse_complement_string
from motiflens.settings import Settings
from motiflens.stages.compare import compare

FOR, AGAINST = "GATTACCAC", "CCGTGGAAT"
LENGTH, N = 61, 40


def random_sequences(n: int, length: int = LENGTH, seed: int = 0) -> list[str]:
    letters = np.array(list("ACGT"))
    return ["".join(letters[row]) for row in random_codes(n, length, seed)]


def plant(sequence: str, bases: str, start: int) -> str:
    return sequence[:start] + bases + sequence[start + len(bases) :]


def set_by_hand(model: SequenceModel) -> None:
    """Let the first filter count the bases of ``FOR`` beyond 5, the second those of ``AGAINST``."""
    with torch.no_grad():
        for weights in model.parameters():
            weights.zero_()
        parts = dict(model.named_parameters())
        n_units = parts["hidden.weight"].shape[1] // len(parts["first.weight"])
        for number, (bases, sign) in enumerate(((FOR, 4.0), (AGAINST, -4.0))):
            codes = np.array(["ACGT".index(base) for base in bases], dtype=np.uint8)
            parts["first.weight"][number, :, : len(bases)] = torch.as_tensor(one_hot(codes))
            parts["first.bias"][number] = -5.0
            of_filter = slice(number * n_units, (number + 1) * n_units)
            parts["hidden.weight"][number, of_filter] = 1.0
            parts["output.weight"][0, number] = sign


def motif(name: str, bases: str, sign: float) -> Motif:
    ppm = 0.01 + 0.96 * Motif.from_string(bases).ppm
    return Motif(name, ppm, 100, cwm=sign * Motif.from_string(bases).ppm)


def make_run(folder: Path, model: str, **small: int) -> Run:
    sequences = random_sequences(80, seed=5)
    sequences[:40] = [plant(text, FOR, 7 + i) for i, text in enumerate(sequences[:40])]
    data = ml.SequenceDataset.from_sequences(sequences, [1.0] * 40 + [0.0] * 40)
    changes = {model: {**small, "recipe": {"epochs": 1, "min_steps": 0}}}
    settings = Settings(models=(model,), seeds=2, strands="both", hyperparameters=changes)
    made = compare(data, folder, replace(settings, threads=1))
    for seed in made.models[model].seeds:
        inner = seed.model.model if isinstance(seed.model, BothStrands) else seed.model
        set_by_hand(inner)
        seed.write_into(made.results.path_of("weights", model=model, seed=seed.seed).parent)
    path = made.results.path_of("discovery_arrays")
    path.parent.mkdir()
    same = motif("same-bases", AGAINST, 1.0)
    write_motifs([motif("for", FOR, 1.0), motif("against", AGAINST, -1.0), same], path)
    return made


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("annotate") / "run"
    return make_run(folder, "cnn", n_filters=3, kernel_size=9, n_hidden=2)


@pytest.fixture(autouse=True)
def _few_shuffles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annotator_module, "NULL_BASES", 30_000)


def planted() -> tuple[list[str], pd.DataFrame]:
    """Sequences, a third of them with a site, and where these are."""
    sequences, sites = random_sequences(N, seed=9), []
    for row in range(0, N, 3):
        bases, name = ((FOR, "for"), (AGAINST, "against"))[row % 2]
        strand, start = "+-"[row // 2 % 2], row + 3
        site = bases if strand == "+" else reverse_complement_string(bases)
        sequences[row] = plant(sequences[row], site, start)
        sites.append((f"seq{row + 1:04}", start, start + len(bases), strand, name))
    return sequences, pd.DataFrame(sites, columns=["chrom", "start", "end", "strand", "motif_id"])


def fasta(path: Path, sequences: Sequence[str]) -> Path:
    path.write_text("".join(f">s{i}\n{text}\n" for i, text in enumerate(sequences)))
    return path


def test_planted_sites_are_hits_on_their_bases_and_strand(run: Run) -> None:
    sequences, sites = planted()
    hits = ml.annotate(run, sequences)
    assert list(hits.columns) == list(COLUMNS)
    found = hits[["chrom", "start", "end", "strand", "motif_id"]]
    pd.testing.assert_frame_equal(found, sites)
    assert (hits["p_value"] < 1e-3).all()
    assert (hits["q_value"] < 0.05).all()
    assert (np.sign(hits["contribution"]) == np.where(hits["motif_id"] == "for", 1, -1)).all()
    assert (hits["log_odds"] > 14).all()
    assert (hits["similarity"] > 0.9).all()


def test_sequences_without_sites_have_no_hits(run: Run) -> None:
    assert ml.annotate(run, random_sequences(N, seed=4)).empty


def test_the_other_strand_has_the_same_hits_mirrored(run: Run) -> None:
    sequences, _ = planted()
    hits = ml.annotate(run, sequences, fdr=1.0)
    turned = ml.annotate(run, [reverse_complement_string(text) for text in sequences], fdr=1.0)
    turned = turned.assign(
        start=LENGTH - turned["end"],
        end=LENGTH - turned["start"],
        strand=turned["strand"].map({"+": "-", "-": "+"}),
    )
    by = ["chrom", "start", "motif_id", "strand"]
    one, other = (table.sort_values(by, ignore_index=True) for table in (hits, turned))
    # Evidence is counted in steps: rounding may move a hit by one, and its p-value with it.
    exact, steps = list(COLUMNS[:4] + COLUMNS[5:11]), ["p_value", "q_value"]
    pd.testing.assert_frame_equal(one[exact], other[exact], rtol=1e-4)
    pd.testing.assert_frame_equal(one[steps], other[steps], rtol=0.3)


def test_hits_do_not_depend_on_the_other_sequences(run: Run) -> None:
    sequences, _ = planted()
    together = ml.annotate(run, sequences, fdr=1.0)
    alone = ml.annotate(run, sequences[3], fdr=1.0)
    own = together[together["chrom"] == "seq0004"].reset_index(drop=True)
    columns = [*COLUMNS[1:4], "strand", *COLUMNS[7:11]]
    pd.testing.assert_frame_equal(alone[columns], own[columns], rtol=1e-4)
    assert alone["q_value"].min() < 0.05


def test_p_values_of_chance_are_uniform(run: Run) -> None:
    """Among windows of random sequences, a fraction p has a p-value of at most p."""
    annotator = Annotator(run, random_sequences(400, seed=21))
    tiles = [annotator.compute(tile) for tile in range(len(annotator.sizes))]
    values = Significance(3, annotator.n_shuffles)
    for tile in tiles:
        values.add(tile)
    rows = np.concatenate([tile.rows for tile in tiles])
    n_windows = sum(int(tile.n_windows[0]) for tile in tiles)
    assert n_windows == 400 * 2 * (LENGTH - 8)
    p, _ = values.of(rows["motif"], rows["evidence"])
    for index in (0, 1):
        own = np.sort(p[rows["motif"] == index])
        assert len(own) > 30
        for level in own[[len(own) // 2, -1]]:
            expected = level * n_windows
            assert abs((own <= level).sum() - expected) < 4 * np.sqrt(expected) + 0.15 * expected


def test_windows_with_n_are_neither_hits_nor_counted(run: Run) -> None:
    text = plant(random_sequences(1, seed=2)[0], FOR, 20)
    assert (ml.annotate(run, text)["start"] == [20]).all()
    broken = plant(text, "N", 24)
    assert ml.annotate(run, broken).empty
    (tile,) = (Annotator(run, [broken]).compute(0),)
    assert tile.n_windows.tolist() == [2 * (LENGTH - 8 - 9)] * 3


def test_long_sequences_are_explained_in_windows_and_cut_into_pieces(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = random_sequences(1, 20 * LENGTH, seed=31)[0]
    starts = [0, 200, 390, 401, 799, 20 * LENGTH - len(FOR)]
    for number, start in enumerate(starts):
        site = FOR if number % 2 else reverse_complement_string(FOR)
        long = plant(long, site, start)
    whole = ml.annotate(run, [long])
    assert whole["start"].tolist() == starts
    assert whole["strand"].tolist() == ["-", "+"] * 3
    monkeypatch.setattr(annotator_module, "PIECE", 400)
    monkeypatch.setattr(annotator_module, "TILE", 300)
    cut = ml.annotate(run, [long])
    pd.testing.assert_frame_equal(cut[list(COLUMNS[:4])], whole[list(COLUMNS[:4])])
    assert len(Annotator(run, [long]).sizes) > 1


def test_intervals_of_a_genome_keep_their_order_and_strands(run: Run, tmp_path: Path) -> None:
    contig = random_sequences(1, 400, seed=8)[0]
    contig = plant(plant(contig, FOR, 50), reverse_complement_string(FOR), 300)
    genome = tmp_path / "genome.fa"
    genome.write_text(f">chr1\n{contig.lower()}\n")
    rows = [("270", "340", "-"), ("20", "90", "+"), ("270", "340", "+"), ("390", "500", "+")]
    bed = tmp_path / "peaks.bed"
    bed.write_text("".join(f"1\t{a}\t{b}\tpeak\t0\t{s}\n" for a, b, s in rows))
    hits = ml.annotate(run, bed, genome=genome, fdr=0.005)
    assert hits["chrom"].tolist() == ["chr1"] * 3
    assert hits["start"].tolist() == [300, 50, 300]
    assert hits["strand"].tolist() == ["-", "+", "-"]
    assert "1 of 4 intervals left out" in " ".join(Annotator(run, bed, genome=genome).notes)
    assert intervals_of_bed(bed, open_genome(genome)).names == ["chr1"]


def work_of(run: Run, sequences: Path, output: Path, **changes: object) -> Annotation:
    names = dict.fromkeys(("genome", "model", "method"))
    given = {"run": str(run.path), "sequences": str(sequences), "output": str(output)}
    return Annotation(**{**given, **names, "fdr": 0.05, "device": "cpu", **changes})


def test_threads_shards_and_tiles_change_no_byte(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sequences, _ = planted()
    path, contents = fasta(tmp_path / "some.fa", sequences), []
    monkeypatch.setattr(annotator_module, "TILE", 500)
    for threads in (1, 3):
        output = tmp_path / f"threads{threads}.bed.gz"
        assert carry_out(work_of(run, path, output), threads=threads)
        contents.append(output.read_bytes())
    output = tmp_path / "shards.bed.gz"
    for number in (2, 1):
        carry_out(work_of(run, path, output), shard=Shard(number, 2))
    merge(output)
    assert contents == [output.read_bytes()] * 2
    assert not folder_of(output).exists()
    loci = read_loci(output)
    hits = ml.annotate(run, sequences)
    assert loci.start.tolist() == hits["start"].tolist()
    assert loci.strand.tolist() == hits["strand"].tolist()


def test_settings_are_of_contents_and_not_of_paths(run: Run, tmp_path: Path) -> None:
    sequences, _ = planted()
    one = work_of(run, fasta(tmp_path / "one.fa", sequences), tmp_path / "one.bed").settings
    two = work_of(run, fasta(tmp_path / "two.fa", sequences), tmp_path / "two.bed").settings
    assert one == two
    assert str(tmp_path) not in str(one)
    other = fasta(tmp_path / "three.fa", sequences[::-1])
    assert work_of(run, other, tmp_path / "three.bed").settings != one


def test_tiles_come_back_from_bytes() -> None:
    tile = TileCalls(
        np.zeros(3, TileCalls.from_bytes(b"\0" * 24).rows.dtype),
        np.ones(2, TileCalls.from_bytes(b"\0" * 24).null.dtype),
        np.arange(4),
    )
    back = TileCalls.from_bytes(tile.to_bytes())
    for part, other in zip(tile, back, strict=True):
        np.testing.assert_array_equal(part, other)


def test_the_command_writes_hits_and_says_how_many(
    run: Run,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    sequences, sites = planted()
    path, output = fasta(tmp_path / "some.fa", sequences), Path("hits.bed")  # told as it is given
    call = ["annotate", str(run.path), str(path), "-o", str(output), "--threads", "1"]
    with pytest.raises(SystemExit, match="0"):
        main([*call, "--dry-run"])
    assert "nothing is written" in capsys.readouterr().out
    assert not output.exists()
    with pytest.raises(SystemExit, match="0"):
        main(call)
    told = f"{output}: {len(sites)} hits of 3 motifs in 40 sequences"
    assert told == capsys.readouterr().out.splitlines()[0]
    table = pd.read_csv(output, sep="\t")
    assert list(table.columns) == ["#chrom", *COLUMNS[1:]]
    assert table["start"].tolist() == sites["start"].tolist()
    with pytest.raises(SystemExit, match="2"):
        main(call)
    assert "already exists" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.fa", "", "is empty"),
        ("peaks.bed", "chr1\t1\t50\n", "needs genome"),
        ("words.fa", ">a\nACGTXACGT\n", "no nucleotide"),
        ("bare.fa", ">a\n", "no sequence"),
    ],
)
def test_files_that_are_none(run: Run, tmp_path: Path, name: str, content: str, says: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(InputError, match=says):
        ml.annotate(run, path)


def test_sequences_too_short_are_told_and_left_out(run: Run) -> None:
    annotator = Annotator(run, ["ACGT", "ACGTACG"])
    assert "2 of 2 sequences are shorter" in annotator.notes[0]
    assert ml.annotate(run, ["ACGT", "ACGTACG"]).empty


def test_a_run_without_motifs_names_the_command(run: Run, tmp_path: Path) -> None:
    data = ml.SequenceDataset.from_sequences(random_sequences(20), [0.0, 1.0] * 10)
    changes = {"cnn": {"n_filters": 3, "recipe": {"epochs": 1, "min_steps": 0}}}
    settings = Settings(models=("cnn",), seeds=1, hyperparameters=changes, threads=1)
    bare = compare(data, tmp_path / "bare", settings)
    with pytest.raises(InputError, match="find them by `motiflens motifs"):
        ml.annotate(bare, random_sequences(2))


@pytest.mark.parametrize(
    ("given", "says"),
    [({"fdr": 0.0}, "fdr=0.0"), ({"method": "isn"}, "isn"), ({"model": "transformer"}, "model")],
)
def test_arguments_that_are_none(run: Run, given: dict[str, object], says: str) -> None:
    with pytest.raises(InputError, match=says):
        ml.annotate(run, random_sequences(2), **given)


def test_mutagenesis_finds_the_same_sites(run: Run) -> None:
    sequences, sites = planted()
    hits = ml.annotate(run, sequences, method="ism")
    assert hits["start"].tolist() == sites["start"].tolist()


@pytest.mark.parametrize("method", [None, "ism"])
def test_shorter_sequences_of_a_model_of_one_length(tmp_path: Path, method: str | None) -> None:
    """Padding is what such a model was trained with, and nothing is found in it."""
    fixed = make_run(tmp_path / "run", "tutorial-cnn")
    shorter = random_sequences(20, LENGTH - 17, seed=13)
    sites = [(row, 2 + row) for row in range(0, 20, 4)]
    for row, start in sites:
        shorter[row] = plant(shorter[row], FOR, start)
    hits = ml.annotate(fixed, [*shorter, *random_sequences(20, seed=14)], method=method)
    found = zip(hits["chrom"], hits["start"], hits["motif_id"], strict=True)
    assert list(found) == [(f"seq{row + 1:04}", start, "for") for row, start in sites]
