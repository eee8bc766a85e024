"""The real command line: results in files, mistakes in one line, nothing half-written."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from tests.as_json import as_json
from tests.command import motiflens as command

import motiflens
from motiflens import stages
from motiflens.cli import main
from motiflens.io.tables import write_table
from motiflens.simulation import read_grammar, tutorial_grammar

PRIMER = Path(__file__).parents[2] / "shared" / "data" / "primer"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a working directory with a small data set and several broken files."""
    monkeypatch.chdir(tmp_path)
    dataset = motiflens.simulate(tutorial_grammar(n=60), 0)
    write_table(dataset, "good.parquet")
    sequences = dataset.sequences()
    Path("sequences.txt").write_text("\n".join(sequences) + "\n")
    Path("labels.txt").write_text("\n".join(str(int(v)) for v in dataset.labels) + "\n")
    Path("short-labels.txt").write_text("0\n1\n")
    Path("words.txt").write_text("\n".join(["0", "1", "maybe"] + ["0"] * 57) + "\n")
    Path("empty.txt").write_text("")
    Path("empty.parquet").write_text("")
    Path("false.parquet").write_text("sequence,label\nACGT,1\n")
    letters = [*sequences[:4], "ACGTXACGT", *sequences[5:]]
    Path("letters.txt").write_text("\n".join(letters) + "\n")
    rows = [f"{s},1" for s in sequences]
    Path("one-class.csv").write_text("sequence,label\n" + "\n".join(rows) + "\n")
    tiny = [f"{s[:9]},{i % 2}" for i, s in enumerate(sequences)]
    Path("tiny.csv").write_text("sequence,label\n" + "\n".join(tiny) + "\n")
    Path("word.csv").write_text("sequence,label\nACGT,1\nACGA,maybe\n")
    return tmp_path


MISTAKES = {
    "a missing file": (["run", "goood.parquet", "-o", "out"], ["goood.parquet", "good.parquet"]),
    "an empty file": (["run", "empty.txt", "--labels", "labels.txt", "-o", "out"], ["empty"]),
    "an empty table": (["run", "empty.parquet", "-o", "out"], ["empty.parquet"]),
    "letters": (
        ["prepare", "letters.txt", "--labels", "labels.txt", "-o", "out.parquet"],
        ["'X'", "line 5", "5 of"],
    ),
    "numbers differ": (
        ["prepare", "sequences.txt", "--labels", "short-labels.txt", "-o", "out.parquet"],
        ["60", "2"],
    ),
    "one class": (["run", "one-class.csv", "-o", "out"], ["all 60 sequences", "label"]),
    "shorter than the kernel": (
        ["run", "tiny.csv", "-o", "out", "--models", "tutorial-cnn"],
        ["tutorial-cnn", "9"],
    ),
    "a motif too long": (
        ["run", "good.parquet", "-o", "out", "--motif", "A" * 51],
        ["motif", "50"],
    ),
    "a motif of other letters": (
        ["run", "good.parquet", "-o", "out", "--motif", "GATTAC!"],
        ["'GATTAC!'"],
    ),
    "an unknown model": (
        ["compare", "good.parquet", "-o", "out", "--models", "atention"],
        ["atention", "did you mean attention?"],
    ),
    "an unknown option": (
        ["run", "good.parquet", "-o", "out", "--seedz", "3"],
        ["--seedz", "did you mean --seed"],
    ),
    "an unknown command": (["rnu", "good.parquet"], ["rnu", "did you mean run?"]),
    "no output": (["run", "good.parquet"], ["-o OUT"]),
    "no seeds": (["run", "good.parquet", "-o", "out", "--seeds", "0"], ["--seeds", "0"]),
    "seeds that are no number": (
        ["run", "good.parquet", "-o", "out", "--seeds", "ten"],
        ["--seeds", "ten"],
    ),
    "sizes that are no numbers": (
        ["run", "good.parquet", "-o", "out", "--sizes", "50,x"],
        ["--sizes", "50,x"],
    ),
    "a size beyond the data": (
        ["compare", "good.parquet", "-o", "out", "--sizes", "500"],
        ["500", "48"],
    ),
    "a fraction": (
        ["run", "good.parquet", "-o", "out", "--test-fraction", "1.5"],
        ["--test-fraction", "1.5"],
    ),
    "a label that is no number": (["run", "word.csv", "-o", "out"], ["maybe", "word.csv", "3"]),
    "a label file with a word": (
        ["prepare", "sequences.txt", "--labels", "words.txt", "-o", "out.parquet"],
        ["maybe", "line 3"],
    ),
    "no Parquet file": (["run", "false.parquet", "-o", "out"], ["false.parquet", "Parquet"]),
    "a device that is not there": (
        ["train", "good.parquet", "-o", "out", "--device", "gpu"],
        ["--device", "gpu"],
    ),
    "a grammar that is not there": (
        ["simulate", "--grammar", "no.toml", "-o", "out.parquet"],
        ["no.toml"],
    ),
    "a motif longer than what is simulated": (
        ["simulate", "--length", "5", "-o", "out.parquet"],
        ["12", "5"],
    ),
    "an output of unknown kind": (["simulate", "-o", "out.xlsx"], ["out.xlsx", ".parquet"]),
    "a run that is none": (["report", "out"], ["out does not exist"]),
    "too many seeds": (["run", "good.parquet", "-o", "out", "--seeds", "1000000000"], ["1000"]),
    "a seed too large": (
        ["run", "good.parquet", "-o", "out", "--seed", "4294967296"],
        ["--seed", "4294967296"],
    ),
    "a negative seed": (["simulate", "--seed", "-1", "-o", "out.parquet"], ["--seed", "-1"]),
    "a length beyond all": (
        ["simulate", "--length", "1000000000000", "-o", "out.parquet"],
        ["length", "1000000000000"],
    ),
    "a motif of N": (["run", "good.parquet", "-o", "out", "--motif", "NNNN"], ["NNNN"]),
    "a name too long": (["run", "good.parquet", "-o", "o" * 300], ["path"]),
    "strands": (["simulate", "--strands", "foward", "-o", "out.parquet"], ["forward"]),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_ends_in_one_line_and_exit_code_2(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, words = MISTAKES[name]
    before = sorted(folder.iterdir())
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    printed = capsys.readouterr()
    assert ended.value.code == 2
    lines = printed.err.splitlines()
    assert len(lines) == 1, printed.err
    assert lines[0].startswith("motiflens: ")
    assert "; " in lines[0], "a mistake without a remedy"
    for word in words:
        assert word in lines[0], lines[0]
    assert printed.out == ""
    assert sorted(folder.iterdir()) == before


def test_a_finished_run_and_an_existing_file_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = ["train", "good.parquet", "-o", "out", "--model", "tutorial-cnn", "--seeds", "1"]
    for arguments in (train, ["simulate", "-o", "good.parquet"]):
        for overwrite in (False, True, False):
            path = folder / arguments[arguments.index("-o") + 1]
            existed = path.exists()
            with pytest.raises(SystemExit) as ended:
                main([*arguments, *(["--overwrite"] if overwrite else [])])
            assert ended.value.code == (2 if existed and not overwrite else 0)
            if ended.value.code == 2:
                assert "--overwrite" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.slow
def test_prepare_and_run_make_the_whole_directory(folder: Path) -> None:
    (folder / "brief.toml").write_text("[attention.recipe]\nepochs = 3\nmin_steps = 0\n")
    prepared = command(
        "prepare", "sequences.txt", "--labels", "labels.txt", "-o", "set.parquet", "--json",
        cwd=folder,
    )  # fmt: skip
    assert prepared.returncode == 0, prepared.stderr
    assert json.loads(prepared.stdout) == {
        "file": "set.parquet", "sequences": 60, "positives": 30, "shortest": 50, "longest": 50
    }  # fmt: skip
    finished = command(
        "run", "set.parquet", "-o", "out", "--motif", "CGACCGAACTCC", "--seeds", "1",
        "--models", "attention,tutorial-cnn", "--sizes", "none", "--threads", "1", "--json",
        "--hyperparameters", "brief.toml", cwd=folder,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    summary = json.loads(finished.stdout)
    assert list(summary["models"]) == ["attention", "tutorial-cnn"]
    assert "training" in finished.stderr
    assert {path.name for path in (folder / "out").iterdir()} == {
        "run.toml", "data.parquet", "audit.json", "comparison.json", "metrics.json",
        "timings.json", "models", "attributions", "attention.json", "motifs.json", "motifs",
        "experiments.json", "trust.json", "report.html",
    }  # fmt: skip
    page = (folder / "out" / "report.html").read_text()
    assert "Test Accuracy Comparison" in page
    # The stages can be done again one by one, and give the same.
    motifs = (folder / "out" / "motifs.json").read_bytes()
    for stage in ("explain", "motifs", "experiments", "trust", "report"):
        (folder / "out" / "motifs.json").write_bytes(motifs)
        again = command(stage, "out", cwd=folder)
        assert again.returncode == 0, again.stderr
    assert (folder / "out" / "motifs.json").read_bytes() == motifs


def test_simulate_spells_the_tutorials_defaults_out(folder: Path) -> None:
    spelt = command(
        "simulate", "--motif", "CGACCGAACTCC", "--n", "2000", "--length", "50",
        "--mutation-rate", "0", "--strands", "forward", "--seed", "0", "-o", "a.parquet",
        cwd=folder,
    )  # fmt: skip
    assert spelt.returncode == 0, spelt.stderr
    assert command("simulate", "-o", "b.parquet", cwd=folder).returncode == 0
    assert (folder / "a.parquet").read_bytes() == (folder / "b.parquet").read_bytes()
    table = pd.read_parquet(folder / "a.parquet")
    assert table.shape[0] == 2000
    positives = table[table["label"] == 1]
    for sequence, sites in zip(positives["sequence"], positives["sites"], strict=True):
        start = int(sites.split(":")[1].split("-")[0])
        assert sequence[start : start + 12] == "CGACCGAACTCC"


def test_help_and_version_do_not_wait_for_torch(folder: Path) -> None:
    for arguments in (["--help"], ["run", "--help"], ["motifs", "--help"], ["--version"]):
        found = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "motiflens", *arguments],
            capture_output=True,
            text=True,
            check=True,
        )
        assert "torch" not in {line.split("|")[-1].strip() for line in found.stderr.splitlines()}
    assert found.stdout.strip() == motiflens.__version__


def test_an_interrupt_leaves_no_traceback(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("motiflens.stages.explain.explain", interrupted)
    with pytest.raises(SystemExit) as ended:
        main(["explain", "out"])
    assert ended.value.code == 130
    told = capsys.readouterr().err
    assert told == "motiflens: interrupted; the same command goes on with a run\n"


@pytest.mark.slow
@pytest.mark.skipif(not PRIMER.is_dir(), reason="the shared test data are not here")
def test_the_tutorials_experiment_gives_its_figures(tmp_path: Path) -> None:
    prepared = command(
        "prepare", PRIMER / "sequences.txt", "--labels", PRIMER / "labels.txt", "-o",
        "primer.parquet", cwd=tmp_path,
    )  # fmt: skip
    assert prepared.returncode == 0, prepared.stderr
    finished = command(
        "run", "primer.parquet", "--motif", "CGACCGAACTCC", "--seeds", "10", "-o", "out",
        "--models", "tutorial-cnn,tutorial-attention,cnn,attention", cwd=tmp_path,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    run = motiflens.load_run(tmp_path / "out")
    summary = {
        name: found["summary"] for name, found in as_json(run.results.comparison)["models"].items()
    }
    assert 4 <= summary["tutorial-cnn"]["epochs_to_target"]["median"] <= 6
    assert 1 <= summary["tutorial-attention"]["epochs_to_target"]["median"] <= 3
    accuracies = {
        name: pd.Series([seed["test"]["accuracy"] for seed in found["seeds"]]).median()
        for name, found in as_json(run.results.comparison)["models"].items()
    }
    assert accuracies["tutorial-cnn"] >= 0.985
    assert accuracies["tutorial-attention"] >= 0.995
    exact = {
        (name, route): [seed["routes"][route][0]["recovery"] for seed in found["seeds"]]
        for name, found in as_json(run.results.motifs)["models"].items()
        for route in found["seeds"][0]["routes"]
    }
    for route in ("attention", "ism"):
        assert all(one["exact"] for one in exact["attention", route])
        assert min(one["similarity"] for one in exact["attention", route]) >= 0.98
    assert sum(one["exact"] for one in exact["attention", "filters"]) >= 9
    assert sum(one["exact"] for one in exact["tutorial-attention", "attention"]) >= 9
    assert not any(one["exact"] for one in exact["tutorial-attention", "attention-stretched"])
    assert as_json(run.results.motifs)["shortcut"]["tutorial-attention"]["verdict"].startswith(
        "order is learnt:"
    )


def test_a_demo_replaces_only_a_demo(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stages.compare.compare(
        motiflens.read("good.parquet"),
        "mine",
        motiflens.Settings(models=("tutorial-cnn",), seeds=1, sizes=()),
    )
    before = (folder / "mine" / "comparison.json").read_bytes()
    with pytest.raises(SystemExit) as ended:
        main(["demo", "-o", "mine"])
    assert ended.value.code == 2
    assert "mine holds the run on" in capsys.readouterr().err
    assert (folder / "mine" / "comparison.json").read_bytes() == before


def test_a_grammars_own_seed_counts_unless_another_is_given(folder: Path) -> None:
    for seed in (3, 4):
        rules = f'n = 40\nlength = 30\nseed = {seed}\n[[motifs]]\nmotif = "GATTACCA"\n'
        Path(f"g{seed}.toml").write_text(rules)
    motifs = read_grammar("g3.toml").motifs
    assert len(motifs) == 1
    for arguments in (["g3.toml", "a.tsv"], ["g4.toml", "b.tsv"], ["g4.toml", "c.tsv", "3"]):
        seed = ["--seed", arguments[2]] if len(arguments) == 3 else []
        with pytest.raises(SystemExit) as ended:
            main(["simulate", "--grammar", arguments[0], "-o", arguments[1], *seed])
        assert ended.value.code == 0
    assert Path("a.tsv").read_bytes() != Path("b.tsv").read_bytes()
    assert Path("a.tsv").read_bytes() == Path("c.tsv").read_bytes()


def test_a_warning_is_one_line_without_code() -> None:
    code = (
        "import warnings\n"
        "from motiflens.cli import app\n"
        "app.app = lambda *_, **__: warnings.warn('saliency: the strands differ', stacklevel=1)\n"
        "app.call([])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "motiflens: saliency: the strands differ\n")
