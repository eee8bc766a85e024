"""The entropy of attention as a part of the training loss."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from motiflens.errors import InputError


class AttentionEntropy:
    """Watches the attention of stacked replicas in training.

    Every attention of our models ends in a softmax module, whose output is seen as it passes.

    Parameters
    ----------
    joined
        R stacked replicas.

    Raises
    ------
    InputError
        If the model has no attention.
    """

    def __init__(self, joined: nn.Module) -> None:
        layers = [layer for layer in joined.modules() if isinstance(layer, nn.Softmax)]
        if not layers:
            raise InputError(
                "an entropy penalty is for a model with attention",
                got=type(joined).__name__,
                remedy="leave attention_entropy out of the recipe, or train another model",
            )
        self._seen: list[Tensor] = []
        for layer in layers:
            layer.register_forward_hook(self._see)

    def take(self) -> Tensor:
        """Give the entropy of each sequence of the forward pass before, (R, B).

        1 is uniform attention, 0 is attention to one unit; the mean over heads (and, of
        self-attention, queries), then over layers.
        """
        taken = torch.stack(self._seen).mean(0)
        self._seen.clear()
        return taken

    def _see(self, layer: nn.Softmax, _: Any, weights: Tensor) -> None:
        if layer.training:
            assert layer.dim is not None
            self._seen.append(relative_entropy(weights, layer.dim).flatten(2).mean(-1))


def relative_entropy(weights: Tensor, dim: int) -> Tensor:
    """Give the entropy along an axis over that of equal weights; a weight of 0 adds nothing."""
    # The gradient of w log w is infinite at 0, where padding is.
    logarithms = weights.clamp_min(torch.finfo(weights.dtype).tiny).log()
    return -(weights * logarithms).sum(dim) / math.log(max(weights.shape[dim], 2))
