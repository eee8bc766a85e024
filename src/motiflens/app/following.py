"""One network followed on one sequence: what each of its layers was given and gave."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from motiflens.models.base import AttentionMap, FeatureMap, ReceptiveField, SequenceModel
from motiflens.models.layers import AdditiveAttention, MaxPool
from motiflens.sequences import ALPHABET

Floats = NDArray[np.float64]

#: The layers that make numbers of the whole sequence of what units hold, in order of computing.
DENSE = ("context", "hidden")


@dataclass(frozen=True, eq=False)
class Followed:
    """A network on one strand of one sequence.

    Parameters
    ----------
    network
        Of one strand.
    x
        (1, 4, L), as it reads it; L may be more than the sequence has bases.
    n
        Bases of the sequence.
    reverse
        Whether it reads the other strand.
    logit
        What it gives.
    calls
        Layer → what it was given first, and what it gave; only layers that are called by name.
    """

    network: SequenceModel
    x: Tensor
    n: int
    reverse: bool
    logit: float
    calls: dict[str, tuple[tuple[Tensor, ...], Tensor]]

    @cached_property
    def filters(self) -> FeatureMap | None:
        """The activations of the first layer, where the network begins with filters."""
        return self.network.first_layer(self.x) if hasattr(self.network, "first") else None

    @cached_property
    def maps(self) -> list[AttentionMap]:
        """The attention of every layer."""
        return self.network.attention_maps(self.x)

    @cached_property
    def dense(self) -> list[str]:
        """The layers between units and the output, which see numbers of the whole sequence."""
        return [name for name in DENSE if name in self.calls]

    @property
    def pool_size(self) -> int:
        """Units of the first layer in one unit of the next."""
        pool = getattr(self.network, "pool", None)
        return pool.pool_size if isinstance(pool, MaxPool) else 1

    def of_units(self) -> tuple[ReceptiveField, int]:
        """Return the field of the units that are pooled or attended to, and how many there are."""
        if self.filters is None:
            return ReceptiveField(0, 1, 1), self.x.shape[-1]
        n_units = self.filters.activations.shape[-1] // self.pool_size
        return self.filters.field.pooled(self.pool_size), n_units

    def given(self, layer: str) -> Floats:
        """Return what a layer was given, flat."""
        return as_floats(self.calls[layer][0][0]).ravel()

    def gave(self, layer: str) -> Floats:
        """Return what a layer gave, flat."""
        return as_floats(self.calls[layer][1]).ravel()

    def keys(self) -> Floats:
        """Return the units (U, C) that additive attention weighs."""
        return as_floats(self.calls["attention"][0][0])[0]

    def attention(self) -> AdditiveAttention:
        """Return the layer of additive attention."""
        layer = self.network.get_submodule("attention")
        assert isinstance(layer, AdditiveAttention)
        return layer

    def linear(self, layer: str) -> nn.Linear:
        """Return a layer of one matrix."""
        found = self.network.get_submodule(layer)
        assert isinstance(found, nn.Linear)
        return found

    def window(self, field: ReceptiveField, unit: int) -> tuple[int, int]:
        """Return the bases of the given strand that a unit sees, first and end."""
        start = max(field.start(unit), 0)
        end = min(field.start(unit) + field.width, self.n)
        start = min(start, end)
        return (self.n - end, self.n - start) if self.reverse else (start, end)

    def union(self) -> tuple[int, int]:
        """Return the bases that any of the units sees."""
        field, n_units = self.of_units()
        ends = (self.window(field, 0), self.window(field, n_units - 1))
        return min(start for start, _ in ends), max(end for _, end in ends)

    def position(self, base: int) -> int:
        """Return the position on the given strand of a base that the network reads."""
        return self.n - 1 - base if self.reverse else base

    def letter(self, base: int) -> str:
        """Return a base as the network reads it; N of a zero column."""
        column = self.x[0, :, base]
        return ALPHABET[int(column.argmax())] if bool(column.any()) else "N"


def follow(network: SequenceModel, x: Tensor, n: int, *, reverse: bool) -> Followed:
    """Compute a network on one sequence (1, 4, L) of n bases, and keep what its layers gave.

    A copy is watched, since others compute by the network itself meanwhile.
    """
    watched = copy.deepcopy(network)
    calls: dict[str, tuple[tuple[Tensor, ...], Tensor]] = {}
    for name, layer in watched.named_children():

        def keep(_: nn.Module, given: tuple[Tensor, ...], gave: Tensor, name: str = name) -> None:
            calls.setdefault(name, (given, gave))

        layer.register_forward_hook(keep)
    with torch.inference_mode():
        logit = float(watched(x).double())
    return Followed(network, x, n, reverse, logit, calls)


def as_floats(values: Tensor) -> Floats:
    """Return values as float64."""
    return values.detach().double().cpu().numpy()
