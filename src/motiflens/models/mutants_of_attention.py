"""Additive attention after every single substitution.

A substitution changes the few units that see its base, and by them the query, on which every score
depends. Its scores are computed in three ways.

*The changed units* get their scores and values anew.

*The units near them* keep their keys. With t and τ the tanh of what a unit had and of what the
query's change adds to it,

    tanh(a + δ) = (t + τ) / (1 + t τ) = t + τ (1 − t²) (1 − t τ + t² τ² − …),

so that the scores of all units and mutants are one product of matrices: powers of τ with powers of
t. As many terms are taken as float32 or float64 can tell.

*The units far from them* are many, and only what they add up to is wanted. In a long sequence one
base changes the query little, and the exponential of a score is a polynomial of second order in δ
as far as the precision goes; so sums over units of its coefficients, once for all mutants, are
enough. Where it is not, every unit counts as near.

No large sums are subtracted from each other: a unit that held all attention may be gone in a
mutant.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from motiflens.models.layers import AdditiveAttention, Linear, affine
from motiflens.models.mutants import ChangedUnits

#: Largest τ for which the series is taken; beyond, every tanh is computed.
MAX_TAU = 0.5
#: Fewer far units cost less one by one than by what they add up to.
FEW_FAR = 128
#: Change of a score up to which its exponential needs no new largest score.
MAX_CHANGE = 40.0
#: In place of minus infinity as the largest score of no units.
NO_SCORE = -1e30


@dataclass(frozen=True)
class _Sums:
    """What units add up to: coefficients (N, H, (1 + C)², 1 + O) of the products of (1, δ).

    They are over the exponential of the largest score, ``top`` (N, H, 1, 1).
    """

    coefficients: Tensor
    top: Tensor

    def __add__(self, other: _Sums) -> _Sums:
        top = torch.maximum(self.top, other.top)
        parts = [x.coefficients * (x.top - top).exp() for x in (self, other)]
        return _Sums(parts[0] + parts[1], top)


@dataclass(frozen=True)
class AttentionMutants:
    """What is known of N sequences with U units of F channels before anything is substituted.

    Parameters
    ----------
    attention, hidden
        The attention of H heads with C channels, and the layer its contexts go to, with O outputs.
    units
        The units, and those that a substitution changes.
    """

    attention: AdditiveAttention
    hidden: Linear
    units: ChangedUnits

    def _weights(self) -> tuple[Tensor, Tensor]:
        n_channels = self.units.units.shape[-1]
        w_query, w_key = torch.split(self.attention.project.weight, n_channels, dim=-1)
        return w_query, w_key

    def _by_head(self, x: Tensor) -> Tensor:
        """Split the last axis, head after head: (..., H · C) → (..., H, C)."""
        return x.view(*x.shape[:-1], self.attention.n_heads, -1)

    @cached_property
    def _v(self) -> Tensor:
        return self._by_head(self.attention.v)

    @cached_property
    def _beside(self) -> Tensor:
        return self.units.beside()

    @cached_property
    def _counts(self) -> Tensor:
        return self.units.valid.sum(-1)

    @cached_property
    def _query(self) -> Tensor:
        kept = self.units.units * self.units.valid.unsqueeze(-1)
        return kept.sum(-2) / self._counts.unsqueeze(-1)

    @cached_property
    def _of_query(self) -> Tensor:
        """What the query adds to every unit before tanh, (N, H · C)."""
        return affine(self._query, self._weights()[0], self.attention.project.bias)

    @cached_property
    def _before(self) -> Tensor:
        """What goes through tanh, (N, H, U, C)."""
        before = affine(self.units.units, self._weights()[1], None) + self._of_query.unsqueeze(-2)
        return self._by_head(before).transpose(1, 2).contiguous()

    @cached_property
    def _t(self) -> Tensor:
        return self._before.tanh()

    @cached_property
    def _scores(self) -> Tensor:
        """The scores, (N, H, U), minus infinity where a unit does not count."""
        scores = (self._t @ self._v.unsqueeze(-1)).squeeze(-1)
        return scores.masked_fill_(~self.units.valid.unsqueeze(1), float("-inf"))

    @cached_property
    def _values(self) -> Tensor:
        """One, and what each unit adds to the hidden layer under a head, (N, H, U, 1 + O)."""
        by_head = self._by_head(self.hidden.weight).transpose(0, 1)  # (H, O, F)
        mixed = self.units.units.unsqueeze(1) @ by_head.mT
        return nn.functional.pad(mixed, (1, 0), value=1.0)

    def hidden_at(self, positions: slice, far: _Far) -> tuple[Tensor, Tensor]:
        """Return the changed units (N, P, 3, J, F) and the hidden layer (N, P, 3, O) of mutants.

        Before its activation; of each of the other bases at P positions.
        """
        changed, counted = self.units.at(positions), self.units.counted(positions)
        kept = counted[:, :, None, None].to(changed.dtype)  # (N, P, 1, 1, J)
        total = self._beside[:, positions].unsqueeze(-2) + (kept @ changed).squeeze(-2)
        change = total / self._counts[:, None, None, None] - self._query[:, None, None]
        delta = affine(change, self._weights()[0], None)  # (N, P, 3, H · C)
        own = self._own_scores(changed, delta).masked_fill_(
            ~counted[:, :, None, :, None], float("-inf")
        )
        sums, tops = self._of_others(delta, positions, far)
        top = torch.stack([*tops, own.amax(-2)]).amax(0)  # (N, P, 3, H)
        own = (own - top.unsqueeze(-2)).exp_()
        others = torch.stack(
            [x * (t - top).exp().unsqueeze(-1) for x, t in zip(sums, tops, strict=True)]
        ).sum(0)  # (N, P, 3, H, 1 + O)
        total = others[..., 0] + own.sum(-2)
        context = (own / total.unsqueeze(-2)).mT @ changed  # (N, P, 3, H, F)
        of_others = (others[..., 1:] / total.unsqueeze(-1)).sum(-2)
        return changed, of_others + affine(
            context.flatten(-2), self.hidden.weight, self.hidden.bias
        )

    @cached_property
    def _of_sigmoid(self) -> tuple[Tensor, Tensor, Tensor]:
        """What scores are in sigmoids: tanh x = 2 / (1 + exp(-2 x)) - 1, in half the time.

        Twice the weights of keys (H · C, F), twice v laid out by head (H, H · C), and its sum (H,).
        """
        by_head = (torch.eye(len(self._v)).to(self._v).unsqueeze(-1) * self._v).flatten(1)
        return 2 * self._weights()[1], 2 * by_head, by_head.sum(-1)

    def _own_scores(self, changed: Tensor, delta: Tensor) -> Tensor:
        """Score the changed units: (N, P, 3, J, F) → (N, P, 3, J, H)."""
        w_key, v, rest = self._of_sigmoid
        of_query = 2 * (delta + self._of_query[:, None, None]).unsqueeze(-2)
        hidden = affine(changed, w_key, None).add_(of_query).sigmoid_()
        return affine(hidden, v, -rest)

    def _of_others(
        self, delta: Tensor, positions: slice, far: _Far
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Add up the units that stay: sums (N, P, 3, H, 1 + O) over the exponential of tops."""
        by_head = self._by_head(delta).movedim(-2, 1).flatten(2, 3)  # (N, H, P · 3, C)
        order, near = far.order(by_head), slice(0, self.units.units.shape[-2])
        parts = []
        if order:
            near = far.near(positions)
            parts.append(far.sums(by_head, positions, order))
        parts.append(self._sums_near(by_head, near, self.units.changed(positions)))

        def back(x: Tensor) -> Tensor:
            of_mutants = x.expand(*by_head.shape[:3], x.shape[-1])
            return torch.unflatten(of_mutants, 2, delta.shape[1:3]).movedim(1, 3)

        return [back(sums) for sums, _ in parts], [back(top).squeeze(-1) for _, top in parts]

    def _sums_near(self, delta: Tensor, near: slice, changed: Tensor) -> tuple[Tensor, Tensor]:
        """Add up those of the units near that stay: (N, H, Q, 1 + O) over the exponential of tops.

        Of changes δ (N, H, Q, C) of the query, three for each of P positions, which change the
        units (P, J).
        """
        unit = torch.arange(near.start, near.stop, device=changed.device)
        gone = (unit >= changed[:, :1]) & (unit <= changed[:, -1:])  # (P, near)
        scores = self._scores[:, :, None, near].masked_fill(gone, float("-inf"))
        top = scores.amax(-1, keepdim=True).clamp_(min=NO_SCORE)
        largest = float(delta.detach().abs().amax())
        weights = torch.unflatten(self._change_of_scores(delta, near, largest), 2, (-1, 3))
        weights.add_(scores.sub_(top).unsqueeze(3))
        top = top.unsqueeze(3).expand(*weights.shape[:4], 1)
        if min(largest, 2.0) * self._steepest > MAX_CHANGE:
            raised = weights.amax(-1, keepdim=True).clamp_(min=NO_SCORE)
            weights, top = weights.sub_(raised), top + raised
        return weights.exp_().flatten(2, 3) @ self._values[:, :, near], top.flatten(2, 3)

    @cached_property
    def _steepest(self) -> float:
        """How much more a score can change than what goes through tanh, of any head."""
        return float(self._v.detach().abs().sum(-1).amax())

    def _change_of_scores(self, delta: Tensor, near: slice, largest: float) -> Tensor:
        """By how much units' scores change with δ (N, H, Q, C), ``largest`` at most: (…, near)."""
        v, t = self._v.unsqueeze(-2), self._t[:, :, near]
        largest = math.tanh(largest)
        if largest > MAX_TAU:
            at = self._before[:, :, None, near] + delta.unsqueeze(-2)
            return (at.tanh_().sub_(t.unsqueeze(2)) @ v.unsqueeze(1).mT).squeeze(-1)
        tau = delta.tanh()
        of_units, of_mutants = [v * (1 - t.square())], [tau]
        for _ in range(_n_terms(largest, delta.dtype) - 1):
            of_units.append(of_units[-1] * -t)
            of_mutants.append(of_mutants[-1] * tau)
        return torch.cat(of_mutants, -1) @ torch.cat(of_units, -1).mT


class _Far:
    """Sums over all units before and behind those near each block of positions."""

    def __init__(self, mutants: AttentionMutants, blocks: list[slice]) -> None:
        self.mutants = mutants
        self.n_units = mutants.units.units.shape[-2]
        self.ranges = {block.start: self._range(block) for block in blocks}
        self.worth = all(
            self.n_units - (near.stop - near.start) >= FEW_FAR for near in self.ranges.values()
        )

    def _range(self, positions: slice) -> slice:
        units = self.mutants.units
        start = units.first_changed_by(positions.start)
        stop = units.first_changed_by(positions.stop - 1) + units.n_changed
        return slice(min(max(start, 0), self.n_units), max(min(stop, self.n_units), 0))

    def near(self, positions: slice) -> slice:
        """Return the units that some of the positions change."""
        return self.ranges[positions.start]

    def order(self, delta: Tensor) -> int:
        """Return the order of the polynomial that is exact for these δ, or 0 for none.

        With g = Σ v (tanh(a + δ) − tanh(a)), the derivatives of exp(g) along δ are bounded by those
        of tanh: 1, 0.77 and 2 at most.
        """
        if not self.worth:
            return 0
        size = delta.detach().abs()
        x = float((size * self.mutants._v.detach().abs().unsqueeze(-2)).sum(-1).amax())
        largest = float(size.amax())
        if x > 1:
            return 0
        precision = torch.finfo(delta.dtype).eps / 2
        if math.exp(x) * x * (x + 0.77 * largest) / 2 <= precision:
            return 1
        third = x * (x * x + 3 * 0.77 * x * largest + 2 * largest**2)
        return 2 if math.exp(x) * third / 6 <= precision else 0

    def sums(self, delta: Tensor, positions: slice, order: int) -> tuple[Tensor, Tensor]:
        """Add up the far units under changes δ (N, H, Q, C): (N, H, Q, 1 + O) over tops."""
        found, values = self._around[positions.start], nn.functional.pad(delta, (1, 0), value=1.0)
        if order > 1:
            return _products(values) @ found.coefficients, found.top
        # Those of products with 1, of which each but the first comes twice.
        coefficients = 2 * found.coefficients[:, :, : values.shape[-1]]
        coefficients[:, :, 0] /= 2
        return values @ coefficients, found.top

    @cached_property
    def _around(self) -> dict[int, _Sums]:
        """For each block of positions, what the units before and behind its near ones add up to."""
        starts = list(self.ranges)
        before, behind = {}, {}
        done, sums = 0, self._of(slice(0, 0))
        for start in starts:
            sums = sums + self._of(slice(done, self.ranges[start].start))
            done, before[start] = max(done, self.ranges[start].start), sums
        done, sums = self.n_units, self._of(slice(0, 0))
        for start in reversed(starts):
            sums = sums + self._of(slice(self.ranges[start].stop, done))
            done, behind[start] = min(done, self.ranges[start].stop), sums
        return {start: before[start] + behind[start] for start in starts}

    def _of(self, units: slice) -> _Sums:
        scores, t = self.mutants._scores[:, :, units], self.mutants._t[:, :, units]
        if scores.shape[-1]:
            top = scores.amax(-1)[..., None, None].clamp(min=NO_SCORE)
        else:
            top = torch.full_like(scores.sum(-1)[..., None, None], NO_SCORE)
        slope = self.mutants._v.unsqueeze(-2) * (1 - t.square())
        # exp(g) = 1 + g + g² / 2 with g = Σ slope δ - slope t δ², as a sum over the products of all
        # pairs of (1, δ).
        features = _products(nn.functional.pad(slope, (1, 0), value=1.0)).mul_(0.5)
        squares = torch.unflatten(features, -1, (slope.shape[-1] + 1, -1))
        squares.diagonal(dim1=-2, dim2=-1).add_(nn.functional.pad(slope * -t, (1, 0), value=0.5))
        weighted = self.mutants._values[:, :, units] * (scores.unsqueeze(-1) - top).exp()
        return _Sums(features.mT @ weighted, top)


def _products(x: Tensor) -> Tensor:
    """Return the products of all pairs of channels, (..., C) → (..., C²)."""
    return (x.unsqueeze(-1) * x.unsqueeze(-2)).flatten(-2)


def attention_mutants(
    attention: AdditiveAttention, hidden: Linear, units: ChangedUnits, start: int, stop: int
) -> Iterator[tuple[slice, Tensor, Tensor]]:
    """Compute the hidden layer, before its activation, after every single substitution.

    Parameters
    ----------
    attention, hidden
        The attention, and the layer that its contexts go to, with O outputs.
    units
        The units, and those that a substitution changes.
    start, stop
        The positions to substitute.

    Yields
    ------
    tuple
        Of each block of P positions: which they are, the changed units (N, P, 3, J, F), and the
        hidden layer (N, P, 3, O); the bases are :data:`motiflens.models.mutants.OTHERS`.
    """
    mutants = AttentionMutants(attention, hidden, units)
    blocks = list(units.blocks(start, stop))
    far = _Far(mutants, blocks)
    for block in blocks:
        yield block, *mutants.hidden_at(block, far)


def _n_terms(largest: float, precision: torch.dtype) -> int:
    """Return how many terms of the series leave a rest below the precision."""
    eps = torch.finfo(precision).eps / 4
    return 1 if largest <= eps else max(1, math.ceil(math.log(eps) / math.log(largest)))
