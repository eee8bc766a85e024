"""What a user changes in the models of a run: read, checked, trained with, and kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.command import motiflens as command

import motiflens
from motiflens.errors import InputError
from motiflens.io.tables import write_table
from motiflens.settings import Settings
from motiflens.simulation import simulate, tutorial_grammar
from motiflens.stages.compare import compare
from motiflens.stages.hyperparameters import built, changes_notes, job_of, read_hyperparameters
from motiflens.training import recipe_for

FILE = """
[cnn]
n_filters = 24
dropout = 0          # a whole number where a fraction is due

[cnn.recipe]
epochs = 2
min_steps = 0
input_noise = 0.25
"""


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "changes.toml"
    path.write_text(FILE)
    return path


def test_a_file_changes_model_and_recipe_and_nothing_else(written: Path) -> None:
    tables = read_hyperparameters(written)
    settings = Settings(models=("cnn", "attention"), strands="both", hyperparameters=tables)
    job = job_of("cnn", settings, (3, 4))
    assert (job.architecture, job.seeds) == ("cnn", (3, 4))
    assert job.hyperparameters == {"n_filters": 24, "dropout": 0.0}
    assert type(job.hyperparameters["dropout"]) is float
    expected = replace(
        recipe_for("cnn", both_strands=True), epochs=2, min_steps=0, input_noise=0.25
    )
    assert job.recipe == expected
    assert built(job, 50).filters.shape == (24, 4, 19)
    untouched = job_of("attention", settings)
    assert untouched.recipe == recipe_for("attention", both_strands=True)
    assert untouched.hyperparameters == {}
    assert changes_notes(settings) == (
        "cnn differs from its defaults: n_filters 24, dropout 0, epochs 2, min_steps 0, "
        "input_noise 0.25",
    )


@pytest.mark.parametrize(
    ("recipe", "n_epochs"),
    [
        ({}, 120),  # 1,200 steps, ten of 300 sequences an epoch
        ({"epochs": 3}, 3),
        ({"epochs": 3, "min_steps": 90}, 9),
        ({"min_steps": 150}, 15),
    ],
)
def test_named_epochs_are_those_at_most_on_few_sequences(recipe: dict, n_epochs: int) -> None:
    changes = {"cnn": {"recipe": recipe}}
    settings = Settings(models=("cnn",), strands="both", hyperparameters=changes)
    assert job_of("cnn", settings).settings.n_epochs(300) == n_epochs


@pytest.mark.parametrize(
    ("model", "table", "words"),
    [
        ("cnn", {"n_filter": 24}, "did you mean n_filters"),
        ("cnn", {"n_filters": 24.5}, "a whole number"),
        ("cnn", {"n_filters": True}, "a whole number"),
        ("cnn", {"activation": 3}, "not a name"),
        ("cnn", {"recipe": {"epoch": 3}}, "did you mean epochs"),
        ("cnn", {"recipe": {"refit": 1}}, "true or false"),
        ("cnn", {"recipe": {"epochs": 0}}, "at least 1"),
        ("cnn", {"recipe": {"mutation_rate": 1.5}}, "at most 1"),
        ("cnn", {"recipe": {"learning_rate": float("nan")}}, "above 0"),
        ("cnn", {"recipe": {"schedule": "linear"}}, "constant, cosine"),
        ("tutorial-cnn", {"kernel_size": 3}, "no hyperparameters"),
    ],
)
def test_a_wrong_name_or_value_is_told(model: str, table: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        job_of(model, Settings(models=(model,), hyperparameters={model: table}))


@pytest.mark.parametrize(
    ("model", "table", "words"),
    [
        ("cnn", {"activation": "gelu"}, "did you mean relu"),
        ("cnn", {"n_filters": 0}, "less than 1"),
        ("cnn", {"kernel_size": -3}, "less than 1"),
        ("cnn", {"kernel_size": 51}, "than the 51"),
        ("attention", {"pool_size": 0}, "less than 1"),
        ("cnn", {"dropout": 1.5}, "below 1"),
        ("transformer", {"n_channels": 30, "n_heads": 4}, "fit together"),
        ("hybrid", {"n_blocks": -1}, "less than 1"),
    ],
)
def test_hyperparameters_that_no_model_has_are_refused_before_training(
    model: str, table: dict, words: str, tmp_path: Path
) -> None:
    settings = Settings(models=(model,), hyperparameters={model: table}, seeds=1, sizes=())
    with pytest.raises(InputError, match=words):
        compare(simulate(tutorial_grammar(n=40)), tmp_path / "out", settings)
    assert not (tmp_path / "out").exists()


def test_an_impossible_word_is_told_with_its_remedy_alone() -> None:
    settings = Settings(models=("cnn",), hyperparameters={"cnn": {"activation": "gelu"}})
    with pytest.raises(InputError, match=r"^'gelu'") as caught:
        built(job_of("cnn", settings), 50)
    assert caught.value.remedy == "did you mean relu?"


def test_a_model_that_is_not_trained_has_no_hyperparameters() -> None:
    with pytest.raises(InputError, match="did you mean cnn"):
        Settings(models=("cnn",), hyperparameters={"cnnn": {}})
    with pytest.raises(InputError, match="attention"):
        Settings(models=("cnn",), hyperparameters={"attention": {}})


@pytest.mark.parametrize("text", ["cnn = 3", "[cnn]\nrecipe = 3", "[cnn", "\0", "n_filters = 3"])
def test_a_file_of_another_form_is_told(text: str, tmp_path: Path) -> None:
    path = tmp_path / "changes.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"hyperparameters|TOML|zero byte"):
        read_hyperparameters(path)


@pytest.mark.slow
def test_the_command_line_trains_with_them_and_the_run_keeps_them(
    written: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data.csv"
    write_table(simulate(tutorial_grammar(n=80)), data)
    typed = ["train", data, "-o", tmp_path / "out", "--model", "cnn"]
    typed += ["--seeds", "2", "--threads", "1", "--strands", "forward"]
    done = command(*typed, "--hyperparameters", written)
    assert done.returncode == 0, done.stderr
    assert "cnn differs from its defaults: n_filters 24" in done.stderr
    run = motiflens.load_run(tmp_path / "out")
    assert run.settings.hyperparameters == read_hyperparameters(written)
    assert run.model("cnn", 1).filters.shape == (24, 4, 19)
    assert run.untrained_model("cnn").filters.shape == (24, 4, 19)
    assert "input_noise = 0.25" in (run.path / "models/cnn-seed0/model.toml").read_text()

    # Any run in place of the first; the tutorial's models are trained in no time.
    typed[typed.index("cnn")] = "tutorial-cnn"
    again = command(*typed, "--overwrite")
    assert again.returncode == 0, again.stderr
    assert motiflens.load_run(tmp_path / "out").settings.hyperparameters == {}
