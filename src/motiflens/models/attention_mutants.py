"""Additive attention after every single substitution, from what the other units say already.

A substitution changes the K units that see its base, and by them the query, on which every score
depends. With t and τ the tanh of what a unit had and of what the query's change adds to it,

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

from motiflens.models.layers import AdditiveAttention, Linear, affine
from motiflens.models.mutants import ChangedUnits

#: Largest τ for which the series is taken; beyond, every tanh is computed.
LARGEST = 0.5
#: Scores of one head that are computed together: about what the processor's caches hold.
AT_ONCE = 2**15


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
    """Give the hidden layer (before its activation) after every single substitution.

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
    known = _known(attention, hidden, units, activation(units.answers), valid)
    n_places = units.answers.shape[-2]
    at_once = max(1, AT_ONCE // (4 * n_places))
    parts = [
        _hidden(attention, hidden, known, units, activation, slice(start, start + at_once))
        for start in range(0, n_places, at_once)
    ]
    return torch.cat(parts, 1)


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
    places: slice,
) -> Tensor:
    """Give the hidden layer (N, P, 4, O) of the mutants at P places."""
    changed, seen = activation(units.at(places)), units.valid(known.valid, places)
    counted = seen[:, :, None, :, None]  # (N, P, 1, K, 1)
    total = known.beside[:, places].unsqueeze(-2) + (changed * counted).sum(-2)
    query = total / known.valid.sum(-1)[:, None, None, None]  # (N, P, 4, F)
    scores = _scores(attention, known, query)  # (N, H, P, 4, U)
    out = ~known.valid.unsqueeze(1) | units.among(places)  # (N, P, U)
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
    if math.tanh(largest) > LARGEST:
        at = before[:, None, None] + change.unsqueeze(-3)  # (N, P, 4, U, H, C / H)
        return (at.tanh() * v).sum(-1).movedim(-1, 1)
    t, tau = torch.tanh(before), torch.tanh(change)
    first = (t * v).sum(-1).mT[:, :, None, None]  # (N, H, 1, 1, U)
    powers = torch.arange(_n_terms(math.tanh(largest), query.dtype), device=query.device)
    of_units = (v * (1 - t.square())).unsqueeze(-1) * (-t).unsqueeze(-1) ** powers
    of_mutants = tau.unsqueeze(-1) ** (powers + 1)
    left, right = of_mutants.movedim(-3, 1).flatten(-2), of_units.movedim(-3, 1).flatten(-2)
    found: Tensor = left @ right.mT.unsqueeze(2) + first
    return found


def _by_head(x: Tensor, attention: AdditiveAttention) -> Tensor:
    """Split the last axis, head after head: (..., H · C) → (..., H, C)."""
    return x.view(*x.shape[:-1], attention.n_heads, -1)


def _n_terms(largest: float, precision: torch.dtype) -> int:
    """Give how many terms of the series leave a rest below the precision."""
    eps = torch.finfo(precision).eps / 4
    return 1 if largest <= eps else max(1, math.ceil(math.log(eps) / math.log(largest)))
