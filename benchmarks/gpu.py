"""The GPU rows of the table of speed: an old state of the source and this one, on one card.

    python -m benchmarks.gpu --old FOLDER [--data FILE --test FILE] [--output FILE] [--minutes 8]

FOLDER holds ``src/motiflens`` of another commit. `make bench-gpu-export` puts it, the data of a
whole run and the packages that a bare machine with PyTorch lacks into ``runs/bench-gpu``; what to
type there is printed by it. Without a CUDA device every row is reported as not run.

Each work is a process of its own, new before old, and is cut off after its share of the minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import torch

from benchmarks.rows import Row, not_run

ROOT = Path(__file__).parents[1]
NO_DEVICE = "no CUDA device"


class Work(NamedTuple):
    """A row: what is timed, what it is to reach, and the seconds that each state has at most."""

    name: str
    what: str
    goal: str
    most: float
    n: int
    length: int
    is_rate: bool = False


WORKS = (
    Work("attention-20", "20 seeds of attention, the tutorial", "≥ 500,000/s", 45, 20, 50, True),
    Work("mutagenesis", "mutagenesis, attention, 32 × 1,000 bp", "≤ 0.1 s", 35, 32, 1000),
    Work("deeplift", "DeepLIFT/SHAP, cnn, 300 × 200 bp", "≤ 0.5 s", 45, 300, 200),
    Work("integrated", "integrated gradients, cnn, 300 × 200 bp", "≤ 0.5 s", 30, 300, 200),
    Work("attention-100", "100 seeds of attention at once", "", 40, 100, 50, True),
    Work("run", "motiflens run, the data given", "≤ 60 s", 120, 0, 0),
)


def measure(
    old: Path | None = None,
    data: Path | None = None,
    test: Path | None = None,
    *,
    device: str = "cuda",
    minutes: float = 8.0,
    small: bool = False,
) -> list[Row]:
    """Time every work in both states; print each row as it is known.

    Parameters
    ----------
    old
        Folder with the old source; without it theirs are not measured.
    data, test
        Of the whole run; without data it is not run.
    device
        ``cpu`` only to try the script.
    minutes
        After which nothing more is begun, and what is running is cut off.
    small
        Few and short sequences, to try the script.
    """
    if device.startswith("cuda") and not torch.cuda.is_available():
        return [not_run(work.what, NO_DEVICE) for work in WORKS]
    ends = time.monotonic() + 60 * minutes
    rows = []
    for work in WORKS:
        files = [] if data is None else ["--data", str(data)]
        files += [] if test is None else ["--test", str(test)]
        options = [work.name, "--device", device, *files, *(["--small"] if small else [])]
        if work.name == "run" and data is None:
            rows.append(not_run(work.what, "no --data"))
        else:
            states = [ROOT, *([] if old is None else [old])]
            rows.append(_row(work, [_timed(state, options, work.most, ends) for state in states]))
        print(line(rows[-1]), flush=True)
    return rows


def _timed(state: Path, options: list[str], most: float, ends: float) -> dict[str, Any]:
    """Run a work with the source of one state: its figures, or why there are none."""
    left = min(most, ends - time.monotonic())
    if left < 1:
        return {"why": "no time left"}
    given = os.environ.get("PYTHONPATH", "")
    path = os.pathsep.join((str(state / "src"), str(ROOT), given))
    command = [sys.executable, "-m", "benchmarks.gpu_work", *options]
    # A group of its own: a run that is cut off takes its own processes with it.
    process = subprocess.Popen(
        command,
        env=dict(os.environ, PYTHONPATH=path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        printed, errors = process.communicate(timeout=left)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.communicate()
        return {"why": f"not finished in {left:.0f} s"}
    if process.returncode:
        return {"why": f"failed: {(errors.strip().splitlines() or ['no word'])[-1]}"}
    return json.loads(printed.splitlines()[-1])


def _row(work: Work, states: list[dict[str, Any]]) -> Row:
    """Make the row of a work from the figures of the new state and, where measured, the old."""
    new, old = states[0], states[1] if len(states) > 1 else {}
    ours, theirs = new.get("seconds"), old.get("seconds")
    notes = [f"{who} {one['why']}" for who, one in (("new", new), ("old", old)) if "why" in one]
    if work.is_rate:
        rates = [
            f"{who} {one['rate']:,.0f}/s"
            for who, one in (("new", new), ("old", old))
            if one.get("rate")
        ]
        notes = [", ".join(rates), *notes] if rates else notes
    return Row(
        work=work.what,
        ours_seconds=ours,
        theirs_seconds=theirs,
        ratio=None if ours is None or theirs is None else theirs / ours,
        peer="the old state" if old else None,
        peer_version=None,
        threads=os.cpu_count() or 1,
        n=work.n,
        repeats=1,
        clock="wall",
        goal=work.goal,
        note="; ".join(notes),
    )


def line(row: Row) -> str:
    """Write a row as it is printed."""
    cells = [f"{row['work']:<44}"]
    for name, key in (("new", "ours_seconds"), ("old", "theirs_seconds")):
        seconds = row.get(key)
        cells.append(f"{name} {'–' if seconds is None else f'{seconds:.3f} s':>10}")
    ratio = row.get("ratio")
    cells.append("" if ratio is None else f"{ratio:6.1f} ×")
    return "  ".join([*cells, row.get("goal", ""), row.get("note", "")]).rstrip()


def card() -> str:
    """Name the card and what drives it."""
    if not torch.cuda.is_available():
        return NO_DEVICE
    return f"{torch.cuda.get_device_name(0)}, torch {torch.__version__}, {os.cpu_count()} cores"


def commit_of(folder: Path | None) -> str | None:
    """Return what ``commit.txt`` beside an exported source says."""
    path = None if folder is None else folder / "commit.txt"
    return path.read_text("utf-8").strip() if path and path.is_file() else None


def main(arguments: Sequence[str] | None = None) -> list[Row]:
    """Measure, print and write the rows; the exit status is 0 also where there is no device."""
    parser = argparse.ArgumentParser(prog="benchmarks.gpu", description=__doc__.split("\n")[0])
    parser.add_argument("--old", type=Path, help="folder with the source of another commit in src")
    parser.add_argument("--data", type=Path, help="training file of the whole run")
    parser.add_argument("--test", type=Path, help="test file of the whole run")
    parser.add_argument("--output", type=Path, help="JSON file to write")
    parser.add_argument("--minutes", type=float, default=8.0, help="at most")
    asked = parser.parse_args(arguments)
    print(card(), flush=True)
    rows = measure(asked.old, asked.data, asked.test, minutes=asked.minutes)
    if card() == NO_DEVICE:
        for row in rows:
            print(f"{row['work']:<44}  not run: {row.get('note')}")
    if asked.output is not None:
        content = {
            "date": f"{datetime.now(UTC):%Y-%m-%d}",
            "card": card(),
            "old": commit_of(asked.old),
            "rows": rows,
        }
        asked.output.parent.mkdir(parents=True, exist_ok=True)
        asked.output.write_text(json.dumps(content, indent=1, ensure_ascii=False), "utf-8")
    return rows


if __name__ == "__main__":
    main()
