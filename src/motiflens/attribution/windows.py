"""Operations on the part of a layer that one substitution changes (fastISM, Nair et al. 2022).

Of each layer a window of W positions is kept for every mutant, wide enough for all that may have
changed; beyond it stands what the sequence itself gave. Channels lie last, so that a convolution of
the change is one product of matrices.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

#: Values of a window that are better moved with others of the same position than one by one.
LARGE = 2**11


@dataclass(frozen=True)
class Span:
    """Where the windows of one layer lie.

    Parameters
    ----------
    starts
        (L,): the first position of the window for a substitution at each base.
    width, length
        Positions W of every window, and of the layer.
    """

    starts: Tensor
    width: int
    length: int

    @staticmethod
    def of(first: Tensor, end: Tensor, length: int) -> Span:
        """Lay windows of one width over ranges [first, end), inside the layer."""
        width = min(max(1, int((end - first).amax())), length)
        return Span(first.clamp(0, length - width), width, length)


@dataclass(frozen=True)
class Layer:
    """A layer at P positions: ``reference`` (length, C), ``values`` (P, B, W, C) at ``starts``."""

    reference: Tensor
    values: Tensor
    starts: Tensor

    @property
    def change(self) -> Tensor:
        """What differs from the sequence itself, (P, B, W, C)."""
        return self.values - expected(self.reference, self.starts, self.values.shape[2])

    def read(self, starts: Tensor, width: int) -> Tensor:
        """Return wider, narrower or other windows, (P, B, width, C)."""
        if width == self.values.shape[2] and torch.equal(starts, self.starts):
            return self.values
        by = starts - self.starts
        was = expected(self.reference, starts, width)
        alike = bool((by == by[0]).all())
        if not alike and was[0].numel() < LARGE:
            return _moved(self.change, by, width).add_(was)
        result = was.expand(-1, self.values.shape[1], -1, -1).clone()
        had = self.values.shape[2]
        rows = [(slice(None), int(by[0]))] if alike else enumerate(by.tolist())
        for row, step in rows:
            first, end = max(step, 0), min(had, width + step)
            if first < end:
                result[row, :, first - step : end - step] = self.values[row, :, first:end]
        return result


def expected(reference: Tensor, starts: Tensor, width: int) -> Tensor:
    """Return what a sequence itself gave, (length, C), in windows: (P, 1, width, C)."""
    n_channels = reference.shape[-1]
    windows = reference.view(-1).unfold(0, width * n_channels, n_channels)
    return windows[starts].view(-1, 1, width, n_channels)


def _moved(change: Tensor, by: Tensor, width: int) -> Tensor:
    """Return windows (P, B, width, C) that start later by so much, 0 where nothing was."""
    n_positions, n_mutants, had, n_channels = change.shape
    at = by.unsqueeze(-1) + torch.arange(width, device=by.device)
    at = at.masked_fill((at < 0) | (at >= had), had)[:, None, :, None]
    padded = nn.functional.pad(change, (0, 0, 0, 1))
    return padded.gather(2, at.expand(n_positions, n_mutants, width, n_channels))


class Operation(ABC):
    """What one node of a graph does to windows."""

    def span(self, *inputs: Span) -> Span:
        """Return where the windows of the result lie; the same as those of the only input."""
        return inputs[0]

    @abstractmethod
    def apply(self, reference: Tensor, span: Span, positions: slice, *inputs: Layer) -> Layer:
        """Compute the result at P positions, of which the sequence itself gave the reference."""


@dataclass(frozen=True)
class Pointwise(Operation):
    """A function of each value alone."""

    function: Callable[[Tensor], Tensor]

    def apply(self, reference: Tensor, span: Span, positions: slice, *inputs: Layer) -> Layer:
        """Apply the function to the windows."""
        return Layer(reference, self.function(inputs[0].values), inputs[0].starts)


@dataclass(frozen=True)
class Together(Operation):
    """A function of the values of two layers at the same position."""

    function: Callable[[Tensor, Tensor], Tensor]

    def span(self, *inputs: Span) -> Span:
        """Return windows over both."""
        one, two = inputs
        first = torch.minimum(one.starts, two.starts)
        end = torch.maximum(one.starts + one.width, two.starts + two.width)
        return Span.of(first, end, one.length)

    def apply(self, reference: Tensor, span: Span, positions: slice, *inputs: Layer) -> Layer:
        """Read both in the same windows."""
        starts = span.starts[positions]
        one, two = (layer.read(starts, span.width) for layer in inputs)
        return Layer(reference, self.function(one, two), starts)


@dataclass(frozen=True)
class Convolution(Operation):
    """A convolution of stride 1: what it makes of the change is added to what was there."""

    weight: Tensor
    padding: int
    dilation: int
    length: int

    @property
    def _reach(self) -> int:
        return (self.weight.shape[-1] - 1) * self.dilation

    def span(self, *inputs: Span) -> Span:
        """Widen the windows by what a filter sees."""
        first = inputs[0].starts + self.padding - self._reach
        end = first + inputs[0].width + self._reach
        # Cut at the edges first, so that no window is wider than what can change.
        return Span.of(first.clamp(min=0), end.clamp(max=self.length), self.length)

    def apply(self, reference: Tensor, span: Span, positions: slice, *inputs: Layer) -> Layer:
        """Add up what each tap of the filters makes of the change."""
        change = inputs[0].change
        n_positions, n_mutants, width, _ = change.shape
        n_filters, _, n_taps = self.weight.shape
        taps = change.reshape(-1, change.shape[-1]) @ self.weight.permute(1, 2, 0).flatten(1)
        taps = taps.view(n_positions, n_mutants, width, n_taps, n_filters)
        starts = span.starts[positions]
        by = starts - (inputs[0].starts + self.padding - self._reach)
        was = expected(reference, starts, span.width)
        alike = bool((by == by[0]).all())
        if alike or span.width * n_filters >= LARGE:
            result = was.expand(-1, n_mutants, -1, -1).clone()
            if alike:
                self._add(result, taps, int(by[0]))
            else:
                for row, step in enumerate(by.tolist()):
                    self._add(result[row], taps[row], step)
            return Layer(reference, result, starts)
        result = taps.new_zeros(n_positions, n_mutants, width + self._reach, n_filters)
        self._add(result, taps, 0)
        return Layer(reference, _moved(result, by, span.width).add_(was), starts)

    def _add(self, result: Tensor, taps: Tensor, step: int) -> None:
        """Add taps (..., W, K, F) to windows (..., W', F) that start so much after the first."""
        width, had = result.shape[-2], taps.shape[-3]
        for tap in range(taps.shape[-2]):
            start = self._reach - tap * self.dilation - step
            first, end = max(start, 0), min(start + had, width)
            if first < end:
                result[..., first:end, :] += taps[..., first - start : end - start, tap, :]


@dataclass(frozen=True)
class Pool(Operation):
    """The largest value or the mean of neighbours, without overlap; a remainder is dropped."""

    size: int
    reduce: Callable[[Tensor, int], Tensor]
    length: int

    def span(self, *inputs: Span) -> Span:
        """Return the windows over the pools that a change reaches."""
        first = inputs[0].starts // self.size
        end = (inputs[0].starts + inputs[0].width - 1) // self.size + 1
        return Span.of(first, end.clamp(max=self.length), self.length)

    def apply(self, reference: Tensor, span: Span, positions: slice, *inputs: Layer) -> Layer:
        """Read whole pools and reduce each."""
        starts = span.starts[positions]
        values = inputs[0].read(starts * self.size, span.width * self.size)
        shape = (*values.shape[:2], span.width, self.size, values.shape[-1])
        return Layer(reference, self.reduce(values.reshape(shape), 3), starts)


@dataclass(frozen=True)
class Crop(Operation):
    """Positions from ``start`` on."""

    start: int
    length: int

    def span(self, *inputs: Span) -> Span:
        """Return the windows inside what is kept."""
        first = (inputs[0].starts - self.start).clamp(min=0)
        end = (inputs[0].starts + inputs[0].width - self.start).clamp(max=self.length)
        return Span.of(first, end, self.length)

    def apply(self, reference: Tensor, span: Span, positions: slice, *inputs: Layer) -> Layer:
        """Read what is kept."""
        starts = span.starts[positions]
        return Layer(reference, inputs[0].read(starts + self.start, span.width), starts)


def summed(layer: Layer) -> Tensor:
    """Add up all positions, (P, B, C)."""
    return layer.reference.sum(0) + layer.change.sum(2)


def largest_of(layer: Layer) -> Tensor:
    """Return the largest value of all positions, (P, B, C)."""
    none = float("-inf")
    width = layer.values.shape[2]
    before = nn.functional.pad(layer.reference.cummax(0).values, (0, 0, 1, 0), value=none)
    behind = layer.reference.flip(0).cummax(0).values.flip(0)
    behind = nn.functional.pad(behind, (0, 0, 0, 1), value=none)
    beside = torch.maximum(before[layer.starts], behind[layer.starts + width])
    return torch.maximum(beside.unsqueeze(1), layer.values.amax(2))


def linear_of_all(layer: Layer, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Map all positions, flattened channels first, by a matrix (O, C · length): (P, B, O)."""
    length, n_channels = layer.reference.shape
    expected = nn.functional.linear(layer.reference.T.reshape(-1), weight, bias)
    by_position = weight.view(-1, n_channels, length).permute(2, 1, 0)  # (length, C, O)
    change, width = layer.change, layer.values.shape[2]
    result = change.new_empty(*change.shape[:2], len(weight))
    starts, counts = torch.unique_consecutive(layer.starts, return_counts=True)
    done = 0
    for start, count in zip(starts.tolist(), counts.tolist(), strict=True):
        rows = slice(done, done + count)
        result[rows] = change[rows].flatten(2) @ by_position[start : start + width].flatten(0, 1)
        done += count
    return result.add_(expected)


def spliced(layer: Layer) -> Tensor:
    """Return the whole layer of every mutant, channels first: (P · B, C, length)."""
    n_positions, n_mutants, width, _ = layer.values.shape
    whole = layer.reference.expand(n_positions, n_mutants, -1, -1).clone()
    at = layer.starts.unsqueeze(-1) + torch.arange(width, device=layer.starts.device)
    whole.scatter_(2, at[:, None, :, None].expand_as(layer.values), layer.values)
    return whole.flatten(0, 1).mT.contiguous()
