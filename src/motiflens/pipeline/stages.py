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
    """Record how long a stage of a run takes."""
    started = time.perf_counter()
    yield
    run.add_timing(stage, time.perf_counter() - started)


def explained_positives(run: Run) -> SequenceDataset:
    """Give the positives of the test part that are explained, in order of the data."""
    test = run.dataset.part("test")
    return test.subset(np.flatnonzero(test.labels > 0)[: run.settings.n_explained])
