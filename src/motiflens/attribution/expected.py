"""Gradients along the ways from shuffled references, and their mean."""

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
    logits_in_batches,
)
from motiflens.attribution.blocks import by_blocks
from motiflens.attribution.references import OffSimplex, against, explained, shuffled_references


def expected_gradients(
    module: nn.Module,
    one_hot: Floats | Tensor,
    target: int = 0,
    *,
    off_simplex: OffSimplex = "removed",
    n_references: int = 20,
    n_steps: int = 5,
    seed: int = 0,
    batch_size: int = 64,
) -> Attributions:
    """Explain by integrated gradients from dinucleotide-shuffled references, and their mean.

    Erion et al. draw a point of the way at random for each reference; here the points of a
    Gauss–Legendre sum take its place, so that the result has no noise but the references'.
    The contributions of a sequence, the mean of gradient · (x − r) at its bases, add up to
    logit(x) − mean of logit(reference) as far as the points show the model's bends;
    ``convergence_delta`` is what they miss, and where that is much, more points are needed.
    ``hypothetical`` is corrected as gradients are, for motif finders: contributions are
    ``hypothetical × one_hot`` only with ``off_simplex="kept"``.

    Parameters
    ----------
    module
        Any module from (N, 4, L) to logits (N,) or (N, T).
    one_hot
        (N, 4, L).
    target
        Column of the logits.
    off_simplex
        ``removed`` takes the mean over the bases from ``hypothetical``, not from contributions.
    n_references
        Shuffles of each sequence.
    n_steps
        Points of the way from each reference.
    seed
        Decides the references.
    batch_size
        Sequences a forward pass.

    Raises
    ------
    InputError
        For a wrong input, target or output of the model.

    References
    ----------
    Erion, Janizek, Sturmfels, Lundberg, Lee, Nat Mach Intell 3:620 (2021), eq. 2.
    """
    sequences = checked(one_hot)
    found, difference = np.zeros_like(sequences), np.zeros(len(sequences))
    block = max(1, batch_size // n_references)

    def work(rows: slice) -> None:
        references = shuffled_references(sequences[rows], n_references, seed)
        starts = references.reshape(-1, *sequences.shape[1:])
        ends = np.repeat(sequences[rows], n_references, axis=0)
        gradients = path_gradients(module, ends, starts, target, n_steps, batch_size)
        found[rows] = against(gradients, starts).reshape(references.shape).mean(axis=1)
        at_starts = logits_in_batches(module, starts, target, batch_size)
        difference[rows] = logits[rows] - at_starts.reshape(-1, n_references).mean(axis=1)

    with explaining(module):
        logits = logits_in_batches(module, sequences, target, batch_size)
        by_blocks(module, len(sequences), block, work)
    return explained("expected_gradients", sequences, found, off_simplex, difference)


def path_gradients(
    module: nn.Module, ends: Floats, starts: Floats, target: int, n_steps: int, batch_size: int
) -> Floats:
    """Give the mean gradient along the straight ways from starts to ends, (N, 4, L)."""
    nodes, shares = np.polynomial.legendre.leggauss(n_steps)
    way, shares = (nodes + 1) / 2, shares / 2
    total = np.zeros(ends.shape)
    for first in range(0, len(ends) * n_steps, batch_size):
        point = np.arange(first, min(first + batch_size, len(ends) * n_steps))
        row, step = point // n_steps, point % n_steps
        at = starts[row] + way[step, None, None].astype(np.float32) * (ends[row] - starts[row])
        found = gradient(module, as_input(module, at), target)
        np.add.at(total, row, shares[step, None, None] * found.double().cpu().numpy())
    return total.astype(np.float32)
