"""Saliency, input × gradient, and the mean gradient along the paths from shuffled references."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from motiflens.attribution.base import by_blocks, explaining, gradient, known_mask
from motiflens.attribution.paths import FilterPaths, Paths
from motiflens.attribution.pooled import FilterScan, pooled_filters
from motiflens.attribution.references import (
    TOGETHER,
    correct_gradient,
    explain_difference,
    shuffled_references,
    subtract_reference,
)
from motiflens.attribution.result import Attributions, Floats
from motiflens.io.inputs import check_one_hot
from motiflens.models.calling import as_input, logits_in_batches


def saliency(
    module: nn.Module,
    one_hot: Floats | Tensor,
    target: int = 0,
    *,
    gradient_correction: bool = True,
    batch_size: int = 64,
) -> Attributions:
    """Explain by the gradient of a logit with respect to the one-hot input.

    ``hypothetical`` is ∂logit/∂x, by default less its mean over the four bases: one-hot columns
    lie on a simplex, and the component of the gradient that points off it is arbitrary.
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
    gradient_correction
        Subtract that mean; False gives the plain saliency map.
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
    sequences = check_one_hot(one_hot)
    hypothetical = _gradients(module, sequences, target, batch_size, gradient_correction)
    method = "saliency" if gradient_correction else "tutorial-saliency"
    largest = np.abs(hypothetical).max(axis=1, keepdims=True)
    return Attributions(method, sequences, sequences * largest, hypothetical)


def input_x_gradient(
    module: nn.Module,
    one_hot: Floats | Tensor,
    target: int = 0,
    *,
    gradient_correction: bool = True,
    batch_size: int = 64,
) -> Attributions:
    """Explain by the gradient at the observed base; ``hypothetical`` is the gradient.

    Parameters and errors are those of :func:`saliency`; ``gradient_correction=False`` gives the
    plain product of input and gradient.

    References
    ----------
    Shrikumar, Greenside, Shcherbina, Kundaje, arXiv:1605.01713 (2016), section 2.3.
    """
    sequences = check_one_hot(one_hot)
    hypothetical = _gradients(module, sequences, target, batch_size, gradient_correction)
    return Attributions("input_x_gradient", sequences, hypothetical * sequences, hypothetical)


def _gradients(
    module: nn.Module, sequences: Floats, target: int, batch_size: int, correction: bool
) -> Floats:
    gradients = np.zeros_like(sequences)

    def work(rows: slice) -> None:
        x = as_input(module, sequences[rows])
        gradients[rows] = gradient(module, x, target).float().cpu().numpy()

    with explaining(module):
        by_blocks(module, len(sequences), batch_size, work)
    gradients *= known_mask(sequences)
    return correct_gradient(gradients) if correction else gradients


def expected_gradients(
    module: nn.Module,
    one_hot: Floats | Tensor,
    target: int = 0,
    *,
    gradient_correction: bool = True,
    n_references: int = 20,
    n_steps: int = 5,
    seed: int = 0,
    batch_size: int = 64,
) -> Attributions:
    """Explain by integrated gradients from dinucleotide-shuffled references, and their mean.

    Erion et al. draw a point of the path at random for each reference; here the points of a
    Gauss–Legendre sum take its place, so that the result has no noise but the references'.
    The contributions of a sequence, the mean of gradient · (x − r) at its bases, add up to
    logit(x) − mean of logit(reference) as far as the points show the model's bends;
    ``convergence_delta`` is what they miss, and where that is much, more points are needed.
    ``hypothetical`` is corrected as gradients are, for motif finders: contributions are
    ``hypothetical × one_hot`` only with ``gradient_correction=False``.

    Parameters
    ----------
    module, one_hot, target, batch_size
        As of :func:`saliency`.
    gradient_correction
        Take the mean over the bases from ``hypothetical``, not from contributions.
    n_references
        Shuffles of each sequence.
    n_steps
        Points of the path from each reference.
    seed
        Decides the references.

    Raises
    ------
    InputError
        For a wrong input, target or output of the model.

    References
    ----------
    Erion, Janizek, Sturmfels, Lundberg, Lee, Nat Mach Intell 3:620 (2021), eq. 2.
    """
    sequences = check_one_hot(one_hot)
    by_base, difference = np.zeros_like(sequences), np.zeros(len(sequences))
    pooled = pooled_filters(module)
    scan = None if pooled is None else FilterScan(pooled)
    at_once = max(1, batch_size // n_references)
    if scan is not None:
        at_once = max(1, scan.rows_at_once(sequences.shape[2]) // n_references)

    def work(rows: slice) -> None:
        references = shuffled_references(sequences[rows], n_references, seed)
        for first in range(rows.start, rows.stop, at_once):
            own = slice(first, min(first + at_once, rows.stop))
            explain(own, references[own.start - rows.start : own.stop - rows.start])

    def explain(rows: slice, references: Floats) -> None:
        starts = references.reshape(-1, *sequences.shape[1:])
        if scan is None:
            ends = np.repeat(sequences[rows], n_references, axis=0)
            gradients = path_gradients(module, ends, starts, target, n_steps, batch_size)
            at_starts = logits_in_batches(module, starts, target, batch_size)
        else:
            begin, end = as_input(module, starts), as_input(module, sequences[rows])
            paths = FilterPaths(scan, begin, end, np.arange(len(starts)) // n_references)
            gradients = _mean_gradients(paths, len(starts), n_steps)
            at_starts = paths.logits_at_starts()
        differing = subtract_reference(gradients, starts).reshape(references.shape)
        by_base[rows] = differing.mean(axis=1)
        difference[rows] = logits[rows] - at_starts.reshape(-1, n_references).mean(axis=1)

    with explaining(module):
        logits = logits_in_batches(module, sequences, target, batch_size)
        by_blocks(module, len(sequences), max(TOGETHER, at_once), work)
    correction = {"gradient_correction": gradient_correction}
    return explain_difference("expected_gradients", sequences, by_base, difference, **correction)


def path_gradients(
    module: nn.Module, ends: Floats, starts: Floats, target: int, n_steps: int, batch_size: int
) -> Floats:
    """Return the mean gradient along the straight paths from starts to ends, (N, 4, L)."""
    fractions, weights = _gauss_legendre(n_steps)
    total = np.zeros(ends.shape)
    for first in range(0, len(ends) * n_steps, batch_size):
        point = np.arange(first, min(first + batch_size, len(ends) * n_steps))
        row, step = point // n_steps, point % n_steps
        fraction = fractions[step, None, None].astype(np.float32)
        x = as_input(module, starts[row] + fraction * (ends[row] - starts[row]))
        at_point = gradient(module, x, target).double().cpu().numpy()
        np.add.at(total, row, weights[step, None, None] * at_point)
    return total.astype(np.float32)


def _mean_gradients(paths: Paths, n: int, n_steps: int) -> Floats:
    """Return the mean gradient along n paths, (n, 4, L)."""
    fractions, weights = _gauss_legendre(n_steps)
    owners = np.repeat(np.arange(n), n_steps)
    paths.evaluate(owners, np.tile(fractions, n))
    return paths.mean_gradients(owners, np.tile(weights, n))


def _gauss_legendre(n_steps: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the points of a path, as fractions of it, and their weights."""
    nodes, weights = np.polynomial.legendre.leggauss(n_steps)
    return (nodes + 1) / 2, weights / 2
