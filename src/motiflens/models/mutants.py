"""Models after every single substitution: only the units that see it are computed anew (fastISM).

Additive attention needs more than that. A substitution changes the K units that see its base, and
by them the query, on which every score depends. With t and τ the tanh of what a unit had and of
what the query's change adds to it,

    tanh(a + δ) = (t + τ) / (1 + t τ) = t + τ (1 − t²) (1 − t τ + t² τ² − …),

so that the scores of all units and all mutants are one product of matrices: powers of τ with powers
of t. As many terms are taken as float32 or float64 can tell. No large sums are subtracted from each
other: a unit that held all attention may be gone in a mutant.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from motiflens.models.filters import Filters
from motiflens.models.layers import AdditiveAttention, Linear, affine

#: Largest τ for which the series is taken; beyond, every tanh is computed.
MAX_TAU = 0.5
#: Scores of one head that are computed together: about what the processor's caches hold.
SCORES_AT_ONCE = 2**15


@dataclass(frozen=True)
class ChangedUnits:
    """The units of a first layer with one unit a base, and the K of them that see each base.

    Parameters
    ----------
    first
        The filters.
    one_hot
        (N, 4, L).
    activations
        Their activations with the bias, (N, L, F).
    """

    first: Filters
    one_hot: Tensor
    activations: Tensor

    @staticmethod
    def of(first: Filters, one_hot: Tensor) -> ChangedUnits:
        """Compute the activations of sequences (N, 4, L)."""
        return ChangedUnits(first, one_hot, first.add_bias(first(one_hot)))

    @property
    def _sides(self) -> tuple[int, int]:
        """How far before and behind its base the units lie that see it."""
        left = -self.first.field.first
        return self.first.field.width - 1 - left, left

    def at(self, positions: slice) -> Tensor:
        """Return the activations (N, P, 4, K, F) around P positions, base b put at each.

        What stands for units over the edge of the sequence means nothing.
        """
        around = nn.functional.pad(self.activations, (0, 0, *self._sides))
        around = around.unfold(-2, self.first.field.width, 1)[:, positions].mT  # (N, P, K, F)
        weights = self.first.weight.permute(2, 1, 0).flip(0)  # (K, 4, F), in the order of those
        observed = self.one_hot.mT[:, positions].unsqueeze(-3) @ weights.unsqueeze(0)
        without = around - observed.transpose(1, 2)
        return without.unsqueeze(2) + weights.transpose(0, 1)

    def valid(self, valid: Tensor, positions: slice) -> Tensor:
        """Return which units around P positions count, (N, P, K), from those that do, (N, L)."""
        around = nn.functional.pad(valid, self._sides)
        return around.unfold(-1, self.first.field.width, 1)[:, positions]

    def among(self, positions: slice) -> Tensor:
        """Mark the units (P, L) that see each of P positions."""
        unit = torch.arange(self.activations.shape[-2], device=self.activations.device)
        before, behind = self._sides
        offset = unit - unit[positions].unsqueeze(-1)
        return (offset >= -before) & (offset <= behind)

    def beside(self, values: Tensor) -> Tensor:
        """Add up values (N, L, F) over the units that do not see each base, (N, L, F)."""
        before, behind = self._sides
        length = values.shape[-2]
        left = nn.functional.pad(values.cumsum(-2), (0, 0, before + 1, 0))[:, :length]
        right = values.flip(-2).cumsum(-2).flip(-2)
        right = nn.functional.pad(right, (0, 0, 0, behind + 1))[:, behind + 1 :]
        return left + right


@dataclass(frozen=True)
class _Known:
    """What is known of N sequences with U units of F channels before anything is substituted.

    Parameters
    ----------
    keys, valid
        The units (N, U, F), and which of them count (N, U).
    query
        The mean of the keys that count, (N, F).
    beside
        What the keys beside those that see a base add up to, (N, L, F).
    before
        What goes through tanh: (N, U, C), head after head.
    mixed
        What each unit adds to the hidden layer, were a head to look at it alone: (N, H, U, O).
    """

    keys: Tensor
    valid: Tensor
    query: Tensor
    beside: Tensor
    before: Tensor
    mixed: Tensor


def hidden_of_mutants(
    attention: AdditiveAttention,
    hidden: Linear,
    units: ChangedUnits,
    activation: nn.Module,
    valid: Tensor,
) -> Tensor:
    """Return the hidden layer (before its activation) after every single substitution.

    Parameters
    ----------
    attention, hidden
        The attention, and the layer that its contexts go to, with O outputs.
    units
        The first layer's units, and those that a substitution changes.
    activation
        What makes them keys.
    valid
        (N, U), bool: the units that count.

    Returns
    -------
    Tensor
        (N, L, 4, O): base b put at position p. At a zero column of the input it means nothing.
    """
    known = _known(attention, hidden, units, activation(units.activations), valid)
    n_positions = units.activations.shape[-2]
    at_once = max(1, SCORES_AT_ONCE // (4 * n_positions))
    blocks = [
        _hidden(attention, hidden, known, units, activation, slice(start, start + at_once))
        for start in range(0, n_positions, at_once)
    ]
    return torch.cat(blocks, 1)


def _known(
    attention: AdditiveAttention, hidden: Linear, units: ChangedUnits, keys: Tensor, valid: Tensor
) -> _Known:
    kept = keys * valid.unsqueeze(-1)
    query = kept.sum(-2) / valid.sum(-1, keepdim=True)
    w_query, w_key = torch.split(attention.project.weight, keys.shape[-1], dim=-1)
    of_query = affine(query, w_query, attention.project.bias)
    by_head = _by_head(hidden.weight, attention).transpose(0, 1)  # (H, O, F)
    return _Known(
        keys=keys,
        valid=valid,
        query=query,
        beside=units.beside(kept),
        before=affine(keys, w_key, None) + of_query.unsqueeze(-2),
        mixed=keys.unsqueeze(1) @ by_head.mT,
    )


def _hidden(
    attention: AdditiveAttention,
    hidden: Linear,
    known: _Known,
    units: ChangedUnits,
    activation: nn.Module,
    positions: slice,
) -> Tensor:
    """Return the hidden layer (N, P, 4, O) of the mutants at P positions."""
    changed, seen = activation(units.at(positions)), units.valid(known.valid, positions)
    counted = seen[:, :, None, :, None]  # (N, P, 1, K, 1)
    total = known.beside[:, positions].unsqueeze(-2) + (changed * counted).sum(-2)
    query = total / known.valid.sum(-1)[:, None, None, None]  # (N, P, 4, F)
    scores = _scores(attention, known, query)  # (N, H, P, 4, U)
    out = ~known.valid.unsqueeze(1) | units.among(positions)  # (N, P, U)
    scores = scores.masked_fill(out[:, None, :, None], float("-inf"))
    own = _own_scores(attention, changed, query).masked_fill(~counted, float("-inf"))
    top = torch.maximum(scores.amax(-1), own.amax(-2).movedim(-1, 1)).unsqueeze(-1)
    others, own = (scores - top).exp_(), (own - top.squeeze(-1).movedim(1, -1).unsqueeze(-2)).exp_()
    sums = others.sum(-1).movedim(1, -1) + own.sum(-2)  # (N, P, 4, H)
    of_others = (others @ known.mixed.unsqueeze(2)).movedim(1, -2) / sums.unsqueeze(-1)
    context = own.mT @ changed / sums.unsqueeze(-1)  # (N, P, 4, H, F)
    return of_others.sum(-2) + affine(context.flatten(-2), hidden.weight, hidden.bias)


def _own_scores(attention: AdditiveAttention, changed: Tensor, query: Tensor) -> Tensor:
    """Score the changed units: keys (N, P, 4, K, F), queries (N, P, 4, F) → (N, P, 4, K, H)."""
    w_query, w_key = torch.split(attention.project.weight, query.shape[-1], dim=-1)
    of_query = affine(query, w_query, attention.project.bias).unsqueeze(-2)
    weighted = torch.tanh(affine(changed, w_key, None) + of_query) * attention.v
    return _by_head(weighted, attention).sum(-1)


def _scores(attention: AdditiveAttention, known: _Known, query: Tensor) -> Tensor:
    """Score the units as they were, for the queries (N, P, 4, F) of the mutants."""
    w_query, _ = torch.split(attention.project.weight, query.shape[-1], dim=-1)
    change = affine(query - known.query[:, None, None], w_query, None)
    before, change, v = (_by_head(x, attention) for x in (known.before, change, attention.v))
    largest = float(change.abs().amax())
    if math.tanh(largest) > MAX_TAU:
        at = before[:, None, None] + change.unsqueeze(-3)  # (N, P, 4, U, H, C / H)
        return (at.tanh() * v).sum(-1).movedim(-1, 1)
    t, tau = torch.tanh(before), torch.tanh(change)
    first = (t * v).sum(-1).mT[:, :, None, None]  # (N, H, 1, 1, U)
    powers = torch.arange(_n_terms(math.tanh(largest), query.dtype), device=query.device)
    of_units = (v * (1 - t.square())).unsqueeze(-1) * (-t).unsqueeze(-1) ** powers
    of_mutants = tau.unsqueeze(-1) ** (powers + 1)
    left, right = of_mutants.movedim(-3, 1).flatten(-2), of_units.movedim(-3, 1).flatten(-2)
    return left @ right.mT.unsqueeze(2) + first


def _by_head(x: Tensor, attention: AdditiveAttention) -> Tensor:
    """Split the last axis, head after head: (..., H · C) → (..., H, C)."""
    return x.view(*x.shape[:-1], attention.n_heads, -1)


def _n_terms(largest: float, precision: torch.dtype) -> int:
    """Return how many terms of the series leave a rest below the precision."""
    eps = torch.finfo(precision).eps / 4
    return 1 if largest <= eps else max(1, math.ceil(math.log(eps) / math.log(largest)))
