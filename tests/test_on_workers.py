"""Models trained and explained by workers: the bits of one process, whoever dies on the way."""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.command import motiflens as command
from tests.killed_training import result
from tests.toy_models import EVERYTHING, planted, random_codes
from torch import nn

from motiflens.attribution import METHODS, attribute, followed, workers
from motiflens.attribution.shares import Share, sharing
from motiflens.attribution.workers import UNDIVIDED, explanations
from motiflens.cluster import Engine, engine_of, tell
from motiflens.datasets import SequenceDataset, open_mapped
from motiflens.errors import InputError
from motiflens.evaluation.negative_sets import train_against
from motiflens.io.mapped import convert_streaming
from motiflens.io.tables import write_table
from motiflens.models import BothStrands, build_model
from motiflens.sequences import one_hot
from motiflens.training import Job, checkpoint, count_epochs, train_all
from motiflens.training.fit import Fit
from motiflens.training.workers import Place, Unit, train_unit

ROOT = Path(__file__).parents[1]
L = 37
#: Two models with two seeds each; with four threads a seed is a unit.
JOBS = [
    Job("cnn", (0, 1), EVERYTHING),
    Job("attention", (5, 2), dataclasses.replace(EVERYTHING, epochs=1)),
]


def in_process(
    compute: Callable[[Any], Any], items: Iterable[Any], hear: Callable[[Any], None] | None = None
) -> Iterator[tuple[Any, Any]]:
    """Make the calls here, the last one first, with all that is sent pickled."""
    for item in reversed(list(items)):
        called, sent = pickle.loads(pickle.dumps((compute, item)))
        yield item, pickle.loads(pickle.dumps(called(sent)))


def trained(data: SequenceDataset, folder: Path | None, engine: Any = None) -> tuple[str, int]:
    """Train, and return a fingerprint of weights and histories, and the epochs that were told."""
    told: list[int] = []
    models = train_all(data, JOBS, threads=4, checkpoint=folder, engine=engine, advance=told.append)
    return result(models), sum(told)


@pytest.fixture(scope="module")
def whole() -> str:
    return trained(planted(shorter=True), None)[0]


def test_weights_and_histories_are_those_of_one_process(whole: str, tmp_path: Path) -> None:
    data = planted(shorter=True)
    assert trained(data, tmp_path, in_process) == (whole, count_epochs(data, JOBS))
    assert (tmp_path / "data.npz").is_file()


def test_what_workers_have_finished_is_not_trained_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: str
) -> None:
    data, n_epochs = planted(shorter=True), count_epochs(planted(shorter=True), JOBS)
    trained(data, tmp_path, in_process)
    monkeypatch.setattr(Fit, "step", None)
    assert trained(data, tmp_path, in_process) == (whole, n_epochs)
    assert trained(data, tmp_path) == (whole, n_epochs)


def test_groups_of_related_sequences_and_mapped_data_reach_the_worker(tmp_path: Path) -> None:
    data = planted()
    # No validation split: whole groups are held out by each replica.
    grouped = dataclasses.replace(data, groups=np.arange(len(data)) // 7)
    assert trained(grouped, tmp_path / "a", in_process)[0] == trained(grouped, None)[0]
    assert trained(grouped, None)[0] != trained(data, None)[0]
    write_table(data, tmp_path / "data.tsv")
    folder = tmp_path / "data.motiflens"
    convert_streaming(tmp_path / "data.tsv", folder)
    mapped = open_mapped(folder)
    assert trained(mapped, tmp_path / "b", in_process)[0] == trained(mapped, None)[0]
    assert (tmp_path / "b" / "data.npz").stat().st_size < 2000


def test_what_is_wrong_on_a_worker_is_told_with_its_host(tmp_path: Path) -> None:
    data, unit = planted(shorter=True), Unit(0, JOBS[0], (0,))
    trained(data, tmp_path, in_process)
    settings = (tmp_path / "training.json").read_text()
    place = Place(tmp_path, settings, "cpu", torch.float32)
    train_unit(place, unit)
    found = json.loads(settings)
    other_data = json.dumps(found | {"data": "x"})
    other_version = json.dumps(found | {"versions": ["0.0.1", found["versions"][1]]})
    assert re.match(
        r"there is no checkpoint in .* \(on the worker host .*; write the run to a disk that all",
        mistake(place, unit, folder=tmp_path / "elsewhere"),
    )
    assert "was made with other data" in mistake(place, unit, settings=other_data)
    assert re.search(
        r"0\.0\.1 and .* where the command runs .*; install the same on all",
        mistake(place, unit, settings=other_version),
    )
    (tmp_path / "data.npz").write_bytes(b"x" * 99)
    assert "data.npz cannot be read: " in mistake(place, unit, dtype=torch.float64)


def mistake(place: Place, unit: Unit, **other: Any) -> str:
    """Return the one line of what is wrong with a place, which names the host."""
    with pytest.raises(InputError) as told:
        train_unit(dataclasses.replace(place, **other), unit)
    assert "(on the worker host " in str(told.value)
    assert "\n" not in str(told.value)
    return str(told.value)


def test_models_against_other_negative_sets_are_trained_by_workers_too(tmp_path: Path) -> None:
    sets, job = {"own": planted(), "other": planted(100)}, dataclasses.replace(JOBS[1], seeds=(4,))
    made = {
        folder: train_against(sets, [job], {}, threads=1, engine=engine, checkpoint=folder)
        for folder, engine in ((None, None), (tmp_path, in_process))
    }
    here, there = (result([list(one["other"]["attention"])]) for one in made.values())
    assert here == there
    assert (tmp_path / "crossing-1" / "data.npz").is_file()


def test_no_scheduler_is_one_line_before_anything_is_written(tmp_path: Path) -> None:
    write_table(planted(), tmp_path / "data.tsv")
    ended = command("train", "data.tsv", "-o", "out", "--scheduler", "nowhere", cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("motiflens: --scheduler nowhere is no address")
    assert ended.stderr.count("\n") == 1
    assert os.listdir(tmp_path) == ["data.tsv"]


def test_a_terminals_interrupt_is_left_to_the_command() -> None:
    with engine_of("local[1]") as engine:
        assert engine is not None
        found = dict(engine(signal.getsignal, [signal.SIGINT]))
    assert found == {signal.SIGINT: signal.SIG_IGN}


def test_an_engine_needs_a_folder() -> None:
    with pytest.raises(InputError, match="engine= needs checkpoint="):
        trained(planted(), None, in_process)


#: More than one block of every method, which are of 32 sequences at least.
CODES = random_codes(73, L)
BATCH = 20
#: Module and method of which a test takes long.
LONG = [("hybrid", method) for method in METHODS if method not in (*UNDIVIDED, "saliency")]
LONG += [("attention", "expected_gradients"), ("attention", "deeplift_shap")]


def modules() -> dict[str, nn.Module]:
    plain = nn.Sequential(nn.Conv1d(4, 6, 5), nn.ReLU(), nn.AdaptiveMaxPool1d(1), nn.Flatten())
    torch.manual_seed(3)
    return {
        "cnn": BothStrands(build_model("cnn", length=L, seed=1, n_filters=8)),
        "attention": build_model("attention", length=L, seed=2, n_filters=8),
        "hybrid": BothStrands(build_model("hybrid", length=L, seed=3)),
        "another's": nn.Sequential(plain, nn.Linear(6, 1)),
    }


@pytest.mark.parametrize(
    ("name", "method"),
    [
        pytest.param(name, method, marks=[pytest.mark.slow] * ((name, method) in LONG))
        for name in modules()
        for method in METHODS
    ],
)
def test_explanations_in_shares_are_those_of_the_whole(
    method: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "SEQUENCES", 25)
    monkeypatch.setattr(workers, "usual_batch", lambda module: BATCH)
    # Which way mutants are computed must not be a matter of time.
    monkeypatch.setattr(followed, "_seconds", lambda work, x: 1.0)
    if name == "hybrid":
        monkeypatch.setattr(followed, "FEW", 10**9)
    model, told = modules()[name], list[int]()
    explained = explanations(model, CODES, [method], in_process, told.append)
    if (method in UNDIVIDED and name in ("cnn", "another's")) or (method, name) == (
        "rollout",
        "attention",
    ):
        with pytest.raises(InputError) as refused:
            attribute(model, one_hot(CODES), method, batch_size=BATCH)
        with pytest.raises(InputError, match=r"no .*attention") as again:
            explained(method)
        assert str(again.value) == str(refused.value)
        return
    found, expected = explained(method), attribute(model, one_hot(CODES), method, batch_size=BATCH)
    for key in ("one_hot", "contributions", "hypothetical", "convergence_delta", "difference"):
        np.testing.assert_array_equal(getattr(found, key), getattr(expected, key))
    for one, other in zip(found.points or (), expected.points or (), strict=True):
        np.testing.assert_array_equal(one, other)
    assert (found.method, found.checks) == (expected.method, expected.checks)
    assert sum(told) == len(CODES)


class Counting(nn.Module):
    """It counts the sequences that it is called with."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.linspace(-1, 1, L))
        self.n = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.n += len(x)
        return (x[:, 1] * self.weight).sum(-1)


@pytest.mark.parametrize(("method", "rows"), [("saliency", (0, 64)), ("ism", (24, 48))])
def test_a_share_computes_little_more_than_its_own(
    method: str, rows: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followed, "FEW", 10**9)
    counts, share = [], Share(1, 3)  # of saliency one block of two, of ism a third
    for shared in (nullcontext(), sharing(share)):
        model = Counting()
        with shared:
            METHODS[method](model, one_hot(CODES))
        counts.append(model.n)
    assert counts[1] < counts[0]
    assert share.rows == slice(*rows)


def die_in_second_write(mark: Path, compute: Callable[[Unit], int], unit: Unit) -> int:
    """Train a unit; the process that trains number 2 first is killed after its second write."""
    checkpoint.SECONDS = 0.0
    if unit.number == 2 and not mark.exists():
        write, writes = checkpoint.Slot.write, []

        def counted(slot: checkpoint.Slot, state: checkpoint.State) -> None:
            write(slot, state)
            writes.append(state)
            if len(writes) == 2:
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)

        checkpoint.Slot.write = counted  # type: ignore[method-assign]
    tell((unit.number, 0))
    return compute(unit)


@pytest.mark.slow
def test_a_worker_that_is_killed_is_replaced_and_its_unit_goes_on(
    whole: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data, mark, heard = planted(shorter=True), tmp_path / "killed", list[Any]()
    with engine_of("local[2]") as engine:
        assert isinstance(engine, Engine)

        def dying(compute: Any, items: Any, hear: Any) -> Any:
            listening = lambda told: (heard.append(told), hear(told))  # noqa: E731
            return engine(partial(die_in_second_write, mark, compute), items, listening)

        assert trained(data, tmp_path / "state", dying) == (whole, count_epochs(data, JOBS))
        assert mark.exists()
        assert {number for number, _ in heard} == {0, 1, 2, 3}
        (tmp_path / "state" / "group1-choose.state").write_bytes(b"x" * 99)
        with pytest.raises(InputError, match=r"group1-choose\.state is damaged.*remove the folder"):
            trained(data, tmp_path / "state", engine)
    assert capfd.readouterr() == ("", "")


RUN = ["run", "set.parquet", "-o", "out", "--models", "cnn,attention", "--seeds", "2"]
RUN += ["--hyperparameters", "brief.toml", "--threads", "4", "--strands", "both"]
RUN += ["--n-explained", "70"]
BRIEF = "".join(f"[{one}.recipe]\nepochs = 40\nmin_steps = 0\n" for one in ("cnn", "attention"))


def started(folder: Path, *words: str) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, "-m", "motiflens", *RUN, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0"},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def files(out: Path) -> dict[str, bytes]:
    """Give what is in a run, without the seconds, the command, and the page that shows them."""
    found = {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()}
    return {k: v for k, v in found.items() if k not in ("timings.json", "report.html", "run.toml")}


@pytest.mark.slow
def test_a_run_on_workers_that_is_killed_with_them_is_that_of_one_process(tmp_path: Path) -> None:
    data = planted(900, length=41)
    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()
        write_table(data, tmp_path / name / "set.parquet")
        (tmp_path / name / "brief.toml").write_text(BRIEF)
    one = started(tmp_path / "whole")
    _, told = one.communicate(timeout=600)
    assert one.returncode == 0, told
    out = tmp_path / "cut" / "out"
    for come in (
        lambda: any((out / "checkpoint").glob("*.state")),
        lambda: (out / "comparison.json").is_file(),
    ):
        killed = started(tmp_path / "cut", "--scheduler", "local[2]")
        deadline = time.monotonic() + 300
        while not come() and killed.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        os.killpg(killed.pid, signal.SIGKILL)
        killed.communicate()
        assert killed.returncode == -signal.SIGKILL
    last = started(tmp_path / "cut", "--scheduler", "local[2]")
    _, told = last.communicate(timeout=600)
    assert last.returncode == 0, told
    assert "training:" not in told
    assert files(out) == files(tmp_path / "whole" / "out")
    assert not (out / "checkpoint").exists()
