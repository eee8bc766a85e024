"""The first layer after every single substitution: only the units that see it are computed anew."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from motiflens.models.layers import Filters


def strongest_of_mutants(first: Filters, one_hot: Tensor, valid: Tensor) -> Tensor:
    """Give the largest answer of each filter after every single substitution, without the bias.

    A substitution changes the answers of the K units that see its base, each by the difference of
    two weights. The largest answer is that of the changed units or of the units on either side.

    Parameters
    ----------
    first
        Filters with one unit a base.
    one_hot
        (N, 4, L).
    valid
        (N, L), bool: the units that count.

    Returns
    -------
    Tensor
        (N, L, 4, F): base b put at position p. At a zero column of the input it means nothing.
    """
    answers = first(one_hot).masked_fill(~valid.unsqueeze(-1), float("-inf"))
    length, kernel_size = answers.shape[-2], first.field.width
    # Base p is seen by the units from p - right to p + left.
    left = -first.field.first
    right = kernel_size - 1 - left
    around = nn.functional.pad(answers, (0, 0, right, left), value=float("-inf"))
    weights = first.weight.permute(2, 1, 0).flip(0)  # (K, 4, F), in the order of those units
    observed = one_hot.mT @ weights.unsqueeze(1)  # (K, N, L, F)
    largest = _largest_beside(answers, left, right).unsqueeze(-2)
    for place in range(kernel_size):
        without = around[:, place : place + length] - observed[place]
        largest = torch.maximum(largest, without.unsqueeze(-2) + weights[place])
    return largest


def _largest_beside(answers: Tensor, left: int, right: int) -> Tensor:
    """Give the largest answer (N, L, F) of the units before p - right and behind p + left."""
    length = answers.shape[-2]
    before = answers.cummax(-2).values
    behind = answers.flip(-2).cummax(-2).values.flip(-2)
    nothing = float("-inf")
    before = nn.functional.pad(before, (0, 0, right + 1, 0), value=nothing)[:, :length]
    behind = nn.functional.pad(behind, (0, 0, 0, left + 1), value=nothing)[:, left + 1 :]
    return torch.maximum(before, behind)


@dataclass(frozen=True)
class ChangedUnits:
    """The units of a first layer with one unit a base, and the K of them that see each base.

    Parameters
    ----------
    first
        The filters.
    one_hot
        (N, 4, L).
    answers
        Their answers with the bias, (N, L, F).
    """

    first: Filters
    one_hot: Tensor
    answers: Tensor

    @staticmethod
    def of(first: Filters, one_hot: Tensor) -> ChangedUnits:
        """Compute the answers to sequences (N, 4, L)."""
        return ChangedUnits(first, one_hot, first.add_bias(first(one_hot)))

    @property
    def _sides(self) -> tuple[int, int]:
        """How far before and behind its base the units lie that see it."""
        left = -self.first.field.first
        return self.first.field.width - 1 - left, left

    def at(self, places: slice) -> Tensor:
        """Give the answers (N, P, 4, K, F) of the units around P places, base b put at each.

        What stands for units over the edge of the sequence means nothing.
        """
        around = nn.functional.pad(self.answers, (0, 0, *self._sides))
        around = around.unfold(-2, self.first.field.width, 1)[:, places].mT  # (N, P, K, F)
        weights = self.first.weight.permute(2, 1, 0).flip(0)  # (K, 4, F), in the order of those
        observed = self.one_hot.mT[:, places].unsqueeze(-3) @ weights.unsqueeze(0)
        without = around - observed.transpose(1, 2)
        return without.unsqueeze(2) + weights.transpose(0, 1)

    def valid(self, valid: Tensor, places: slice) -> Tensor:
        """Tell which of the units around P places count, (N, P, K), from those that do, (N, L)."""
        around = nn.functional.pad(valid, self._sides)
        return around.unfold(-1, self.first.field.width, 1)[:, places]

    def among(self, places: slice) -> Tensor:
        """Mark the units (P, L) that see each of P places."""
        unit = torch.arange(self.answers.shape[-2], device=self.answers.device)
        before, behind = self._sides
        offset = unit - unit[places].unsqueeze(-1)
        return (offset >= -before) & (offset <= behind)

    def beside(self, values: Tensor) -> Tensor:
        """Add up values (N, L, F) over the units that do not see each base, (N, L, F)."""
        before, behind = self._sides
        length = values.shape[-2]
        left = nn.functional.pad(values.cumsum(-2), (0, 0, before + 1, 0))[:, :length]
        right = values.flip(-2).cumsum(-2).flip(-2)
        right = nn.functional.pad(right, (0, 0, 0, behind + 1))[:, behind + 1 :]
        return left + right
