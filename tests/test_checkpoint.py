"""Training that was stopped goes on, and ends as if it had never been stopped."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.killed_training import JOBS, result
from tests.toy_models import EVERYTHING, Dropping, planted, weights

from motiflens.errors import InputError
from motiflens.models import MODELS
from motiflens.training import Job, Recipe, checkpoint, remove_checkpoint, train, train_all
from motiflens.training.batches import Batch
from motiflens.training.checkpoint import Slot, State
from motiflens.training.fit import Fit

ROOT = Path(__file__).parents[1]


class Stopped(Exception):
    """Stands for the end of the process."""


def stop_after(steps: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let training end in the middle of a step; the list counts the steps begun."""
    begun: list[int] = []
    step = Fit.step

    def counted(fit: Fit, batch: Batch) -> None:
        begun.append(fit.epoch)
        if len(begun) > steps:
            fit.joined.train()(torch.full((len(fit.seeds), 2, 4, 37), 0.5)).sum().backward()
            raise Stopped
        step(fit, batch)

    monkeypatch.setattr(Fit, "step", counted)
    return begun


@pytest.mark.parametrize(
    ("architecture", "steps"),
    [("attention", steps) for steps in (1, 8, 13, 22, 30)] + [("dropping", 9)],
)
def test_it_goes_on_at_the_step_where_it_stopped(
    architecture: str, steps: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MODELS, "dropping", Dropping)
    monkeypatch.setattr(checkpoint, "SECONDS", 0.0)
    data = planted()
    # 81 training rows and 9 for validation: epochs of 7 steps, some of them of the refit.
    job = Job(architecture, (5, 2), dataclasses.replace(EVERYTHING, epochs=3))
    whole = train(data, job, threads=1)
    with monkeypatch.context() as patched:
        stop_after(steps, patched)
        with pytest.raises(Stopped):
            train(data, job, threads=1, checkpoint=tmp_path / "state")
    with monkeypatch.context() as patched:
        begun = stop_after(10**9, patched)
        resumed = train(data, job, threads=1, checkpoint=tmp_path / "state")
    n_steps = 7 * (3 + max(one.best_epoch for one in whole))
    assert len(begun) == n_steps - steps
    assert result([resumed]) == result([whole])


def test_what_has_finished_is_not_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, jobs = planted(), [Job("cnn", (0, 1), Recipe(epochs=2)), Job("cnn", (2,), EVERYTHING)]
    trained = train_all(data, jobs, threads=2, checkpoint=tmp_path)
    stop_after(0, monkeypatch)
    again = train_all(data, jobs, threads=2, checkpoint=tmp_path)
    assert result(again) == result(trained)
    before, after = ([one.seconds for job in jobs for one in job] for jobs in (trained, again))
    assert after == pytest.approx(before)


def test_a_checkpoint_of_other_data_or_settings_is_refused(tmp_path: Path) -> None:
    data, job = planted(), Job("cnn", (0, 1), Recipe(epochs=1))
    train(data, job, threads=1, checkpoint=tmp_path)
    for other, name in [
        (dataclasses.replace(job, seeds=(0, 2)), "jobs"),
        (dataclasses.replace(job, recipe=Recipe(epochs=2)), "jobs"),
        (dataclasses.replace(job, hyperparameters={"n_filters": 7}), "jobs"),
    ]:
        with pytest.raises(InputError, match=f"other {name}"):
            train(data, other, threads=1, checkpoint=tmp_path)
    with pytest.raises(InputError, match="other data"):
        train(planted(121), job, threads=1, checkpoint=tmp_path)
    with pytest.raises(InputError, match="threads"):
        train(data, job, threads=2, checkpoint=tmp_path)
    with pytest.raises(InputError, match="number type"):
        train(data, job, threads=1, dtype=torch.float64, checkpoint=tmp_path)
    train(data, job, threads=1, checkpoint=tmp_path)


def test_the_fingerprint_is_of_all_that_training_looks_at() -> None:
    data = planted(shorter=True)
    other_codes = data.codes.copy()
    other_codes[3, 5] = (data.codes[3, 5] + 1) % 4
    others = [
        dataclasses.replace(data, codes=other_codes),
        dataclasses.replace(data, labels=1 - data.labels),
        data.with_split(data.split[::-1]),
        data.subset(np.arange(len(data))[::-1]),
    ]
    assert len({one.fingerprint() for one in (data, *others)}) == 5
    renamed = dataclasses.replace(data, names=data.names[::-1].copy())
    assert renamed.fingerprint() == data.fingerprint()


def test_the_folder_holds_no_code_and_goes_when_asked(tmp_path: Path) -> None:
    folder = tmp_path / "run" / "state"
    (tmp_path / "run").mkdir()
    train(planted(), Job("cnn", (0,), Recipe(epochs=1)), threads=1, checkpoint=folder)
    assert sorted(path.name for path in folder.iterdir()) == [
        "group0-choose.state",
        "training.json",
    ]
    assert json.loads((folder / "training.json").read_text())["device"] == "cpu"
    (folder / ".group0-choose.state.abc").write_bytes(b"half")
    train(planted(), Job("cnn", (0,), Recipe(epochs=1)), threads=1, checkpoint=folder)
    assert len(list(folder.iterdir())) == 2
    remove_checkpoint(folder)
    assert not folder.exists()
    remove_checkpoint(folder)
    remove_checkpoint(tmp_path)  # no checkpoint: nothing of it is removed
    assert (tmp_path / "run").is_dir()


def test_a_damaged_checkpoint_is_told(tmp_path: Path) -> None:
    data, job = planted(), Job("cnn", (0,), Recipe(epochs=1))
    train(data, job, threads=1, checkpoint=tmp_path)
    (tmp_path / "group0-choose.state").write_bytes(b"x" * 99)
    with pytest.raises(InputError, match=r"group0-choose\.state.*remove the folder"):
        train(data, job, threads=1, checkpoint=tmp_path)
    (tmp_path / "training.json").write_text("[]")
    with pytest.raises(InputError, match=r"training\.json.*remove the folder"):
        train(data, job, threads=1, checkpoint=tmp_path)
    with pytest.raises(InputError, match=r"training\.json cannot"):
        train(data, job, threads=1, checkpoint=tmp_path / "training.json")


STATE = State({"a": torch.arange(6.0).view(2, 3), "b": torch.arange(5)}, {"x": [1, None, 0.1]})


def test_a_state_comes_back_as_it_was() -> None:
    again = State.from_bytes(STATE.to_bytes())
    assert again.facts == STATE.facts
    assert again.tensors.keys() == STATE.tensors.keys()
    assert all(torch.equal(again.tensors[name], STATE.tensors[name]) for name in "ab")


@settings(max_examples=100, deadline=None)
@given(content=st.binary() | st.integers(0, 10**6).map(lambda n: flipped(STATE.to_bytes(), n)))
def test_any_other_bytes_are_refused(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.state"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is damaged"):
        Slot(path).read()


def flipped(content: bytes, number: int) -> bytes:
    place = number % len(content)
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def test_without_a_folder_nothing_is_kept() -> None:
    slot = Slot(None)
    slot.write(STATE)
    assert slot.read() is None
    assert not slot.due()


@pytest.mark.slow
def test_killed_at_any_moment_it_ends_with_the_same_bytes() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.killed_training", "10", "5", "0"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr
    at_random, in_writes, unfinished, plain, killed = ended.stdout.split()
    assert (at_random, in_writes, unfinished) == ("10", "5", "True")
    assert killed == plain


def test_the_weights_do_not_depend_on_how_often_the_state_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "SECONDS", 0.0)
    job = dataclasses.replace(JOBS[1], recipe=Recipe(epochs=2))
    kept, plain = (train(planted(), job, threads=1, checkpoint=c)[0] for c in (tmp_path, None))
    assert torch.equal(weights(kept.model), weights(plain.model))
