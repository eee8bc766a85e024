"""Single substitutions in the middle of windows of a genome, windows sharing what they can.

Of a model that sees of a window the largest activation of each filter, the activations of a genome
are computed once for all windows, and their maxima slide. What belongs to a window alone are the
few units at its ends, which see fewer bases there than the genome has, and the units that see the
substituted base. Other models get every distinct window as a whole.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from torch import Tensor, nn

from motiflens.models.base import PooledFilters
from motiflens.models.kmer_sums import look_up
from motiflens.scoring.models import ModuleScorer
from motiflens.scoring.scorer import Floats
from motiflens.sequences import Codes

#: Centres at once, and the bases that they may spread over: what is computed stays in a cache.
CENTRES_AT_ONCE = 512
SPREAD = 2048
#: Columns of a filter that one row of a table adds up at most.
COLUMNS = 3

Positions = NDArray[np.int64]


class Substituted(NamedTuple):
    """Logits of windows as they are (S, C), and of their substitutions (S, M)."""

    reference: Floats
    alternate: Floats


class Substitutions(ABC):
    """What scores substitutions in the middle of windows.

    Parameters
    ----------
    scorer
        Whose models; a window is ``scorer.length`` bases, of which number ``length // 2`` is its
        centre.
    """

    def __init__(self, scorer: ModuleScorer) -> None:
        self.scorer = scorer
        self.before = scorer.length // 2

    @abstractmethod
    def logits(
        self, codes: Codes, centres: Positions, owners: Positions, bases: Codes
    ) -> Substituted:
        """Return the logits of windows and of what substitutions make of them.

        Parameters
        ----------
        codes
            uint8 (T,): stretches of a genome, one behind the other.
        centres
            int64 (C,), increasing: the window around each lies within the codes, in one stretch,
            and holds none but known bases.
        owners, bases
            (M,): the windows that are changed, as indices into the centres, and the base that
            their centre becomes.
        """


class WholeWindows(Substitutions):
    """Every window goes through the whole model."""

    def logits(
        self, codes: Codes, centres: Positions, owners: Positions, bases: Codes
    ) -> Substituted:
        """Return the logits of windows and of what substitutions make of them."""
        length = self.scorer.length
        windows = sliding_window_view(codes, length)[centres - self.before]
        changed = windows[owners]
        changed[:, self.before] = bases
        rows = np.concatenate([windows, changed])
        logits = self.scorer.logits(rows, np.full(len(rows), length, dtype=np.int32))
        return Substituted(logits[:, : len(centres)], logits[:, len(centres) :])


class SharedActivations(Substitutions):
    """Models of filters and their maxima, whose windows share activations.

    Several threads may use one at a time.
    """

    def __init__(self, scorer: ModuleScorer) -> None:
        super().__init__(scorer)
        self._members = [(_strands_of(pooled), pooled) for pooled in scorer.pooled_filters()]
        strands = [strand for of_member, _ in self._members for strand in of_member]
        self._shapes = sorted({(strand.width, strand.before) for strand in strands})

    @staticmethod
    def suits(scorer: ModuleScorer) -> bool:
        """Return whether all models are such, and no unit sees both a centre and an end."""
        rest = scorer.length - 1 - scorer.length // 2
        pooled = scorer.pooled_filters()
        return bool(pooled) and all(rest >= filters.field.width - 1 for filters in pooled)

    def logits(
        self, codes: Codes, centres: Positions, owners: Positions, bases: Codes
    ) -> Substituted:
        """Return the logits of windows and of what substitutions make of them."""
        shape = (self.scorer.n_seeds, len(centres)), (self.scorer.n_seeds, len(owners))
        reference, alternate = (np.zeros(one) for one in shape)
        order = np.argsort(owners, kind="stable")
        owner = owners[order]
        for chunk in _chunks(centres):
            of = slice(*np.searchsorted(owner, (chunk.start, chunk.stop)).tolist())
            block = _Block.of(
                self, codes, centres[chunk], owner[of] - chunk.start, bases[order[of]]
            )
            seen = {shape: block.seen(*shape) for shape in self._shapes}
            with torch.inference_mode():
                for seed, (strands, pooled) in enumerate(self._members):
                    both = [
                        pooled.head(strand.largest(block, seen[strand.width, strand.before]))
                        for strand in strands
                    ]
                    mean = torch.stack(both).mean(0).double().cpu().numpy()
                    reference[seed, chunk] = mean[: len(block.centres)]
                    alternate[seed, order[of]] = mean[len(block.centres) :]
        return Substituted(reference, alternate)


def substitutions_of(scorer: ModuleScorer) -> Substitutions:
    """Return the fastest way to score substitutions by some models."""
    return (SharedActivations if SharedActivations.suits(scorer) else WholeWindows)(scorer)


def _chunks(centres: Positions) -> Iterator[slice]:
    start = 0
    while start < len(centres):
        within = int(np.searchsorted(centres, centres[start] + SPREAD))
        stop = min(within, start + CENTRES_AT_ONCE)
        yield slice(start, stop)
        start = stop


@dataclass(frozen=True)
class _Block:
    """Windows that are computed together.

    Parameters
    ----------
    kmers
        Of 1, 2 and 3 bases, (T,) each: the number of the k-mer that begins at each base.
    start, length
        Of the windows: first bases (C,) and their length.
    centres, owners, bases
        As :meth:`Substitutions.logits` takes them, in the bases of the block.
    """

    kmers: tuple[Tensor, ...]
    start: Tensor
    length: int
    centres: Tensor
    owners: Tensor
    bases: Tensor

    @staticmethod
    def of(
        owner: Substitutions, codes: Codes, centres: Positions, owners: Positions, bases: Codes
    ) -> _Block:
        length, device = owner.scorer.length, owner.scorer.device
        first, last = int(centres[0]) - owner.before, int(centres[-1]) - owner.before + length
        letters = torch.as_tensor(codes[first:last].astype(np.int32), device=device)
        # What is no base lies in no window; any base does in its place.
        letters = nn.functional.pad(letters.clamp_(max=3), (0, COLUMNS - 1))
        n, kmers = last - first, [letters[: last - first]]
        for column in range(1, COLUMNS):
            kmers.append(kmers[-1] * 4 + letters[column : column + n])
        at = torch.as_tensor((centres - first).astype(np.int32), device=device)
        to = torch.as_tensor(owners.astype(np.int32), device=device)
        put = torch.as_tensor(bases.astype(np.int32), device=device)
        return _Block(tuple(kmers), at - owner.before, length, at, to, put)

    def seen(self, width: int, before: int) -> _Seen:
        """Return what units of a width see, which begin so many bases before their own."""
        n_units = len(self.kmers[0]) - width + 1
        units = torch.arange(n_units, dtype=torch.int32, device=self.start.device)
        end = self.start + self.length
        ends = [self._rows(self.start, cut, width, width) for cut in range(1, before + 1)]
        ends += [self._rows(end - n, 0, n, width) for n in range(before + 1, width)]
        centre = self.centres[self.owners]
        column = torch.arange(width, dtype=torch.int32, device=self.start.device)
        pair = self.kmers[0][centre] * 4 + self.bases + n_units
        changed = torch.stack([centre - column.unsqueeze(-1), pair + 16 * column.unsqueeze(-1)], -1)
        return _Seen(self._rows(units, 0, width, width), ends, changed.contiguous())

    def _rows(self, start: Tensor, first: int, last: int, width: int) -> Tensor:
        """Return the rows (N, R) of a table that the columns from first to last add up.

        Their first base is at each start; the table is that of :class:`_Strand`.
        """
        rows, column = [], first
        while column < last:
            n = min(COLUMNS, last - column)
            before = sum((width - m + 1) * 4**m for m in range(1, n)) + column * 4**n
            rows.append(self.kmers[n - 1][start + (column - first)] + before)
            column += n
        return torch.stack(rows, -1)


class _Seen(NamedTuple):
    """Rows of tables that are added up, for all filters of one width.

    Parameters
    ----------
    units
        (U, R): of every unit.
    ends
        (C, R) each: of the units at the ends of each window, which see less.
    changed
        (K, M, 2): of the units that see a substituted base, and of what it changes.
    """

    units: Tensor
    ends: list[Tensor]
    changed: Tensor


@dataclass(frozen=True)
class _Strand:
    """The filters as they lie on the strand + of the genome.

    Parameters
    ----------
    before, width
        How many bases a unit sees before its own, and altogether.
    table
        Rows (M, F): what 1, then 2, then 3 columns add for each k-mer, column after column.
    differences
        (K · 16, F): what base b adds in place of base a at a column, row 16 k + 4 a + b.
    """

    before: int
    width: int
    table: Tensor
    differences: Tensor

    @staticmethod
    def of(weight: Tensor, before: int) -> _Strand:
        columns = weight.permute(2, 1, 0).contiguous()  # (K, 4, F)
        pieces, longer = [columns], columns
        for n in range(1, COLUMNS):
            longer = (longer[:-1].unsqueeze(2) + columns[n:].unsqueeze(1)).flatten(1, 2)
            pieces.append(longer)
        table = torch.cat([piece.flatten(0, 1) for piece in pieces])
        differences = (columns.unsqueeze(1) - columns.unsqueeze(2)).flatten(0, 2)
        return _Strand(before, len(columns), table, differences)

    def largest(self, block: _Block, seen: _Seen) -> Tensor:
        """Return the largest activations (C + M, F) over windows, and over the changed ones."""
        # Row x is of the unit that sees the bases from x on.
        table = torch.cat([look_up(self.table, seen.units), self.differences])
        first = block.centres - self.width + 1  # the first unit that sees a centre
        n_left = int(first[0] - block.start[0])
        n_right = block.length - 2 * self.width + 1 - n_left
        slid = _Slid(table[: len(seen.units)], (n_left, n_right, self.width))
        beside = self.table.new_full((len(first), self.table.shape[1]), float("-inf"))
        for rows in seen.ends:
            torch.maximum(beside, look_up(self.table, rows), out=beside)
        for start, width in ((block.start, n_left), (block.centres + 1, n_right)):
            if width:
                torch.maximum(beside, slid.over(start, width), out=beside)
        changed = beside.index_select(0, block.owners)
        for rows in seen.changed:
            torch.maximum(changed, look_up(table, rows), out=changed)
        torch.maximum(beside, slid.over(first, self.width), out=beside)
        return torch.cat([beside, changed])


class _Slid:
    """Largest values of rows that follow each other.

    Parameters
    ----------
    values
        (N, F).
    widths
        How many rows will be asked for.
    """

    def __init__(self, values: Tensor, widths: Sequence[int]) -> None:
        wanted = {width.bit_length() - 1 for width in widths if width}
        self._powers: dict[int, Tensor] = {}
        for power in range(max(wanted) + 1):
            if power:
                half = 2 ** (power - 1)
                values = torch.maximum(values[:-half], values[half:])
            if power in wanted:  # memory of the others is taken again at once
                self._powers[power] = values

    def over(self, start: Tensor, width: int) -> Tensor:
        """Return the largest values (M, F) of so many rows from each start on."""
        power = width.bit_length() - 1
        rows = self._powers[power]
        return torch.maximum(
            rows.index_select(0, start), rows.index_select(0, start + width - 2**power)
        )


def _strands_of(pooled: PooledFilters) -> list[_Strand]:
    weight, before = pooled.weight.detach(), -pooled.field.first
    strands = [_Strand.of(weight, before)]
    if pooled.both_strands:
        strands.append(_Strand.of(weight.flip(1, 2), weight.shape[-1] - 1 - before))
    return strands
