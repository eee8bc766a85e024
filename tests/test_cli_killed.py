"""The real command line, killed and started again: the files of a run that was never killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import motiflens
from motiflens.io.tables import write_table
from motiflens.simulation import tutorial_grammar

RUN = ["run", "set.parquet", "-o", "out", "--models", "tutorial-attention,cnn", "--seeds", "2"]
RUN += ["--sizes", "60", "--threads", "1", "--strands", "forward", "--motif", "GATTACCA"]
ENV = {**os.environ, "PYTHONHASHSEED": "0"}

# Stage → whether a run has come so far, by what lies in its directory.
MOMENTS: dict[str, Callable[[Path], bool]] = {
    "the data are written": lambda out: (out / "data.parquet").is_file(),
    "training": lambda out: any((out / "checkpoint").glob("*.state")),
    "models are written": lambda out: any((out / "models").glob("*/*")),
    "explaining": lambda out: any((out / "attributions").glob("*/*")),
    "motifs": lambda out: (out / "attention.json").is_file(),
    "trust": lambda out: (out / "motifs.json").is_file(),
    "the report": lambda out: (out / "trust.json").is_file(),
}


def started(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "motiflens", *RUN],
        cwd=folder,
        env=ENV,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def kill_when(process: subprocess.Popen[str], come: Callable[[Path], bool], out: Path) -> bool:
    """Kill a process at a moment; tell whether it was still at work."""
    deadline = time.monotonic() + 120
    while not come(out) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


def files(out: Path) -> dict[str, bytes]:
    """Give what is in a run, without the seconds and the page that shows them."""
    found = {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()}
    assert {"timings.json", "report.html"} <= set(found)
    return {k: v for k, v in found.items() if k not in ("timings.json", "report.html")}


@pytest.mark.slow
def test_a_run_killed_in_every_stage_ends_with_the_same_files(tmp_path: Path) -> None:
    grammar = tutorial_grammar(motif="GATTACCA", n=240, length=41)
    dataset = motiflens.simulate(grammar, 0)
    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()
        write_table(dataset, tmp_path / name / "set.parquet")
    whole = started(tmp_path / "whole")
    _, told = whole.communicate(timeout=300)
    assert whole.returncode == 0, told
    out = tmp_path / "cut" / "out"
    for moment, come in MOMENTS.items():
        assert kill_when(started(tmp_path / "cut"), come, out), moment
        assert not (out / "report.html").exists()
    last = started(tmp_path / "cut")
    _, told = last.communicate(timeout=300)
    assert last.returncode == 0, told
    assert "training:" not in told  # it had ended before
    assert files(out) == files(tmp_path / "whole" / "out")
    again = started(tmp_path / "cut")
    _, told = again.communicate(timeout=300)
    assert again.returncode == 2
    assert len(told.splitlines()) == 1
    assert "--overwrite" in told
