"""Other strand, shift and random base changes on the codes of a batch; noise on its one-hot."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from motiflens.sequences import PAD
from motiflens.training.recipes import Recipe


def augments(recipe: Recipe) -> bool:
    """Tell whether a recipe changes its batches at all."""
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
        added = [_steps(codes.shape[1:], recipe.mutation_rate, one) for one in generators]
        moved_on = (codes + torch.stack(added).to(codes.device)) % PAD
        codes = torch.where(codes < PAD, moved_on, codes)
    shifts = torch.stack([torch.randint(-k, k + 1, (n,), generator=g) for g in generators])
    strands = torch.stack([torch.randint(2, (n,), generator=g) for g in generators]) > 0
    return _move(
        codes, lengths, shifts.to(codes.device), strands.to(codes.device) & recipe.rc_augment
    )


def reverse_complement(codes: Tensor, lengths: Tensor) -> Tensor:
    """Give the other strand of codes (..., L) with lengths (...); padding stays on the right."""
    return _move(codes, lengths, torch.zeros_like(lengths), torch.ones_like(lengths) > 0)


def add_noise(
    x: Tensor, own: slice, n: int, deviation: float, generators: Sequence[torch.Generator]
) -> Tensor:
    """Add Gaussian noise to the columns of known bases; N and padding stay zero.

    Parameters
    ----------
    x
        One-hot (R, B, 4, L) of the sequences ``own`` of a batch.
    own, n
        Which sequences of the ``n`` of a batch: noise is drawn for all, so that several processes
        add what one adds.
    deviation
        Standard deviation.
    generators
        One a replica, on the CPU.

    Returns
    -------
    Tensor
        (R, B, 4, L).
    """
    drawn = [torch.randn((n, *x.shape[2:]), generator=one)[own] for one in generators]
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
