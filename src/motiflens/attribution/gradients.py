"""Saliency and input × gradient: how the logit answers to an infinitesimal change."""

from __future__ import annotations

import numpy as np
from torch import Tensor, nn

from motiflens.attribution.base import (
    Attributions,
    Floats,
    as_input,
    checked,
    explaining,
    gradient,
    known,
)
from motiflens.attribution.blocks import by_blocks
from motiflens.attribution.references import OffSimplex, corrected


def saliency(
    module: nn.Module,
    one_hot: Floats | Tensor,
    target: int = 0,
    *,
    off_simplex: OffSimplex = "removed",
    batch_size: int = 64,
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
    found = _gradients(module, sequences, target, batch_size) * known(sequences)
    hypothetical = corrected(found, off_simplex)
    method = "saliency" if off_simplex == "removed" else "tutorial-saliency"
    largest = np.abs(hypothetical).max(axis=1, keepdims=True)
    return Attributions(method, sequences, sequences * largest, hypothetical)


def input_x_gradient(
    module: nn.Module,
    one_hot: Floats | Tensor,
    target: int = 0,
    *,
    off_simplex: OffSimplex = "removed",
    batch_size: int = 64,
) -> Attributions:
    """Explain by the gradient at the observed base; ``hypothetical`` is the gradient.

    Parameters and errors are those of :func:`saliency`; ``off_simplex="kept"`` gives the plain
    product of input and gradient.

    References
    ----------
    Shrikumar, Greenside, Shcherbina, Kundaje, arXiv:1605.01713 (2016), section 2.3.
    """
    sequences = checked(one_hot)
    found = _gradients(module, sequences, target, batch_size) * known(sequences)
    hypothetical = corrected(found, off_simplex)
    return Attributions("input_x_gradient", sequences, hypothetical * sequences, hypothetical)


def _gradients(module: nn.Module, sequences: Floats, target: int, batch_size: int) -> Floats:
    found = np.zeros_like(sequences)

    def work(rows: slice) -> None:
        x = as_input(module, sequences[rows])
        found[rows] = gradient(module, x, target).float().cpu().numpy()

    with explaining(module):
        by_blocks(module, len(sequences), batch_size, work)
    return found
