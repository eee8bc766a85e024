"""Hyper-parameters searched by validation scores: stopped, resumed, and taken by a run."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from tests.toy_models import planted

from motiflens.cli import main
from motiflens.cli.search import seconds_of
from motiflens.datasets import SequenceDataset
from motiflens.errors import InputError
from motiflens.io.tables import write_table
from motiflens.results.loader import read_json, write_json
from motiflens.results.study import Study, Trial
from motiflens.settings import DISTILLED, Settings
from motiflens.stages.hyperparameters import job_of, read_hyperparameters
from motiflens.stages.search import AT_ONCE, BEST, TRIALS, search
from motiflens.training.fit import Fit

ROOT = Path(__file__).parents[1]
FIXED = {"n_filters": 8, "n_hidden": 4, "recipe": {"epochs": 2}}
SETTINGS = Settings(models=("cnn",), strands="forward", threads=1, hyperparameters={"cnn": FIXED})


def content(folder: Path) -> bytes:
    return (folder / TRIALS).read_bytes() + (folder / BEST).read_bytes()


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("search") / "study"
    search(planted(), folder, SETTINGS, trials=6)
    return folder


def command(data: Path, folder: Path, *more: str) -> list[str]:
    options = ["--strands", "forward", "--threads", "1", "--trials", "6", *more]
    return [sys.executable, "-m", "motiflens", "search", str(data), "-o", str(folder), *options]


@pytest.mark.slow
def test_killed_and_called_again_it_ends_with_the_same_bytes(study: Path, tmp_path: Path) -> None:
    data, fixed, folder = tmp_path / "data.tsv", tmp_path / "fixed.toml", tmp_path / "study"
    write_table(planted(), data)
    fixed.write_text("[cnn]\nn_filters = 8\nn_hidden = 4\n[cnn.recipe]\nepochs = 2\n")
    call = command(data, folder, "--hyperparameters", str(fixed))
    paths = os.pathsep.join(map(str, (ROOT / "src", ROOT)))
    environment = {**os.environ, "PYTHONPATH": paths}
    process = subprocess.Popen(call, env=environment, stderr=subprocess.DEVNULL)
    while process.poll() is None and not (folder / TRIALS).is_file():
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    begun = read_json(folder / TRIALS, Study, "")
    assert 1 <= len(begun.trials) < 6
    done = subprocess.run(call, env=environment, capture_output=True, text=True, check=True)
    assert "trial 0" not in done.stderr
    assert content(folder) == content(study)
    assert str(folder / BEST) in done.stdout


def test_it_looks_at_no_test_sequence(study: Path, tmp_path: Path) -> None:
    data = planted()
    codes, labels, test = data.codes.copy(), data.labels.copy(), data.split == "test"
    codes[test], labels[test] = codes[test][::-1, ::-1], 1 - labels[test]
    search(replace(data, codes=codes, labels=labels), tmp_path / "s", SETTINGS, trials=6)
    assert content(tmp_path / "s") == content(study)


def test_threads_and_more_trials_later_change_nothing(study: Path, tmp_path: Path) -> None:
    search(planted(), tmp_path / "s", SETTINGS, trials=1)
    search(planted(), tmp_path / "s", replace(SETTINGS, threads=2), trials=6)
    assert content(tmp_path / "s") == content(study)


def test_it_begins_with_the_defaults_and_keeps_the_best(study: Path) -> None:
    found = read_json(study / TRIALS, Study, "")
    trials = found.of("cnn")
    assert [one.number for one in trials] == list(range(6))
    job = job_of("cnn", SETTINGS)
    assert trials[0].values["kernel_size"] == 19
    assert trials[0].values["recipe.learning_rate"] == job.settings.learning_rate
    assert len({json.dumps(one.values) for one in trials}) == 6
    best = found.best("cnn")
    assert best.auroc == max(one.auroc for one in trials if one.state == "complete")
    assert "n_filters" not in best.values  # was fixed


def test_the_best_values_are_taken_by_a_run(study: Path) -> None:
    tables = read_hyperparameters(study / BEST)
    best = read_json(study / TRIALS, Study, "").best("cnn")
    job = job_of("cnn", Settings(models=("cnn",), strands="forward", hyperparameters=tables))
    assert job.hyperparameters["n_filters"] == 8
    assert job.settings.epochs == 2
    for name, value in best.values.items():
        field = name.removeprefix("recipe.")
        if field != name:
            assert getattr(job.settings, field) == value
        else:
            defaults = {"kernel_size": 19, "activation": "relu", "dropout": 0.4}
            assert job.hyperparameters.get(name, defaults[name]) == value


def test_a_trial_that_is_worse_than_most_is_given_up(study: Path, tmp_path: Path) -> None:
    """The first batch is replaced by trials that none can equal."""
    found = read_json(study / TRIALS, Study, "")
    better = [msgspec.structs.replace(one, auroc=2.0, epochs=(2.0, 2.0), state="complete")
              for one in found.of("cnn")[:AT_ONCE]]  # fmt: skip
    (tmp_path / "s").mkdir()
    write_json(tmp_path / "s" / TRIALS, msgspec.structs.replace(found, trials=tuple(better)))
    again = search(planted(), tmp_path / "s", SETTINGS, trials=6)
    assert [one.state for one in again.of("cnn")] == ["complete"] * AT_ONCE + ["pruned"] * 2
    assert [len(one.epochs) for one in again.of("cnn")[AT_ONCE:]] == [2, 2]
    assert again.best("cnn").number < AT_ONCE


def test_when_the_time_is_over_the_defaults_have_been_tried(tmp_path: Path) -> None:
    two = replace(SETTINGS, models=("cnn", "attention"))
    found = search(planted(), tmp_path / "s", two, seconds=1e-9)
    assert [(one.model, one.number) for one in found.trials] == [("attention", 0), ("cnn", 0)]
    assert set(read_hyperparameters(tmp_path / "s" / BEST)) == {"cnn", "attention"}


def test_equals_are_told_apart_by_the_loss() -> None:
    def trial(number: int, auroc: float, loss: float, state: str = "complete") -> Trial:
        return Trial(model="cnn", number=number, state=state, values={}, auroc=auroc, loss=loss,
                     epochs=())  # fmt: skip

    trials = (
        trial(0, 0.90001, 0.3),
        trial(1, 0.90003, 0.2),
        trial(2, 0.8, 0.1),
        trial(3, 1, 0, "pruned"),
    )
    made = Study(data="", seed=0, seeds=1, strands="both", hyperparameters={}, trials=trials)
    assert made.best("cnn").number == 1
    assert made.best("attention") is None


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"seed": 3}, "other seed"),
        ({"seeds": 2}, "other seeds"),
        ({"strands": "both"}, "other strands"),
        ({"hyperparameters": {}}, "other hyperparameters"),
        ({"models": ("attention",), "hyperparameters": {}}, "other hyperparameters, models"),
        ({"models": ("tutorial-cnn",), "hyperparameters": {}}, "without validation sequences"),
        ({"models": ("cnn", DISTILLED)}, "learns from others"),
        ({"folds": 3}, "held out for tests"),
    ],
)
def test_what_does_not_fit_is_refused(study: Path, changes: dict, problem: str) -> None:
    before = content(study)
    with pytest.raises(InputError, match=problem):
        search(planted(), study, replace(SETTINGS, **changes), trials=7)
    assert content(study) == before


def test_sequences_shorter_than_the_filters_are_refused_as_by_a_run(tmp_path: Path) -> None:
    data = planted()
    short = SequenceDataset.from_sequences([text[:14] for text in data.sequences()], data.labels)
    with pytest.raises(InputError, match="19"):
        search(short, tmp_path / "study", SETTINGS, trials=1)
    assert not (tmp_path / "study").exists()


def test_other_data_and_other_folders_are_refused(study: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="other data"):
        search(planted(124), study, SETTINGS, trials=7)
    (tmp_path / "mine.txt").write_text("kept")
    with pytest.raises(InputError, match="holds other files"):
        search(planted(), tmp_path, SETTINGS, trials=1)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_without_optuna_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import motiflens.stages

    monkeypatch.delattr(motiflens.stages, "search")
    monkeypatch.delitem(sys.modules, "motiflens.stages.search")
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(SystemExit) as ended:
        main(["search", str(tmp_path / "none.tsv"), "-o", str(tmp_path / "s")])
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error == (
        "motiflens: a search needs Optuna, which is not installed; pip install "
        "'motiflens[search]'\n"
    )


def test_times_are_read() -> None:
    assert [seconds_of(text) for text in ("90s", "10m", "1.5h")] == [90, 600, 5400]
    for text in ("10", "m", "0m", "-3s", "3 days"):
        with pytest.raises(InputError, match="is no time"):
            seconds_of(text)


def test_an_epoch_is_watched_of_all_seeds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen = []
    close = Fit._close_epoch

    def counted(fit: Fit, started: float) -> None:
        close(fit, started)
        seen.append([own[-1].valid_auroc for own in fit.histories])

    monkeypatch.setattr(Fit, "_close_epoch", counted)
    found = search(planted(), tmp_path / "s", replace(SETTINGS, seeds=2), trials=1)
    (trial,) = found.trials
    assert np.shape(seen) == (2, 2)
    assert trial.epochs == pytest.approx(np.maximum.accumulate(seen, axis=0).mean(axis=1))
