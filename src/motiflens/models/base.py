"""What our models promise beyond the contract of any model: features and attention tied to bases.

Any ``torch.nn.Module`` from one-hot ``(N, 4, L)`` to logits ``(N,)`` or ``(N, T)`` can be trained
and explained. A :class:`SequenceModel` also says which bases each of its units sees.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class ReceptiveField:
    """The bases that a row of units sees: unit i sees ``[start(i), start(i) + width)``.

    Parameters
    ----------
    first
        First base of unit 0; negative when the layer pads its input.
    stride
        Bases from one unit to the next.
    width
        Bases that one unit sees.
    """

    first: int
    stride: int
    width: int

    def start(self, unit: int) -> int:
        """First base (0-based) that a unit sees."""
        return self.first + unit * self.stride

    def pooled(self, pool_size: int) -> ReceptiveField:
        """Return the field of units that pool ``pool_size`` neighbours without overlap."""
        return ReceptiveField(
            self.first, self.stride * pool_size, self.width + self.stride * (pool_size - 1)
        )


@dataclass(frozen=True)
class FeatureMap:
    """Activations of the first layer: ``activations`` (N, F, U) and the ``field`` of a unit."""

    activations: Tensor
    field: ReceptiveField


@dataclass(frozen=True)
class AttentionMap:
    """Attention of one layer: ``weights`` (N, H, U) sum to 1 over U; ``field`` ties U to bases.

    Of self-attention, ``full`` (N, H, U, U) is the weight of each key (last) for each query, and
    ``weights`` is its mean over the queries that are not padding: the attention a unit receives.
    """

    layer: str
    weights: Tensor
    field: ReceptiveField
    full: Tensor | None = None


@dataclass(frozen=True, eq=False)
class PooledFilters:
    """A model whose logit depends on the largest activation of each filter, and on nothing else.

    Parameters
    ----------
    weight
        Of the filters, without a bias, (F, 4, K); one unit a base, centred on it.
    field
        The bases that a unit sees.
    head
        From the largest activations (..., F) over the units on the sequence to logits (...).
    both_strands
        Whether the logit is the mean over a sequence and its reverse complement.
    floor
        (F,): a largest activation below this counts as much as this; None where all count.
    """

    weight: Tensor
    field: ReceptiveField
    head: Callable[[Tensor], Tensor]
    both_strands: bool = False
    floor: Tensor | None = None


class SequenceModel(nn.Module):
    """Base of the models of this package: one-hot ``(N, 4, L)`` to logits ``(N,)``.

    Several threads may call one of them at a time, so a forward pass keeps nothing on the module.
    """

    #: Shortest sequence (in bases) that the model accepts.
    min_length: int = 1
    #: Whether a sequence and its reverse complement score the same.
    both_strands: bool = False

    @property
    def filters(self) -> Tensor:
        """Weights of the first layer, (F, 4, K)."""
        raise AttributeError(f"{type(self).__name__} has no first-layer filters")

    def first_layer(self, one_hot: Tensor) -> FeatureMap:
        """Return the activations of the first layer before any pooling."""
        raise AttributeError(f"{type(self).__name__} has no first-layer filters")

    def read(self, one_hot: Tensor) -> Any:
        """Return what :meth:`forward` also takes in place of one-hot, read without any weight.

        Training reads the batches of many steps at once. What is read is indexed as one-hot is:
        ``model(model.read(one_hot)[:, rows])`` is ``model(one_hot[:, rows])``.

        Parameters
        ----------
        one_hot
            (R, N, 4, L), of R replicas.

        Returns
        -------
        object
            One-hot itself where nothing is gained.
        """
        return one_hot

    def attention_maps(self, one_hot: Tensor) -> list[AttentionMap]:
        """Return the attention of every layer; empty when the model has none."""
        return []

    def single_mutant_logits(
        self, one_hot: Tensor, start: int = 0, end: int | None = None
    ) -> Tensor | None:
        """Return the logits after every single substitution, where units can be updated for it.

        Parameters
        ----------
        one_hot
            (N, 4, L).
        start, end
            The positions to substitute, the end not in; None for all.

        Returns
        -------
        Tensor or None
            (N, 4, end − start): base b put at a position, of any value at a zero column.
            None where every mutant has to go through the whole model.
        """
        return None

    def pooled_filters(self) -> PooledFilters | None:
        """Return what the model is made of, where it is no more than filters, maxima and a head."""
        return None


def sequence_ends(one_hot: Tensor) -> Tensor:
    """Return the end of each sequence, behind its last base: (..., 4, L) to (...), int.

    A zero column before it is an N, one behind it is padding.
    """
    position = torch.arange(1, one_hot.shape[-1] + 1, device=one_hot.device)
    return ((one_hot.amax(-2) > 0) * position).amax(-1)


def mirrored(one_hot: Tensor) -> Tensor:
    """Return each position's position on the other strand: (..., 4, L) to (..., L), int.

    Of n bases the one at p lies at n - 1 - p; padding stays on the right. Taken twice, every
    position is itself again.
    """
    length = one_hot.shape[-1]
    positions = torch.arange(length, device=one_hot.device)
    mirror = sequence_ends(one_hot).unsqueeze(-1) - 1 - positions
    return torch.where(mirror < 0, mirror + length, mirror)


def other_strand(one_hot: Tensor) -> Tensor:
    """Reverse-complement one-hot (..., 4, L); padding stays on the right."""
    positions = mirrored(one_hot).unsqueeze(-2).expand_as(one_hot)
    return one_hot.flip(-2).gather(-1, positions)


def valid_units(one_hot: Tensor, n_units: int, field: ReceptiveField) -> Tensor:
    """Mark the units whose centre lies on the sequence and not on its padding.

    A sequence ends at its last base that is not a zero column, so an N inside is no padding.

    Parameters
    ----------
    one_hot
        (..., 4, L).
    n_units, field
        The units and the bases that they see.

    Returns
    -------
    Tensor
        (..., n_units), bool; unit 0 is always valid, so that a softmax over units is defined.
    """
    ends = sequence_ends(one_hot)
    centres = field.first + field.stride * torch.arange(n_units, device=one_hot.device)
    centres = centres + (field.width - 1) // 2
    valid = centres < ends.unsqueeze(-1)
    valid[..., 0] = True
    return valid


def project_to_bases(weights: Tensor, field: ReceptiveField, length: int) -> Tensor:
    """Project the weights of units to bases: those that a unit sees share its weight equally.

    Nothing is interpolated: the sum over bases equals the sum over units. Of a unit that looks
    over an edge, the bases inside the sequence share the weight.

    Parameters
    ----------
    weights
        (N, H, U) weights of units.
    field
        The bases that unit i sees.
    length
        Number of bases L.

    Returns
    -------
    Tensor
        (N, H, L).

    Raises
    ------
    ValueError
        If a unit sees no base of the sequence.
    """
    units = torch.arange(weights.shape[-1], device=weights.device).unsqueeze(-1)
    bases = torch.arange(length, device=weights.device)
    starts = field.first + field.stride * units
    seen = ((bases >= starts) & (bases < starts + field.width)).to(weights.dtype)
    counts = seen.sum(-1, keepdim=True)
    if bool((counts == 0).any()):
        raise ValueError(f"a unit of {field} sees none of {length} bases")
    return weights @ (seen / counts)
