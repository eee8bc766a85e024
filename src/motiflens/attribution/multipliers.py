"""Multipliers of single operations, from values on the side of the sequence and of the reference.

Every function takes a ``value`` with its graph and a ``reference`` without, and gives the result
for both; the gradient of the first is then the multiplier of the rule.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


class _Linearised(torch.autograd.Function):
    """Give a value forward; pass the gradient times a multiplier (None: 1) back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, multiplier: Tensor | None, value: Tensor) -> Tensor:
        ctx.save_for_backward(multiplier)
        return value.view_as(value)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (multiplier,) = ctx.saved_tensors
        return gradients[0] if multiplier is None else gradients[0] * multiplier, None, None


def linearised(x: Tensor, multiplier: Tensor | None, value: Tensor) -> Tensor:
    """Return ``value`` as a function of x whose derivative is the multiplier (None: 1)."""
    return _Linearised.apply(x, multiplier, value.detach())  # type: ignore[no-untyped-call]


def rescaled(
    value: Tensor, reference: Tensor, function: Callable[[Tensor], Tensor], precision: torch.dtype
) -> tuple[Tensor, Tensor]:
    """Apply the rescale rule; where both values are equal the slope is the derivative."""
    a, b = value.detach().to(precision).requires_grad_(), reference.to(precision)
    at_a = function(a)
    (derivative,) = torch.autograd.grad(at_a.sum(), a)
    with torch.no_grad():
        at_a, at_b = at_a.detach(), function(b)
        slope = torch.where(a == b, derivative, (at_a - at_b) / (a - b)).to(value.dtype)
    return linearised(value, slope, at_a.to(value.dtype)), at_b.to(value.dtype)


def rescaled_tanh(value: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
    """Apply the rescale rule to tanh, by tanh a − tanh b = tanh(a − b) (1 − tanh a tanh b).

    Close values cancel nothing, so that float32 does.
    """
    with torch.no_grad():
        difference = value.detach() - reference
        at_a, at_b = value.detach().tanh(), reference.tanh()
        slope = torch.where(difference == 0, 1.0, difference.tanh() / difference)
        slope -= slope * at_a * at_b
    return linearised(value, slope, at_a), at_b


def rescaled_relu(value: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
    """Apply the rescale rule to the rectifier."""
    with torch.no_grad():
        a = value.detach()
        at_a, at_b = a.relu(), reference.relu()
        difference = a - reference
        slope = torch.where(difference == 0, (a > 0).to(a.dtype), (at_a - at_b) / difference)
    return linearised(value, slope, at_a), at_b


def max_rule(
    value: Tensor,
    reference: Tensor,
    largest: Callable[[Tensor], tuple[Tensor, Tensor]],
    n_axes: int,
) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Pass the difference of two maxima to one candidate: the maximum of the larger side.

    There the two sides differ at least as much as the maxima do, so the multiplier lies between
    0 and 1 (the rule of DeepLIFT's own code and of captum for pools, one output at a time).

    Parameters
    ----------
    value, reference
        The candidates lie in the last ``n_axes`` axes.
    largest
        From a tensor to its maxima and their positions among the candidates, flattened.
    n_axes
        How many axes hold the candidates.

    Returns
    -------
    maxima, positions
        Of both sides.
    """
    (a, units_a), (b, units_b) = (largest(x) for x in (value.detach(), reference))
    chosen = torch.where(a >= b, units_a, units_b).flatten(-n_axes)
    at_a = value.flatten(-n_axes).gather(-1, chosen).view_as(a)
    at_b = reference.flatten(-n_axes).gather(-1, chosen).view_as(a)
    with torch.no_grad():
        multiplier = torch.where(at_a == at_b, torch.ones_like(a), (a - b) / (at_a - at_b))
    return (linearised(at_a, multiplier, a), b), (units_a, units_b)


def logsumexp(value: Tensor, reference: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """Apply the rescale rule to exponential and logarithm at once; ``dim`` is kept, of size 1.

    With sums A and B of e^a and e^b, the multiplier of one value is
    (log A − log B) / (A − B) · (e^a − e^b) / (a − b): never negative, and never too large,
    as both are scaled by the larger sum.
    """
    with torch.no_grad():
        sums = [side.logsumexp(dim, keepdim=True) for side in (value.detach(), reference)]
        largest = torch.maximum(*sums).double()
        a, b = value.detach().double() - largest, reference.double() - largest
        exp_a, exp_b = a.exp(), b.exp()
        slope = torch.where(value == reference, exp_a, (exp_a - exp_b) / (a - b))
        total_a, total_b = exp_a.sum(dim, keepdim=True), exp_b.sum(dim, keepdim=True)
        ratio = (sums[0] - sums[1]).double() / (total_a - total_b)
        ratio = torch.where(total_a == total_b, 1 / total_a, ratio)
        multiplier = (slope * ratio).to(value.dtype)
    weighted = (value * multiplier).sum(dim, keepdim=True)
    return linearised(weighted, None, sums[0]), sums[1]
