"""Layers that compute one model, or many replicas of it at once.

A layer's parameters have their usual shape, or all of them a leading replica axis R (see
``training/replicas.py``). Features lie last, ``(..., U, C)``: units, then channels. Then a
convolution is one matrix product of contiguous windows, and ``R`` of them are one batched product.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from motiflens.errors import one_of


def is_unwatched(x: Tensor) -> bool:
    """Return whether nothing follows the functions that a tensor goes through, but autograd."""
    return (
        type(x) is Tensor
        and not torch.compiler.is_compiling()
        and torch._C._get_tracing_state() is None
        and not torch._C._are_functorch_transforms_active()
        and torch._C._len_torch_dispatch_stack() == 0
        and torch._C._len_torch_function_stack() == 0
    )


def affine(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Compute ``x W^T + b`` for ``weight`` (O, C), or replica by replica for (R, O, C)."""
    if weight.ndim == 2:
        return nn.functional.linear(x, weight, bias)
    rows = x.flatten(1, -2)
    if bias is None:
        product = torch.bmm(rows, weight.mT)
    else:
        product = torch.baddbmm(bias.unsqueeze(1), rows, weight.mT)
    return product.view(*x.shape[:-1], -1)


class Linear(nn.Linear):
    """A linear layer on the last axis, for one model or many replicas."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., C) to (..., O)."""
        return affine(x, self.weight, self.bias)


def per_replica(vector: Tensor, x: Tensor) -> Tensor:
    """Shape a vector (C,) or (R, C) so that it broadcasts over x (..., C) or (R, ..., C)."""
    if vector.ndim == 1:
        return vector
    return vector.view(vector.shape[0], *(1,) * (x.ndim - 2), vector.shape[-1])


class LayerNorm(nn.LayerNorm):
    """Layer normalisation of the last axis (Ba et al. 2016), for one model or many replicas."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., C) to the same shape."""
        if self.weight.ndim == 1:
            return super().forward(x)
        normal = nn.functional.layer_norm(x, self.normalized_shape, eps=self.eps)
        return normal * per_replica(self.weight, x) + per_replica(self.bias, x)


class Exponential(nn.Module):
    """The exponential, as a module like the other activations."""

    def forward(self, x: Tensor) -> Tensor:
        """Map x to e^x, same shape."""
        return torch.exp(x)


def first_activation(name: str) -> nn.Module:
    """Build the first layer's activation, ``"relu"`` or ``"exponential"``; both are monotone.

    Raises
    ------
    InputError
        For another name.
    """
    known: dict[str, Callable[[], nn.Module]] = {"relu": nn.ReLU, "exponential": Exponential}
    one_of("an activation of the first layer", name, known, argument="activation")
    return known[name]()


class MaxPool(nn.Module):
    """Largest value of ``pool_size`` neighbouring units, no overlap; a remainder is dropped."""

    def __init__(self, pool_size: int) -> None:
        super().__init__()
        self.pool_size = pool_size

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., U, C) to (..., U // pool_size, C)."""
        # As an image of height 1 with its channels last: the fastest pool on the CPU by far.
        image = x.reshape(-1, 1, *x.shape[-2:]).permute(0, 3, 1, 2)
        pooled = nn.functional.max_pool2d(image, (1, self.pool_size))
        return pooled.permute(0, 2, 3, 1).reshape(*x.shape[:-2], -1, x.shape[-1])


class Dropout(nn.Module):
    """Zero a fraction of the values in training and scale the rest (Srivastava et al. 2014).

    Of many replicas, each draws its masks from a generator of its own, which training sets in
    ``generators``: a seed gets the same masks alone or in a batch. Without generators, the masks
    come from PyTorch's global state. ``batch`` holds the rows of the whole batch and which of
    them this process has, where several share it; otherwise the input is all of it.

    Parameters
    ----------
    rate
        Fraction of the values that is zeroed, at least 0 and below 1.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.generators: Sequence[torch.Generator] = ()
        self.batch: tuple[int, slice] | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Map x to the same shape; outside training x itself."""
        if not self.training or self.rate == 0.0:
            return x
        if not self.generators:
            return nn.functional.dropout(x, self.rate)
        # One process of several has a slice of the batch: it draws the masks of all of it.
        n_rows, own = self.batch or (x.shape[1], slice(None))
        shape = torch.Size((n_rows, *x.shape[2:]))
        kept = self._kept(shape)[:, own]
        return x * kept.to(x.dtype).mul_(1.0 / (1.0 - self.rate))

    def _kept(self, shape: torch.Size) -> Tensor:
        """Draw what each replica keeps, (R, *shape)."""
        # Four 16-bit numbers from each 64-bit one: a quarter of the time of Tensor.bernoulli_.
        size, device = shape.numel(), self.generators[0].device
        n_replicas = len(self.generators)
        drawn = torch.empty((n_replicas, math.ceil(size / 4)), dtype=torch.int64, device=device)
        for row, generator in zip(drawn, self.generators, strict=True):
            row.random_(-(2**63), None, generator=generator)
        numbers = drawn.view(torch.int16)[:, :size]
        return (numbers >= round(self.rate * 2**16) - 2**15).view(n_replicas, *shape)


@contextmanager
def masks_for(dropouts: Sequence[Dropout], n_rows: int, own: slice) -> Iterator[None]:
    """Let dropouts draw masks for ``n_rows`` rows, and use those of the rows ``own``."""
    for layer in dropouts:
        layer.batch = (n_rows, own)
    try:
        yield
    finally:
        for layer in dropouts:
            layer.batch = None


class AdditiveAttention(nn.Module):
    """Additive attention (Bahdanau et al. 2015, eq. 6), the mean of the keys as the query.

    score = v · tanh(W [q; k] + b) for each head; softmax over the valid units; the context is the
    weighted sum of the keys.

    Parameters
    ----------
    n_channels
        Channels C of a key.
    n_heads
        Number of heads H.
    n_hidden
        Width of the tanh layer of a head.
    """

    def __init__(self, n_channels: int, n_heads: int, n_hidden: int) -> None:
        super().__init__()
        self.project = Linear(2 * n_channels, n_heads * n_hidden)
        # The tutorial draws v from U(0, 1).
        self.v = nn.Parameter(torch.rand(n_heads * n_hidden))
        # A module of its own, so that other weights can be put in its place.
        self.softmax = nn.Softmax(dim=-2)
        self.n_heads = n_heads

    def weights(self, keys: Tensor, valid: Tensor | None = None) -> Tensor:
        """Return the weight of every unit: keys (..., U, C), valid (..., U) → (..., U, H)."""
        return self.softmax(self.scores(keys, valid))

    def scores(self, keys: Tensor, valid: Tensor | None = None) -> Tensor:
        """Return how well every unit matches the query, of the same shapes as its weight."""
        n_channels = keys.shape[-1]
        if valid is None:
            query = keys.mean(-2, keepdim=True)
        else:
            kept = valid.unsqueeze(-1).to(keys.dtype)
            query = (keys * kept).sum(-2, keepdim=True) / kept.sum(-2, keepdim=True)
        # W [q; k] = W_q q + W_k k: the query's part is the same for every unit.
        w_query, w_key = torch.split(self.project.weight, n_channels, dim=-1)
        hidden = torch.tanh(affine(keys, w_key, None) + affine(query, w_query, self.project.bias))
        weighted = hidden * per_replica(self.v, hidden)
        scores = weighted.view(*weighted.shape[:-1], self.n_heads, -1).sum(-1)
        if valid is not None:
            scores = scores.masked_fill(~valid.unsqueeze(-1), float("-inf"))
        return scores

    def forward(self, keys: Tensor, valid: Tensor | None = None) -> Tensor:
        """Return the context of every head, (..., H · C)."""
        weights = self.weights(keys, valid)
        if self.n_heads == 1:
            # Products of matrices of one row each take several times as long.
            return (weights * keys).sum(-2)
        return (weights.mT @ keys).flatten(-2)
