"""Scores of all windows of a sequence, of a model that is filters, their maxima and a head.

Neighbouring windows share nearly all activations: each is computed once a base and strand, as a
sum of table rows, and maxima slide over the windows. But a window that is a sequence of its own
has zero columns beyond its ends, where the genome has bases, so that the units near its ends see
less than their field. Of the columns that are hidden from them it is known what they add at most.
Only a few in a hundred such units can therefore reach a maximum; they are found by a threshold,
and computed exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from motiflens.models.base import PooledFilters
from motiflens.models.kmer_sums import N_LETTERS, look_up, rows_seen, tables_of
from motiflens.sequences import Codes, reverse_complement_codes

Floats32 = NDArray[np.float32]
Positions = NDArray[np.int64]

#: Bases of a row of the tables.
BASES_OF_ROW = 4
N_ROWS = N_LETTERS**BASES_OF_ROW
#: Filters whose activations are computed together, so that those of a block stay in a cache: two
#: to the power of BITS.
FILTERS_AT_ONCE, BITS = 64, 6
#: The windows of a block begin within so many bases.
BLOCK = 4096
#: Windows that go through the head together.
IN_HEAD = 512


@dataclass(frozen=True)
class Step:
    """One column more that a truncated unit does not see, or sees, than in the step before.

    Parameters
    ----------
    column
        Of the filters; None for the sum as it is.
    sign
        1 where the column is seen, -1 where it is hidden.
    shift
        From a unit to the start of the window in which so much is hidden from it.
    """

    column: int | None
    sign: int
    shift: int


Walks = tuple[list[Step], ...]


@dataclass(frozen=True, eq=False)
class Partial:
    """Sums of some columns of all filters, from which those of truncated units follow.

    Parameters
    ----------
    tables
        Of each group of filters, with the threshold taken off once, so that only a sum above 0
        may be of a unit that matters.
    first, end
        Which of the tables of whole filters these are.
    threshold
        (F,).
    walks
        Steps outwards, each walk from the sum.
    """

    tables: list[Tensor]
    first: int
    end: int
    threshold: Floats32
    walks: Walks

    def rows(self, seen: Tensor) -> Tensor:
        """Return the rows of its tables that units see, of those of all tables (U, T)."""
        return (seen[:, self.first : self.end] - self.first * N_ROWS).contiguous()


class SharedWindows:
    """A model whose windows share their activations.

    Parameters
    ----------
    pooled
        Filters with a ``floor``, and the head.
    length
        Bases of a window, at least the width of a filter.
    """

    def __init__(self, pooled: PooledFilters, length: int) -> None:
        assert pooled.floor is not None
        weight, floor = pooled.weight.detach(), pooled.floor.detach()
        self.n_filters, _, self.width = weight.shape
        missing = -self.n_filters % FILTERS_AT_ONCE
        weight = nn.functional.pad(weight, (0, 0, 0, 0, 0, missing))
        floor = nn.functional.pad(floor, (0, missing))
        self.length, self.head, self.both_strands = length, pooled.head, pooled.both_strands
        self.left = -pooled.field.first
        self.right = self.width - 1 - self.left
        # By column, letter and filter; the first letter is none.
        self.columns = nn.functional.pad(weight, (0, 0, 1, 0)).permute(2, 1, 0).contiguous().numpy()
        self.whole, *self.others = self._partials(weight, floor.numpy())
        self.partials = [self.whole, *self.others]
        self.threshold = torch.from_numpy(self.whole.threshold)[: self.n_filters]

    def _partials(self, weight: Tensor, floor: Floats32) -> list[Partial]:
        """Choose sums from which all truncated units follow by few columns."""
        size, n_tables = BASES_OF_ROW, math.ceil(self.width / BASES_OF_ROW)
        left, right = min(self.left, self.left // 2 + 1), min(self.right, self.right // 2 + 1)
        walks = (*self._walks(0, 1, left, True), *self._walks(0, 1, right, False))
        chosen = [(0, n_tables, walks)]
        if left < self.left:
            first = max(1, round((self.left - 0.5) / size))
            walks = self._walks(first * size, left + 1, self.left, True)
            chosen.append((first, n_tables, walks))
        if right < self.right:
            end = max(1, round((self.width - self.right + 0.5) / size))
            walks = self._walks(self.width - end * size, right + 1, self.right, False)
            chosen.append((0, end, walks))
        return [self._partial(weight, floor, *one) for one in chosen]

    def _walks(self, hidden: int, least: int, most: int, is_left: bool) -> Walks:
        """Walk from a sum without ``hidden`` columns to units that miss ``least`` to ``most``."""

        def step(n_hidden: int, nth: int | None, sign: int) -> Step:
            """Hide so many columns in all, by hiding or showing the n-th from the end."""
            if is_left:
                return Step(None if nth is None else nth - 1, sign, n_hidden - self.left)
            shift = self.right - n_hidden - self.length + 1
            return Step(None if nth is None else self.width - nth, sign, shift)

        as_it_is = [step(hidden, None, 1)] if least <= hidden <= most else []
        shown = [step(n, n + 1, 1) for n in range(hidden - 1, least - 1, -1)]
        return [*as_it_is, *shown], [step(n, n, -1) for n in range(hidden + 1, most + 1)]

    def _partial(
        self, weight: Tensor, floor: Floats32, first: int, end: int, walks: Walks
    ) -> Partial:
        """Make the tables of a sum, which matters where it may come above the floor."""
        most_added = np.full_like(floor, -np.inf)
        for walk in walks:
            added = np.zeros_like(floor)
            for step in walk:
                if step.column is not None:
                    letters = step.sign * self.columns[step.column]
                    added = added + letters.max(axis=0)
                most_added = np.maximum(most_added, added)
        threshold = floor - most_added if any(walks) else floor
        tables = []
        for start in range(0, len(weight), FILTERS_AT_ONCE):
            own = slice(start, start + FILTERS_AT_ONCE)
            table = tables_of(weight[own], FILTERS_AT_ONCE, BASES_OF_ROW)
            table = table[first * N_ROWS : end * N_ROWS].clone()
            table[:N_ROWS] -= torch.from_numpy(threshold[own])
            tables.append(table)
        return Partial(tables, first, end, threshold, walks)

    def scores(self, codes: Codes, starts: Positions) -> Floats32:
        """Return the logits of windows.

        Parameters
        ----------
        codes
            uint8 (T,).
        starts
            (W,), ascending; no window reaches beyond the end or holds an N.

        Returns
        -------
        logits
            (W,).
        """
        forward = self._one_strand(codes, starts)
        if not self.both_strands:
            return forward
        other = reverse_complement_codes(codes[None], np.array([len(codes)], dtype=np.int32))[0]
        mirrored = (len(codes) - self.length - starts)[::-1]
        forward += self._one_strand(other, mirrored)[::-1]
        forward /= 2
        return forward

    def _one_strand(self, codes: Codes, starts: Positions) -> Floats32:
        letters = ((codes.astype(np.int32) + 1) % N_LETTERS).astype(np.int32)
        letters = np.pad(letters, (self.left, self.right))
        logits, done = np.empty(len(starts), dtype=np.float32), 0
        with torch.inference_mode():
            while done < len(starts):
                begin = int(starts[done])
                end = int(np.searchsorted(starts, begin + BLOCK))
                rows = starts[done:end] - begin
                seen = letters[begin : begin + int(rows[-1]) + self.length + self.width - 1]
                logits[done:end] = self._block(seen, rows)
                done = end
        return logits

    def _block(self, letters: NDArray[np.int32], starts: Positions) -> Floats32:
        """Return the logits of windows of some letters, the first of which begins at 0."""
        n_units, n_groups = len(letters) - self.width + 1, len(self.whole.tables)
        all_rows = rows_seen(torch.from_numpy(letters), self.width, BASES_OF_ROW)
        rows = [partial.rows(all_rows) for partial in self.partials]
        chosen, seen = _as_slice(starts), letters.astype(np.int64) * FILTERS_AT_ONCE
        maxima = np.empty((len(starts), n_groups * FILTERS_AT_ONCE), dtype=np.float32)
        # Of windows by their start, and infinite where there is none: also before the first.
        of_group = np.full((self.length + n_units, FILTERS_AT_ONCE), np.inf, dtype=np.float32)
        width = self.length - self.left - self.right
        for group in range(n_groups):
            own = slice(group * FILTERS_AT_ONCE, (group + 1) * FILTERS_AT_ONCE)
            sums = [
                look_up(partial.tables[group], of_partial).numpy()
                for partial, of_partial in zip(self.partials, rows, strict=True)
            ]
            inner = sums[0][self.left : n_units - self.right]
            of_group[self.length :][chosen] = sliding_maxima(inner, width, starts)
            for partial, values in zip(self.partials, sums, strict=True):
                self._raise(of_group, seen, partial, values, own)
            maxima[:, own] = of_group[self.length :][chosen]
        return self._through_head(maxima)

    def _raise(
        self,
        maxima: Floats32,
        seen: Positions,
        partial: Partial,
        sums: Floats32,
        own: slice,
    ) -> None:
        """Let truncated units raise the maxima of the windows at whose ends they lie.

        Parameters
        ----------
        maxima
            Of some filters, by start and filter, the first start behind as many rows as a window
            is long; less the threshold of whole sums.
        seen
            The letters that the units see, times the number of those filters.
        partial, sums
            The sums of all units, less their own threshold.
        own
            Which filters.
        """
        columns, flat = self.columns[:, :, own], maxima.reshape(-1)
        cells = np.flatnonzero(sums > 0)
        units, filters = cells >> BITS, cells & FILTERS_AT_ONCE - 1
        lifted = (partial.threshold - self.whole.threshold)[own]
        first = sums.take(cells) + lifted.take(filters)
        for walk in partial.walks:
            values = first
            for step in walk:
                if step.column is not None:
                    rows = seen[step.column :].take(units)
                    rows += filters
                    column = columns[step.column].reshape(-1).take(rows)
                    values = values + column if step.sign > 0 else values - column
                of_windows = flat[(self.length + step.shift) * FILTERS_AT_ONCE :]
                higher = np.flatnonzero(values > of_windows.take(cells))
                of_windows[cells.take(higher)] = values.take(higher)

    def _through_head(self, maxima: Floats32) -> Floats32:
        """Return the logits of windows from their maxima (U, F), less the threshold."""
        logits = np.empty(len(maxima), dtype=np.float32)
        for first in range(0, len(maxima), IN_HEAD):
            own = slice(first, first + IN_HEAD)
            largest = torch.from_numpy(maxima[own, : self.n_filters])
            logits[own] = self.head(largest + self.threshold).numpy()
        return logits


def _as_slice(rows: Positions) -> slice | Positions:
    """Return ascending rows as a slice where none is left out, which needs no copy."""
    first, last = int(rows[0]), int(rows[-1])
    return slice(first, last + 1) if last - first + 1 == len(rows) else rows


def sliding_maxima(values: Floats32, width: int, starts: Positions) -> Floats32:
    """Return the maxima over ``width`` rows of values (U, f) from each start, (W, f).

    Maxima of twice as many rows are made of two of half as many, for as long as that takes less
    than to join the shorter ones at the starts.
    """
    span, spans = 1, values
    while 2 * span <= width and len(spans) < len(starts) * math.ceil(width / span) / 2:
        spans = np.maximum(spans[:-span], spans[span:])
        span *= 2
    own = _as_slice(starts)

    def from_start(offset: int) -> Floats32:
        if isinstance(own, slice):
            return spans[own.start + offset : own.stop + offset]
        return spans.take(own + offset, axis=0)

    largest = from_start(0)
    for offset in (*range(span, width - span, span), width - span):
        largest = np.maximum(largest, from_start(offset))
    return largest
