"""The real command line under torchrun: one run directory, the one of a single process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from tests.as_json import as_json

import motiflens
from motiflens.io.tables import write_table
from motiflens.simulation import tutorial_grammar

TRAIN = ["train", "set.parquet", "--model", "cnn", "--seeds", "2", "--threads", "1"]
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def python(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; none of the processes that it started is left behind."""
    ended = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, timeout=300
    )
    places = [
        link.resolve() for link in Path("/proc").glob("[0-9]*/cwd") if os.access(link, os.R_OK)
    ]
    assert cwd not in places
    return ended


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("torchrun")
    grammar = tutorial_grammar(motif="GATTACCA", n=140, length=37)
    write_table(motiflens.simulate(grammar, 0), folder / "set.parquet")
    return folder


def numbers(value: object) -> list[float]:
    """Give all numbers of a JSON value, in order."""
    if isinstance(value, dict | list):
        parts = value.values() if isinstance(value, dict) else value
        return [number for part in parts for number in numbers(part)]
    return [float(value)] if isinstance(value, int | float) else []


@pytest.mark.slow
def test_two_processes_write_the_run_of_one(folder: Path) -> None:
    alone = python("-m", "motiflens", *TRAIN, "-o", "one", cwd=folder)
    assert alone.returncode == 0, alone.stderr
    two = python(*TORCHRUN, "-m", "motiflens", *TRAIN, "-o", "two", "--json", cwd=folder)
    assert two.returncode == 0, two.stderr
    assert json.loads(two.stdout)["run"] == "two"  # one of the processes prints
    assert two.stderr.count("training: done") == 1
    files = [
        sorted(p.relative_to(folder / name) for p in (folder / name).rglob("*") if p.is_file())
        for name in ("one", "two")
    ]
    assert files[0] == files[1]
    for name in ("comparison.json", "metrics.json"):
        one, other = (json.loads((folder / run / name).read_text()) for run in ("one", "two"))
        np.testing.assert_allclose(numbers(one), numbers(other), rtol=0, atol=1e-3)
    for seed in (0, 1):
        weights = [
            load_file(folder / run / "models" / f"cnn-seed{seed}" / "weights.safetensors")
            for run in ("one", "two")
        ]
        for layer, value in weights[0].items():
            np.testing.assert_allclose(weights[1][layer], value, rtol=0, atol=1e-3)
        histories = [
            np.genfromtxt(
                folder / run / "models" / f"cnn-seed{seed}" / "history.csv",
                delimiter=",",
                skip_header=1,
            )
            for run in ("one", "two")
        ]
        np.testing.assert_allclose(*histories, rtol=0, atol=1e-4)


@pytest.mark.slow
def test_two_processes_make_the_report_together(folder: Path) -> None:
    arguments = ["run", "set.parquet", "--models", "cnn", "--seeds", "1", "--sizes", "none"]
    ended = python(*TORCHRUN, "-m", "motiflens", *arguments, "-o", "whole", cwd=folder)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.count("report: whole") == 1
    assert "GATTACCA" in (folder / "whole" / "report.html").read_text()
    assert as_json(motiflens.load_run(folder / "whole").results.motifs)["models"]["cnn"]["seeds"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "word"),
    [
        (["--seeds", "0"], "--seeds"),  # found while the call is read
        (["--motif", "A" * 38], "motif"),  # found by every process in the data
        (["-o", "."], "other files"),  # found by the process that writes
    ],
)
def test_a_mistake_of_all_processes_is_told_once(
    folder: Path, change: list[str], word: str
) -> None:
    before = sorted(folder.rglob("*"))
    output = [] if "-o" in change else ["-o", "wrong"]
    arguments = ["train", "set.parquet", "--model", "cnn", *output, *change]
    ended = python(*TORCHRUN, "-m", "motiflens", *arguments, cwd=folder)
    told = [line for line in ended.stderr.splitlines() if line.startswith("motiflens: ")]
    assert len(told) == 1, ended.stderr
    assert word in told[0]
    assert "exitcode  : 2" in ended.stderr
    assert "motiflens/cli" not in ended.stderr  # no traceback of ours, only torchrun's own
    assert sorted(folder.rglob("*")) == before
