"""What the stages after training have in common: their run, their time, what they explain."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Semaphore
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from motiflens.attribution import Attributions
from motiflens.attribution.base import sharing_cores
from motiflens.datasets import SequenceDataset, concatenate, mark_sites
from motiflens.errors import InputError
from motiflens.motifs import Motif, motif_from_string, ppm_from_codes
from motiflens.progress import Advance, Progress, Within
from motiflens.runs import Run, load_run
from motiflens.sequences import evenly
from motiflens.stages.defaults import n_explained
from motiflens.stages.timing import timed
from motiflens.training import n_cores

Item = TypeVar("Item", bound=Hashable)
Result = TypeVar("Result")

ENOUGH = 200
"""Positives from which motifs are read at least, as far as there are so many."""

MAX_WORK = 1000 * 200**2
"""What is explained costs at most as much mutagenesis as 1,000 sequences of 200 bases: three passes
over the padded length for each of a sequence's own bases."""


def open_trained(run: Run | Path | str) -> Run:
    """Open a run, and check that it holds trained models."""
    opened = run if isinstance(run, Run) else load_run(run)
    if not opened.results.models:
        # With that option the command would begin anew.
        command = opened.results.provenance.run.command.replace(" --overwrite", "")
        raise InputError(
            f"{opened.path} holds no trained models, as its training has not ended",
            remedy=f"resume it by the same command: {command}",
        )
    return opened


def n_threads(run: Run, threads: int | None) -> int:
    """Return how many threads a stage uses: those given, the run's own, or one a core."""
    return threads or run.settings.threads or n_cores()


@dataclass(frozen=True)
class Work:
    """What a stage does for every model.

    Parameters
    ----------
    stage
        Its name in the timings.
    words
        What the progress calls it.
    steps, unit
        How many steps it counts for each model, and what they are; those that were not counted
        when a model is done are counted then.
    """

    stage: str
    words: str
    steps: int = 1
    unit: str = "models"


def each_model(
    run: Run,
    label: Work,
    work: Callable[[str, Advance], Result],
    progress: Progress,
    threads: int | None = None,
) -> dict[str, Result]:
    """Do a stage's work for every model of a run, one model a thread: its name → the result.

    Explanations are cut into blocks of sequences, which take the cores that other models leave.

    Parameters
    ----------
    run
        The run.
    label
        What the stage is called, and what it counts.
    work
        From the name of a model, and a function that counts steps, to a result.
    progress
        Told how many steps are done.
    threads
        None for those of the run.
    """
    models = list(run.results.models)
    total = len(models) * label.steps

    def counted(name: str) -> Result:
        with Within(advance).stage(name, label.steps) as step:
            return work(name, step)

    with timed(run, label.stage), progress.stage(label.words, total, label.unit) as advance:
        return in_threads(models, counted, n_threads(run, threads))


def in_threads(
    items: Sequence[Item], work: Callable[[Item], Result], threads: int
) -> dict[Item, Result]:
    """Do the work for every item, one item a thread, and blocks of sequences on cores left over."""
    cores = Semaphore(threads)

    def done(item: Item) -> Result:
        with sharing_cores(threads, cores):
            return work(item)

    with ThreadPoolExecutor(threads) as pool:
        return dict(zip(items, pool.map(done, items), strict=True))


def kept_attributions(
    run: Run, name: str, positives: SequenceDataset, methods: Iterable[str]
) -> dict[str, Attributions]:
    """Load the attributions that ``explain`` has left, so that they are not computed twice."""
    kept = {}
    for method in methods:
        path = run.results.path_of("attributions", model=name, method=method)
        if path.is_file():
            attributions = Attributions.load(path)
            if attributions.names == tuple(positives.names.tolist()):
                kept[method] = attributions
    return kept


def motif_positives(run: Run) -> SequenceDataset:
    """Return the positives that motifs are read from.

    Those of the test split; where they are fewer than ``ENOUGH``, others are added, spread evenly
    over the data, since a motif cannot be read from a handful. No score comes from them.
    """
    positives = explained_positives(run)
    if len(positives) >= ENOUGH:
        return positives
    dataset = run.in_classes
    others = np.flatnonzero((dataset.labels > 0) & (np.asarray(dataset.split) != "test"))
    n_more = min(ENOUGH, n_explained(run.settings)) - len(positives)
    done = int(positives.lengths.sum())
    more = _affordable(dataset, others[evenly(len(others), n_more)], done)
    return concatenate([positives, dataset.subset(more)])


def explained_positives(run: Run) -> SequenceDataset:
    """Return the positives of the test split that are explained, in order of the data.

    They are at most ``n_explained``, and as many as ``MAX_WORK`` allows, spread evenly over the
    data.
    """
    dataset, settings = run.in_classes, run.settings
    rows = _test_rows(dataset, 1, n_explained(settings))
    positives = dataset.subset(_affordable(dataset, rows))
    if positives.sites is None and settings.motif is not None:
        positives = mark_sites(positives, settings.motif, settings.strands)
    return positives


def of_test(dataset: SequenceDataset, label: int, n: int) -> SequenceDataset:
    """Return at most n sequences of a class of the test split, spread evenly over the data."""
    return dataset.subset(_test_rows(dataset, label, n))


def note_on_length(run: Run) -> str | None:
    """Say that fewer positives are explained than asked for, where they are too long."""
    dataset = run.in_classes
    rows = _test_rows(dataset, 1, n_explained(run.settings))
    kept = len(_affordable(dataset, rows))
    if kept == len(rows):
        return None
    return (
        f"{kept} of {len(rows)} positives are explained: the time grows with the square of the "
        f"length, here up to {dataset.codes.shape[1]:,} bases, and ends at that of 1,000 sequences "
        "of 200 bases; shorter windows, such as those of width=200, explain more"
    )


def _test_rows(dataset: SequenceDataset, label: int, n: int) -> NDArray[np.intp]:
    """Return at most n rows of a class of the test split, spread evenly."""
    is_class = dataset.labels > 0 if label else dataset.labels == 0
    rows = np.flatnonzero((np.asarray(dataset.split) == "test") & is_class)
    return rows[evenly(len(rows), n)]


def _affordable(
    dataset: SequenceDataset, rows: NDArray[np.intp], done: int = 0
) -> NDArray[np.intp]:
    """Return as many of the rows as ``MAX_WORK`` allows after ``done`` bases, at least one.

    They are spread evenly over the rows.
    """

    def chosen(n: int) -> NDArray[np.intp]:
        return rows[evenly(len(rows), n)]

    def work(n: int) -> int:
        return (done + int(dataset.lengths[chosen(n)].sum())) * int(dataset.codes.shape[1])

    n, least = len(rows), min(len(rows), 0 if done else 1)
    while n > least and work(n) > MAX_WORK:
        n = max(min(n - 1, n * MAX_WORK // work(n)), least)
    return chosen(n)


def true_motifs(dataset: SequenceDataset, motif: str | None) -> list[Motif]:
    """Return the true motifs: of the sites' own bases, or as given; none when none is known."""
    if dataset.sites is None:
        return [] if motif is None else [motif_from_string(motif)]
    named = {site.name for row in dataset.sites for site in row}
    if motif is not None and named <= {motif.upper()}:
        return [motif_from_string(motif)]
    return site_motifs(dataset)


def site_motifs(dataset: SequenceDataset) -> list[Motif]:
    """Return motifs of the bases of the true sites, one for each name, by name."""
    windows: dict[str, list[NDArray[np.uint8]]] = {}
    for row, sites in enumerate(dataset.sites or ()):
        for site in sites:
            bases = dataset.codes[row, site.start : site.end]
            oriented = np.where(bases < 4, 3 - bases, 4)[::-1] if site.strand == "-" else bases
            windows.setdefault(site.name, []).append(oriented)
    return [
        Motif(name, ppm_from_codes(np.stack(rows).astype(np.uint8)), n_sites=len(rows))
        for name, rows in sorted(windows.items())
    ]
