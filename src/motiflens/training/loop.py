"""Train many seeds of an architecture at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from motiflens.cluster import Engine
from motiflens.datasets import SequenceDataset
from motiflens.models.calling import choose_device
from motiflens.settings import n_cores
from motiflens.training import distributed
from motiflens.training.checkpoint import Checkpoint
from motiflens.training.data import EncodedData, predict_logits, take_splits
from motiflens.training.group import Group, group_sizes, settings_of, train_group
from motiflens.training.job import Job, Trained
from motiflens.training.machine import keep_freed_memory, single_intra_op_thread
from motiflens.training.workers import check_engine, train_on_workers


def train(dataset: SequenceDataset, job: Job, **options: Any) -> list[Trained]:
    """Train every seed of one job; the options are those of :func:`train_all`."""
    return train_all(dataset, [job], **options)[0]


def train_all(
    dataset: SequenceDataset,
    jobs: Sequence[Job],
    *,
    threads: int | None = None,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    advance: Callable[[int], None] | None = None,
    checkpoint: Path | None = None,
    engine: Engine | None = None,
) -> list[list[Trained]]:
    """Train every seed of every job, in groups of replicas, one group a thread.

    A replica gets what its seed would get alone: its own initial weights, its own data order, and
    the epoch that its own validation part chooses.

    Parameters
    ----------
    dataset
        With a split. The test rows are only watched: they choose nothing. A memory-mapped one stays
        in its file.
    jobs
        What to train.
    threads
        Groups trained at the same time, each on one thread; None for one a core. Under
        ``torchrun`` it is one: every process then computes a slice of each batch.
    device
        Where to compute; "auto" takes CUDA where there is a device, or the CPU. On CUDA all seeds
        of a job are one group, and one job is trained after another.
    dtype
        Of weights and activations.
    advance
        Called with a number of epochs whenever these are done or turn out not to be needed: all
        that :func:`count_epochs` counts.
    checkpoint
        Folder for the state of training, written every few seconds. When the same call comes
        again after the process was killed, it resumes there, and ends with the same weights,
        bit by bit. The folder stays, finished, until
        :func:`motiflens.training.checkpoint.remove_checkpoint`. None keeps nothing.
    engine
        Workers that train the groups, in the folder of the checkpoint, which they have to see;
        None for threads here. The weights are the same to the last bit, as ``threads`` decides the
        groups either way.

    Returns
    -------
    list of list of Trained
        For each job, in the order of its seeds, on the CPU, in evaluation mode.

    Raises
    ------
    InputError
        If an architecture is unknown, the data set cannot be trained on, or the checkpoint is of
        other data or settings; and for an engine without a checkpoint, or under ``torchrun``.
    """
    check_engine(engine, checkpoint)
    device = distributed.own_device(choose_device(device))
    on_cpu = torch.device(device).type == "cpu"
    threads = 1 if distributed.n_processes() > 1 or not on_cpu else threads or n_cores()
    data = EncodedData.of(dataset, device, dtype)
    sizes = group_sizes(dataset, jobs, threads, on_cpu)
    groups = [
        (number, Group.of(dataset, job, job.seeds[start : start + size]))
        for number, (job, size) in enumerate(zip(jobs, sizes, strict=True))
        for start in range(0, len(job.seeds), size)
    ]
    kept = Checkpoint(
        checkpoint, {} if checkpoint is None else settings_of(dataset, jobs, sizes, data.table)
    )

    longest_first = sorted(range(len(groups)), key=lambda index: -groups[index][1].n_steps)
    told = advance or _unheard
    if engine is not None:
        by_number = {index: groups[index][1] for index in longest_first}
        train_on_workers(engine, dataset, by_number, kept, data, told)
        told = _unheard  # all are counted

    def run(index: int) -> list[Trained]:
        return train_group(data, groups[index][1], *kept.slots(index), told)

    keep_freed_memory()
    with single_intra_op_thread(), ThreadPoolExecutor(threads) as pool:
        trained = dict(zip(longest_first, pool.map(run, longest_first), strict=True))
    results: list[list[Trained]] = [[] for _ in jobs]
    for index, (number, _) in enumerate(groups):
        results[number].extend(trained[index])
    return results


def _unheard(n_epochs: int) -> None:
    """Tell nobody."""


def predict_trained(trained: Trained, dataset: SequenceDataset) -> NDArray[np.float64]:
    """Compute the logits (N,) of a trained model, on both strands where it was trained so."""
    return predict_logits(trained.model, dataset, both_strands=trained.job.settings.rc_average)


def count_epochs(dataset: SequenceDataset, jobs: Sequence[Job]) -> int:
    """Count the epochs that :func:`train_all` makes at most, one a replica."""
    n_epochs = 0
    for job in jobs:
        recipe = job.settings
        rows = take_splits(
            dataset,
            validation_fraction=recipe.validation_fraction,
            n_train=job.n_train,
            seed=job.seeds[0],
            fold=job.fold,
        )
        n_epochs += len(job.seeds) * recipe.n_epochs(job.n_rows(len(rows.train)))
    return n_epochs
