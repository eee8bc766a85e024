"""The last stage: the page."""

from __future__ import annotations

from pathlib import Path

from motiflens.progress import Progress, listener
from motiflens.report import write_report
from motiflens.runs import Run, load_run
from motiflens.stages.timing import timed


def report(
    run: Run | Path | str, *, threads: int | None = None, progress: Progress | None = None
) -> Run:
    """Write the page of a run from its directory alone.

    Parameters
    ----------
    run
        A run, or its directory.
    threads
        As of the other stages; not needed.
    progress
        Told how far the work has come.

    Returns
    -------
    Run
    """
    opened = run if isinstance(run, Run) else load_run(run)
    with timed(opened, "report"), listener(progress).stage("writing the page", 1) as advance:
        write_report(opened.path)
        advance(1)
    return opened
