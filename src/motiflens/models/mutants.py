"""The first layer after every single substitution: only the units that see it are computed anew."""

from __future__ import annotations

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
