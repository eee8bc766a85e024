"""What public functions take: files, one-hot, letters; what they refuse is told in words."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from tests.command import motiflens as command

import motiflens as ml
from motiflens.discovery import DiscoveredMotif
from motiflens.errors import InputError
from motiflens.results import Results
from motiflens.results.motifs import TrueMotif
from motiflens.version import __version__

OLD_RUN = Path(__file__).parent / "old_run"
EBOX = "GTCACGTGACC"
N, LENGTH = 30, 44


def texts() -> list[str]:
    draw = np.random.default_rng(0)
    rows = ["".join(draw.choice(list("ACGT"), LENGTH)) for _ in range(N)]
    return [row[: 3 + i] + EBOX + row[3 + i + len(EBOX) :] for i, row in enumerate(rows)]


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    path = tmp_path / "some.fa"
    path.write_text("".join(f">s{i}\n{text}\n" for i, text in enumerate(texts())))
    return path


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return shutil.copytree(OLD_RUN, tmp_path / "run")


def test_hits_are_those_of_the_strings_whatever_holds_them(fasta: Path) -> None:
    expected = ml.find_hits("CTCF", texts(), p=1e-2)
    assert len(expected) > 5
    one_hot = ml.one_hot(texts())
    for sequences in (fasta, str(fasta), one_hot, torch.as_tensor(one_hot), ml.read(labelled())):
        pd.testing.assert_frame_equal(ml.find_hits("CTCF", sequences, p=1e-2), expected)
    assert ml.find_hits("CACGTG", EBOX, p=1e-3)["start"].tolist() == [2, 2]  # GT before it


def labelled() -> pd.DataFrame:
    return pd.DataFrame({"sequence": texts(), "label": [i % 2 for i in range(N)]})


def test_motifs_are_those_of_the_strings_whatever_holds_them(fasta: Path) -> None:
    (expected,) = ml.discover_motifs(texts(), background=[text[::-1] for text in texts()])
    assert "CACGTG" in expected.consensus
    background = fasta.with_name("background.txt")
    background.write_text("\n".join(text[::-1] for text in texts()))
    for sequences in (fasta, str(fasta), ml.one_hot(texts())):
        (found,) = ml.discover_motifs(sequences, background)
        assert np.array_equal(found.ppm, expected.ppm)


def test_a_motif_to_be_found_may_be_letters() -> None:
    assert ml.recover("CGACCGAACTCC", "CGACCGAACTCC").exact
    assert not ml.recover("CGACCG", "CGACCGAACTCC").exact


class Linear(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weights = torch.nn.Parameter(torch.ones(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (self.weights * x[:, 1]).sum(dim=1)


CALLS = {
    "target='1' is none of the model's": lambda: ml.attribute(Linear(), ["ACGT"], target="1"),
    "target='0' is none of the": lambda: ml.marginalize(Linear(), "ACGT", target="0"),
    "seeds=[0] is no whole number": lambda: ml.train(labelled(), seeds=[0]),
    "seeds='2' is no whole number": lambda: ml.Settings(seeds="2"),
    "seeds=True is no whole number": lambda: ml.Settings(seeds=True),
    "seed='1' is not between": lambda: ml.Settings(seed="1"),
    "threads=1.5 is no whole number": lambda: ml.Settings(threads=1.5),
    "sizes=50 is not several numbers": lambda: ml.Settings(sizes=50),
    "test_fraction='0.2' is no fraction": lambda: ml.Settings(test_fraction="0.2"),
    "a list is not one motif or": lambda: ml.plot_logo([ml.Motif.from_string("ACGT")]),
    "'ACGT' is not one motif": lambda: ml.plot_logo("ACGT"),
    "'out' is not an explanation": lambda: ml.plot_track("out"),
    "'ACGT' is not an explanation": lambda: ml.plot_attention("ACGT"),
    "'out' is not a run": lambda: ml.plot_comparison("out"),
    "None is not a run": lambda: ml.load_run(None),
    "3 is not a run": lambda: ml.annotate(3, ["ACGT"]),
    "a Linear is a module, and not a run": lambda: ml.export_model(torch.nn.Linear(2, 2), "m.onnx"),
    "fdr='x' is not above 0": lambda: ml.annotate("out", ["ACGT"], fdr="x"),
    "threads='two' are none": lambda: ml.predict("out", ["ACGT"], threads="two"),
    "threads=1.5 are none": lambda: ml.annotate("out", ["ACGT"], threads=1.5),
    "a dict holds no sequences in order": lambda: ml.one_hot({"a": "ACGT"}),
    "None holds no sequences": lambda: ml.one_hot(None),
    "5 holds no sequences": lambda: ml.one_hot(5),
    "the data frame holds no row": lambda: ml.one_hot(pd.DataFrame({"sequence": []})),
    "the found motif is a list": lambda: ml.recover([ml.Motif.from_string("ACGT")], "ACGT"),
    "the found motif is a dict": lambda: ml.recover({}, "ACGT"),
    "list is no file of motifs": lambda: ml.read_motifs([ml.Motif.from_string("ACGT")]),
}


@pytest.mark.parametrize("told", CALLS)
def test_another_type_than_is_asked_for_is_told(told: str) -> None:
    with pytest.raises(InputError) as caught:
        CALLS[told]()
    assert str(caught.value).startswith(told)


def test_what_a_run_holds_shows_itself(run: Path) -> None:
    opened = ml.load_run(run)
    shown = opened.results._repr_html_()
    assert "<tr><th>comparison</th><td>comparison.json</td></tr>" in shown
    assert "experiments" not in Results(run.parent)._repr_html_()
    name, seeds = next(iter(opened.results.models.items()))
    assert f"<tr><th>{name}</th><td>seeds {list(seeds)}</td></tr>" in opened.models._repr_html_()
    model = opened.models[name].seeds[0]
    n = sum(weights.numel() for weights in model.parameters())
    assert f"<tr><th>parameters</th><td>{n:,}</td></tr>" in model._repr_html_()
    assert f"<tr><th>seed</th><td>{seeds[0]}</td></tr>" in model._repr_html_()
    assert model._repr_html_() in opened.models[name]._repr_html_()


def test_a_list_of_motifs_stays_short() -> None:
    ppm = np.full((4, 9), 0.25)
    assert repr([DiscoveredMotif("m", ppm, 3)]) == "[DiscoveredMotif('m', NNNNNNNNN, 3 sites)]"
    written = TrueMotif(name="m", consensus="NNNNNNNNN", ppm=tuple(map(tuple, ppm.tolist())))
    assert repr(written) == "TrueMotif(name='m', consensus='NNNNNNNNN', ppm=<4 entries>)"


def test_a_model_is_not_saved_into_a_run(run: Path, tmp_path: Path) -> None:
    name, seeds = next(iter(ml.load_run(run).results.models.items()))
    model = ml.load_run(run).models[name].seeds[0]
    for place in (run, run / "models" / f"{name}-seed{seeds[0]}", run / "mine"):
        with pytest.raises(InputError, match="is in a run"):
            model.save(place)
    model.save(tmp_path / "mine")
    assert ml.load_model(tmp_path / "mine").seed == model.seed


@pytest.mark.slow
def test_motifs_without_a_model_are_kept_unless_asked(fasta: Path, tmp_path: Path) -> None:
    typed = ["motifs", "--no-model", fasta, "-o", "out"]
    assert command(*typed, cwd=tmp_path).returncode == 0
    before = (tmp_path / "out" / "motifs.json").read_bytes()
    again = command(*typed, cwd=tmp_path)
    assert again.returncode == 2
    assert again.stderr == (
        "motiflens: out already holds motifs; use another folder, or --overwrite\n"
    )
    replaced = command(*typed, "--overwrite", "--strands", "forward", cwd=tmp_path)
    assert replaced.returncode == 0, replaced.stderr
    assert (tmp_path / "out" / "motifs.json").read_bytes() != before
    # Its page can be written again, and other commands say where its motifs are.
    (tmp_path / "out" / "report.html").unlink()
    ended = command("report", "out", "--json", cwd=tmp_path)
    assert json.loads(ended.stdout) == {"output": "out", "report": "out/report.html"}
    assert (tmp_path / "out" / "report.html").is_file()
    line = command("trust", "out", cwd=tmp_path).stderr
    assert line.startswith(
        "motiflens: out is no run: it holds motifs found without a model; its motifs are in "
        "out/discovery.meme; "
    )
    line = command("hits", "out", fasta, "-o", "x.bed", cwd=tmp_path).stderr
    assert line == ("motiflens: out is a folder, not a file of motifs; give out/discovery.meme\n")


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (
            "motifs --no-model some.fa -o out --threads 2",
            "--threads 2 is for a run alone; leave it out",
        ),
        ("motifs --no-model some.fa -o out --thorough", "--thorough is for a run alone"),
        ("motifs run --strands both", "--strands both is for --no-model SEQUENCES alone"),
        ("motifs run --overwrite", "--overwrite is for --no-model SEQUENCES alone"),
    ],
)
def test_an_option_of_the_other_kind_of_call_is_refused(typed, told, fasta, run, tmp_path) -> None:
    ended = command(*typed.split(), cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"motiflens: {told}")
    assert not (tmp_path / "out").exists()


def test_a_verdict_of_another_version_is_said_to_be_one(run: Path, tmp_path: Path) -> None:
    trust = json.loads((run / "trust.json").read_text())
    was = trust.get("version") or "an older version"
    ended = command("report", "run", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert f"(judged by {was if was[0] == 'a' else f'motiflens {was}'}; " in ended.stdout
    assert "`motiflens trust run` judges anew)" in ended.stdout
    (run / "trust.json").write_text(json.dumps(trust | {"version": __version__}))
    assert "judged by" not in command("report", "run", cwd=tmp_path).stdout


def test_notes_name_arguments_and_the_command_line_options(fasta: Path, tmp_path: Path) -> None:
    heard: list[str] = []
    sequences = ml.read(labelled())
    from motiflens.stages.data import prepare

    prepare(sequences, ml.Settings(), heard.append)
    assert any("strands=both reads both" in note for note in heard)
    table = labelled().assign(label=[int("A" in text[:2]) for text in texts()])
    table.to_csv(tmp_path / "a.csv", index=False)
    typed = "train a.csv --model tutorial-cnn --seeds 1 --threads 1 -o out"
    ended = command(*typed.split(), cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "--strands both reads both" in ended.stderr
    kept = ml.load_run(tmp_path / "out").results.provenance.run.notes
    assert any("strands=both reads both" in note for note in kept)
