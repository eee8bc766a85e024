"""Additive attention over keys of which few are not 0, with its gradients, in one step.

Behind a ReLU whose filters start with high thresholds, about one key in twenty is not 0. What such
a key adds to its unit is a row of the key weights, and nobody asks for the gradient of the others,
so the three largest products of a step become sums over those that are not 0. The values are those
of the plain layers but for the order of sums, and tanh x taken as 2 / (1 + exp(-2 x)) - 1, which is
off by a rounding of 1 and takes half the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from motiflens.models.filters import Filters
from motiflens.models.kmer_sums import Windows, cut, sums
from motiflens.models.layers import AdditiveAttention, affine

#: Fraction of keys that are not 0 from which on products of whole matrices are faster.
DENSE = 0.2


def contexts(
    first: Filters, attention: AdditiveAttention, windows: Windows, valid: Tensor
) -> Tensor:
    """Return the context of every head (..., H · F) over the keys ReLU(filters + bias).

    Parameters
    ----------
    first, attention
        With or without a replica axis.
    windows
        What the filters see.
    valid
        (..., U), bool: the units that count.
    """
    project = attention.project
    found: Tensor = _Contexts.apply(  # type: ignore[no-untyped-call]
        windows,
        valid,
        attention.n_heads,
        torch.is_grad_enabled(),
        first.weight,
        first.bias,
        project.weight,
        project.bias,
        attention.v,
    )
    return found.view(*windows.shape, -1)


@dataclass(frozen=True)
class _Nonzero:
    """Which of the keys (M, F) are not 0, in the order of units and in that of filters.

    ``flat`` are their places among all M · F, ``unit`` and ``filter_`` the two parts of these.
    """

    flat: Tensor
    unit: Tensor
    filter_: Tensor

    @staticmethod
    def of(keys: Tensor) -> _Nonzero:
        """Find them, unit after unit."""
        # NumPy finds what is true ten times faster than torch.nonzero.
        flat = np.flatnonzero((keys > 0).numpy())
        return _Nonzero._at(flat, keys.shape[-1])

    @staticmethod
    def _at(flat: NDArray[np.intp], n_filters: int) -> _Nonzero:
        unit = flat // n_filters
        parts = flat, unit, flat - unit * n_filters
        return _Nonzero(*(torch.from_numpy(part) for part in parts))

    def by_filter(self, n_filters: int) -> _Nonzero:
        """Return the same, filter after filter."""
        # Small numbers are sorted by radix.
        small = self.filter_.numpy().astype(np.uint8 if n_filters <= 256 else np.uint16)
        return _Nonzero._at(self.flat.numpy()[np.argsort(small, kind="stable")], n_filters)


@dataclass(frozen=True)
class _Step:
    """What the gradients of one replica need: M = n · U units, H heads, C columns of tanh."""

    keys: Tensor  # (M, F)
    found: _Nonzero | None
    query: Tensor  # (n, F)
    hidden: Tensor  # (M, C)
    weights: Tensor  # (n, U, H)
    counts: Tensor  # (n, 1)


class _Contexts(torch.autograd.Function):
    """Contexts (R, n, H · F) of the heads; gradients go to all weights.

    They may have a replica axis or none.
    """

    @staticmethod
    def forward(
        ctx: Any,
        windows: Windows,
        valid: Tensor,
        n_heads: int,
        trains: bool,
        weight: Tensor,
        bias: Tensor,
        project: Tensor,
        project_bias: Tensor,
        v: Tensor,
    ) -> Tensor:
        given = (weight, bias, project, project_bias, v)
        replicas = zip(*_by_replica(given), windows.rows, strict=True)
        valid = valid.reshape(windows.rows.shape[:-1])
        contexts, steps = [], []
        for (*own, rows), counted in zip(replicas, valid, strict=True):
            context, step = _attend(*own, rows=rows, valid=counted, n_heads=n_heads, trains=trains)
            contexts.append(context)
            if trains:
                steps.append(step)
        ctx.save_for_backward(*given)
        ctx.steps, ctx.windows = steps, windows
        return torch.stack(contexts)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        given = ctx.saved_tensors
        replicas = zip(*_by_replica(given), ctx.steps, ctx.windows.bases, gradient, strict=True)
        found = [_gradients(*one) for one in replicas]
        stacked = (torch.stack(each) for each in zip(*found, strict=True))
        return None, None, None, None, *(g.view_as(p) for g, p in zip(stacked, given, strict=True))


def _by_replica(given: tuple[Tensor, ...]) -> list[Tensor]:
    """Give parameters of one model a replica axis too."""
    weight, bias, project, project_bias, v = given
    return [
        weight.view(-1, *weight.shape[-3:]),
        bias.view(-1, bias.shape[-1]),
        project.view(-1, *project.shape[-2:]),
        project_bias.view(-1, project_bias.shape[-1]),
        v.view(-1, v.shape[-1]),
    ]


def _attend(
    weight: Tensor,
    bias: Tensor,
    project: Tensor,
    project_bias: Tensor,
    v: Tensor,
    *,
    rows: Tensor,
    valid: Tensor,
    n_heads: int,
    trains: bool,
) -> tuple[Tensor, _Step]:
    """Return the contexts (n, H · F) of one replica, and what their gradients need in training."""
    n, n_units = valid.shape
    keys = sums(weight, rows, len(weight)).view(n, n_units, -1)
    keys.add_(bias).relu_()
    whole = bool(valid.all())
    if not whole:
        keys.mul_(valid.unsqueeze(-1))  # nothing looks at the keys of padding
    counts = valid.sum(-1, keepdim=True).to(keys.dtype)
    query = keys.sum(-2) / counts
    w_query, w_key = torch.split(project, keys.shape[-1], dim=-1)
    flat = keys.flatten(0, 1)
    nonzero = _Nonzero.of(flat)
    found = nonzero if len(nonzero.unit) <= DENSE * flat.numel() else None
    before = _times(flat, found, w_key).view(n, n_units, -1)
    before.add_(nn.functional.linear(query, w_query, project_bias).unsqueeze(-2))
    hidden = before.mul_(2).sigmoid_().mul_(2).sub_(1)
    by_channel = hidden * v if trains else hidden.mul_(v)
    scores = by_channel.view(n, n_units, n_heads, -1).sum(-1)
    if not whole:
        scores.masked_fill_(~valid.unsqueeze(-1), float("-inf"))
    weights = torch.softmax(scores, -2)
    context = (weights.mT @ keys).flatten(-2)
    return context, _Step(flat, found, query, hidden.flatten(0, 1), weights, counts)


def _times(keys: Tensor, found: _Nonzero | None, weight: Tensor) -> Tensor:
    """Multiply keys (M, F) by weights (C, F): (M, C)."""
    if found is None:
        return affine(keys, weight, None)
    values = keys.view(-1).index_select(0, found.flat)
    return _summed(found.filter_, _ends(found.unit, len(keys)), weight.T.contiguous(), values)


def _summed(index: Tensor, ends: Tensor, table: Tensor, values: Tensor) -> Tensor:
    """Sum rows ``index`` of a table, each times a value, from each end to the next."""
    return nn.functional.embedding_bag(
        index, table, ends, mode="sum", per_sample_weights=values, include_last_offset=True
    )


def _ends(owner: Tensor, n: int) -> Tensor:
    """Return where what each of n owners has begins, and where all ends."""
    return nn.functional.pad(torch.bincount(owner, minlength=n).cumsum(0), (1, 0))


def _gradients(
    weight: Tensor,
    bias: Tensor,
    project: Tensor,
    project_bias: Tensor,
    v: Tensor,
    step: _Step,
    bases: Tensor,
    gradient: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return the gradients of one replica's parameters from that of its contexts (n, H · F)."""
    n, n_units, n_heads = step.weights.shape
    keys, hidden = step.keys, step.hidden
    by_head = gradient.view(n, n_heads, -1)
    to_weights = torch.bmm(keys.view(n, n_units, -1), by_head.mT)
    inner = (to_weights * step.weights).sum(-2, keepdim=True)
    to_scores = (step.weights * (to_weights - inner)).view(-1, n_heads, 1)
    heads = hidden.view(len(keys), n_heads, -1)
    to_v = (heads * to_scores).sum(0).flatten()
    to_hidden = (to_scores * v.view(n_heads, -1)).flatten(1)
    to_before = torch.ops.aten.tanh_backward(to_hidden, hidden)
    to_query = to_before.view(n, n_units, -1).sum(-2)
    w_query, w_key = torch.split(project, keys.shape[-1], dim=-1)
    of_query = to_query @ w_query / step.counts
    to_keys = torch.baddbmm(of_query.unsqueeze(-2), step.weights, by_head).flatten(0, 1)
    to_w_key, to_filters = _to_filters(step, to_before, w_key, to_keys, bases, weight.shape[-1])
    to_project = torch.cat([to_query.T @ step.query, to_w_key], -1)
    to_weight = to_filters[:, :-1].reshape(len(weight), -1, 4).mT
    return to_weight, to_filters[:, -1], to_project, to_query.sum(0), to_v


def _to_filters(
    step: _Step, to_before: Tensor, w_key: Tensor, to_keys: Tensor, bases: Tensor, width: int
) -> tuple[Tensor, Tensor]:
    """Return the gradients of the key weights (C, F), and of filters and bias (F, 4 K + 1)."""
    seen = nn.functional.pad(cut(bases, width).flatten(0, 1), (0, 1), value=1.0)
    keys, found, n_filters = step.keys, step.found, step.keys.shape[-1]
    if found is None:
        to_keys = torch.addmm(to_keys, to_before, w_key).mul_(keys > 0)
        return to_before.T @ keys, to_keys.T @ seen
    found = found.by_filter(n_filters)
    values, ends = keys.view(-1).index_select(0, found.flat), _ends(found.filter_, n_filters)
    to_values = torch.ops.aten._embedding_bag_per_sample_weights_backward(
        w_key.T.contiguous(), to_before, found.unit, ends, found.filter_, 0, -1
    )
    to_values += to_keys.view(-1).index_select(0, found.flat)
    to_w_key = _summed(found.unit, ends, to_before, values).T
    return to_w_key, _summed(found.unit, ends, seen, to_values)
