"""DeepLIFT from shuffled references, an estimate of SHAP values, for any module."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from motiflens.attribution.base import by_blocks, explaining
from motiflens.attribution.references import (
    explain_difference,
    shuffled_references,
    subtract_reference,
)
from motiflens.attribution.result import Attributions, Floats
from motiflens.attribution.rules import DualTensor
from motiflens.errors import InputError
from motiflens.io.inputs import check_one_hot
from motiflens.models.calling import as_input, logits_in_batches, target_of

#: Largest error of completeness, as a fraction of the mean absolute difference of the logits.
TOLERANCE = 1e-4
#: Error of the logits, and of what is summed, in float32, which no explanation can do without.
ROUNDING = 1e-6


def deeplift_shap(
    module: nn.Module,
    one_hot: Floats | Tensor,
    target: int = 0,
    *,
    gradient_correction: bool = True,
    n_references: int = 20,
    seed: int = 0,
    batch_size: int = 64,
) -> Attributions:
    """Explain by DeepLIFT against dinucleotide-shuffled references, and their mean.

    The rules are those of :mod:`motiflens.attribution.rules`; they hold for functions called
    bare as for modules. The contributions of a sequence, the mean of m · (x − r) at its bases, add
    up to logit(x) − mean of logit(reference), to within 1e-4 of the mean absolute difference or
    the model is refused; ``convergence_delta`` is what is missing. ``hypothetical`` is
    m_b − Σ_c m_c r_c, corrected as gradients are, for motif finders: contributions are
    ``hypothetical × one_hot`` only with
    ``gradient_correction=False``.

    Parameters
    ----------
    module
        Any module from (N, 4, L) to logits (N,) or (N, T).
    one_hot
        (N, 4, L).
    target
        Column of the logits.
    gradient_correction
        Take the mean over the bases from ``hypothetical``, not from contributions.
    n_references
        Shuffles of each sequence.
    seed
        Decides the references.
    batch_size
        Pairs of a sequence and a reference a forward pass.

    Raises
    ------
    InputError
        For a wrong input, target or output of the model; for an operation without a rule, by its
        name; and where completeness is not reached.

    References
    ----------
    Shrikumar, Greenside, Kundaje, arXiv:1704.02685 (2017); Lundberg, Lee, arXiv:1705.07874
    (2017), section 4.2.
    """
    sequences = check_one_hot(one_hot)
    by_base, difference = np.zeros_like(sequences), np.zeros(len(sequences))
    block = max(1, batch_size // n_references)

    def work(rows: slice) -> None:
        references = shuffled_references(sequences[rows], n_references, seed)
        starts = references.reshape(-1, *sequences.shape[1:])
        ends = np.repeat(sequences[rows], n_references, axis=0)
        multipliers = _multipliers(module, ends, starts, target)
        at_starts = logits_in_batches(module, starts, target, batch_size)
        at_starts = at_starts.reshape(-1, n_references)
        wanted = logits[rows, None] - at_starts
        differing = subtract_reference(multipliers, starts).reshape(references.shape)
        by_base[rows] = differing.mean(axis=1)
        difference[rows] = wanted.mean(axis=1)
        reached = (by_base[rows] * sequences[rows]).sum((1, 2), dtype=np.float64)
        # Contributions that cancel leave an error of their size, also where all logits are 0.
        size = np.abs(multipliers * (ends - starts)).sum((1, 2)).reshape(-1, n_references)
        largest = np.maximum(np.abs(logits[rows]), np.abs(at_starts).max(axis=1))
        rounding = ROUNDING * np.maximum(largest, size.mean(axis=1))
        allowed = TOLERANCE * np.abs(wanted).mean(axis=1) + rounding
        _check(reached - difference[rows], allowed, rows.start)

    with explaining(module):
        # What the model itself gives, not what the rules make of it.
        logits = logits_in_batches(module, sequences, target, batch_size)
        by_blocks(module, len(sequences), block, work)
    correction = {"gradient_correction": gradient_correction}
    return explain_difference("deeplift_shap", sequences, by_base, difference, **correction)


def _multipliers(module: nn.Module, ends: Floats, starts: Floats, target: int) -> Floats:
    """Return the multipliers (N, 4, L) of pairs of a sequence and a reference."""
    x = as_input(module, ends).requires_grad_()
    reference = as_input(module, starts)
    # A view, so that what is changed in place is no leaf.
    output = module(DualTensor.of(x.view_as(x), reference))
    if not isinstance(output, DualTensor):
        raise InputError(
            f"deeplift_shap cannot follow this {type(module).__name__}: its output does not come "
            "from torch functions",
            remedy="choose ism, or call the model as a plain module",
            argument="method",
        )
    logits = target_of(output.value, len(ends), target)
    (multipliers,) = torch.autograd.grad(logits.sum(), x)
    return multipliers.float().cpu().numpy()


def _check(delta: NDArray[np.float64], allowed: NDArray[np.float64], first: int) -> None:
    """Refuse a model whose multipliers do not explain the differences of its logits."""
    wrong = np.flatnonzero(~(np.abs(delta) <= allowed))
    if len(wrong):
        raise InputError(
            f"the contributions of deeplift_shap miss the logit's difference by "
            f"{delta[wrong[0]]:.1e}, where {allowed[wrong[0]]:.1e} is allowed,",
            f"for sequence {first + int(wrong[0]) + 1}",
            remedy="choose integrated_gradients or ism, or give the model in float64",
            argument="method",
        )
