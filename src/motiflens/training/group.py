"""Seeds of one job that are trained together."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from motiflens.datasets import SequenceDataset
from motiflens.models import SequenceModel, build_model
from motiflens.training.checkpoint import Slot
from motiflens.training.data import EncodedData, SplitRows, take_splits
from motiflens.training.fit import Fit, Rows
from motiflens.training.job import Job, Trained, Validation
from motiflens.training.kmers import add_kmers
from motiflens.training.replicas import BestWeights, WeightsAt, stack, to_unit, unstack
from motiflens.version import __version__

#: More replicas a group gain nothing on a CPU: their activations leave its cache.
REPLICAS_AT_ONCE = 10
#: From so many parameters on a replica's own work outweighs what a group shares.
LARGE_MODEL = 20_000


@dataclass(frozen=True)
class Group:
    """Some seeds of a job, with the initial model and the rows of each."""

    job: Job
    seeds: tuple[int, ...]
    models: list[SequenceModel]
    rows: list[SplitRows]

    @property
    def n_steps(self) -> int:
        """Steps of all replicas at most."""
        recipe, n = self.job.settings, len(self.rows[0].train)
        steps = recipe.n_epochs(n) * math.ceil(n / recipe.batch_size)
        return steps * len(self.seeds)

    @staticmethod
    def of(dataset: SequenceDataset, job: Job, seeds: tuple[int, ...]) -> Group:
        """Build the models of seeds and take their rows."""
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
                fold=job.fold,
            )
            for seed in seeds
        ]
        return Group(job, seeds, models, rows)


def group_sizes(
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


def settings_of(
    dataset: SequenceDataset, jobs: Sequence[Job], sizes: list[int], table: Tensor
) -> dict[str, Any]:
    """Return all that decides the outcome to the last bit, the rounding of larger groups too."""
    return {
        "data": dataset.fingerprint(),
        "jobs": [asdict(job) | {"recipe": asdict(job.settings)} for job in jobs],
        "replicas at once (threads)": sizes,
        "device": table.device.type,
        "number type": str(table.dtype),
        "versions": versions(),
    }


def versions() -> list[str]:
    """Return the versions that decide the last bits of weights."""
    return [__version__, str(torch.__version__)]


def train_group(
    data: EncodedData,
    group: Group,
    slot: Slot,
    refit_slot: Slot,
    advance: Callable[[int], None],
    watch: Callable[[Fit], None] | None = None,
) -> list[Trained]:
    """Train the replicas of a group until each has ended by its own validation rows.

    ``watch`` is called after every epoch of the choice of epochs; what it raises ends training.
    """
    recipe = group.job.settings
    rows = _stacked_rows(group.rows, data.table.device)
    if not group.job.watch_test:
        rows = replace(rows, test=rows.test[:, :0])
    joined = stack(group.models).to(data.table)
    patience = recipe.n_patience(rows.n_epoch)
    best = BestWeights(joined, len(group.seeds), patience, recipe.tolerance)
    fit = Fit(data, joined, best, group.seeds, recipe, rows)
    fit.run(slot, advance, watch)
    weights, refit_seconds = best.weights, 0.0
    valid = _validation(fit, weights)
    if recipe.refit and rows.valid.shape[1] > 0:
        joined = stack(group.models).to(data.table)
        at = WeightsAt(joined, best.epochs)
        refit = Fit(data, joined, at, group.seeds, recipe, rows.joined())
        refit.run(refit_slot)
        weights, refit_seconds = at.weights, refit.seconds / len(group.seeds)
    unstack(weights, group.models)
    if data.scale is not None:
        for model in group.models:
            to_unit(model, data.scale)
    else:
        valid = add_kmers(group.models, data, rows, recipe, valid)
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
            data.scale,
        )
        for seed, model, history, best_epoch, own, validation in zip(
            group.seeds, group.models, fit.histories, best.epochs, group.rows, valid, strict=True
        )
    ]


def _validation(fit: Fit, weights: dict[str, Tensor]) -> list[Validation | None]:
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
