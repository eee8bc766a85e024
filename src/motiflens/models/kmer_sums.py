"""The first layer of one-hot sequences: sums of table rows, one row for every three bases.

The activation of a filter of width K is a sum of K of its weights, chosen by the bases that it
sees. Those of three bases are added up once for all 5³ triples (N or padding is the fifth letter),
and a window is a sum of K / 3 rows of such tables: a quarter of the time of the product of
matrices, and the same numbers but for the order in which they are added up.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from motiflens.models.layers import is_unwatched

#: Bases of a row of a table, and the number of letters: N or padding, A, C, G, T.
SIZE, N_LETTERS = 3, 5
N_TRIPLES = N_LETTERS**SIZE
#: Fewer filters are multiplied faster than their rows are looked up.
FEW_FILTERS = 64
#: Filters of one table, where all of them are many: three bases of all windows then fit a cache.
FILTERS_AT_ONCE = 64
#: The letters as one-hot, in their order.
LETTERS = torch.cat([torch.zeros(1, 4), torch.eye(4)])


@dataclass(frozen=True)
class Windows:
    """What U units of a filter of width K see of n one-hot sequences, for one model or R replicas.

    Parameters
    ----------
    bases
        One-hot with padding at both ends, (R, n, L + padding, 4).
    rows
        int32 (R, n, U, T): the triples that each unit sees, of the T tables of a filter.
    shape
        The leading axes of the sequences.
    valid
        bool (R, n, U): the units that count; None where all of them do.
    """

    bases: Tensor
    rows: Tensor
    shape: torch.Size
    valid: Tensor | None = None

    def __getitem__(self, key: tuple[slice, slice]) -> Windows:
        """Take some of the n sequences, as from a tensor of replicas: ``windows[:, 2:7]``."""
        bases, rows = self.bases[key], self.rows[key]
        valid = None if self.valid is None else self.valid[key]
        return Windows(bases, rows, rows.shape[:2], valid)

    def counting(self, valid: Tensor) -> Windows:
        """Count the units (..., U) that are valid, and no others."""
        counted = None if bool(valid.all()) else valid.reshape(self.rows.shape[:-1])
        return replace(self, valid=counted)


def read_windows(one_hot: Tensor, weight: Tensor, padding: tuple[int, int]) -> Windows | None:
    """Read one-hot sequences as triples.

    Parameters
    ----------
    one_hot
        (..., 4, L), or (R, ..., 4, L) for replicas.
    weight
        Of the filters, (F, 4, K) or (R, F, 4, K).
    padding
        Zero columns that are put before and behind each sequence.

    Returns
    -------
    Windows or None
        None where a product of matrices is to be taken: for values that are not one-hot, where
        a gradient of the input is wanted or something else follows it, on another device than the
        CPU, and for so few filters or windows that the tables would take longer.
    """
    if not _is_plain(one_hot, weight) or weight.shape[-3] < FEW_FILTERS:
        return None
    width, length = weight.shape[-1], one_hot.shape[-1] + sum(padding)
    n_units = length - width + 1
    n_tables = math.ceil(width / SIZE)
    n_replicas = weight.shape[0] if weight.ndim == 4 else 1
    n_windows = one_hot.numel() // (4 * one_hot.shape[-1]) * n_units // n_replicas
    if n_windows < N_TRIPLES * n_tables:
        return None
    bases = one_hot.reshape(n_replicas, -1, *one_hot.shape[-2:]).mT
    letters = _letters(bases)
    if letters is None:
        return None
    rows = rows_seen(nn.functional.pad(letters, padding), width, SIZE)
    return Windows(
        nn.functional.pad(bases, (0, 0, *padding)).contiguous(), rows, one_hot.shape[:-2]
    )


def _is_plain(one_hot: Tensor, weight: Tensor) -> bool:
    """Return whether nothing but values is wanted of an input, and the CPU computes them."""
    return (
        is_unwatched(one_hot)
        and not (one_hot.requires_grad and torch.is_grad_enabled())
        and one_hot.device.type == weight.device.type == "cpu"
        and one_hot.dtype == weight.dtype
        and one_hot.dtype in (torch.float32, torch.float64)
    )


def _letters(bases: Tensor) -> Tensor | None:
    """Return the letters (..., L), int32, of one-hot (..., L, 4), or None if it is none."""
    table = LETTERS.to(bases.dtype)
    letters = letters_of(bases).clamp_(0, N_LETTERS - 1)
    return letters if torch.equal(nn.functional.embedding(letters, table), bases) else None


def letters_of(bases: Tensor) -> Tensor:
    """Return the letters (..., L), int32, of (..., L, 4) that is known to be one-hot."""
    return (bases @ torch.arange(1, N_LETTERS, dtype=bases.dtype)).int()


def rows_seen(letters: Tensor, width: int, size: int) -> Tensor:
    """Return the rows that units of a width see of letters (..., L): int32 (..., U, T).

    Of T tables of all k-mers of ``size`` bases, as :func:`tables_of` lays them out.
    """
    n_tables = math.ceil(width / size)
    letters = nn.functional.pad(letters, (0, n_tables * size - width))
    n_kmers = letters.shape[-1] - size + 1
    kmers = letters[..., :n_kmers]
    for offset in range(1, size):
        kmers = kmers * N_LETTERS + letters[..., offset : offset + n_kmers]
    seen = kmers.unfold(-1, (n_tables - 1) * size + 1, 1)[..., ::size].contiguous()
    return seen + torch.arange(n_tables, dtype=torch.int32) * N_LETTERS**size


def activations(weight: Tensor, windows: Windows) -> Tensor:
    """Return the activations of filters (F, 4, K) or (R, F, 4, K) to windows, (..., U, F)."""
    found: Tensor = _Activations.apply(weight, windows)  # type: ignore[no-untyped-call]
    return found.view(*windows.shape, *found.shape[-2:])


def max_activations(weight: Tensor, windows: Windows) -> Tensor:
    """Return the largest activation (..., F) of each filter over the units that count."""
    if torch.is_grad_enabled():
        found: Tensor = _MaxActivations.apply(weight, windows)  # type: ignore[no-untyped-call]
    else:
        found = torch.stack([one.amax(-2) for one in _by_tables(weight, windows)])
        found = found.transpose(1, 2).flatten(2)
    return found.view(*windows.shape, -1)


def tables_of(weight: Tensor, n_filters: int, size: int) -> Tensor:
    """Add up the weights (F, 4, K) of all k-mers in tables of f filters: (F / f · T · 5^k + 1, f).

    A k-mer has ``size`` bases. The last row is -infinity.
    """
    width = weight.shape[-1]
    n_tables = math.ceil(width / size)
    padded = nn.functional.pad(weight, (0, n_tables * size - width, 1, 0))
    letters = padded.view(-1, n_filters, N_LETTERS, n_tables, size).permute(4, 0, 3, 2, 1)
    kmers, *others, last = letters.reshape(size, -1, N_LETTERS, n_filters)
    for other in others:
        kmers = (kmers.unsqueeze(2) + other.unsqueeze(1)).flatten(1, 2)
    tables = weight.new_empty((len(kmers) * N_LETTERS**size + 1, n_filters))
    by_kmer = tables[:-1].view(*kmers.shape[:2], N_LETTERS, n_filters)
    torch.add(kmers.unsqueeze(2), last.unsqueeze(1), out=by_kmer)
    tables[-1] = float("-inf")
    return tables


def look_up(tables: Tensor, rows: Tensor) -> Tensor:
    """Add up the rows (..., T) of tables (M, f): (..., f)."""
    ends = torch.arange(0, rows.numel() + 1, rows.shape[-1], dtype=rows.dtype, device=rows.device)
    found = nn.functional.embedding_bag(
        rows.reshape(-1), tables, ends, mode="sum", include_last_offset=True
    )
    return found.view(*rows.shape[:-1], tables.shape[1])


def sums(weight: Tensor, rows: Tensor, n_filters: int, *, masked: bool = False) -> Tensor:
    """Return one replica's activations (F / f, n, U, f); rows past the tables give -infinity.

    There are such rows only where units are ``masked``.
    """
    n_groups, n_tables = len(weight) // n_filters, rows.shape[-1]
    tables = tables_of(weight, n_filters, SIZE)
    if n_groups > 1:
        size = n_tables * N_TRIPLES
        rows = rows + torch.arange(0, n_groups * size, size, dtype=torch.int32).view(-1, 1, 1, 1)
        if masked:
            rows.clamp_(max=len(tables) - 1)
    return look_up(tables, rows).view(n_groups, *rows.shape[-3:-1], n_filters)


class _Activations(torch.autograd.Function):
    """Activations (R, n, U, F) of filters to windows."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, windows: Windows) -> Tensor:
        ctx.windows, ctx.width, ctx.has_replicas = windows, weight.shape[-1], weight.ndim == 4
        found = [sums(*one, weight.shape[-3]) for one in _replicas(weight, windows.rows)]
        return found[0] if len(found) == 1 else torch.cat(found)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        seen = cut(ctx.windows.bases, ctx.width).flatten(1, 2)
        flat = torch.bmm(gradient.flatten(1, 2).mT, seen)
        return _as_weight(flat, ctx.has_replicas), None


class _MaxActivations(torch.autograd.Function):
    """The largest activation (R, n, F) of filters to windows; gradients go to the filters."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, windows: Windows) -> Tensor:
        # One replica after another: their activations then lie in the same memory, in a cache.
        found = [largest(one) for one in _by_tables(weight, windows)]
        values, units = (
            torch.stack(each).transpose(1, 2).flatten(2) for each in zip(*found, strict=True)
        )
        ctx.save_for_backward(units)
        ctx.windows, ctx.width, ctx.has_replicas = windows, weight.shape[-1], weight.ndim == 4
        return values

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (units,) = ctx.saved_tensors
        flat = _at_units(ctx.windows.bases, ctx.width, units, gradient)
        return _as_weight(flat, ctx.has_replicas), None


def _by_tables(weight: Tensor, windows: Windows) -> Iterable[Tensor]:
    """Return the activations (F / f, n, U, f) of each replica; -infinity where none counts."""
    n_filters = weight.shape[-3]
    at_once = FILTERS_AT_ONCE if n_filters % FILTERS_AT_ONCE == 0 else n_filters
    rows = _masked(windows, n_filters // at_once)
    masked = windows.valid is not None
    return (sums(*one, at_once, masked=masked) for one in _replicas(weight, rows))


def _replicas(weight: Tensor, rows: Tensor) -> Iterable[tuple[Tensor, Tensor]]:
    """Pair the weights (F, 4, K) of each replica with what its units see."""
    return zip(weight.view(-1, *weight.shape[-3:]), rows, strict=True)


def _masked(windows: Windows, n_groups: int) -> Tensor:
    """Let the sums of units that do not count be -infinity, by a row past those of all groups."""
    rows = windows.rows
    if windows.valid is None:
        return rows
    past = n_groups * rows.shape[-1] * N_TRIPLES
    first = torch.where(windows.valid, rows[..., 0], past)
    return torch.cat([first.to(rows.dtype).unsqueeze(-1), rows[..., 1:]], -1)


def cut(bases: Tensor, width: int) -> Tensor:
    """Cut what each unit sees of contiguous bases (..., L, 4), base after base: (..., U, 4 K)."""
    return bases.flatten(-2).unfold(-1, 4 * width, 4)


def _at_units(bases: Tensor, width: int, units: Tensor, gradient: Tensor) -> Tensor:
    """Sum windows at units (R, n, F) of bases (R, n, L, 4), weighted by gradients: (R, F, 4 K).

    Most gradients are 0, behind dropout and a ReLU, and their windows are not looked at.
    """
    n_replicas, n, n_filters = gradient.shape
    of_filters = gradient.mT.contiguous().flatten()
    flat = np.flatnonzero(of_filters.numpy())  # by replica, then filter, then sequence
    owner, sequence = np.divmod(flat, n)
    replica, filter_ = np.divmod(owner, n_filters)
    unit = units.flatten().numpy().take((replica * n + sequence) * n_filters + filter_)
    steps = [step // 4 for step in bases.stride()[:2]]
    n_windows = (n_replicas - 1) * steps[0] + (n - 1) * steps[1] + bases.shape[2] - width + 1
    windows = bases.as_strided((n_windows, 4 * width), (4, 1))  # of all sequences in a row
    starts = torch.from_numpy(replica * steps[0] + sequence * steps[1] + unit)
    ends = np.searchsorted(flat, n * np.arange(n_replicas * n_filters + 1))
    found = nn.functional.embedding_bag(
        torch.arange(len(flat)),
        windows.index_select(0, starts),
        torch.from_numpy(ends),
        mode="sum",
        per_sample_weights=of_filters.index_select(0, torch.from_numpy(flat)),
        include_last_offset=True,
    )
    return found.view(n_replicas, n_filters, -1)


def _as_weight(flat: Tensor, has_replicas: bool) -> Tensor:
    """Turn (R, F, 4 K), base after base, to the shape of weights, (F, 4, K) or (R, F, 4, K)."""
    weight = flat.view(*flat.shape[:-1], -1, 4).mT
    return weight if has_replicas else weight.squeeze(0)


def largest(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the largest value of every channel of (..., U, C) and its unit, both (..., C)."""
    # As an image with its channels last, as in MaxPool: twenty times faster than Tensor.max.
    n_units, n_channels = x.shape[-2:]
    image = x.reshape(-1, 1, n_units, n_channels).permute(0, 3, 1, 2)
    values, units = nn.functional.max_pool2d(image, (1, n_units), return_indices=True)
    shape = (*x.shape[:-2], n_channels)
    return values.reshape(shape), units.reshape(shape)
