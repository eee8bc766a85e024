"""Self-attention a part of the sequences at a time, so that its weights stay in the cache.

The weights of all heads and sequences are the largest arrays by far, and each of the operations on
them reads or writes all of main memory that they fill. Computed for some sequences of one head at a
time they stay in the processor's cache, and where no gradient is wanted they are not kept at all.
The values are those of the plain layers but for the order of sums.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

#: Weights that are computed at once: fewer cost more calls, more leave the cache.
AT_ONCE = 2**18


def attend(
    query: Tensor, key: Tensor, value: Tensor, bias: Tensor, barred: Tensor | None
) -> Tensor:
    """Return the values mixed by softmax(query · key + bias), (G, N, D, U).

    Parameters
    ----------
    query, key, value
        (G, N, D, U) of G heads, which may be those of several replicas.
    bias
        (G, U, U): query i, key j.
    barred
        (G, N, U), minus infinity at keys that no query looks at, 0 elsewhere; None for none.
    """
    mixed: Tensor = _Attend.apply(query, key, value, bias, barred)  # type: ignore[no-untyped-call]
    return mixed


class _Attend(torch.autograd.Function):
    """The weights (G, N, U, U) are kept for the gradients, where any are wanted."""

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, bias: Tensor, barred: Tensor | None
    ) -> Tensor:
        n_units, wanted = query.shape[-1], any(ctx.needs_input_grad)
        kept = query.new_empty((*query.shape[:2], n_units, n_units) if wanted else 0)
        mixed = torch.empty_like(value)
        for head, rows in _parts(query):
            scores = torch.bmm(query[head, rows].mT, key[head, rows]).add_(bias[head])
            if barred is not None:
                scores.add_(barred[head, rows].unsqueeze(-2))
            weights = torch.softmax(scores, -1, out=kept[head, rows] if wanted else None)
            # With D rows and not U the product takes a third of the time: D is small.
            torch.bmm(value[head, rows], weights.mT, out=mixed[head, rows])
        ctx.save_for_backward(query, key, value, kept)
        return mixed

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, kept = ctx.saved_tensors
        gradient = gradient.contiguous()
        to_query, to_key, to_value = (torch.empty_like(query) for _ in range(3))
        to_bias = query.new_zeros((len(query), *kept.shape[-2:]))
        for head, rows in _parts(query):
            weights, given = kept[head, rows], gradient[head, rows]
            torch.bmm(given, weights, out=to_value[head, rows])
            to_weights = torch.bmm(given.mT, value[head, rows])
            to_scores = torch.ops.aten._softmax_backward_data(
                to_weights, weights, -1, weights.dtype
            )
            torch.bmm(key[head, rows], to_scores.mT, out=to_query[head, rows])
            torch.bmm(query[head, rows], to_scores, out=to_key[head, rows])
            to_bias[head] += to_scores.sum(0)
        return to_query, to_key, to_value, to_bias, None


def _parts(query: Tensor) -> Iterator[tuple[int, slice]]:
    """Yield each head with a few of its sequences."""
    n_heads, n_rows, _, n_units = query.shape
    n = max(1, AT_ONCE // n_units**2)
    for head in range(n_heads):
        for start in range(0, n_rows, n):
            yield head, slice(start, start + n)
