"""Layers that compute one model, or many replicas of it at once.

A layer's parameters have their usual shape, or all of them a leading replica axis R (see
``training/replicas.py``). Features lie last, ``(..., U, C)``: units, then channels. Then a
convolution is one matrix product of contiguous windows, and ``R`` of them are one batched product.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.overrides import has_torch_function

from motiflens.errors import InputError
from motiflens.models.base import ReceptiveField

#: Largest column of a filter that starts as a word, before it fades.
WORD_SCALE = 0.4


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


class Filters(nn.Module):
    """The first layer: filters along a one-hot sequence.

    Parameters
    ----------
    n_filters
        Number of filters F.
    kernel_size
        Bases that a filter sees, K.
    same
        Pad the sequence with zero columns so that there is one unit a base, centred on it.
    """

    def __init__(self, n_filters: int, kernel_size: int, *, same: bool) -> None:
        super().__init__()
        # nn.Conv1d draws the initial values, so that they are PyTorch's for a convolution.
        convolution = nn.Conv1d(4, n_filters, kernel_size)
        assert convolution.bias is not None
        self.weight = nn.Parameter(convolution.weight.detach().clone())
        self.bias = nn.Parameter(convolution.bias.detach().clone())
        self.padding = ((kernel_size - 1) // 2, kernel_size // 2) if same else (0, 0)
        self.field = ReceptiveField(-self.padding[0], 1, kernel_size)

    def forward(self, one_hot: Tensor) -> Tensor:
        """Map one-hot (..., 4, L) to (..., U, F), without the bias, which may wait for the pool."""
        return affine(self._windows(one_hot), self._flat(), None)

    def strongest(self, one_hot: Tensor, valid: Tensor) -> Tensor:
        """Give the largest answer of each filter over the valid units, without the bias.

        Gradients go through the windows with the largest answers only, which is all that a
        maximum passes on: half the time of a step. What follows every function that a sequence
        goes through, as DeepLIFT does, gets a plain maximum.

        Parameters
        ----------
        one_hot
            (..., 4, L).
        valid
            (..., U), bool.

        Returns
        -------
        Tensor
            (..., F).
        """
        windows, flat = self._windows(one_hot), self._flat()
        if has_torch_function((one_hot,)):
            return largest(_answers(windows, flat, valid))[0]
        strongest: Tensor = _Strongest.apply(windows, flat, valid)  # type: ignore[no-untyped-call]
        return strongest

    def start_as_words(self) -> None:
        """Start every filter as a random word that fades towards its ends, with a high threshold.

        A filter answers to a word from the first step on, and its bias lets through only what a
        random sequence of some hundred bases rarely holds: its largest answer there lies about
        3 standard deviations above the mean, so the activations start near 0 and not on a large
        constant. Values drawn independently learn several times more slowly.
        """
        n_filters, _, kernel_size = self.weight.shape
        word = nn.functional.one_hot(torch.randint(4, (n_filters, kernel_size)), 4).mT - 0.25
        place = torch.arange(kernel_size) - (kernel_size - 1) / 2
        fade = torch.exp(-0.5 * (6 * place / kernel_size) ** 2)
        fade = WORD_SCALE * fade / fade.square().mean().sqrt()
        # Over four equally likely bases, c times (3, -1, -1, -1) / 4 has the variance 3 c² / 16.
        deviation = (3 / 16 * fade.square().sum()).sqrt()
        with torch.no_grad():
            self.weight.copy_(word * fade)
            self.bias.fill_(-3.0 * float(deviation))

    def _windows(self, one_hot: Tensor) -> Tensor:
        """Cut the bases that each unit sees, (..., U, 4 K), base after base."""
        bases = one_hot.mT
        if any(self.padding):
            bases = nn.functional.pad(bases, (0, 0, *self.padding))
        return bases.flatten(-2).unfold(-1, 4 * self.weight.shape[-1], 4)

    def _flat(self) -> Tensor:
        """Lay the weights out as windows are, (..., F, 4 K)."""
        return self.weight.mT.flatten(-2)

    def add_bias(self, x: Tensor) -> Tensor:
        """Add each filter's bias to (..., U, F)."""
        return x + per_replica(self.bias, x)


def _answers(windows: Tensor, flat: Tensor, valid: Tensor) -> Tensor:
    """Give the answers (..., U, F) to windows, minus infinity at units that are not valid."""
    answers = affine(windows, flat, None)
    if bool(valid.all()):
        return answers
    return answers.masked_fill_(~valid.unsqueeze(-1), float("-inf"))


class _Strongest(torch.autograd.Function):
    """The largest answer (..., F) of windows (..., U, 4 K) to flat filters (..., F, 4 K)."""

    @staticmethod
    def forward(ctx: Any, windows: Tensor, flat: Tensor, valid: Tensor) -> Tensor:
        windows = windows.contiguous()
        values, units = largest(_answers(windows, flat, valid))
        ctx.save_for_backward(windows, flat, units)
        return values

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        windows, flat, units = ctx.saved_tensors
        gradient = gradient.to(windows.dtype)  # under autocast the answers have another type
        wanted = ctx.needs_input_grad
        if windows.ndim == 3:
            return *_through(windows, flat, units, gradient, wanted), None
        replicas = zip(windows, flat, units, gradient, strict=True)
        to_windows, to_filters = zip(*(_through(*one, wanted) for one in replicas), strict=True)
        return (
            torch.stack(to_windows) if wanted[0] else None,
            torch.stack(to_filters) if wanted[1] else None,
            None,
        )


def _through(
    windows: Tensor, flat: Tensor, units: Tensor, gradient: Tensor, wanted: Sequence[bool]
) -> tuple[Tensor | None, Tensor | None]:
    """Pass the gradient (N, F) of one replica on to its windows and to its filters, as wanted."""
    n_rows, n_units, size = windows.shape
    first = torch.arange(n_rows, device=units.device).unsqueeze(1) * n_units
    places = (units + first).T.flatten()
    to_windows = to_filters = None
    if wanted[0]:
        parts = (gradient.T.unsqueeze(-1) * flat.unsqueeze(1)).reshape(-1, size)
        to_windows = torch.zeros_like(windows).view(-1, size).index_add_(0, places, parts)
        to_windows = to_windows.view_as(windows)
    if wanted[1]:
        rows = windows.view(-1, size).index_select(0, places).view(-1, n_rows, size)
        to_filters = torch.bmm(gradient.T.unsqueeze(1), rows).squeeze(1)
    return to_windows, to_filters


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
    if name not in known:
        raise InputError(
            f"the activation of the first layer is {' or '.join(known)}",
            got=repr(name),
            remedy="choose one of them",
        )
    return known[name]()


def largest(x: Tensor) -> tuple[Tensor, Tensor]:
    """Give the largest value of every channel of (..., U, C) and its unit, both (..., C)."""
    # As an image with its channels last, as in MaxPool: twenty times faster than Tensor.max.
    n_units, n_channels = x.shape[-2:]
    image = x.reshape(-1, 1, n_units, n_channels).permute(0, 3, 1, 2)
    values, units = nn.functional.max_pool2d(image, (1, n_units), return_indices=True)
    shape = (*x.shape[:-2], n_channels)
    return values.reshape(shape), units.reshape(shape)


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
    """Zero a share of the values in training and scale the rest (Srivastava et al. 2014).

    Of many replicas, each draws its masks from a generator of its own, which training sets in
    ``generators``: a seed gets the same masks alone and in company. Without generators, the masks
    come from PyTorch's global state. ``batch`` holds the rows of the whole batch and which of
    them this process has, where several share it; otherwise the input is all of it.

    Parameters
    ----------
    rate
        Share of the values that are zeroed, at least 0 and below 1.
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
        # One process of several has a part of the batch: it draws the masks of all of it.
        n_rows, own = self.batch or (x.shape[1], slice(None))
        shape = torch.Size((n_rows, *x.shape[2:]))
        kept = [self._kept(shape, generator)[own] for generator in self.generators]
        return x * torch.stack(kept) / (1.0 - self.rate)

    def _kept(self, shape: torch.Size, generator: torch.Generator) -> Tensor:
        # Four 16-bit numbers from each 64-bit one: a quarter of the time of Tensor.bernoulli_.
        size, device = shape.numel(), generator.device
        words = torch.empty(math.ceil(size / 4), dtype=torch.int64, device=device)
        numbers = words.random_(-(2**63), None, generator=generator).view(torch.int16)
        return (numbers[:size] >= round(self.rate * 2**16) - 2**15).view(shape)


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
        """Give the weight of every unit: keys (..., U, C), valid (..., U) → (..., U, H)."""
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
        weights: Tensor = self.softmax(scores)
        return weights

    def forward(self, keys: Tensor, valid: Tensor | None = None) -> Tensor:
        """Give the context of every head, (..., H · C)."""
        weights = self.weights(keys, valid)
        return (weights.mT @ keys).flatten(-2)
