"""DeepLIFT from shuffled references, an estimate of SHAP values, for any module."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from motiflens.attribution.base import by_blocks, explaining
from motiflens.attribution.pooled import FilterScan, pooled_filters, pooled_multipliers
from motiflens.attribution.references import (
    TOGETHER,
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

    pooled = pooled_filters(module)

    def by_rules(rows: slice, references: Floats) -> _Explained:
        return _explained(module, sequences[rows], references, target, batch_size)

    def work(rows: slice) -> None:
        references = shuffled_references(sequences[rows], n_references, seed)
        found = explain(rows, references)
        by_base[rows] = found.by_base
        wanted = logits[rows, None] - found.at_references
        difference[rows] = wanted.mean(axis=1)
        reached = (by_base[rows] * sequences[rows]).sum((1, 2), dtype=np.float64)
        # Contributions that cancel leave an error of their size, also where all logits are 0.
        largest = np.maximum(np.abs(logits[rows]), np.abs(found.at_references).max(axis=1))
        rounding = ROUNDING * np.maximum(largest, found.size)
        allowed = TOLERANCE * np.abs(wanted).mean(axis=1) + rounding
        _check(reached - difference[rows], allowed, rows.start)

    with explaining(module):
        # What the model itself gives, not what the rules make of it.
        logits = logits_in_batches(module, sequences, target, batch_size)
        explain: _Explain = by_rules
        if pooled is not None:
            scan = FilterScan(pooled)
            explain = partial(_explained_by_maxima, module, scan, sequences)
        by_blocks(module, len(sequences), max(TOGETHER, batch_size), work)
    correction = {"gradient_correction": gradient_correction}
    return explain_difference("deeplift_shap", sequences, by_base, difference, **correction)


@dataclass(frozen=True, eq=False)
class _Explained:
    """Of N sequences: what each base contributes, and the logits of their R references.

    Parameters
    ----------
    by_base
        The mean over references of m_b − Σ_c m_c r_c, (N, 4, L).
    at_references
        (N, R).
    size
        What is added up, none set off against another, (N,).
    """

    by_base: Floats
    at_references: NDArray[np.float64]
    size: NDArray[np.floating]


#: From rows of the sequences and their references (N, R, 4, L).
_Explain = Callable[[slice, Floats], _Explained]


def _explained(
    module: nn.Module, sequences: Floats, references: Floats, target: int, batch_size: int
) -> _Explained:
    """Explain sequences by a pass of each pair with a reference through the whole module."""
    n, n_references = references.shape[:2]
    by_pair, size = (
        np.zeros((n * n_references, *sequences.shape[1:]), np.float32),
        np.zeros(n * n_references),
    )
    starts = references.reshape(by_pair.shape)
    for first in range(0, len(starts), batch_size):
        pairs = np.arange(first, min(first + batch_size, len(starts)))
        end, start = sequences[pairs // n_references], starts[pairs]
        multipliers = _multipliers(module, end, start, target)
        by_pair[pairs] = subtract_reference(multipliers, start)
        size[pairs] = np.abs(multipliers * (end - start)).sum((1, 2))
    at_starts = logits_in_batches(module, starts, target, batch_size)
    return _Explained(
        by_pair.reshape(references.shape).mean(axis=1),
        at_starts.reshape(n, n_references),
        size.reshape(n, n_references).mean(axis=1),
    )


def _explained_by_maxima(
    module: nn.Module, scan: FilterScan, sequences: Floats, rows: slice, references: Floats
) -> _Explained:
    """Explain sequences by the maxima of filters, which is all that the module looks at."""
    inputs = (as_input(module, one) for one in (sequences[rows], references))
    by_base, at_references, size = pooled_multipliers(scan, *inputs)
    return _Explained(
        by_base.float().cpu().numpy(),
        at_references.double().cpu().numpy(),
        size.cpu().numpy(),
    )


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
