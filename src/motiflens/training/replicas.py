"""Many replicas of one architecture as one model, and back."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

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
    parts = [dict(model.named_parameters()) for model in models]
    for name in parts[0]:
        owner, _, leaf = name.rpartition(".")
        values = torch.stack([part[name].detach() for part in parts])
        setattr(joined.get_submodule(owner), leaf, nn.Parameter(values))
    return joined


def snapshot(joined: nn.Module) -> dict[str, Tensor]:
    """Copy all the weights of stacked replicas."""
    return {name: value.detach().clone() for name, value in joined.named_parameters()}


def unstack(weights: dict[str, Tensor], models: Sequence[SequenceModel]) -> None:
    """Write slice r of stacked weights into model r, in place."""
    with torch.no_grad():
        for replica, model in enumerate(models):
            for name, parameter in model.named_parameters():
                parameter.copy_(weights[name][replica])
