"""What the stages after the first have in common."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from motiflens.datasets import SequenceDataset
from motiflens.errors import InputError
from motiflens.runs import Run, load
from motiflens.training import one_thread_an_operation


def opened(run: Run | Path | str) -> Run:
    """Open a run, and check that it holds trained models."""
    found = run if isinstance(run, Run) else load(run)
    if not found.models:
        raise InputError(
            "a run holds trained models",
            got=f"none in {found.path}",
            remedy="make the run again with `motiflens run --overwrite`",
        )
    return found


@contextmanager
def timed(run: Run, stage: str) -> Iterator[None]:
    """Record how long a stage of a run takes; each operation in it gets one thread.

    With several threads an operation's sums may be cut otherwise from one call to the next, and
    equal runs would differ in their last digits. Stages use their threads for whole models.
    """
    started = time.perf_counter()
    with one_thread_an_operation():
        yield
    run.add_timing(stage, time.perf_counter() - started)


def explained_positives(run: Run) -> SequenceDataset:
    """Give the positives of the test part that are explained, in order of the data."""
    test = run.dataset.part("test")
    return test.subset(np.flatnonzero(test.labels > 0)[: run.settings.n_explained])
