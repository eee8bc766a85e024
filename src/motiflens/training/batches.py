"""Batches of several steps at once: drawn, changed at random, and read before weights take part.

A step of a small model is short. What does not depend on its weights is therefore done for some
five hundred sequences at once, and a step takes its slice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from motiflens.training import distributed
from motiflens.training.data import EncodedData
from motiflens.training.recipes import Recipe
from motiflens.training.regularization import add_noise, augment, augments

#: Sequences that are drawn and read at once, in whole batches.
SEQUENCES_AT_ONCE = 512


@dataclass(frozen=True)
class Batch:
    """The slice of a step's batch that one process computes.

    Parameters
    ----------
    x
        One-hot (R, b, 4, L), or what the replicas have read of it.
    labels
        (R, b).
    n, own
        Sequences of the whole batch, and which of them these are.
    seeds
        One a replica, of what is drawn within the step.
    """

    x: Any
    labels: Tensor
    n: int
    own: slice
    seeds: list[int]


@dataclass(frozen=True)
class Batches:
    """Makes batches of rows.

    Parameters
    ----------
    data
        The data set.
    recipe
        Of the size of a batch, and how it is changed.
    seeds
        One a replica.
    read
        From one-hot to what the replicas take in its place.
    """

    data: EncodedData
    recipe: Recipe
    seeds: Sequence[int]
    read: Callable[[Tensor], Any]

    def of(self, rows: Tensor, first: int, done: int) -> Iterator[Batch]:
        """Make the batches of an epoch.

        Parameters
        ----------
        rows
            (R, n), of the data set.
        first
            The number of the epoch's first step, from 0 on.
        done
            Rows that were trained on before: their batches are left out.
        """
        size = self.recipe.batch_size
        at_once = max(1, SEQUENCES_AT_ONCE // size) * size
        for start in range(done - done % at_once, rows.shape[1], at_once):
            step = first + start // size
            yield from self._read(rows[:, start : start + at_once], step, max(0, done - start))

    def _read(self, rows: Tensor, step: int, done: int) -> Iterator[Batch]:
        """Draw and read some batches at once, and cut them from row ``done`` on."""
        size, n = self.recipe.batch_size, rows.shape[1]
        codes, lengths, labels = self.data.take(rows)
        drawn = [np.random.SeedSequence((seed, step)) for seed in self.seeds]
        noise = [torch.Generator().manual_seed(_number(one)) for one in drawn]
        # Every process draws for the whole batches, so their number changes nothing.
        if augments(self.recipe):
            codes = augment(codes, lengths, self.recipe, noise)
        x = self.data.one_hot(codes)
        if self.recipe.input_noise > 0.0:
            x = add_noise(x, self.recipe.input_noise, noise)
        x = self.read(x)
        n_steps = math.ceil(n / size)
        seeds = np.stack([one.spawn(1)[0].generate_state(n_steps, np.uint64) for one in drawn])
        for start in range(done, n, size):
            own = distributed.own_slice(min(size, n - start))
            part = slice(start + own.start, start + own.stop)
            yield Batch(
                x[:, part],
                labels[:, part],
                min(size, n - start),
                own,
                seeds[:, start // size].tolist(),
            )


def _number(drawn: np.random.SeedSequence) -> int:
    return int(drawn.generate_state(1, np.uint64)[0])
