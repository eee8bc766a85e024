"""Additive attention over keys of which few are not 0, with its gradients, in one step.

Behind a ReLU whose filters start with high thresholds, about one key in twenty is not 0. What such
a key adds to its unit is a row of the key weights, and nobody asks for the gradient of the others,
so the three largest products of a step become sums over those that are not 0. The values are those
of the plain layers but for the order of sums, and tanh x taken as 2 / (1 + exp(-2 x)) - 1, which is
off by a rounding of 1 and takes half the time: its -1 adds the same to every score of a head, which
no softmax sees.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from motiflens.models.filters import Filters
from motiflens.models.kmer_sums import N_TRIPLES, SIZE, Windows, cut, look_up, tables_of
from motiflens.models.layers import AdditiveAttention, affine

#: Fraction of keys that are not 0 from which on products of whole matrices are faster.
DENSE = 0.2

# PyTorch warns of its first sparse matrix, which is made here, where no thread trains yet.
with warnings.catch_warnings(action="ignore"):
    torch.sparse_csr_tensor([0, 1], [0], [1.0])


def contexts(first: Filters, attention: AdditiveAttention, windows: Windows) -> Tensor:
    """Return the context of every head (..., H · F) over the keys ReLU(filters + bias).

    Parameters
    ----------
    first, attention
        With or without a replica axis.
    windows
        What the filters see.
    """
    project = attention.project
    found: Tensor = _Contexts.apply(  # type: ignore[no-untyped-call]
        windows,
        attention.n_heads,
        first.weight,
        first.bias,
        project.weight,
        project.bias,
        attention.v,
    )
    return found.view(*windows.shape, -1)


@dataclass(frozen=True)
class _Nonzero:
    """The keys (M, F) that are not 0, unit after unit.

    ``flat`` are their places among all M · F, ``unit`` and ``filter_`` the two parts of these, and
    ``ends`` (M + 1) where those of each unit begin.
    """

    flat: Tensor
    unit: Tensor
    filter_: Tensor
    ends: Tensor

    @staticmethod
    def of(keys: Tensor) -> _Nonzero:
        """Find them."""
        # NumPy finds what is true ten times faster than torch.nonzero.
        flat = np.flatnonzero(keys.bool().numpy())
        unit, filter_ = map(torch.from_numpy, np.divmod(flat, keys.shape[-1]))
        return _Nonzero(torch.from_numpy(flat), unit, filter_, _ends(unit, len(keys)))

    def by_filter(self, n_filters: int) -> Tensor:
        """Return in which order they come filter after filter."""
        # Small numbers are sorted by radix.
        small = self.filter_.numpy().astype(np.uint8 if n_filters <= 256 else np.uint16)
        return torch.from_numpy(np.argsort(small, kind="stable"))

    def products(self, rows: Tensor, columns: Tensor) -> Tensor:
        """Return their values of the product of (M, C) and (C, F), which is not computed whole."""
        shape = len(rows), columns.shape[1]
        places = torch.sparse_csr_tensor(
            self.ends, self.filter_, rows.new_zeros(len(self.flat)), shape, check_invariants=False
        )
        return torch.sparse.sampled_addmm(places, rows, columns, beta=0.0).values()


@dataclass(frozen=True)
class _Step:
    """What the gradients of one replica need: M = n · U units, H heads, C columns of tanh.

    ``logistic`` is 1 / (1 + exp(-2 x)), of which tanh x is twice, less 1.
    """

    keys: Tensor  # (M, F)
    found: _Nonzero | None
    query: Tensor  # (n, F)
    logistic: Tensor  # (M, C)
    weights: Tensor  # (n, H, U)
    counts: Tensor  # (n, 1)


class _Contexts(torch.autograd.Function):
    """Contexts (R, n, H · F) of the heads; gradients go to all weights.

    They may have a replica axis or none.
    """

    @staticmethod
    def forward(
        ctx: Any,
        windows: Windows,
        n_heads: int,
        weight: Tensor,
        bias: Tensor,
        project: Tensor,
        project_bias: Tensor,
        v: Tensor,
    ) -> Tensor:
        given = (weight, bias, project, project_bias, v)
        valid = [None] * len(windows.rows) if windows.valid is None else windows.valid
        replicas = zip(*_by_replica(given), windows.rows, valid, strict=True)
        contexts, steps = [], []
        for *own, rows, counted in replicas:
            context, step = _attend(*own, rows=rows, valid=counted, n_heads=n_heads)
            contexts.append(context)
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
        return None, None, *(g.view_as(p) for g, p in zip(stacked, given, strict=True))


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
    valid: Tensor | None,
    n_heads: int,
) -> tuple[Tensor, _Step]:
    """Return the contexts (n, H · F) of one replica, and what their gradients need."""
    n, n_units, _ = rows.shape
    keys = _keys(weight, bias, rows)
    counts = keys.new_full((n, 1), n_units)
    if valid is not None:
        keys.mul_(valid.unsqueeze(-1))  # nothing looks at the keys of padding
        counts = valid.sum(-1, keepdim=True).to(keys.dtype)
    query = keys.sum(-2) / counts
    w_query, w_key = torch.split(project, keys.shape[-1], dim=-1)
    flat = keys.flatten(0, 1)
    nonzero = _Nonzero.of(flat)
    found = nonzero if len(nonzero.unit) <= DENSE * flat.numel() else None
    twice = _times(flat, found, 2 * w_key)
    twice.view(n, n_units, -1).add_(2 * affine(query, w_query, project_bias).unsqueeze(-2))
    logistic = twice.sigmoid_()
    scores = (_by_head(2 * v, n_heads) @ logistic.mT).view(n_heads, n, n_units)
    if valid is not None:
        scores.masked_fill_(~valid, float("-inf"))
    weights = torch.softmax(scores, -1).transpose(0, 1)
    context = torch.bmm(weights, keys).flatten(-2)
    return context, _Step(flat, found, query, logistic, weights, counts)


def _keys(weight: Tensor, bias: Tensor, rows: Tensor) -> Tensor:
    """Return ReLU(filters + bias) of every unit, (n, U, F)."""
    tables = tables_of(weight, len(weight), SIZE)
    tables[:N_TRIPLES].add_(bias)  # every unit looks at one row of the first table
    return look_up(tables, rows).relu_()


def _by_head(v: Tensor, n_heads: int) -> Tensor:
    """Put the numbers (C,) of each head into a row of their own, (H, C), among zeros."""
    return (torch.eye(n_heads, dtype=v.dtype).unsqueeze(-1) * v.view(n_heads, -1)).flatten(1)


def _times(keys: Tensor, found: _Nonzero | None, weight: Tensor) -> Tensor:
    """Multiply keys (M, F) by weights (C, F): (M, C)."""
    if found is None:
        return affine(keys, weight, None)
    values = keys.view(-1).index_select(0, found.flat)
    return _summed(found.filter_, found.ends, weight.T.contiguous(), values)


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
    n, n_heads, n_units = step.weights.shape
    keys, logistic = step.keys, step.logistic
    by_head = gradient.view(n, n_heads, -1)
    to_weights = torch.bmm(by_head, keys.view(n, n_units, -1).mT)
    inner = (to_weights * step.weights).sum(-1, keepdim=True)
    to_scores = (step.weights * to_weights.sub_(inner)).mT.reshape(len(keys), n_heads)
    of_heads = to_scores.T @ logistic
    to_v = 2 * of_heads.view(n_heads, n_heads, -1).diagonal().T.flatten()
    to_logistic = to_scores @ _by_head(4 * v, n_heads)
    to_before = torch.ops.aten.sigmoid_backward(to_logistic, logistic)
    to_query = to_before.view(n, n_units, -1).sum(-2)
    w_query, w_key = torch.split(project, keys.shape[-1], dim=-1)
    of_query = to_query @ w_query / step.counts
    to_keys = torch.baddbmm(of_query.unsqueeze(-2), step.weights.mT, by_head).flatten(0, 1)
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
    to_values = found.products(to_before, w_key)
    to_values += to_keys.view(-1).index_select(0, found.flat)
    values, order = keys.view(-1).index_select(0, found.flat), found.by_filter(n_filters)
    unit, values, to_values = (
        each.index_select(0, order) for each in (found.unit, values, to_values)
    )
    ends = _ends(found.filter_, n_filters)
    return _summed(unit, ends, to_before, values).T, _summed(unit, ends, seen, to_values)
