"""Every row of the table of speed, ours beside its peers, in one run: `make bench`.

    python -m benchmarks [NAME ...] [--output runs/bench]

Each benchmark is a process of its own in the environment of the peers (`benchmarks.peers`), with
the threads that it is meant for, one after the other. What is known is written as it goes; a
benchmark that fails, or is cut off, is a row that says so. At the end `benchmarks.speed_page` makes
the page of it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from benchmarks.peers import PYTHON, ROOT, make
from benchmarks.rows import Row, not_run
from motiflens.files import write_whole
from motiflens.training import n_cores

MODULES = {
    "whole": "whole commands",
    "training_speed": "the tutorial's loop",
    "training_time": "training, cnn beside an SVM",
    "mutagenesis_speed": "mutagenesis",
    "gradients_speed": "DeepLIFT/SHAP and integrated gradients",
    "discovery_speed": "discovery",
    "predict_rate": "sequences scored, beside the bare model",
    "scaling": "growth with length and number",
}
ON_EVERY_CORE = ("whole", "training_speed")
"""Those that set their threads themselves; the others have one."""

MOST_SECONDS = 600
MARK = "ROWS "


def environment(name: str) -> dict[str, str]:
    """Return the variables that a benchmark runs with: its threads, and the source in use."""
    chosen = dict(os.environ, PYTHONPATH=os.pathsep.join((str(ROOT), str(ROOT / "src"))))
    if name not in ON_EVERY_CORE:
        chosen.update(
            dict.fromkeys(("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        )
    return chosen


def measured(name: str, python: Path, most: float = MOST_SECONDS) -> list[Row]:
    """Run one benchmark in a process of its own; return its rows, or one that says why not."""
    if not (ROOT / "benchmarks" / f"{name}.py").is_file():
        return [not_run(MODULES[name], f"benchmarks/{name}.py is not there")]
    code = f"import json, benchmarks.{name} as b; print({MARK!r} + json.dumps(b.measure()))"
    try:
        done = subprocess.run(
            [str(python), "-c", code],
            cwd=ROOT,
            env=environment(name),
            capture_output=True,
            text=True,
            timeout=most,
        )
    except subprocess.TimeoutExpired:
        return [not_run(MODULES[name], f"cut off after {most:.0f} s")]
    lines = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    if done.returncode or not lines:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        return [not_run(MODULES[name], f"failed: {last}")]
    return json.loads(lines[-1].removeprefix(MARK))


def machine() -> dict[str, Any]:
    """Name processor, cores and versions."""
    return {
        "processor": processor(),
        "cores": n_cores(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "commit": commit(),
    }


def processor() -> str:
    """Return the processor's name as the system gives it."""
    path = Path("/proc/cpuinfo")
    if path.is_file():
        for line in path.read_text("utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def commit() -> str:
    """Return the commit in use, marked where files differ from it; empty outside a repository."""
    command = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip()


def line(row: Row) -> str:
    """Write a row of the printed table."""
    ours, theirs, ratio = (row.get(k) for k in ("ours_seconds", "theirs_seconds", "ratio"))
    if ours is None:
        return f"{row['work']:<66} not run: {row.get('note', '')}"
    text = f"{row['work']:<66} {ours:>9.3f} s"
    if theirs is not None and ratio is not None:
        text += f" {theirs:>9.3f} s {ratio:>7.1f} ×  {row.get('peer')}"
    return f"{text}  {row.get('note', '')}".rstrip()


def asked(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help=f"of {', '.join(MODULES)}; all by default")
    parser.add_argument("--output", type=Path, default=ROOT / "runs" / "bench")
    parser.add_argument(
        "--most",
        type=float,
        default=MOST_SECONDS,
        help="seconds of one benchmark; more beside other work",
    )
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in MODULES]
    if unknown:
        parser.error(f"no benchmark is called {unknown[0]}; there are {', '.join(MODULES)}")
    return options


def main(arguments: Sequence[str] | None = None) -> Path:
    """Measure what is asked for; return the file that was written."""
    options = asked(arguments)
    make()
    options.output.mkdir(parents=True, exist_ok=True)
    started, now = time.perf_counter(), datetime.now(UTC)
    path = options.output / f"speed-{now:%Y-%m-%d-%H%M%S}.json"
    content: dict[str, Any] = {"date": f"{now:%Y-%m-%d}", "machine": machine(), "rows": []}
    for name in options.names or MODULES:
        rows = measured(name, PYTHON, options.most)
        print("\n".join(map(line, rows)), flush=True)
        content["rows"] += rows
        content["minutes"] = (time.perf_counter() - started) / 60
        write_whole(path, json.dumps(content, indent=1, ensure_ascii=False).encode())
    print(f"{content['minutes']:.0f} minutes; {path}", file=sys.stderr)
    return path


if __name__ == "__main__":
    main()
