"""Tiles on the workers of Dask: the bytes of one process, whoever dies on the way."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.toy_works import Digests, expected

from motiflens import cluster
from motiflens.cluster import engine_of
from motiflens.errors import InputError
from motiflens.scoring.carry_out import carry_out

ROOT = Path(__file__).parent.parent


def work(folder: Path, **arguments: object) -> Digests:
    return Digests(output=folder / "out.bin", **arguments)


def test_nothing_asked_for_is_no_engine() -> None:
    with engine_of(None) as engine:
        assert engine is None


def test_a_worker_that_is_killed_is_replaced_and_its_tile_done_again(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    toy = work(tmp_path, dies=5, seconds=0.01)
    with engine_of("local[2]") as engine:
        assert carry_out(toy, engine=engine)
    assert toy.output.read_bytes() == expected(100)
    assert sorted(os.listdir(tmp_path)) == ["out.bin", "out.bin.killed"]
    assert capfd.readouterr() == ("", "")


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Run a scheduler and two workers as a cluster does: processes that nobody here began."""
    folder = tmp_path_factory.mktemp("dask")
    file = folder / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    quiet = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    # Both must find the class of the toy, as a real one has motiflens installed.
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    one = ["scheduler", "--no-dashboard", "--host", "127.0.0.1", "--port", "0"]
    started = [subprocess.Popen([*dask, *one, "--scheduler-file", file], env=environment, **quiet)]  # type: ignore[call-overload]
    workers = ["worker", "--no-dashboard", "--nworkers", "2", "--nthreads", "1"]
    host = {**environment, "TOY_HOST": "another host's "}
    started += [
        subprocess.Popen([*dask, *workers, "--scheduler-file", file], **quiet, env=host)  # type: ignore[call-overload]
    ]
    deadline = time.monotonic() + 60
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    yield file
    for process in reversed(started):
        process.terminate()
        process.wait(timeout=30)


@pytest.mark.slow
def test_a_scheduler_that_runs_already(tmp_path: Path, scheduler: Path) -> None:
    toy = work(tmp_path)
    with engine_of(str(scheduler)) as engine:
        assert carry_out(toy, engine=engine)
    assert toy.output.read_bytes() == expected(100)


@pytest.mark.slow
def test_what_is_wrong_on_a_worker_is_told(
    tmp_path: Path, scheduler: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "model"
    model.write_text("weights")
    toy = work(tmp_path, model=model)
    with engine_of(str(scheduler)) as engine:
        with pytest.raises(InputError, match=r"other model .*client \(on the worker host .*same "):
            carry_out(toy, engine=engine)
        # The same on that host as here: it is opened anew, not remembered.
        monkeypatch.setenv("TOY_HOST", "another host's ")
        assert carry_out(toy, engine=engine, overwrite=True)
        assert toy.output.read_bytes() == expected(100)
        with pytest.raises(InputError, match="tile 3 has a contig that is not in the genome"):
            carry_out(work(tmp_path, n=99, fails=3), engine=engine, overwrite=True)


@pytest.mark.parametrize("text", ["local[0]", "local[]", "nowhere", "tcp://host", "a b:1", ""])
def test_what_is_no_scheduler_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"is no address, no file of a scheduler"):
        engine_of(text)


def test_an_address_that_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    with pytest.raises(InputError, match=r"no scheduler of Dask answers at scheduler=tcp://127"):
        engine_of("tcp://127.0.0.1:9")
    assert capfd.readouterr() == ("", "")


def test_a_file_of_no_scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    path = tmp_path / "scheduler.json"
    for content in (b"no JSON", b"{}", b"[]", b"\xff"):
        path.write_bytes(content)
        with pytest.raises(InputError, match="no file of a scheduler"):
            engine_of(str(path))
    path.write_text('{"address": "tcp://127.0.0.1:9"}')
    with pytest.raises(InputError, match=r"no scheduler of Dask answers at scheduler=/.*tcp://127"):
        engine_of(str(path))


def test_without_dask_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"needs Dask.*pip install 'motiflens\[cluster\]'"):
        engine_of("local[2]")
