"""Whole commands as a user types them, on every core: `run` on CTCF, and the demo."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.data import ctcf
from benchmarks.rows import Row, row
from motiflens.training import n_cores

REPEATS = 2


def seconds_of(command: list[str], source: Path | None = None) -> float:
    """Return the wall time of a command of ours, of the source in use or in another folder."""
    environment = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"}
    if source is not None:
        environment["PYTHONPATH"] = str(source)
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "motiflens", *command],
        env=environment,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"motiflens {' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return time.perf_counter() - started


def measure() -> list[Row]:
    """Time both commands in turns; they have no peer."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        train, test, what = ctcf(folder)
        run = ["run", str(train), "--test", str(test), "-o", str(folder / "run"), "--overwrite"]
        demo = ["demo", "-o", str(folder / "demo")]
        seconds: tuple[list[float], list[float]] = ([], [])
        for _ in range(REPEATS):
            for own, command in zip(seconds, (run, demo), strict=True):
                own.append(seconds_of(command))
    more = {"threads": n_cores(), "n": 2_000, "clock": "wall"}
    return [
        row(f"motiflens run, {what}, defaults", seconds[0], [], None, goal="≤ 75 s", **more),
        row("motiflens demo", seconds[1], [], None, goal="≤ 40 s", **more),
    ]
