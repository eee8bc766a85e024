"""Models after every single substitution: only the units that see it are computed anew (fastISM).

A substitution changes the activations of the K filter units that see its base, each by the
difference of two weights, and so the few units that pool them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from motiflens.models.filters import Filters
from motiflens.models.layers import Linear, MaxPool

#: The other bases of an observed one: A, C, G, T, none.
OTHERS = ((1, 2, 3), (2, 3, 0), (3, 0, 1), (0, 1, 2), (1, 2, 3))
#: Activations of changed units that are computed at once, by device.
CHANGED_AT_ONCE = {"cpu": 2**20, "cuda": 2**27}
#: Positions at once, so that what lies near them stays a small part of a sequence.
POSITIONS_AT_ONCE = 128


@dataclass(frozen=True)
class ChangedUnits:
    """The units of a first layer and its pool, and the J of them that a base can change.

    Parameters
    ----------
    first, activation, pool_size
        The filters, a monotone activation, and how many of their units make one of ours.
    codes
        (N, L): 0 to 3, and 4 at zero columns.
    before
        Activations (N, R, F) of the filters with their bias, before activation and pool.
    units
        (N, U, F).
    valid
        (N, U), bool: the units that count.
    """

    first: Filters
    activation: nn.Module
    pool_size: int
    codes: Tensor
    before: Tensor
    units: Tensor
    valid: Tensor
    _differences: Tensor

    @staticmethod
    def of(
        first: Filters,
        activation: nn.Module,
        one_hot: Tensor,
        *,
        pool_size: int = 1,
        valid: Tensor | None = None,
    ) -> ChangedUnits:
        """Compute the units of sequences (N, 4, L)."""
        codes = one_hot.argmax(-2).masked_fill_(one_hot.amax(-2) == 0, 4)
        before = first.add_bias(first(one_hot))
        units = activation(before if pool_size == 1 else MaxPool(pool_size)(before))
        if valid is None:
            valid = torch.ones(units.shape[:2], dtype=torch.bool, device=units.device)
        table = _differences(first.weight, pool_size)
        return ChangedUnits(first, activation, pool_size, codes, before, units, valid, table)

    @property
    def n_changed(self) -> int:
        """How many units one base can change at most, J."""
        return _n_changed(self.first.field.width, self.pool_size)

    def first_changed_by(self, position: int) -> int:
        """Return the first unit that a position can change; below 0 at the edge."""
        return (position - self.first.field.first - self.first.field.width + 1) // self.pool_size

    def first_changed(self, positions: slice) -> Tensor:
        """Return the first unit that each of P positions can change, (P,); below 0 at the edge."""
        return self._earliest(positions).div(self.pool_size, rounding_mode="floor")

    def _earliest(self, positions: slice) -> Tensor:
        """Return the first unit of the filters that sees each position, below 0 at the edge."""
        position = torch.arange(positions.start, positions.stop, device=self.codes.device)
        return position - self.first.field.first - self.first.field.width + 1

    def changed(self, positions: slice) -> Tensor:
        """Return which units P positions can change, (P, J), some of them beyond the edges."""
        offsets = torch.arange(self.n_changed, device=self.codes.device)
        return self.first_changed(positions).unsqueeze(-1) + offsets

    def at(self, positions: slice) -> Tensor:
        """Return the changed units (N, P, 3, J, F) with each of :data:`OTHERS` at P positions.

        What stands for units beyond the edges of the sequence means nothing.
        """
        n_before, size = self.before.shape[-2], self.n_changed * self.pool_size
        start = self.first_changed(positions) * self.pool_size
        around = start.unsqueeze(-1) + torch.arange(size, device=start.device)
        row = (self._earliest(positions) - start) * 5 + self.codes[:, positions]
        # Whole rows are copied much faster than by indexing.
        after = self._differences.index_select(0, row.flatten())
        after = after.view(*row.shape, *after.shape[1:])
        before = self.before.index_select(1, around.clamp_(0, n_before - 1).flatten())
        after.add_(torch.unflatten(before, 1, (-1, 1, size)))  # (N, P, 1, J · S, F)
        if self.pool_size > 1:
            after = torch.unflatten(after, 3, (self.n_changed, self.pool_size)).amax(-2)
        if isinstance(self.activation, nn.ReLU):
            return after.relu_()
        changed: Tensor = self.activation(after)
        return changed

    def counted(self, positions: slice) -> Tensor:
        """Return which of the changed units count, (N, P, J)."""
        changed, n_units = self.changed(positions), self.units.shape[-2]
        inside = (changed >= 0) & (changed < n_units)
        return self.valid[:, changed.clamp(0, n_units - 1)] & inside

    def beside(self) -> Tensor:
        """Add up the units that count and that each base leaves as they are, (N, L, F)."""
        kept = self.units * self.valid.unsqueeze(-1)
        left = nn.functional.pad(kept.cumsum(-2), (0, 0, 1, 0))
        right = nn.functional.pad(kept.flip(-2).cumsum(-2).flip(-2), (0, 0, 0, 1))
        n_units = kept.shape[-2]
        start = self.first_changed(slice(0, self.codes.shape[-1]))
        end = (start + self.n_changed).clamp(0, n_units)
        return left[:, start.clamp(0, n_units)] + right[:, end]

    @staticmethod
    def at_once(first: Filters, one_hot: Tensor) -> int:
        """Return how many of the sequences (N, 4, L) fill the memory that a block may take."""
        budget = _budget(one_hot.device.type)
        one = 3 * first.field.width * len(first.bias) * min(one_hot.shape[-1], POSITIONS_AT_ONCE)
        return max(1, budget // one)

    def blocks(self, start: int, stop: int) -> Iterator[slice]:
        """Cut the positions from start to stop into those that are computed at once."""
        budget = _budget(self.codes.device.type)
        one = 3 * self.n_changed * self.pool_size * self.units.shape[-1] * len(self.codes)
        at_once = max(1, min(budget // one, POSITIONS_AT_ONCE))
        for first in range(start, stop, at_once):
            yield slice(first, min(first + at_once, stop))


def _budget(device: str) -> int:
    return CHANGED_AT_ONCE.get(device, CHANGED_AT_ONCE["cuda"])


def _n_changed(kernel_size: int, pool_size: int) -> int:
    return (kernel_size + 2 * pool_size - 2) // pool_size


def _differences(weight: Tensor, pool_size: int) -> Tensor:
    """Return what other bases add to the units around a base, (S · 5, 3, J · S, F).

    Row by row for each place of the first unit that sees the base within its pool, and for each
    observed base.
    """
    kernel_size = weight.shape[-1]
    others = torch.tensor(OTHERS, device=weight.device)
    bases = weight.permute(1, 2, 0).flip(1)  # (4, K, F), in the order of the units that see a base
    observed = nn.functional.pad(bases, (0, 0, 0, 0, 0, 1))
    differences = bases[others] - observed.unsqueeze(1)  # (5, 3, K, F)
    size = _n_changed(kernel_size, pool_size) * pool_size
    return torch.cat(
        [
            nn.functional.pad(differences, (0, 0, place, size - place - kernel_size))
            for place in range(pool_size)
        ]
    )


def flat_change(units: ChangedUnits, hidden: Linear, changed: Tensor, positions: slice) -> Tensor:
    """Return by how much a layer on all units, channels first, changes: (N, P, 3, O).

    Parameters
    ----------
    units, changed, positions
        The units, and the changed ones (N, P, 3, J, F) at P positions.
    hidden
        From (N, F · U) to O.
    """
    n_units = units.units.shape[-2]
    at = units.changed(positions).clamp(0, n_units - 1)
    was = units.units[:, at].unsqueeze(2)
    change = (changed - was) * units.counted(positions)[:, :, None, :, None]
    weight = torch.unflatten(hidden.weight, -1, (-1, n_units))[..., at]  # (O, F, P, J)
    rows = change.movedim(0, 1).flatten(3).flatten(1, 2)  # (P, N · 3, J · F)
    result = rows @ weight.permute(2, 3, 1, 0).flatten(1, 2)
    return torch.unflatten(result, 1, (-1, 3)).movedim(1, 0)


def with_reference(others: Tensor, reference: Tensor, codes: Tensor) -> Tensor:
    """Put the logits (N, P, 3) of mutants and of the sequences (N,) by base, (N, 4, P)."""
    by_base = reference[:, None, None].repeat(1, others.shape[1], 4)
    to = torch.tensor(OTHERS, device=codes.device)[codes]
    return by_base.scatter_(-1, to, others).mT
