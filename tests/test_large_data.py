"""Mapped data sets from the command line to a finished run: nothing is read as a whole."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.as_json import as_json

import motiflens
from motiflens import stages
from motiflens.cli import main
from motiflens.datasets import MappedDataset, open_mapped
from motiflens.datasets import mapped as mapped_file
from motiflens.io.mapped import Entry, convert_streaming
from motiflens.io.tables import write_table
from motiflens.report import write_report
from motiflens.simulation import tutorial_grammar
from motiflens.stages.data import prepare

MOTIF = "GATTACCA"
ONE = motiflens.Settings(models=("cnn",), seeds=1, sizes=(), threads=1, strands="forward")


def data(n: int = 120) -> motiflens.SequenceDataset:
    grammar = tutorial_grammar(motif=MOTIF, n=n, length=37)
    return motiflens.simulate(grammar, 0)


def mapped(dataset: motiflens.SequenceDataset, folder: Path) -> MappedDataset:
    split = [""] * len(dataset) if dataset.split is None else dataset.split.tolist()
    rows = zip(
        dataset.sequences(), dataset.labels.tolist(), dataset.names.tolist(), split, strict=True
    )
    return convert_streaming((Entry(*row) for row in rows), folder)


def called(*arguments: str | Path) -> int | str | None:
    with pytest.raises(SystemExit) as ended:
        main([*map(str, arguments)])
    return ended.value.code


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_table(data(), "set.csv.gz")
    return tmp_path


def test_a_table_is_converted_and_comes_back(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called("prepare", "set.csv.gz", "-o", "set.motiflens", "--json") == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["positives"] == 60
    assert printed.err == "not carried into set.motiflens: sites\n"
    found = motiflens.read("set.motiflens")
    assert isinstance(found, MappedDataset)
    assert found.sequences() == data().sequences()
    assert found.folder == Path("set.motiflens")
    assert called("prepare", "set.csv.gz", "-o", "set.motiflens") == 2
    assert "--overwrite" in capsys.readouterr().err
    write_table(data(60), "less.csv")
    assert called("prepare", "less.csv", "-o", "set.motiflens", "--overwrite") == 0
    assert len(open_mapped("set.motiflens")) == 60


def test_mistakes_leave_no_folder(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("ones.csv").write_text("sequence,label,chrom\nACGT,1,chr1\nACGG,1,chr1\n")
    Path("mine.motiflens").mkdir()
    before = sorted(place.rglob("*"))
    for arguments, word in (
        (["ones.csv", "-o", "ones.motiflens"], "all sequences have label 1"),
        (["set.csv.gz", "-o", "x.motiflens", "--peak-name", "a"], "--peak-name"),
        (["set.csv.gz", "-o", "mine.motiflens", "--overwrite"], "mine.motiflens"),
        (["nowhere.csv", "-o", "x.motiflens"], "nowhere.csv"),
    ):
        assert called("prepare", *arguments) == 2
        assert word in capsys.readouterr().err.splitlines()[-1]
    assert sorted(place.rglob("*")) == before


def test_options_of_other_files_are_refused(place: Path) -> None:
    mapped(data(), place / "set.motiflens")
    with pytest.raises(motiflens.InputError, match=r"labels=labels\.txt .* a mapped data set"):
        motiflens.read("set.motiflens", labels="labels.txt")
    with pytest.raises(motiflens.InputError, match=r"test=set\.csv\.gz"):
        motiflens.read("set.motiflens", test="set.csv.gz")
    with pytest.raises(motiflens.InputError, match="split='homology"):
        prepare(motiflens.read("set.motiflens"), replace(ONE, split="homology"))


def test_a_mapped_run_keeps_its_split_and_reopens_its_data(place: Path) -> None:
    folder = place / "set.motiflens"
    mapped(data(), folder)
    made = stages.compare.compare(motiflens.read(folder), "out", ONE)
    assert not (made.path / "data.parquet").exists()
    dataset = motiflens.load_run("out").dataset
    assert isinstance(dataset, MappedDataset)
    assert isinstance(dataset.codes, np.memmap)
    labels, test = dataset.labels, dataset.split == "test"
    assert [int((test & (labels == label)).sum()) for label in (0, 1)] == [12, 12]
    assert set(dataset.split.tolist()) == {"train", "test"}
    expected, _ = prepare(open_mapped(folder), ONE)
    assert np.array_equal(expected.split, dataset.split)
    assert as_json(made.results.comparison)["n_train"] == 96
    folder.rename(place / "moved.motiflens")
    with pytest.raises(motiflens.InputError, match=r"set\.motiflens"):
        _ = made.dataset
    mapped(data(60), folder)
    with pytest.raises(motiflens.InputError, match="are not those of the run in out"):
        _ = made.dataset


@pytest.mark.slow
def test_mapped_data_train_the_models_of_the_same_table(place: Path) -> None:
    split = np.where(
        np.arange(120) % 5 == 4, "test", np.where(np.arange(120) % 7, "train", "valid")
    )
    dataset = data().with_sites(None).with_split(split)
    mapped(dataset, place / "set.motiflens")
    brief = {"attention": {"n_filters": 32, "recipe": {"epochs": 10, "min_steps": 0}}}
    settings = replace(ONE, motif=MOTIF, models=("attention",), hyperparameters=brief)
    runs = [
        motiflens.run(source, name, settings)
        for source, name in ((dataset, "table"), (place / "set.motiflens", "mapped"))
    ]
    assert np.array_equal(runs[0].dataset.split, runs[1].dataset.split)
    for file in (
        "comparison.json",
        "metrics.json",
        "attention.json",
        "models/attention-seed0/weights.safetensors",
        "attributions/attention/ism.npz",
    ):
        assert (runs[0].path / file).read_bytes() == (runs[1].path / file).read_bytes(), file
    shortcut = runs[1].results.motifs.shortcut["attention"]
    assert shortcut.motif == MOTIF
    assert write_report(runs[1].path).is_file()


def test_a_large_set_is_looked_at_through_a_sample(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mapped(data(), place / "set.motiflens")
    monkeypatch.setattr(mapped_file, "MAX_WHOLE", 100)
    monkeypatch.setattr(mapped_file, "SAMPLE_SIZE", 60)
    # Neither the rows nor the names of all sequences are ever made into text.
    texts: list[int] = []
    sequences = motiflens.SequenceDataset.sequences
    monkeypatch.setattr(
        motiflens.SequenceDataset, "sequences", lambda d: texts.append(len(d)) or sequences(d)
    )
    train = ["train", "set.motiflens", "-o", "out", "--model", "cnn", "--seeds", "1"]
    assert called(*train, "--threads", "1") == 0
    assert "look at 60 of 120 sequences" in capsys.readouterr().err
    audited = as_json(motiflens.load_run("out").results.audit)
    sizes = {name: sum(part["n"].values()) for name, part in audited["composition"].items()}
    assert sum(sizes.values()) == 60
    assert 4 <= sizes["test"] <= 20  # 12 are expected: the sample is drawn apart from the split
    assert "60 of 120" in audited["warnings"][-1]
    assert "60 of 120" in motiflens.load_run("out").results.provenance.run.notes[0]
    assert max(texts) < 60
    one, two, other = (open_mapped("set.motiflens").sample(seed) for seed in (0, 0, 1))
    assert one.names.tolist() == two.names.tolist() != other.names.tolist()
    assert (one.labels == 1).sum() == 30
    assert called("audit", "set.motiflens", "-o", "audit.json") == 0
    assert "60 of 120" in json.loads(Path("audit.json").read_text())["warnings"][-1]


def test_a_killed_mapped_run_goes_on(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mapped(data(), place / "set.motiflens")
    whole = stages.compare.compare(motiflens.read(place / "set.motiflens"), "whole", ONE)
    shutil.copytree("whole", "cut")
    (place / "cut" / "comparison.json").unlink()
    (place / "cut" / "split.npy").unlink()
    cut = stages.compare.compare(motiflens.read(place / "set.motiflens"), "cut", ONE)
    for file in ("comparison.json", "split.npy", "run.toml"):
        assert (cut.path / file).read_bytes() == (whole.path / file).read_bytes()
    shutil.rmtree("set.motiflens")
    mapped(data(60), place / "set.motiflens")
    (place / "cut" / "comparison.json").unlink()
    with pytest.raises(motiflens.InputError, match="other data"):
        stages.compare.compare(motiflens.read(place / "set.motiflens"), "cut", ONE)
