"""Train many seeds of an architecture at once."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from motiflens.datasets import SequenceDataset
from motiflens.metrics import rank_auroc
from motiflens.models import SequenceModel, build_model
from motiflens.training.batches import EncodedData
from motiflens.training.recipes import Recipe, recipe_for
from motiflens.training.replicas import stack, unstack
from motiflens.training.rows import Parts, take_parts
from motiflens.training.selection import BestWeights

#: More replicas a group gain nothing on a CPU: their activations leave its cache.
REPLICAS_AT_ONCE = 10


@dataclass(frozen=True)
class Job:
    """One architecture to be trained with many seeds.

    Parameters
    ----------
    architecture
        A name of the registry.
    seeds
        Each gives its own initial weights, data order and, with ``n_train``, training rows.
    recipe
        None for the architecture's own.
    n_train
        Training rows, validation included; None for all.
    hyperparameters
        Keyword arguments of the architecture.
    """

    architecture: str
    seeds: tuple[int, ...]
    recipe: Recipe | None = None
    n_train: int | None = None
    hyperparameters: dict[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> Recipe:
        """The recipe in force."""
        return self.recipe or recipe_for(self.architecture)


@dataclass(frozen=True)
class Epoch:
    """What is recorded after an epoch; epochs count from 1.

    ``seconds`` is the time since the start of training, divided by the replicas trained together.
    """

    epoch: int
    train_loss: float
    valid_loss: float | None
    valid_auroc: float | None
    test_accuracy: float | None
    seconds: float


@dataclass(frozen=True)
class Trained:
    """A trained model, how it was made and how it came about."""

    job: Job
    seed: int
    model: SequenceModel
    history: tuple[Epoch, ...]
    best_epoch: int
    n_train: int
    n_valid: int

    @property
    def seconds(self) -> float:
        """Training time of this replica."""
        return self.history[-1].seconds


def train(
    dataset: SequenceDataset,
    job: Job,
    *,
    threads: int | None = None,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    advance: Callable[[int], None] | None = None,
) -> list[Trained]:
    """Train every seed of one job; see :func:`train_all`."""
    options = {"threads": threads, "device": device, "dtype": dtype, "advance": advance}
    return train_all(dataset, [job], **options)[0]  # type: ignore[arg-type]


def train_all(
    dataset: SequenceDataset,
    jobs: Sequence[Job],
    *,
    threads: int | None = None,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    advance: Callable[[int], None] | None = None,
) -> list[list[Trained]]:
    """Train every seed of every job, in groups of replicas, one group a thread.

    A replica gets what its seed would get alone: its own initial weights, its own data order, and
    the epoch that its own validation loss chooses.

    Parameters
    ----------
    dataset
        With a split. The test part is only watched: it chooses nothing.
    jobs
        What to train.
    threads
        Groups trained at the same time, each on one thread; None for one a core.
    device
        Where to compute.
    dtype
        Of weights and activations.
    advance
        Called with a number of replicas whenever these have finished.

    Returns
    -------
    list of list of Trained
        For each job, in the order of its seeds, on the CPU, in evaluation mode.

    Raises
    ------
    InputError
        If an architecture is unknown or the data set cannot be trained on.
    """
    threads = threads or n_cores()
    n_replicas = sum(len(job.seeds) for job in jobs)
    size = min(REPLICAS_AT_ONCE, math.ceil(n_replicas / threads))
    data = EncodedData.of(dataset, device, dtype)
    groups = [
        (number, _Group.of(dataset, job, job.seeds[start : start + size]))
        for number, job in enumerate(jobs)
        for start in range(0, len(job.seeds), size)
    ]

    def run(item: tuple[int, _Group]) -> tuple[int, list[Trained]]:
        trained = _train_group(data, item[1])
        if advance is not None:
            advance(len(trained))
        return item[0], trained

    results: list[list[Trained]] = [[] for _ in jobs]
    with one_thread_an_operation(), ThreadPoolExecutor(threads) as pool:
        for number, trained in pool.map(run, groups):
            results[number].extend(trained)
    return results


def n_cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def one_thread_an_operation() -> Iterator[None]:
    """Let PyTorch use one thread an operation: on small models more threads wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@dataclass(frozen=True)
class _Group:
    """Seeds of one job that are trained together, with the rows of each."""

    job: Job
    seeds: tuple[int, ...]
    models: list[SequenceModel]
    parts: list[Parts]

    @staticmethod
    def of(dataset: SequenceDataset, job: Job, seeds: tuple[int, ...]) -> _Group:
        # Built here, in the calling thread: initial weights go through PyTorch's global state.
        length = dataset.codes.shape[1]
        models = [
            build_model(job.architecture, length=length, seed=seed, **job.hyperparameters)
            for seed in seeds
        ]
        parts = [
            take_parts(
                dataset,
                validation_fraction=job.settings.validation_fraction,
                n_train=job.n_train,
                seed=seed,
            )
            for seed in seeds
        ]
        return _Group(job, seeds, models, parts)


def _train_group(data: EncodedData, group: _Group) -> list[Trained]:
    """Train the replicas of a group until each has ended by its own validation loss."""
    recipe, n_replicas = group.job.settings, len(group.seeds)
    train_rows, valid_rows, test_rows = _stacked_rows(group.parts, data.codes.device)
    stretch = recipe.stretch(train_rows.shape[1])
    joined = stack(group.models).to(data.table).train()
    optimizer = torch.optim.AdamW(
        joined.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
    )
    generators = [torch.Generator().manual_seed(seed) for seed in group.seeds]
    histories: list[list[Epoch]] = [[] for _ in group.seeds]
    best = BestWeights(joined, n_replicas, recipe.tolerance)
    started = time.perf_counter()
    for number in range(1, recipe.epochs * stretch + 1):
        train_loss = _epoch(joined, optimizer, data, train_rows, generators, recipe.batch_size)
        valid = _validate(joined, data, valid_rows)
        accuracy = _accuracy(joined, data, test_rows)
        seconds = (time.perf_counter() - started) / n_replicas
        running = best.running(recipe.patience * stretch, number)
        for replica in running:
            watched = [None if v is None else float(v[replica]) for v in (*valid, accuracy)]
            loss = float(train_loss[replica])
            valid_loss, valid_auroc, test_accuracy = watched
            histories[replica].append(
                Epoch(number, loss, valid_loss, valid_auroc, test_accuracy, seconds)
            )
        best.update(joined, number, valid[0], running)
        if not best.running(recipe.patience * stretch, number + 1):
            break
    unstack(best.weights, group.models)
    return [
        Trained(
            group.job,
            seed,
            model.eval(),
            tuple(history),
            int(best_epoch),
            len(parts.train),
            len(parts.valid),
        )
        for seed, model, history, best_epoch, parts in zip(
            group.seeds, group.models, histories, best.epochs, group.parts, strict=True
        )
    ]


def _stacked_rows(parts: Sequence[Parts], device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Stack the rows of replicas: each (R, rows)."""
    return tuple(  # type: ignore[return-value]
        torch.as_tensor(np.stack([getattr(part, name) for part in parts]), device=device)
        for name in ("train", "valid", "test")
    )


def _epoch(
    joined: nn.Module,
    optimizer: torch.optim.Optimizer,
    data: EncodedData,
    rows: Tensor,
    generators: Sequence[torch.Generator],
    batch_size: int,
) -> Tensor:
    """Make one pass over each replica's rows in its own order; give the mean losses (R,)."""
    n = rows.shape[1]
    order = torch.stack([torch.randperm(n, generator=one) for one in generators]).to(rows.device)
    shuffled = rows.gather(1, order)
    total = torch.zeros(rows.shape[0], device=rows.device, dtype=data.table.dtype)
    for start in range(0, n, batch_size):
        x, labels = data.batch(shuffled[:, start : start + batch_size])
        losses = nn.functional.binary_cross_entropy_with_logits(joined(x), labels, reduction="none")
        optimizer.zero_grad()
        # Each replica's mean depends on its own weights only, so the sum trains all of them.
        torch.autograd.backward(losses.mean(-1).sum())
        optimizer.step()
        total += losses.detach().sum(-1)
    return total / n


@torch.no_grad()
def _logits(joined: nn.Module, data: EncodedData, rows: Tensor, batch_size: int = 128) -> Tensor:
    """Give the logits (R, rows) of each replica's rows."""
    return torch.cat(
        [joined(data.batch(part)[0]) for part in torch.split(rows, batch_size, dim=1)], dim=1
    )


def _validate(
    joined: nn.Module, data: EncodedData, rows: Tensor
) -> tuple[Tensor, np.ndarray[Any, Any]] | tuple[None, None]:
    """Give loss and AUROC of the validation rows, or nothing where there are none."""
    if rows.shape[1] == 0:
        return None, None
    logits, labels = _logits(joined, data, rows), data.labels[rows]
    loss = nn.functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    return loss.mean(-1), rank_auroc(labels.cpu().numpy(), logits.cpu().numpy())


def _accuracy(joined: nn.Module, data: EncodedData, rows: Tensor) -> Tensor | None:
    """Give the fraction of rows right at logit 0, (R,), or None where there are none."""
    if rows.shape[1] == 0:
        return None
    right = (_logits(joined, data, rows) > 0) == (data.labels[rows] > 0)
    return right.to(data.table.dtype).mean(-1)
