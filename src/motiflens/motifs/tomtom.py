"""Tomtom: how alike two motifs are, against what chance alignments of columns would give.

Of Gupta et al., Genome Biol 8:R24 (2007), with Euclidean distances and complete scores.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motiflens.errors import InputError
from motiflens.motifs.motif import Motif

N_BINS = 100
"""Steps between the worst and the best score of two columns."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Comparison:
    """The best alignment of one motif with each of T targets.

    Parameters
    ----------
    p_values
        (T,): the chance that any alignment of a target of this width, on either strand, made of
        columns drawn from all targets, scores as much.
    offsets
        int64 (T,): start of the motif minus start of the target, read along the target.
    strands
        (T,), ``-`` where the reverse complement of the motif is laid on the target.
    """

    p_values: Floats
    offsets: Ints
    strands: NDArray[np.str_]


class Targets:
    """Motifs to compare others with; what does not depend on the others is made once.

    Parameters
    ----------
    motifs
        At least one.
    chance
        Motifs whose columns give the null distribution; those of ``motifs`` by default. A few
        motifs are too little to learn from how columns look.

    Raises
    ------
    InputError
        If there is no motif.
    """

    def __init__(self, motifs: Sequence[Motif], chance: Sequence[Motif] | None = None) -> None:
        if not motifs:
            raise InputError(
                "the database holds no motif",
                remedy="give one that holds some, or none for JASPAR CORE",
                argument="database",
            )
        both = [motif.ppm for motif in motifs] + [motif.ppm[::-1, ::-1] for motif in motifs]
        drawn = motifs if chance is None else chance
        self.n = len(motifs)
        self.widths = np.array([ppm.shape[1] for ppm in both])
        self.columns = np.concatenate(both, axis=1)
        chance_columns = np.concatenate([motif.ppm for motif in drawn], axis=1)
        self.chance = np.concatenate([chance_columns, chance_columns[::-1]], axis=1)
        # One row a target: the numbers of its columns, then the number of a column that is none.
        place = np.arange(self.widths.max())
        first = np.cumsum(self.widths) - self.widths
        outside = place >= self.widths[:, None]
        self.rows = np.where(outside, self.columns.shape[1], first[:, None] + place)

    def compare(self, motif: Motif) -> Comparison:
        """Lay a motif on every target.

        The score of two columns is minus their Euclidean distance, less the median of the motif's
        column against all columns, so that columns that stick out, which score 0, count as
        neither good nor bad. It is rounded to ``N_BINS`` steps. The distribution of the sum over
        any run of the motif's columns is exact by convolution. An alignment is the better
        of all shifts; its p-value takes them, and the two strands, as independent.
        """
        scores, chances = _rounded(motif.ppm, self.columns, self.chance)
        best, shift = self._best(scores)
        p_values = self._p_values(best, chances)
        minus = best[self.n :] > best[: self.n]
        # On the reverse complement of a target it lies as far from the other end.
        from_end = self.widths[: self.n] - shift[self.n :] - motif.width
        offsets = np.where(minus, from_end, shift[: self.n])
        return Comparison(p_values, offsets, np.where(minus, "-", "+"))

    def nearest_of_others(self, motif: Motif, orders: Ints) -> Iterator[float]:
        """Give the smallest p-value of each motif with the same columns in another order.

        Parameters
        ----------
        motif
            Of W columns.
        orders
            (K, W): the numbers of its columns.

        Yields
        ------
        float
            Over all targets.
        """
        scores, chances = _rounded(motif.ppm, self.columns, self.chance)
        for order in orders:
            best, _ = self._best(scores[order])
            yield float(self._p_values(best, chances[order]).min())

    def _p_values(self, best: Ints, chances: Ints) -> Floats:
        """Turn the best totals of the targets and their reverse complements into p-values."""
        p_one_strand = np.ones(len(best))
        null = _Null(chances)
        for width in np.unique(self.widths):
            of_width = self.widths == width
            p_one_strand[of_width] = null.p_values(best[of_width], int(width))
        p: Floats = np.minimum(p_one_strand[: self.n], p_one_strand[self.n :])
        return p * (2 - p)

    def _best(self, scores: Ints) -> tuple[Ints, Ints]:
        """Give the best total of each target, and its shift; ``scores`` (W, columns)."""
        width = len(scores)
        padded = np.pad(
            self.rows, ((0, 0), (width - 1, width - 1)), constant_values=self.columns.shape[1]
        )
        n_shifts = padded.shape[1] - width + 1
        totals = np.zeros((len(padded), n_shifts), dtype=np.int64)
        for column, row in enumerate(np.pad(scores, ((0, 0), (0, 1)))):
            totals += row[padded[:, column : column + n_shifts]]
        shifts = np.arange(n_shifts) - width + 1
        totals[shifts >= self.widths[:, None]] = np.iinfo(np.int64).min
        chosen = totals.argmax(axis=1)
        return np.take_along_axis(totals, chosen[:, None], axis=1)[:, 0], shifts[chosen]


def _rounded(motif: Floats, columns: Floats, chance: Floats) -> tuple[Ints, Ints]:
    """Score each column of a motif against columns, (W, C), and against chance ones, in steps."""
    against_chance = -_distances(motif, chance)
    median = np.median(against_chance, axis=1, keepdims=True)
    raw, raw_chance = -_distances(motif, columns) - median, against_chance - median
    step = max(raw_chance.max() - raw_chance.min(), 1e-9) / N_BINS
    low, high = (int(np.rint(limit() / step)) for limit in (raw_chance.min, raw_chance.max))
    rounded = np.clip(np.rint(raw / step), low, high).astype(np.int64)
    return rounded, np.rint(raw_chance / step).astype(np.int64)


def _distances(motif: Floats, columns: Floats) -> Floats:
    squares = (motif**2).sum(axis=0)[:, None] + (columns**2).sum(axis=0)
    distances: Floats = np.sqrt(np.maximum(squares - 2 * motif.T @ columns, 0))
    return distances


class _Null:
    """Distribution of the best total of a motif on a target of chance columns.

    ``chances`` (W, C): the rounded scores of each column of the motif.
    """

    def __init__(self, chances: Ints) -> None:
        self.n_columns = len(chances)
        self.low = min(int(chances.min()), 0)
        size = int(chances.max()) - self.low + 1
        self.single = [np.bincount(row - self.low, minlength=size) / row.size for row in chances]
        # Totals from 0 to this are told apart; one below 0 is no similarity.
        self.highest = self.n_columns * max(int(chances.max()), 1)
        self._below: dict[tuple[int, int], Floats] = {}

    def p_values(self, totals: Ints, width: int) -> Floats:
        """Chance of so high a best total on a target of ``width`` columns."""
        starts = np.arange(1 - width, self.n_columns)
        log_below = np.zeros(self.highest + 2)
        for start in starts.tolist():
            span = max(start, 0), min(start + width, self.n_columns)
            log_below += self._log_below(*span)
        p = -np.expm1(log_below)
        found: Floats = np.where(totals > 0, p[np.clip(totals, 0, self.highest + 1)], 1.0)
        return found

    def _log_below(self, start: int, end: int) -> Floats:
        """Log of the chance that the columns ``[start, end)`` total less than 0, 1, 2, ..."""
        if (start, end) not in self._below:
            total = np.ones(1)
            for until in range(start, self.n_columns):
                total = np.convolve(total, self.single[until])
                self._below[start, until + 1] = self._from_density(total, until + 1 - start)
        return self._below[start, end]

    def _from_density(self, density: Floats, n_columns: int) -> Floats:
        """Turn the density of a total that starts at ``n_columns * low`` into log P(< s)."""
        reached = np.cumsum(density[::-1])[::-1]  # P(>= s), summed from the small end
        at_least = np.zeros(self.highest + 2)
        known = reached[-n_columns * self.low :][: len(at_least)]
        at_least[: len(known)] = np.minimum(known, 1.0)
        return np.log1p(-np.minimum(at_least, 1 - 1e-16))
