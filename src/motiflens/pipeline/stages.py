"""What the stages after the first have in common."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from motiflens.datasets import SequenceDataset, concatenate, mark_sites
from motiflens.errors import InputError
from motiflens.runs import Run, load
from motiflens.training import one_thread_an_operation

ENOUGH = 200
"""Positives from which motifs are read at least, as far as there are so many."""


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


def motif_positives(run: Run) -> SequenceDataset:
    """Give the positives that motifs are read from.

    Those of the test part; where they are fewer than ``ENOUGH``, others are added, in order of the
    data, since a motif cannot be read from a handful. No score comes from them.
    """
    positives = explained_positives(run)
    if len(positives) >= ENOUGH:
        return positives
    dataset = run.dataset
    others = np.flatnonzero((dataset.labels > 0) & (np.asarray(dataset.split) != "test"))
    n_more = min(ENOUGH, run.settings.n_explained) - len(positives)
    return concatenate([positives, dataset.subset(others[: max(n_more, 0)])])


def explained_positives(run: Run) -> SequenceDataset:
    """Give the positives of the test part that are explained, in order of the data."""
    dataset, settings = run.dataset, run.settings
    chosen = (np.asarray(dataset.split) == "test") & (dataset.labels > 0)
    positives = dataset.subset(np.flatnonzero(chosen)[: settings.n_explained])
    if positives.sites is None and settings.motif is not None:
        positives = mark_sites(positives, settings.motif, settings.strands)
    return positives
