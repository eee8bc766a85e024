"""What the stages after the first have in common."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from motiflens.attribution import Attributions
from motiflens.datasets import SequenceDataset, concatenate, mark_sites
from motiflens.errors import InputError
from motiflens.progress import Progress
from motiflens.runs import Run, load
from motiflens.sequences import evenly
from motiflens.training import n_cores, single_intra_op_thread

Result = TypeVar("Result")

ENOUGH = 200
"""Positives from which motifs are read at least, as far as there are so many."""

MOST_WORK = 1000 * 200**2
"""What is explained costs at most as much mutagenesis as 1,000 sequences of 200 bases: three passes
over the padded length for each of a sequence's own bases."""


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
    with single_intra_op_thread():
        yield
    run.add_timing(stage, time.perf_counter() - started)


def of_each_model(
    run: Run, stage: str, words: str, progress: Progress, do: Callable[[str], Result]
) -> dict[str, Result]:
    """Do a stage's work for every model of a run, one model a thread: its name → what came of it.

    Parameters
    ----------
    run
        The run.
    stage, words
        What ``timings.json`` and what the progress calls it.
    progress
        Told after every model.
    do
        From the name of a model to a result.
    """
    models = list(run.models)
    with (
        timed(run, stage),
        progress.stage(words, len(models)) as advance,
        ThreadPoolExecutor(run.settings.threads or n_cores()) as pool,
    ):

        def done(name: str) -> Result:
            result = do(name)
            advance(1)
            return result

        return dict(zip(models, pool.map(done, models), strict=True))


def kept_attributions(
    run: Run, name: str, positives: SequenceDataset, methods: Iterable[str]
) -> dict[str, Attributions]:
    """Load the attributions that ``explain`` has left, so that they are not computed twice."""
    kept = {}
    for method in methods:
        path = run.path / "attributions" / name / f"{method}.npz"
        if path.is_file():
            found, names = Attributions.load(path)
            if names == positives.names.tolist():
                kept[method] = found
    return kept


def motif_positives(run: Run) -> SequenceDataset:
    """Give the positives that motifs are read from.

    Those of the test part; where they are fewer than ``ENOUGH``, others are added, spread evenly
    over the data, since a motif cannot be read from a handful. No score comes from them.
    """
    positives = explained_positives(run)
    if len(positives) >= ENOUGH:
        return positives
    dataset = run.dataset
    others = np.flatnonzero((dataset.labels > 0) & (np.asarray(dataset.split) != "test"))
    n_more = min(ENOUGH, run.settings.n_explained) - len(positives)
    done = int(positives.lengths.sum())
    more = _affordable(dataset, others[evenly(len(others), n_more)], done)
    return concatenate([positives, dataset.subset(more)])


def explained_positives(run: Run) -> SequenceDataset:
    """Give the positives of the test part that are explained, in order of the data.

    They are at most ``n_explained``, and as many as ``MOST_WORK`` allows, spread evenly over the
    data.
    """
    dataset, settings = run.dataset, run.settings
    rows = _test_positives(run)
    positives = dataset.subset(_affordable(dataset, rows))
    if positives.sites is None and settings.motif is not None:
        positives = mark_sites(positives, settings.motif, settings.strands)
    return positives


def note_on_length(run: Run) -> str | None:
    """Say that fewer positives are explained than asked for, where they are too long."""
    dataset, rows = run.dataset, _test_positives(run)
    kept = len(_affordable(dataset, rows))
    if kept == len(rows):
        return None
    return (
        f"{kept} of {len(rows)} positives are explained: the time grows with the square of the "
        f"length, here up to {dataset.codes.shape[1]:,} bases, and ends at that of 1,000 sequences "
        "of 200 bases; shorter windows, such as those of --width 200, explain more"
    )


def _test_positives(run: Run) -> NDArray[np.intp]:
    """Give the rows of ``n_explained`` positives of the test part."""
    dataset = run.dataset
    rows = np.flatnonzero((np.asarray(dataset.split) == "test") & (dataset.labels > 0))
    return rows[evenly(len(rows), run.settings.n_explained)]


def _affordable(
    dataset: SequenceDataset, rows: NDArray[np.intp], done: int = 0
) -> NDArray[np.intp]:
    """Give as many of the rows as ``MOST_WORK`` allows after ``done`` bases, at least one.

    They are spread evenly over the rows.
    """

    def chosen(n: int) -> NDArray[np.intp]:
        return rows[evenly(len(rows), n)]

    def work(n: int) -> int:
        return (done + int(dataset.lengths[chosen(n)].sum())) * int(dataset.codes.shape[1])

    n, least = len(rows), min(len(rows), 0 if done else 1)
    while n > least and work(n) > MOST_WORK:
        n = max(min(n - 1, n * MOST_WORK // work(n)), least)
    return chosen(n)
