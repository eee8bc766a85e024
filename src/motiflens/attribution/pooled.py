"""Models that see of a sequence the largest activation of each filter, and nothing else.

Filters are linear, so that little of such a model has to be computed at every point of a path or
for every pair with a reference: activations lie on straight lines between those of the two ends,
and all that a maximum passes back goes to one window of each filter. One-hot windows are not
multiplied but looked up, four bases at a time.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from motiflens.attribution.base import bytes_at_once
from motiflens.attribution.rules import DualTensor
from motiflens.models.base import (
    PooledFilters,
    SequenceModel,
    mirrored,
    other_strand,
    valid_units,
)
from motiflens.models.kmer_sums import largest, letters_of, look_up, rows_seen, tables_of

#: Bases of a row of the tables; more than in training, as the weights stay and the tables too.
BASES_OF_ROW = 4
#: Entries of a matrix of coefficients above one in so many are multiplied as a whole.
DENSE_FROM = 32


def pooled_filters(module: nn.Module) -> PooledFilters | None:
    """Return what a module is made of, where it is filters, their maxima and a head."""
    return module.pooled_filters() if isinstance(module, SequenceModel) else None


def suits_cache(device: torch.device) -> bool:
    """Return whether little at a time is fast, as on a CPU, or much at a time, as on a GPU."""
    return device.type == "cpu"


class FilterScan:
    """The activations of filters, and the way back from coefficients of windows to bases.

    Parameters
    ----------
    pooled
        The filters; their parameters ask for no gradient.
    """

    def __init__(self, pooled: PooledFilters) -> None:
        self.field, self.head = pooled.field, pooled.head
        self.both_strands = pooled.both_strands
        self.flat = pooled.weight.detach().mT.flatten(-2).contiguous()  # (F, 4 K), base after base
        self.padding = (-self.field.first, self.field.width - 1 + self.field.first)
        self.for_cache = suits_cache(self.flat.device)
        # A product of matrices is the faster way on other devices.
        self.tables = None
        if self.for_cache:
            weight = pooled.weight.detach()
            self.tables = tables_of(weight, len(weight), BASES_OF_ROW)

    def rows_at_once(self, length: int) -> int:
        """Return of how many sequences activations should be held at a time."""
        each = length * self.flat.shape[0] * self.flat.element_size()
        return max(1, bytes_at_once(self.flat.device) // each)

    def strands(self, one_hot: Tensor) -> Tensor:
        """Return the strands that the model looks at, (S · N, 4, L): all forward ones first."""
        return torch.cat([one_hot, other_strand(one_hot)]) if self.both_strands else one_hot

    def forward_strand(self, by_strand: Tensor, one_hot: Tensor) -> Tensor:
        """Return the mean over strands (N, 4, L) of values (S · N, 4, L) at each strand's bases."""
        if not self.both_strands:
            return by_strand
        forward, reverse = by_strand.chunk(2)
        positions = mirrored(one_hot).unsqueeze(-2).expand_as(one_hot)
        return (forward + reverse.flip(-2).gather(-1, positions)) / 2

    def mean_over_strands(self, values: Tensor) -> Tensor:
        """Return the means (N, ...) of values (S · N, ...)."""
        return torch.stack(values.chunk(2)).mean(0) if self.both_strands else values

    def activations(self, x: Tensor, *, one_hot: bool = True) -> Tensor:
        """Return activations (N, L, F) without bias, of the lowest value at units on padding.

        Parameters
        ----------
        x
            (N, 4, L).
        one_hot
            Whether every column holds a single 1 or only 0.
        """
        if self.tables is None or not one_hot:
            bases = nn.functional.pad(x.mT, (0, 0, *self.padding)).flatten(-2)
            activations = bases.unfold(-1, self.flat.shape[1], 4) @ self.flat.T
        else:
            activations = self._looked_up(x, self.tables)
        valid = valid_units(x, x.shape[-1], self.field)
        # Not minus infinity, which has no straight line to itself.
        lowest = torch.finfo(x.dtype).min / 4
        on_padding = ~valid
        if not self.for_cache or bool(on_padding.any()):
            activations.masked_fill_(on_padding.unsqueeze(-1), lowest)
        return activations

    def _looked_up(self, x: Tensor, tables: Tensor) -> Tensor:
        """Add up the rows of the tables that the bases of each window choose."""
        letters = nn.functional.pad(letters_of(x.mT), self.padding)
        return look_up(tables, rows_seen(letters, self.field.width, BASES_OF_ROW))

    def logits(self, x: Tensor) -> Tensor:
        """Return the logits (N,) of one-hot (N, 4, L)."""
        at_once = max(1, self.rows_at_once(x.shape[-1]) // 2)
        blocks = [x[first : first + at_once] for first in range(0, len(x), at_once)]
        maxima = [largest(self.activations(self.strands(block)))[0] for block in blocks]
        means = [self.mean_over_strands(self.head(of_block)) for of_block in maxima]
        return torch.cat(means) if means else x.new_zeros(0)

    def units_on_even(self, x: Tensor) -> Tensor:
        """Mark the units that see nothing but 1/4 of every base in (N, 4, L), (N, L)."""
        even = nn.functional.pad((x == 1 / 4).all(-2), self.padding)
        return even.unfold(-1, self.field.width, 1).all(-1)

    def head_gradient(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (...) of the largest activations (..., F), and their gradient."""
        with torch.enable_grad():
            values = values.detach().requires_grad_()
            logits = self.head(values)
            (gradient,) = torch.autograd.grad(logits.sum(), values)
        return logits.detach(), gradient

    def head_multipliers(self, values: Tensor, references: Tensor) -> tuple[Tensor, Tensor]:
        """Return the references' logits (...), and the multipliers of the head (..., F)."""
        with torch.enable_grad():
            values = values.detach().clone().requires_grad_()
            # A view, so that what is changed in place is no leaf.
            dual = self.head(DualTensor.of(values.view_as(values), references))
            assert isinstance(dual, DualTensor)
            (multipliers,) = torch.autograd.grad(dual.value.sum(), values)
        return dual.reference, multipliers

    def to_bases(
        self, coefficients: Tensor, units: Tensor, owners: Tensor, n: int, length: int
    ) -> Tensor:
        """Add up the filters at the units that they were chosen at, times their coefficients.

        Parameters
        ----------
        coefficients, units
            (M, F), of each filter.
        owners
            To which of n results a row belongs, (M,).
        n, length
            Results, and bases L of each.

        Returns
        -------
        Tensor
            (n, 4, L).
        """
        n_filters, size = self.flat.shape
        rows = owners.unsqueeze(-1) * length + units
        where = coefficients.nonzero(as_tuple=True) if self.for_cache else ()
        if not self.for_cache or len(where[0]) * DENSE_FROM > n * length * n_filters:
            matrix = torch.zeros(n * length * n_filters, dtype=self.flat.dtype, device=rows.device)
            cells = rows * n_filters + torch.arange(n_filters, device=rows.device)
            if self.for_cache:
                matrix.index_add_(0, cells.flatten(), coefficients.flatten())
            else:  # which, unlike the other, adds up in the same order every time
                matrix.index_put_((cells,), coefficients, accumulate=True)
            windows = matrix.view(-1, n_filters) @ self.flat
        else:
            added = self.flat.index_select(0, where[1])
            added *= coefficients[where].unsqueeze(-1)
            windows = torch.zeros(n * length, size, dtype=self.flat.dtype, device=rows.device)
            windows.index_add_(0, rows[where], added)
        padded = [n, 4 * (length + self.field.width - 1)]
        bases = torch.ops.aten.unfold_backward(windows.view(n, length, size), padded, 1, size, 4)
        left = 4 * self.padding[0]
        return bases[:, left : left + 4 * length].reshape(n, length, 4).mT


def pooled_multipliers(
    scan: FilterScan, sequences: Tensor, references: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Explain by DeepLIFT's rules what the largest activations make of sequences and references.

    The rules are those of :mod:`motiflens.attribution.rules`: a maximum passes the difference to
    the window of the larger side, the head to its inputs.

    Parameters
    ----------
    scan
        The filters.
    sequences
        One-hot (N, 4, L).
    references
        One-hot (N, R, 4, L), zero columns at the same positions.

    Returns
    -------
    by_base
        The mean over references of m_b − Σ_c m_c r_c, (N, 4, L).
    at_references
        Their logits, (N, R).
    size
        (N,): what the filters contribute, none set off against another.
    """
    n_references, _, length = references.shape[1:]
    at_once = max(1, scan.rows_at_once(length) // n_references)
    parts = []
    with torch.no_grad():
        for first in range(0, len(sequences), at_once):
            ends, starts = (one[first : first + at_once] for one in (sequences, references))
            strands = scan.strands(starts.flatten(0, 1)).view(-1, *references.shape[1:])
            by_base, logits, size = _of_strands(scan, scan.strands(ends), strands)
            means = (scan.mean_over_strands(values) for values in (logits, size))
            parts.append((scan.forward_strand(by_base, ends), *means))
    by_base, at_references, size = (torch.cat(part) for part in zip(*parts, strict=True))
    return by_base, at_references, size


def _of_strands(
    scan: FilterScan, sequences: Tensor, references: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return what :func:`pooled_multipliers` does, of strands as if each were a sequence."""
    n, n_references, _, length = references.shape
    own = scan.activations(sequences)
    values, units = (one.unsqueeze(1) for one in largest(own))
    by_base, size, logits = torch.zeros_like(sequences), values.new_zeros(n), []
    at_once = max(1, scan.rows_at_once(length) // n)
    for first in range(0, n_references, at_once):
        part = references[:, first : first + at_once]
        others = scan.activations(part.flatten(0, 1))
        other_values, other_units = (one.view(n, -1, own.shape[-1]) for one in largest(others))
        chosen = torch.where(values >= other_values, units, other_units)
        at_own = own.gather(1, chosen)
        at_other = others.gather(1, chosen.flatten(0, 1).unsqueeze(1)).view_as(at_own)
        ratio = (values - other_values) / (at_own - at_other)
        ratio = torch.where(at_own == at_other, 1.0, ratio)
        at_references, head = scan.head_multipliers(values.expand_as(other_values), other_values)
        multipliers = head * ratio
        pairs = torch.arange(part.shape[:2].numel(), device=own.device)
        flat, chosen = multipliers.flatten(0, 1), chosen.flatten(0, 1)
        by_pair = scan.to_bases(flat, chosen, pairs, len(pairs), length).view_as(part)
        by_base += (by_pair - (by_pair * part).sum(-2, keepdim=True)).sum(1)
        size += (multipliers * (at_own - at_other)).abs().sum((1, 2))
        logits.append(at_references)
    return by_base / n_references, torch.cat(logits, 1), size / n_references
