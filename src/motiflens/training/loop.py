"""Train many seeds of an architecture at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motiflens.datasets import SequenceDataset
from motiflens.models import SequenceModel, build_model
from motiflens.models.calling import choose_device
from motiflens.training import distributed
from motiflens.training.checkpoint import Checkpoint, Slot
from motiflens.training.data import EncodedData, SplitRows, predict_logits, take_splits
from motiflens.training.fit import Epoch, Fit, Rows
from motiflens.training.machine import keep_freed_memory, n_cores, single_intra_op_thread
from motiflens.training.recipes import Recipe, recipe_for
from motiflens.training.replicas import BestWeights, WeightsAt, stack, unstack
from motiflens.version import __version__

#: More replicas a group gain nothing on a CPU: their activations leave its cache.
REPLICAS_AT_ONCE = 10
#: From so many parameters on a replica's own work outweighs what a group shares.
LARGE_MODEL = 20_000


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
    watch_test
        Record the test accuracy after every epoch. It chooses nothing, and on few
        training rows, whose epochs are many and short, it would take most of the time.
    """

    architecture: str
    seeds: tuple[int, ...]
    recipe: Recipe | None = None
    n_train: int | None = None
    hyperparameters: dict[str, Any] = field(default_factory=dict)
    watch_test: bool = True

    @property
    def settings(self) -> Recipe:
        """The recipe in force."""
        return self.recipe or recipe_for(self.architecture)


@dataclass(frozen=True, eq=False)
class Validation:
    """Labels and logits (n,) of a replica's validation rows, by the weights of the chosen epoch.

    They are those before any refit, which trains on the validation rows too.
    """

    labels: NDArray[np.float64]
    logits: NDArray[np.float64]


@dataclass(frozen=True)
class Trained:
    """A trained model, how it was made and how it came about.

    ``history`` and ``best_epoch`` are those of the training that chose the epoch.
    """

    job: Job
    seed: int
    model: SequenceModel
    history: tuple[Epoch, ...]
    best_epoch: int
    n_train: int
    n_valid: int
    refit_seconds: float = 0.0
    valid: Validation | None = None

    @property
    def seconds(self) -> float:
        """Training time of this replica."""
        return self.history[-1].seconds + self.refit_seconds


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

    Returns
    -------
    list of list of Trained
        For each job, in the order of its seeds, on the CPU, in evaluation mode.

    Raises
    ------
    InputError
        If an architecture is unknown, the data set cannot be trained on, or the checkpoint is of
        other data or settings.
    """
    device = distributed.own_device(choose_device(device))
    on_cpu = torch.device(device).type == "cpu"
    threads = 1 if distributed.n_processes() > 1 or not on_cpu else threads or n_cores()
    data = EncodedData.of(dataset, device, dtype)
    sizes = _group_sizes(dataset, jobs, threads, on_cpu)
    groups = [
        (number, _Group.of(dataset, job, job.seeds[start : start + size]))
        for number, (job, size) in enumerate(zip(jobs, sizes, strict=True))
        for start in range(0, len(job.seeds), size)
    ]
    kept = Checkpoint(
        checkpoint, {} if checkpoint is None else _settings(dataset, jobs, sizes, data.table)
    )

    def run(index: int) -> list[Trained]:
        choose, refit = (kept.slot(f"group{index}-{stage}") for stage in ("choose", "refit"))
        return _train_group(data, groups[index][1], choose, refit, advance or (lambda epochs: None))

    longest_first = sorted(range(len(groups)), key=lambda index: -groups[index][1].n_steps)
    keep_freed_memory()
    with single_intra_op_thread(), ThreadPoolExecutor(threads) as pool:
        trained = dict(zip(longest_first, pool.map(run, longest_first), strict=True))
    results: list[list[Trained]] = [[] for _ in jobs]
    for index, (number, _) in enumerate(groups):
        results[number].extend(trained[index])
    return results


def _group_sizes(
    dataset: SequenceDataset, jobs: Sequence[Job], threads: int, on_cpu: bool
) -> list[int]:
    """Return how many seeds of each job are trained as one.

    On a CPU there is a group for every thread; two of models that are large enough, so that a
    thread whose group was short has another one. On a GPU all seeds of a job are one group.
    """
    if not on_cpu:
        return [len(job.seeds) or 1 for job in jobs]
    n_replicas = sum(len(job.seeds) for job in jobs)
    sizes = []
    for job in jobs:
        model = build_model(
            job.architecture, length=dataset.codes.shape[1], seed=0, **job.hyperparameters
        )
        large = sum(p.numel() for p in model.parameters()) >= LARGE_MODEL
        n_groups = 2 * threads if large and threads > 1 else threads
        sizes.append(max(1, min(REPLICAS_AT_ONCE, math.ceil(n_replicas / n_groups))))
    return sizes


def _settings(
    dataset: SequenceDataset, jobs: Sequence[Job], sizes: list[int], table: Tensor
) -> dict[str, Any]:
    """Return all that decides the outcome to the last bit, the rounding of larger groups too."""
    return {
        "data": dataset.fingerprint(),
        "jobs": [asdict(job) | {"recipe": asdict(job.settings)} for job in jobs],
        "replicas at once (threads)": sizes,
        "device": table.device.type,
        "number type": str(table.dtype),
        "versions": [__version__, str(torch.__version__)],
    }


def predict_trained(trained: Trained, dataset: SequenceDataset) -> NDArray[np.float64]:
    """Compute the logits (N,) of a trained model, on both strands where it was trained so."""
    return predict_logits(trained.model, dataset, both_strands=trained.job.settings.rc_average)


@dataclass(frozen=True)
class _Group:
    """Seeds of one job that are trained together, with the rows of each."""

    job: Job
    seeds: tuple[int, ...]
    models: list[SequenceModel]
    rows: list[SplitRows]

    @property
    def n_steps(self) -> int:
        """Steps of all replicas at most."""
        recipe, n = self.job.settings, len(self.rows[0].train)
        steps = recipe.epochs * recipe.stretch(n) * math.ceil(n / recipe.batch_size)
        return steps * len(self.seeds)

    @staticmethod
    def of(dataset: SequenceDataset, job: Job, seeds: tuple[int, ...]) -> _Group:
        # Built here, in the calling thread: initial weights go through PyTorch's global state.
        length = dataset.codes.shape[1]
        models = [
            build_model(job.architecture, length=length, seed=seed, **job.hyperparameters)
            for seed in seeds
        ]
        rows = [
            take_splits(
                dataset,
                validation_fraction=job.settings.validation_fraction,
                n_train=job.n_train,
                seed=seed,
            )
            for seed in seeds
        ]
        return _Group(job, seeds, models, rows)


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
        )
        n_epochs += len(job.seeds) * recipe.epochs * recipe.stretch(len(rows.train))
    return n_epochs


def _train_group(
    data: EncodedData,
    group: _Group,
    slot: Slot,
    refit_slot: Slot,
    advance: Callable[[int], None],
) -> list[Trained]:
    """Train the replicas of a group until each has ended by its own validation rows."""
    recipe = group.job.settings
    rows = _stacked_rows(group.rows, data.table.device)
    if not group.job.watch_test:
        rows = replace(rows, test=rows.test[:, :0])
    joined = stack(group.models).to(data.table)
    patience = recipe.patience * recipe.stretch(rows.n_epoch)
    best = BestWeights(joined, len(group.seeds), patience, recipe.tolerance)
    fit = Fit(data, joined, best, group.seeds, recipe, rows)
    fit.run(slot, advance)
    weights, refit_seconds = best.weights, 0.0
    valid = _validation(fit, weights)
    if recipe.refit and rows.valid.shape[1] > 0:
        joined = stack(group.models).to(data.table)
        at = WeightsAt(joined, best.epochs)
        refit = Fit(data, joined, at, group.seeds, recipe, rows.joined())
        refit.run(refit_slot)
        weights, refit_seconds = at.weights, refit.seconds / len(group.seeds)
    unstack(weights, group.models)
    return [
        Trained(
            group.job,
            seed,
            model.eval(),
            tuple(history),
            int(best_epoch),
            len(own.train),
            len(own.valid),
            refit_seconds,
            validation,
        )
        for seed, model, history, best_epoch, own, validation in zip(
            group.seeds, group.models, fit.histories, best.epochs, group.rows, valid, strict=True
        )
    ]


def _validation(fit: Fit, weights: dict[str, Tensor]) -> list[Validation] | list[None]:
    """Compute the logits of each replica's validation rows from the kept weights."""
    if fit.rows.valid.shape[1] == 0:
        return [None] * len(fit.seeds)
    with torch.no_grad():
        for name, parameter in fit.joined.named_parameters():
            parameter.copy_(weights[name])
    logits = fit.logits(fit.rows.valid).double().cpu().numpy()
    labels = fit.labels(fit.rows.valid).double().cpu().numpy()
    return [Validation(*row) for row in zip(labels, logits, strict=True)]


def _stacked_rows(rows: Sequence[SplitRows], device: torch.device) -> Rows:
    """Stack the rows of replicas."""
    train, valid, test = (
        torch.as_tensor(np.stack([getattr(own, name) for own in rows]), device=device)
        for name in ("train", "valid", "test")
    )
    return Rows(train, valid, test, n_epoch=train.shape[1])
