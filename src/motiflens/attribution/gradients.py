"""Saliency: how the logit changes with an infinitesimal change of the input."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from motiflens.attribution.base import (
    Attributions,
    Floats,
    as_input,
    checked,
    evaluating,
    known,
    logits_of,
)


def saliency(
    module: nn.Module,
    one_hot: Floats | Tensor,
    target: int = 0,
    *,
    off_simplex: Literal["removed", "kept"] = "removed",
    batch_size: int = 256,
) -> Attributions:
    """Explain by the gradient of a logit with respect to the one-hot input.

    ``hypothetical`` is ∂logit/∂x. One-hot columns lie on a simplex, and the part of the gradient
    that points off it is arbitrary; when ``removed``, the mean over the four bases is subtracted.
    ``contributions`` hold the largest of the four absolute values at the observed base, so that
    ``track`` is the largest absolute gradient over the four bases.

    Parameters
    ----------
    module
        Any module from (N, 4, L) to logits (N,) or (N, T).
    one_hot
        (N, 4, L).
    target
        Column of the logits.
    off_simplex
        ``kept`` gives the plain saliency map.
    batch_size
        Sequences a forward pass.

    Raises
    ------
    InputError
        For a wrong input, target or output of the model.

    References
    ----------
    Simonyan, Vedaldi, Zisserman, arXiv:1312.6034 (2013), section 3; Majdandzic, Rajesh, Koo,
    Genome Biol 24:109 (2023).
    """
    sequences = checked(one_hot)
    hypothetical = _gradient(module, sequences, target, batch_size) * known(sequences)
    if off_simplex == "removed":
        hypothetical -= hypothetical.mean(axis=1, keepdims=True)
    method = "saliency" if off_simplex == "removed" else "tutorial-saliency"
    largest = np.abs(hypothetical).max(axis=1, keepdims=True)
    return Attributions(method, sequences, sequences * largest, hypothetical)


def _gradient(module: nn.Module, sequences: Floats, target: int, batch_size: int) -> Floats:
    gradient = np.zeros_like(sequences)
    with evaluating(module), torch.enable_grad():
        for start in range(0, len(sequences), batch_size):
            x = as_input(module, sequences[start : start + batch_size]).requires_grad_()
            # With respect to the input alone, so that no parameter's .grad is touched.
            (found,) = torch.autograd.grad(logits_of(module, x, target).sum(), x)
            gradient[start : start + batch_size] = found.float().cpu().numpy()
    return gradient
