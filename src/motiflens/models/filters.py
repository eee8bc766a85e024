"""The first layer: filters along a sequence, and the models that begin with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.overrides import has_torch_function

from motiflens.models import kmer_sums
from motiflens.models.base import FeatureMap, ReceptiveField, SequenceModel, valid_units
from motiflens.models.kmer_sums import Windows, largest
from motiflens.models.layers import affine, per_replica

#: Largest column of a filter that starts as a k-mer, before it fades.
KMER_SCALE = 0.4


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
        """Map one-hot (..., 4, L) to (..., U, F), without the bias, which may follow the pool."""
        windows = kmer_sums.read_windows(one_hot, self.weight, self.padding)
        if windows is not None:
            return kmer_sums.activations(self.weight, windows)
        if self._is_exported():
            return self._convolved(one_hot)
        return affine(self._windows(one_hot), self._flat(), None)

    def read(self, one_hot: Tensor) -> Tensor | Windows:
        """Read what one unit a base sees, and which of them count, if that saves time."""
        windows = kmer_sums.read_windows(one_hot, self.weight, self.padding)
        if windows is None:
            return one_hot
        return windows.counting(valid_units(one_hot, one_hot.shape[-1], self.field))

    def max_activations(self, one_hot: Tensor, valid: Tensor) -> Tensor:
        """Return the largest activation of each filter over the valid units, without the bias.

        Gradients go through the windows with the largest activations only, which is all that a
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
        read = kmer_sums.read_windows(one_hot, self.weight, self.padding)
        if read is not None:
            return kmer_sums.max_activations(self.weight, read.counting(valid))
        if self._is_exported():
            return self._convolved(one_hot).masked_fill(~valid.unsqueeze(-1), -torch.inf).amax(-2)
        windows, flat = self._windows(one_hot), self._flat()
        if has_torch_function((one_hot,)):
            return largest(_activations(windows, flat, valid))[0]
        return _MaxActivations.apply(windows, flat, valid)  # type: ignore[no-untyped-call]

    def init_from_kmers(self) -> None:
        """Start every filter as a random k-mer that fades towards its ends, with a high threshold.

        A filter knows a k-mer from the first step on, and its bias lets through only what a
        random sequence of some hundred bases rarely holds: its largest activation there is about
        3 standard deviations above the mean, so the activations start near 0 and not on a large
        constant. Values drawn independently learn several times more slowly.
        """
        n_filters, _, kernel_size = self.weight.shape
        kmer = nn.functional.one_hot(torch.randint(4, (n_filters, kernel_size)), 4).mT - 0.25
        offset = torch.arange(kernel_size) - (kernel_size - 1) / 2
        fade = torch.exp(-0.5 * (6 * offset / kernel_size) ** 2)
        fade = KMER_SCALE * fade / fade.square().mean().sqrt()
        # Over four equally likely bases, c times (3, -1, -1, -1) / 4 has the variance 3 c² / 16.
        deviation = (3 / 16 * fade.square().sum()).sqrt()
        with torch.no_grad():
            self.weight.copy_(kmer * fade)
            self.bias.fill_(-3.0 * float(deviation))

    def _is_exported(self) -> bool:
        """Return whether a graph is made of a forward pass, for any number of bases."""
        return torch.compiler.is_compiling() and self.weight.ndim == 3

    def _convolved(self, one_hot: Tensor) -> Tensor:
        """Return the activations (..., U, F) by one operation, which other runtimes have too."""
        padded = nn.functional.pad(one_hot, self.padding)
        return nn.functional.conv1d(padded, self.weight).mT

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


def _activations(windows: Tensor, flat: Tensor, valid: Tensor) -> Tensor:
    """Return the activations (..., U, F) to windows, minus infinity at units that are not valid."""
    activations = affine(windows, flat, None)
    if bool(valid.all()):
        return activations
    return activations.masked_fill_(~valid.unsqueeze(-1), float("-inf"))


class _MaxActivations(torch.autograd.Function):
    """The largest activation (..., F) of windows (..., U, 4 K) to flat filters (..., F, 4 K)."""

    @staticmethod
    def forward(ctx: Any, windows: Tensor, flat: Tensor, valid: Tensor) -> Tensor:
        windows = windows.contiguous()
        values, units = largest(_activations(windows, flat, valid))
        ctx.save_for_backward(windows, flat, units)
        return values

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        windows, flat, units = ctx.saved_tensors
        gradient = gradient.to(windows.dtype)  # under autocast the activations have another type
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
    rows_of_windows = (units + first).T.flatten()
    to_windows = to_filters = None
    if wanted[0]:
        by_row = (gradient.T.unsqueeze(-1) * flat.unsqueeze(1)).reshape(-1, size)
        to_windows = torch.zeros_like(windows).view(-1, size).index_add_(0, rows_of_windows, by_row)
        to_windows = to_windows.view_as(windows)
    if wanted[1]:
        rows = windows.view(-1, size).index_select(0, rows_of_windows).view(-1, n_rows, size)
        to_filters = torch.bmm(gradient.T.unsqueeze(1), rows).squeeze(1)
    return to_windows, to_filters


class FilterModel(SequenceModel):
    """A model whose first layer is ``first``, followed by ``activation``."""

    first: Filters
    activation: nn.Module

    @property
    def filters(self) -> Tensor:
        """Weights of the first layer, (F, 4, K)."""
        return self.first.weight

    def first_layer(self, one_hot: Tensor) -> FeatureMap:
        """Return the activations of the filters before any pool, (N, F, U)."""
        return FeatureMap(self.activations(one_hot).mT, self.first.field)

    def activations(self, one_hot: Tensor) -> Tensor:
        """Map one-hot (..., 4, L) to the activations (..., U, F)."""
        return self.activation(self.first.add_bias(self.first(one_hot)))
