"""Models given away, and modules of others: the same logits, or a clear line why not."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import motiflens as ml
from command import motiflens
from motiflens.models import BothStrands, WithKmers, build_model
from motiflens.results import Results
from motiflens.results.scores import Calibration
from motiflens.scoring import export
from motiflens.scoring.model_card import card_of_run
from motiflens.scoring.models import ModuleScorer
from motiflens.scoring.modules import open_module
from motiflens.scoring.onnx_scorer import open_onnx
from motiflens.scoring.predictions import in_short
from motiflens.scoring.scorer import TrainedOn
from synthetic_run import write_run

LENGTH = 29
SMALL: dict[str, dict[str, int]] = {
    "cnn": {"n_filters": 6, "kernel_size": 9},
    "cnn and k-mers": {"n_filters": 6, "kernel_size": 9, "kmer_size": 5},
    "attention": {"n_filters": 6, "kernel_size": 9, "n_heads": 2, "pool_size": 3},
    "hybrid": {"n_filters": 8, "kernel_size": 9, "max_offset": 7},
    "transformer": {"n_channels": 8, "max_offset": 5},
    "tutorial-cnn": {},
    "tutorial-attention": {},
}
QUICK = ("cnn", "cnn and k-mers")
TUTORIAL = ("tutorial-cnn", "tutorial-attention")


def scorer_of(name: str, *, both: bool = True) -> ModuleScorer:
    architecture = name.removesuffix(" and k-mers")
    members = [build_model(architecture, length=LENGTH, seed=s, **SMALL[name]) for s in (0, 1, 2)]
    for member in members:
        if isinstance(member, WithKmers):
            member.kmers.weight.normal_(generator=torch.Generator().manual_seed(0))
    least = members[0].min_length
    return ModuleScorer(
        name=name,
        sha256="ab" * 32,
        n_seeds=3,
        min_length=LENGTH if name in TUTORIAL else least,
        length=LENGTH,
        both_strands=both,
        only_length=name in TUTORIAL,
        trained_on=TrainedOn(20, LENGTH, 0.4, 0.625),
        calibration=Calibration(slope=0.5, bias=-0.25, n_positives=41, n_negatives=43),
        members=tuple((BothStrands(one) if both else one).eval() for one in members),
        device=torch.device("cpu"),
    )


def texts(*lengths: int) -> list[str]:
    generator = np.random.default_rng(sum(lengths))
    drawn = ["".join(generator.choice(list("ACGT"), length)) for length in lengths]
    return [text[:4] + "N" + text[5:] for text in drawn]


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[] if n in QUICK else [pytest.mark.slow]) for n in SMALL],
)
def test_onnx_gives_the_table_that_the_model_gives(name: str, tmp_path: Path) -> None:
    scorer = scorer_of(name)
    path, card = ml.export_model(scorer, tmp_path / "model.onnx")
    assert "# model.onnx" in card.read_text()
    again = open_onnx(path)
    for fact in ("name", "sha256", "n_seeds", "min_length", "length", "both_strands"):
        assert getattr(again, fact) == getattr(scorer, fact)
    assert (again.trained_on, again.calibration) == (scorer.trained_on, scorer.calibration)
    # Other lengths and numbers than the graph was made and checked with; of some only padding.
    sequences = texts(*[LENGTH] * 4) if name in TUTORIAL else texts(11, 12, 61, 29, 30, 95, 13)
    sequences.append("AC")
    expected, found = ml.predict(scorer, sequences), ml.predict(path, sequences)
    numbers = ["logit", "probability", "sd"]
    pd.testing.assert_frame_equal(found[numbers], expected[numbers], rtol=0, atol=1e-5)
    assert found["unusual"].tolist() == expected["unusual"].tolist()


@pytest.mark.parametrize("name", ["cnn", *(pytest.param("hybrid", marks=pytest.mark.slow),)])
def test_pt2_gives_the_logits_of_the_model(name: str, tmp_path: Path) -> None:
    scorer = scorer_of(name, both=False)
    other, other_card = ml.export_model(scorer, tmp_path / "new" / "model.onnx")
    path, card = ml.export_model(
        scorer, tmp_path / "new" / "model.pt2"
    )  # beside it, each with its card
    assert {other.name, other_card.name, path.name, card.name} == {
        *("model.onnx", "model.onnx.md", "model.pt2", "model.pt2.md")
    }
    extra = {"motiflens.json": ""}
    graph = torch.export.load(path, extra_files=extra).module()
    assert '"n_seeds": 3' in extra["motiflens.json"]
    x = torch.from_numpy(ml.one_hot(texts(34, 17, 40, 23)))
    with torch.no_grad():
        mean, seeds = graph(x)
        expected = torch.stack([member(x) for member in scorer.members], dim=1)
    assert seeds.numpy() == pytest.approx(expected.numpy(), abs=1e-5)
    assert mean.numpy() == pytest.approx(expected.mean(1).numpy(), abs=1e-5)


def test_onnx_is_scored_without_torch(tmp_path: Path) -> None:
    scorer = scorer_of("tutorial-cnn", both=False)
    ml.export_model(scorer, tmp_path / "model.onnx")
    content = (tmp_path / "model.onnx").read_bytes()
    assert str(Path(export.__file__).parent).encode() not in content
    sequences = texts(LENGTH, LENGTH)
    (tmp_path / "in.txt").write_text("\n".join(sequences))
    code = """
import sys
from motiflens.cli import main
sys.argv = "motiflens predict model.onnx in.txt -o out.parquet".split()
try:
    main()
except SystemExit as ended:
    assert ended.code == 0
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)
    found = pd.read_parquet(tmp_path / "out.parquet")
    expected = ml.predict(scorer, sequences)
    assert found["logit"].to_numpy() == pytest.approx(expected["logit"].to_numpy(), abs=1e-5)


def test_a_graph_that_differs_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def off(one_hot: np.ndarray) -> list[np.ndarray]:
        return [np.zeros(len(one_hot)), np.zeros((len(one_hot), 3))]

    monkeypatch.setitem(export._GRAPHS, ".onnx", lambda module, scorer: (b"graph", off))
    with pytest.raises(ml.InputError, match="differs from PyTorch by"):
        ml.export_model(scorer_of("tutorial-cnn"), tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


class Branches(nn.Module):
    """What no graph can be made of."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.sum((1, 2)) if x.sum() > 3 else -x.sum((1, 2))


def test_what_cannot_be_exported_is_told_in_a_line(tmp_path: Path) -> None:
    scorer = replace(scorer_of("cnn"), members=(Branches(),), n_seeds=1)
    with pytest.raises(ml.InputError, match="cannot be exported: ") as told:
        ml.export_model(scorer, tmp_path / "model.onnx")
    assert "\n" not in str(told.value)
    (tmp_path / "card.pt2.md").write_text("mine")
    with pytest.raises(ml.InputError, match=r"card\.pt2\.md already exists"):
        ml.export_model(scorer, tmp_path / "card.pt2")
    with pytest.raises(ml.InputError, match="is not the name of an exported model"):
        ml.export_model(scorer, tmp_path / "card.h5")


def test_without_the_extra_it_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(content: bytes) -> None:
        raise ImportError("No module named 'onnxruntime'", name="onnxruntime")

    monkeypatch.setattr(export, "session_of", missing)
    with pytest.raises(ml.InputError, match=r"onnxruntime, .*; pip install 'motiflens\[onnx\]'"):
        ml.export_model(scorer_of("tutorial-cnn"), tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_files_that_are_no_exported_models_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"no graph")
    told = motiflens("predict", "bad.onnx", "in.txt", "-o", "o.tsv", cwd=tmp_path)
    assert told.returncode == 2
    (tmp_path / "in.txt").write_text("ACGT\n")
    told = motiflens("predict", "bad.onnx", "in.txt", "-o", "o.tsv", cwd=tmp_path)
    assert "bad.onnx is no whole ONNX file: Failed to load model because" in told.stderr
    assert "INVALID" not in told.stderr
    assert ".;" not in told.stderr
    assert told.stderr.count("\n") == 1


def test_the_card_says_what_is_known(tmp_path: Path) -> None:
    results = Results(write_run(tmp_path / "run"))
    change = results.path / "run.toml"
    change.write_text(change.read_text().replace("primer.parquet", "/elsewhere/primer.parquet"))
    card = card_of_run(results, replace(scorer_of("cnn"), name="cnn"), "cnn.onnx")
    for said in (
        f"SHA-256 `{'ab' * 32}`",
        "2,000, of which 987 positive",
        "| AUROC | 0.940 (0.910 to 0.950) |",
        "| kmer | 1.000 | 1.000 |",
        "the calibration error 0.021",
        "41 positives and 43 negatives",
        "bases of cnn may be claimed by ism",
        "torch 2.13.0",
        "not meant for decisions about the health",
        "Data | primer.parquet, ",
        "`motiflens run primer.parquet -o out`",
    ):
        assert said in card, said


CODE = """
import torch
from torch import nn
from helper import WIDTH

class Net(nn.Module):
    def __init__(self, n=2):
        super().__init__()
        torch.manual_seed(4)
        self.filters, self.head = nn.Conv1d(4, 5, WIDTH), nn.Linear(5, n)
    def forward(self, x):
        return self.head(self.filters(x).relu().amax(-1))

def build(): return Net()
def fixed(): return nn.Sequential(nn.Flatten(), nn.Linear(4 * 230, 3))
def fails(): raise KeyError("no\\nsuch")
def no_module(): return 7
def wants(one): return Net()
"""


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("code")
    (folder / "net.py").write_text(CODE)
    (folder / "helper.py").write_text("WIDTH = 7\n")
    module = open_module(f"{folder / 'net.py'}:build").members[0].module
    state = {name: value + 0.5 for name, value in module.state_dict().items()}
    torch.save(state, folder / "w.pt")
    torch.save({"state_dict": state, "epoch": 3}, folder / "nested.pt")
    save_file(state, folder / "w.safetensors")
    torch.save(nn.Linear(2, 2), folder / "pickled.pt")
    torch.save({**state, "more": torch.ones(1)}, folder / "more.pt")
    torch.save({name: state[name] for name in list(state)[1:]}, folder / "fewer.pt")
    torch.save({**state, "head.bias": torch.ones(9)}, folder / "shapes.pt")
    torch.save([1, 2], folder / "list.pt")
    (folder / "text.pt").write_text("hello")
    return folder


@pytest.mark.parametrize("weights", ["w.pt", "nested.pt", "w.safetensors"])
def test_a_module_of_others_scores_each_length_by_itself(code: Path, weights: str) -> None:
    scorer = open_module(f"{code / 'net.py'}:build", code / weights, target=1)
    assert (scorer.min_length, scorer.length, scorer.only_length) == (7, 200, False)
    assert in_short(scorer) == "build, 1 seed, forward strand, 7 bp or more"
    assert "helper" not in {str(Path(path).name) for path in sys.path}
    sequences = texts(9, 31, 12, 9, 7, 6)
    frame = ml.predict(scorer, sequences)
    module = scorer.members[0].module
    with torch.no_grad():
        expected = [
            module(torch.from_numpy(ml.one_hot(text)))[0, 1].item() for text in sequences[:5]
        ]
    assert frame["logit"].tolist()[:5] == pytest.approx(expected, abs=1e-5)
    assert frame["unusual"].tolist() == [""] * 5 + ["too short"]


def test_a_module_of_one_length_is_found_out(code: Path) -> None:
    with pytest.raises(ml.InputError, match=r"no sequences of 200 or 100 or 50 bases; .*length=N"):
        open_module(f"{code / 'net.py'}:fixed")
    scorer = open_module(f"{code / 'net.py'}:fixed", length=230, target=2)
    assert (scorer.min_length, scorer.length, scorer.only_length) == (230, 230, True)
    frame = ml.predict(scorer, texts(229, 230, 231))
    assert frame["unusual"].tolist() == ["too short", "", "too long"]


WRONG = {
    ("net.py:build", "pickled.pt"): "holds Python objects that could run code",
    ("net.py:build", "more.pt"): "has, and the module has not, more",
    ("net.py:build", "fewer.pt"): "lacks filters.weight",
    ("net.py:build", "shapes.pt"): "has in other shapes head.bias",
    ("net.py:build", "list.pt"): "holds a list and no weights by name",
    ("net.py:build", "text.pt"): "text.pt",
    ("net.py:build", "none.pt"): "no such file",
    ("nett.py:build", None): "did you mean",
    ("net.py:built", None): "has no function built",
    ("net.py", None): "names no function",
    ("net.py:fails", None): "fails of",
    ("net.py:no_module", None): "returned no torch.nn.Module but int",
    ("net.py:wants", None): "missing 1 required positional argument",
}


@pytest.mark.parametrize(("spec", "weights"), WRONG)
def test_what_is_wrong_with_a_module_is_told_in_a_line(
    code: Path, spec: str, weights: str | None
) -> None:
    with pytest.raises(ml.InputError) as told:
        open_module(f"{code}/{spec}", weights and code / weights)
    assert WRONG[spec, weights] in str(told.value)
    assert "\n" not in str(told.value)


def test_a_target_that_is_none_is_refused(code: Path) -> None:
    with pytest.raises(ml.InputError, match="target=2 is none of the model's 2 outputs"):
        open_module(f"{code / 'net.py'}:build", target=2)


def test_the_command_takes_a_module_in_place_of_a_run(code: Path, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("\n".join(texts(30, 30)))
    own = ("--module", f"{code / 'net.py'}:build", "--weights", code / "w.pt")
    told = motiflens("predict", *own, "in.txt", "-o", "-", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    found = pd.read_csv(io.StringIO(told.stdout), sep="\t")
    scorer = open_module(f"{code / 'net.py'}:build", code / "w.pt")
    expected = ml.predict(scorer, texts(30, 30))["logit"]
    assert found["logit"].to_numpy() == pytest.approx(expected.to_numpy(), abs=2e-6)
    twice = motiflens("predict", *own, "run", "in.txt", "-o", "-", cwd=tmp_path)
    assert "in place of a run, and also run" in twice.stderr
