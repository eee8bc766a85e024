"""Many replicas of one architecture as one model, and which weights of each are kept."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from motiflens.datasets import LabelScale
from motiflens.models.base import SequenceModel


def stack(models: Sequence[SequenceModel]) -> SequenceModel:
    """Join R models of one architecture into one that maps (R, N, 4, L) to (R, N).

    Parameters
    ----------
    models
        Models built alike, with weights of their own. They are not changed.

    Returns
    -------
    SequenceModel
        Every parameter has a leading axis R.
    """
    joined = copy.deepcopy(models[0])
    parameters = [dict(model.named_parameters()) for model in models]
    for name in parameters[0]:
        owner, _, leaf = name.rpartition(".")
        values = torch.stack([own[name].detach() for own in parameters])
        setattr(joined.get_submodule(owner), leaf, nn.Parameter(values))
    return joined


def in_one_row(joined: nn.Module) -> nn.Parameter:
    """Move all the weights of a model into one row of memory, and return it.

    The parameters stay what they are, but for where their values lie: an optimiser of the row is
    one of them all, in one call.
    """
    row = nn.Parameter(torch.cat([value.detach().flatten() for value in joined.parameters()]))
    sizes = [value.numel() for value in joined.parameters()]
    for value, own in zip(joined.parameters(), torch.split(row.detach(), sizes), strict=True):
        value.data = own.view_as(value)
    return row


def snapshot(joined: nn.Module) -> dict[str, Tensor]:
    """Copy all the weights of stacked replicas."""
    return {name: value.detach().clone() for name, value in joined.named_parameters()}


def unstack(weights: dict[str, Tensor], models: Sequence[SequenceModel]) -> None:
    """Write slice r of stacked weights into model r, in place."""
    with torch.no_grad():
        for replica, model in enumerate(models):
            for name, parameter in model.named_parameters():
                parameter.copy_(weights[name][replica])


def to_unit(model: SequenceModel, scale: LabelScale) -> None:
    """Let a model that was trained on standardised labels give labels in their unit, in place.

    The scale goes into the weights of its last layer, so that every explanation of the model, and
    whatever is made of it, is in that unit too.
    """
    output = model.get_submodule("output")
    assert isinstance(output, nn.Linear)
    with torch.no_grad():
        output.weight.mul_(scale.sd)
        output.bias.mul_(scale.sd).add_(scale.mean)


class BestWeights:
    """The weights to keep of each replica: of its last better epoch, or the last.

    Parameters
    ----------
    joined
        R stacked replicas.
    n_replicas
        R.
    patience
        Epochs without a better one after which a replica has ended.
    tolerance
        An epoch is better if its score is lower by more than this.
    """

    def __init__(
        self, joined: nn.Module, n_replicas: int, patience: int, tolerance: float = 0.0
    ) -> None:
        self.patience = max(patience, 1)
        self.tolerance = tolerance
        self.weights = snapshot(joined)
        self.scores = torch.full((n_replicas,), math.inf)
        self.epochs = np.zeros(n_replicas, dtype=np.int64)

    def running(self, number: int) -> list[int]:
        """Return the replicas that train in epoch ``number``."""
        return [int(r) for r in np.flatnonzero(number - self.epochs <= self.patience)]

    def update(self, joined: nn.Module, number: int, scores: Tensor | None) -> None:
        """Keep the weights of the running replicas whose score is lower than all before."""
        better = self.running(number)
        if scores is not None:
            better = [
                r for r in better if float(scores[r]) < float(self.scores[r]) - self.tolerance
            ]
            self.scores[better] = scores[better].to(self.scores)
        self.epochs[better] = number
        self._keep(joined, better)

    def _keep(self, joined: nn.Module, replicas: list[int]) -> None:
        for name, value in joined.named_parameters():
            self.weights[name][replicas] = value.detach()[replicas]


class WeightsAt(BestWeights):
    """The weights of each replica after an epoch that is known before: ``epochs`` (R,)."""

    def __init__(self, joined: nn.Module, epochs: NDArray[np.int64]) -> None:
        super().__init__(joined, len(epochs), patience=1)
        self.epochs = epochs.copy()

    def running(self, number: int) -> list[int]:
        """Return the replicas that train in epoch ``number``."""
        return [int(r) for r in np.flatnonzero(number <= self.epochs)]

    def update(self, joined: nn.Module, number: int, scores: Tensor | None) -> None:
        """Keep the weights of the replicas whose epoch this is."""
        self._keep(joined, [int(r) for r in np.flatnonzero(number == self.epochs)])
