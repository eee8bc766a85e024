"""The last stage: the page."""

from __future__ import annotations

from pathlib import Path

from motiflens.progress import Progress
from motiflens.report import write_report
from motiflens.runs import Run, load_run


def report(
    run: Run | Path | str, *, threads: int | None = None, progress: Progress | None = None
) -> Run:
    """Write the page of a run from its directory alone.

    Parameters
    ----------
    run
        A run, or its directory.
    threads, progress
        As of the other stages; not needed.

    Returns
    -------
    Run
    """
    opened = run if isinstance(run, Run) else load_run(run)
    write_report(opened.path)
    return opened
