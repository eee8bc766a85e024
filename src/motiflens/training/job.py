"""What is trained, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motiflens.datasets import LabelScale
from motiflens.models import SequenceModel, WithKmers
from motiflens.settings import DISTILLED
from motiflens.training.fit import Epoch
from motiflens.training.recipes import Recipe, recipe_for

#: Of each training sequence that a distilled network learns from, so many are made without a label.
MADE_OF_EACH = 3
#: Training sequences that it learns from at most.
MAX_DISTILLED = 100_000


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
    fold
        Of the data set, from 1: its rows are held out, and the split is not looked at. None for the
        split.
    """

    architecture: str
    seeds: tuple[int, ...]
    recipe: Recipe | None = None
    n_train: int | None = None
    hyperparameters: dict[str, Any] = field(default_factory=dict)
    watch_test: bool = True
    fold: int | None = None

    @property
    def settings(self) -> Recipe:
        """The recipe in force."""
        return self.recipe or recipe_for(self.architecture)

    @property
    def is_distilled(self) -> bool:
        """Whether it learns what other models say, and not the labels."""
        return self.architecture == DISTILLED

    def n_rows(self, n_train: int) -> int:
        """Return how many sequences an epoch has where ``n_train`` are there to train on."""
        if not self.is_distilled:
            return n_train
        return min(n_train, MAX_DISTILLED) * (1 + MADE_OF_EACH)


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

    ``history`` and ``best_epoch`` are those of the training that chose the epoch. The model of a
    regression gives labels in their unit; ``scale`` is that of its losses and of ``valid``.
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
    scale: LabelScale | None = None

    @property
    def n_parameters(self) -> int:
        """Weights of the model, with those of its k-mers, which no gradients train."""
        n = sum(one.numel() for one in self.model.parameters())
        if isinstance(self.model, WithKmers) and bool(self.model.kmers.weight.any()):
            n += sum(one.numel() for one in self.model.kmers.buffers())
        return n

    @property
    def seconds(self) -> float:
        """Training time of this replica."""
        return self.history[-1].seconds + self.refit_seconds
