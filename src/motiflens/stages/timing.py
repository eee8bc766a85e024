"""Where the time of a run goes: seconds, processor seconds and memory of each stage."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import msgspec

from motiflens.results.timings import StageUse, Timings
from motiflens.runs import Run
from motiflens.training import single_intra_op_thread


@contextmanager
def measured(used: dict[str, StageUse], stage: str) -> Iterator[None]:
    """Measure what a stage uses, and keep it under its name."""
    started, processor = time.perf_counter(), time.process_time()
    yield
    used[stage] = StageUse(
        seconds=time.perf_counter() - started,
        processor_seconds=time.process_time() - processor,
        peak_memory=peak_memory(),
    )


@contextmanager
def timed(run: Run, stage: str) -> Iterator[None]:
    """Record what a stage of a run uses; each operation in it gets one thread.

    With several threads an operation's sums may be cut otherwise from one call to the next, and
    equal runs would differ in their last digits. Stages use their threads for whole models.
    """
    used: dict[str, StageUse] = {}
    with measured(used, stage), single_intra_op_thread():
        yield
    add_to_timings(run, used)


def add_to_timings(run: Run, used: dict[str, StageUse]) -> None:
    """Write what stages used into ``timings.json``, where it is, beside that of the others."""
    if not run.results.holds("timings"):
        return
    timings = run.results.timings
    seconds = {name: use.seconds for name, use in used.items()}
    known = timings.used if isinstance(timings.used, dict) else {}
    run.results.write(
        msgspec.structs.replace(
            timings, stages={**timings.stages, **seconds}, used={**known, **used}
        )
    )


def peak_memory() -> int | None:
    """Return the most memory, in bytes, that this process has held; None where nobody counts it."""
    with suppress(ImportError):
        import resource

        # In kilobytes but on macOS.
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return None


def as_profile(timings: Timings) -> str:
    """Lay out what the stages of a run used as the text of ``profile.txt``."""
    used = timings.used if isinstance(timings.used, dict) else {}
    rows = [["stage", "seconds", "processor seconds", "peak memory (MB)"]]
    for stage, seconds in timings.stages.items():
        use = used.get(stage)
        cells = ["", ""] if use is None else [f"{use.processor_seconds:.1f}", _in_mb(use)]
        rows.append([stage, f"{seconds:.1f}", *cells])
    processor = sum(use.processor_seconds for use in used.values())
    rows.append(["all", f"{sum(timings.stages.values()):.1f}", f"{processor:.1f}", ""])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def _in_mb(use: StageUse) -> str:
    return "" if use.peak_memory is None else f"{use.peak_memory / 1e6:,.0f}"
