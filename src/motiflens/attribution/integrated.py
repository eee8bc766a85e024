"""Gradients integrated along the way from a baseline, or from many references."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from motiflens.attribution.base import (
    Attributions,
    Floats,
    as_input,
    checked,
    explaining,
    gradient,
    known,
    logits_in_batches,
)
from motiflens.attribution.references import (
    OffSimplex,
    against,
    corrected,
    even_baseline,
    shuffled_references,
)

#: The share of the output's difference that completeness may miss before more steps are taken.
TOLERANCE = 0.01
#: Steps at most; what then is missing stands in ``convergence_delta``.
MOST_STEPS = 1024


def integrated_gradients(
    module: nn.Module,
    one_hot: Floats | Tensor,
    target: int = 0,
    *,
    off_simplex: OffSimplex = "removed",
    n_steps: int = 32,
    batch_size: int = 64,
    baseline: Callable[[Floats], Floats] = even_baseline,
) -> Attributions:
    """Explain by the mean gradient along the straight way from a baseline, times the difference.

    The baseline is 1/4 of every base, and zero at N and padding: it is no sequence in particular,
    needs no chance, and lies, with the whole way, on the simplex of the bases. As it is even,
    taking the off-simplex part away changes nothing that it has not changed already: the
    contributions add up to logit(x) − logit(baseline) either way. The integral is a Gauss–Legendre
    sum; a sequence whose contributions miss that difference by more than 1 % is computed again
    with twice the steps, up to 1,024, and the rest is told in ``convergence_delta``.

    Parameters
    ----------
    module
        Any module from (N, 4, L) to logits (N,) or (N, T).
    one_hot
        (N, 4, L).
    target
        Column of the logits.
    off_simplex
        ``removed`` takes the mean over the bases from ``hypothetical``.
    n_steps
        Points of the sum to begin with.
    batch_size
        Sequences a forward pass.
    baseline
        From sequences (N, 4, L) to their baselines of the same shape.

    Raises
    ------
    InputError
        For a wrong input, target or output of the model.

    References
    ----------
    Sundararajan, Taly, Yan, arXiv:1703.01365 (2017), eq. 1 and 3.
    """
    sequences = checked(one_hot)
    starts = baseline(sequences)
    gradients = np.zeros_like(sequences)
    delta, difference = np.zeros((2, len(sequences)), dtype=np.float32)
    with explaining(module):
        for first in range(0, len(sequences), batch_size):
            rows = slice(first, first + batch_size)
            gradients[rows], delta[rows], difference[rows] = _complete(
                module, sequences[rows], starts[rows], target, n_steps, batch_size
            )
    hypothetical = corrected(against(gradients, starts), off_simplex) * known(sequences)
    return Attributions(
        "integrated_gradients",
        sequences,
        hypothetical * sequences,
        hypothetical,
        delta,
        difference,
    )


def _complete(
    module: nn.Module, ends: Floats, starts: Floats, target: int, n_steps: int, batch_size: int
) -> tuple[Floats, NDArray[np.float64], NDArray[np.float64]]:
    """Give mean gradients with as many steps as completeness asks for, its error, and its aim."""
    at_ends, at_starts = (logits_in_batches(module, x, target, batch_size) for x in (ends, starts))
    wanted = at_ends - at_starts
    # Below this a difference is rounding of the logits.
    rounding = 1e-5 * np.maximum(np.abs(at_ends), np.abs(at_starts))
    gradients, delta = np.zeros_like(ends), np.zeros(len(ends))
    open_rows = np.arange(len(ends))
    while len(open_rows):
        found = path_gradients(
            module, ends[open_rows], starts[open_rows], target, n_steps, batch_size
        )
        gradients[open_rows] = found
        reached = (found * (ends[open_rows] - starts[open_rows])).sum((1, 2), dtype=np.float64)
        delta[open_rows] = reached - wanted[open_rows]
        n_steps *= 2
        if n_steps > MOST_STEPS:
            break
        open_rows = np.flatnonzero(np.abs(delta) > TOLERANCE * np.abs(wanted) + rounding)
    return gradients, delta, wanted


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
    ``convergence_delta`` is what the contributions with the off-simplex part kept miss of
    logit(x) − mean of logit(reference).

    Parameters
    ----------
    module
        Any module from (N, 4, L) to logits (N,) or (N, T).
    one_hot
        (N, 4, L).
    target
        Column of the logits.
    off_simplex
        ``removed`` takes the mean over the bases from ``hypothetical``.
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
    hypothetical = np.zeros_like(sequences)
    delta, difference = np.zeros((2, len(sequences)), dtype=np.float32)
    block = max(1, batch_size // n_references)
    with explaining(module):
        logits = logits_in_batches(module, sequences, target, batch_size)
        for first in range(0, len(sequences), block):
            rows = slice(first, first + block)
            references = shuffled_references(sequences[rows], n_references, seed)
            starts = references.reshape(-1, *sequences.shape[1:])
            ends = np.repeat(sequences[rows], n_references, axis=0)
            gradients = path_gradients(module, ends, starts, target, n_steps, batch_size)
            found = against(gradients, starts).reshape(references.shape).mean(axis=1)
            at_starts = logits_in_batches(module, starts, target, batch_size)
            difference[rows] = logits[rows] - at_starts.reshape(-1, n_references).mean(axis=1)
            reached = (found * sequences[rows]).sum((1, 2), dtype=np.float64)
            delta[rows] = reached - difference[rows]
            hypothetical[rows] = corrected(found, off_simplex)
    hypothetical *= known(sequences)
    return Attributions(
        "expected_gradients",
        sequences,
        hypothetical * sequences,
        hypothetical,
        delta,
        difference,
    )


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
