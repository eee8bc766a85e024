"""What training adds against overfitting: changes of a batch, and the entropy of attention."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from motiflens.errors import InputError
from motiflens.sequences import PAD
from motiflens.training.recipes import Recipe


def augments(recipe: Recipe) -> bool:
    """Return whether a recipe changes its batches at all."""
    changes = (recipe.max_shift, recipe.mutation_rate, recipe.input_noise)
    return recipe.rc_augment or max(changes) > 0


def augment(
    codes: Tensor, lengths: Tensor, recipe: Recipe, generators: Sequence[torch.Generator]
) -> Tensor:
    """Change a batch of every replica at random, as its recipe says.

    Parameters
    ----------
    codes, lengths
        uint8 (R, N, L), int32 (R, N).
    recipe
        Which changes, and how large.
    generators
        One a replica, on the CPU.

    Returns
    -------
    Tensor
        uint8 (R, N, L).
    """
    n, k = codes.shape[1], recipe.max_shift
    if recipe.mutation_rate > 0.0:
        added = [_steps(codes.shape[1:], recipe.mutation_rate, g) for g in generators]
        mutated = (codes + torch.stack(added).to(codes.device)) % PAD
        codes = torch.where(codes < PAD, mutated, codes)
    shifts = torch.stack([torch.randint(-k, k + 1, (n,), generator=g) for g in generators])
    strands = torch.stack([torch.randint(2, (n,), generator=g) for g in generators]) > 0
    return _move(
        codes, lengths, shifts.to(codes.device), strands.to(codes.device) & recipe.rc_augment
    )


def other_strand(codes: Tensor, lengths: Tensor) -> Tensor:
    """Return the other strand of codes (..., L) with lengths (...); padding stays on the right."""
    return _move(codes, lengths, torch.zeros_like(lengths), torch.ones_like(lengths) > 0)


def add_noise(x: Tensor, deviation: float, generators: Sequence[torch.Generator]) -> Tensor:
    """Add Gaussian noise to the columns of known bases; N and padding stay zero.

    Parameters
    ----------
    x
        One-hot (R, N, 4, L).
    deviation
        Standard deviation.
    generators
        One a replica, on the CPU.

    Returns
    -------
    Tensor
        (R, N, 4, L).
    """
    drawn = [torch.randn(x.shape[1:], generator=g) for g in generators]
    return x + deviation * torch.stack(drawn).to(x) * x.amax(-2, keepdim=True)


def _steps(shape: torch.Size, rate: float, generator: torch.Generator) -> Tensor:
    """Draw what is added to each code, modulo 4: mostly 0, and 1, 2 or 3 with the given rate."""
    changed = torch.rand(shape, generator=generator) < rate
    added = torch.randint(1, PAD, shape, generator=generator, dtype=torch.uint8)
    return added * changed


def _move(codes: Tensor, lengths: Tensor, shifts: Tensor, reverse: Tensor) -> Tensor:
    """Take the other strand where asked for, then shift to the right, all in one look-up."""
    length = codes.shape[-1]
    ends = lengths.unsqueeze(-1)
    source = torch.arange(length, device=codes.device) - shifts.unsqueeze(-1)
    inside = (source >= 0) & (source < ends)
    source = torch.where(reverse.unsqueeze(-1), ends - 1 - source, source).clamp(0, length - 1)
    moved = codes.gather(-1, source).masked_fill(~inside, PAD)
    return torch.where(reverse.unsqueeze(-1) & (moved < PAD), 3 - moved, moved)


class AttentionEntropy:
    """Watches the attention of stacked replicas in training.

    Every attention of our models ends in a softmax module, whose output is seen as it passes.

    Parameters
    ----------
    joined
        R stacked replicas.

    Raises
    ------
    InputError
        If the model has no attention.
    """

    def __init__(self, joined: nn.Module) -> None:
        layers = [layer for layer in joined.modules() if isinstance(layer, nn.Softmax)]
        if not layers:
            raise InputError(
                f"a {type(joined).__name__} has no attention for attention_entropy",
                remedy="leave it out of the recipe, or train another model",
            )
        self._seen: list[Tensor] = []
        for layer in layers:
            layer.register_forward_hook(self._see)

    def take(self) -> Tensor:
        """Return the entropy of each sequence of the forward pass before, (R, B).

        1 is uniform attention, 0 is attention to one unit; the mean over heads (and, of
        self-attention, queries), then over layers.
        """
        taken = torch.stack(self._seen).mean(0)
        self._seen.clear()
        return taken

    def _see(self, layer: nn.Softmax, _: Any, weights: Tensor) -> None:
        if layer.training:
            assert layer.dim is not None
            self._seen.append(relative_entropy(weights, layer.dim).flatten(2).mean(-1))


def relative_entropy(weights: Tensor, dim: int) -> Tensor:
    """Return the entropy along an axis over that of equal weights; a weight of 0 adds nothing."""
    # The gradient of w log w is infinite at 0, where padding is.
    logarithms = weights.clamp_min(torch.finfo(weights.dtype).tiny).log()
    return -(weights * logarithms).sum(dim) / math.log(max(weights.shape[dim], 2))
