"""What a user of Python may give: long strings, files, modules of their own, and mistakes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import motiflens as ml
from motiflens.cli.mistakes import with_options
from motiflens.errors import InputError
from motiflens.hits import write_hits
from motiflens.motifs import resolve_motifs
from motiflens.stages.explain import explain


class Rows(nn.Module):
    """Logits of another form than one row a sequence."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.form = form

    def forward(self, x: torch.Tensor) -> object:
        sums = x[:, 0].sum(-1)
        return {"scalar": sums.sum(), "tuple": (sums,), "matrix": sums[:, None, None]}[self.form]


@pytest.mark.parametrize("n", [255, 256, 8000])
def test_one_sequence_may_be_longer_than_the_name_of_a_file(n: int) -> None:
    letters = ("ACGT" * (n // 4 + 1))[:n]
    assert ml.one_hot(letters).shape == (1, 4, n)
    with pytest.raises(InputError, match="X"):
        resolve_motifs("X" * n)


def test_a_list_of_arrays_is_told_what_to_be() -> None:
    with pytest.raises(InputError, match="an array is no sequence"):
        ml.one_hot([np.zeros((4, 7)), np.zeros((4, 7))])
    with pytest.raises(InputError, match="'' is no sequence"):
        ml.one_hot(["ACG", ""])


@pytest.mark.parametrize("form", ["scalar", "tuple", "matrix"])
def test_a_model_without_a_row_a_sequence_is_told(form: str) -> None:
    with pytest.raises(InputError, match="for 3 sequences"):
        ml.predict(Rows(form), ["ACGTA", "CCGTA", "TTGAC"])


def test_a_folder_called_as_a_factor_is_no_file_of_motifs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("CTCF").mkdir()
    assert {motif.alt_name for motif in resolve_motifs("CTCF")} == {"CTCF"}


@pytest.mark.parametrize("name", ["missing.fa", "missing.csv"])
def test_hits_in_a_file_that_is_missing(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=name):
        write_hits(resolve_motifs("ACGTAC"), tmp_path / name, tmp_path / "hits.bed")


def test_options_that_would_do_nothing_are_refused(tmp_path: Path) -> None:
    (tmp_path / "s.fa").write_text(">1\nACGTACGT\n>0\nTTGACCAA\n")
    with pytest.raises(InputError, match="positive=bound"):
        ml.read(tmp_path / "s.fa", positive="bound")
    with pytest.raises(InputError, match="test_negatives=shuffle"):
        ml.read(tmp_path / "s.fa", test_negatives="shuffle")


def test_labels_of_two_words_are_one_label(tmp_path: Path) -> None:
    (tmp_path / "s.txt").write_text("ACGTACGT\nTTGACCAA\nGGGACCAA\n")
    (tmp_path / "labels.txt").write_text("not bound\nbound\nnot bound\n")
    dataset = ml.read(tmp_path / "s.txt", labels=tmp_path / "labels.txt", positive="bound")
    assert dataset.labels.tolist() == [0, 1, 0]


def test_a_microarray_without_a_line(tmp_path: Path) -> None:
    (tmp_path / "x.seq").write_text('""')
    with pytest.raises(InputError, match="does not name columns"):
        ml.read(tmp_path / "x.seq")


@pytest.mark.parametrize(
    ("text", "arguments", "printed"),
    [
        ("a column 'split' is used; give split=given", ("split",), "--split given"),
        ("use another split", ("split",), "use another split"),
        ("x already exists; use overwrite=True", ("overwrite",), "use --overwrite"),
        ("choose another signal_column", ("signal_column",), "another --signal-column"),
        ("name it with motif=", ("motif",), "name it with --motif"),
    ],
)
def test_the_command_line_writes_options(
    text: str, arguments: tuple[str, ...], printed: str
) -> None:
    assert with_options(InputError(text, argument=arguments)).endswith(printed)


def test_progress_of_a_module_that_is_not_ours_counts_to_its_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    module = nn.Sequential(nn.Conv1d(4, 3, 5), nn.ReLU(), nn.AdaptiveMaxPool1d(1), nn.Flatten(),
                           nn.Linear(3, 1))  # fmt: skip
    ml.attribute(module, ["ACGTACGTA", "CCGTTGCAT"], "ism", batch_size=7, progress=True)
    assert capsys.readouterr().err.rstrip().endswith("2 of 2")


def test_a_mistake_in_the_settings_is_told_before_data_are_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="device=abacus"):
        ml.run(tmp_path / "missing.csv", tmp_path / "out", ml.Settings(device="abacus"))
    changes = {"cnn": {"recipe": {"epoks": 3}}}
    settings = ml.Settings(models=("cnn",), hyperparameters=changes)
    with pytest.raises(InputError, match="epoks"):
        ml.run(tmp_path / "missing.csv", tmp_path / "out", settings)
    with pytest.raises(InputError, match=r"missing\.csv"):
        ml.run(tmp_path / "missing.csv", tmp_path / "out")


def test_a_run_of_a_file_says_where_its_negatives_are_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(f"x\tp{i}\t{s}\t1\n" for i, s in enumerate(ml.simulate(n=120).sequences()))
    (tmp_path / "p.seq").write_text("FoldID\tEventID\tseq\tBound\n" + rows)
    origins = []
    monkeypatch.setattr(
        "motiflens.stages.plan_run", lambda *given, **explains: origins.append(given[2]) or 1 / 0
    )
    with pytest.raises(ZeroDivisionError):
        ml.run(tmp_path / "p.seq", tmp_path / "out")
    assert origins[0].negatives == "shuffle"
    assert origins[0].data.endswith("p.seq")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["\u4e0d\u7ed3\u5408", "\u7ed3\u5408"], "such as positive=WORD"),
        (["nein", "ja"], 'such as positive="ja"'),
        (["1", "2"], "such as positive=WORD"),
        (["x", "y", "z"], "set one against the rest by positive=WORD"),
    ],
)
def test_which_word_is_positive_is_not_guessed(
    labels: list[str], message: str, tmp_path: Path
) -> None:
    rows = [f"{s},{labels[i % len(labels)]}" for i, s in enumerate(ml.simulate(n=12).sequences())]
    (tmp_path / "t.csv").write_text("sequence,label\n" + "\n".join(rows) + "\n", "utf-8")
    with pytest.raises(InputError) as caught:
        ml.read(tmp_path / "t.csv")
    assert message in str(caught.value)


def test_full_width_digits_are_digits(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("sequence,label\nACGT,\uff11\nTTGA,\uff10\n", "utf-8")
    assert ml.read(tmp_path / "t.csv").labels.tolist() == [1, 0]


def test_negatives_that_hold_positives_are_refused(tmp_path: Path) -> None:
    (tmp_path / "p.fa").write_text(">a\nACGTACGT\n")
    (tmp_path / "n.fa").write_text(">0\nTTGACCAA\n>1\nACCTACGT\n")
    with pytest.raises(InputError, match=r"the label 1 in line 3 of .*n\.fa"):
        ml.read(tmp_path / "p.fa", negatives=tmp_path / "n.fa")


def test_a_spacing_has_two_motifs() -> None:
    model = ml.build_model("cnn", length=50, seed=0)
    for motifs in ("TGACTCA", ("TGA",), ("TGA", "CCC", "GGG")):
        with pytest.raises(InputError, match="a spacing has two"):
            ml.space(model, motifs)


@pytest.mark.parametrize("model", [[nn.Identity()], "cnn-model", nn.Identity, lambda x: x])
def test_what_is_no_model_is_told(model: object) -> None:
    with pytest.raises(InputError, match="no model"):
        ml.attribute(model, ["ACGT"], "ism")


def test_a_run_stopped_in_training_says_how_it_goes_on(tmp_path: Path) -> None:
    old = Path(__file__).parent / "old_run"
    (tmp_path / "run.toml").write_bytes((old / "run.toml").read_bytes())
    with pytest.raises(InputError, match="resume it by the same command: motiflens run") as caught:
        explain(tmp_path)
    assert "overwrite" not in str(caught.value)
