"""Intervals of a genome: where sequences lie, rows of a BED file, windows around their summits."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from motiflens.errors import InputError

NO_SUMMIT = -1
_BEFORE_ALL = np.iinfo(np.int64).min

_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, eq=False)
class Loci:
    """N intervals of a genome: 0-based, half-open.

    A sequence of the strand - is the reverse complement of its interval; ``.`` reads as +. What
    has no known coordinates has the empty string for a chromosome and the interval 0 to 0.

    Parameters
    ----------
    chrom
        (N,) strings without control characters.
    start, end
        int64 (N,), start <= end; a window may begin before 0.
    strand
        (N,) of ``+``, ``-`` and ``.``.
    name
        (N,) strings, empty where there is no name; they need not differ. None where none has one.
    summit
        int64 (N,), position of the summit in the chromosome, `NO_SUMMIT` where there is none.

    Raises
    ------
    InputError
        When one of these does not hold.
    """

    chrom: NDArray[np.str_]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    strand: NDArray[np.str_]
    name: NDArray[np.str_] | None = None
    summit: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        sizes = {np.shape(column) for column in self._columns() if column is not None}
        if sizes != {(len(self.chrom),)}:
            problem = f"coordinates have columns of {', '.join(map(str, sorted(sizes)))}"
        elif wrong := np.flatnonzero(self.end < self.start).tolist():
            place = f"{self.start[wrong[0]]} to {self.end[wrong[0]]}"
            problem = f"{place} for sequence {wrong[0] + 1} is no interval"
        elif wrong := np.flatnonzero(~np.isin(self.strand, ("+", "-", "."))).tolist():
            strand = self.strand[wrong[0]].item()
            problem = f"the strand {strand!r} for sequence {wrong[0] + 1} is not +, - or ."
        elif _CONTROL_CHARACTER.search("".join(self.chrom.tolist())):
            problem = "there is a control character in the name of a chromosome"
        else:
            return
        raise InputError(problem, remedy="correct the coordinates, or leave them out")

    def __len__(self) -> int:
        return len(self.chrom)

    def _columns(self) -> tuple[NDArray[np.generic] | None, ...]:
        return self.chrom, self.start, self.end, self.strand, self.name, self.summit

    def subset(self, index: ArrayLike) -> Loci:
        """Return the rows of an index array or of a mask (N,), in that order."""
        rows = np.arange(len(self))[np.asarray(index)]
        return Loci(*(None if c is None else c[rows] for c in self._columns()))  # type: ignore[arg-type]

    @classmethod
    def unknown(cls, n: int) -> Loci:
        """Return n intervals that are not known."""
        none = np.zeros(n, dtype=np.int64)
        return cls(np.full(n, "", dtype=np.str_), none, none, np.full(n, ".", dtype=np.str_))

    @classmethod
    def join(cls, parts: Iterable[Loci]) -> Loci:
        """Put intervals one after the other, without their names and summits."""
        columns = [(part.chrom, part.start, part.end, part.strand) for part in parts]
        return cls(*(np.concatenate(column) for column in zip(*columns, strict=True)))

    def spans(self) -> list[tuple[str, int, int]]:
        """Return chromosome, start and end of every interval."""
        columns = self.chrom.tolist(), self.start.tolist(), self.end.tolist()
        return list(zip(*columns, strict=True))

    def named(self) -> list[str]:
        """Return the name of each, empty where it has none."""
        return [""] * len(self) if self.name is None else self.name.tolist()

    def names(self) -> list[str]:
        """Return the name of each, or its coordinates (``chr1:5-205``) where it has none."""
        spans = [f"{chrom}:{start}-{end}" for chrom, start, end in self.spans()]
        return [name or span for name, span in zip(self.named(), spans, strict=True)]

    def windows(self, width: int | None) -> Loci:
        """Return windows of one width around the summits, or the middle where there is none.

        The centre is base ``width // 2`` of the window, counted along the + strand whatever the
        strand. Without a width the intervals stay as they are.

        Raises
        ------
        InputError
            For a width below 1.
        """
        if width is None:
            return self
        if width < 1:
            raise InputError(f"width={width} is below 1", remedy="try width=200", argument="width")
        centre = (self.start + self.end) // 2
        if self.summit is not None:
            centre = np.where(self.summit == NO_SUMMIT, centre, self.summit)
        start = centre - width // 2
        return replace(self, start=start, end=start + width)

    def overlap(self, others: Loci) -> NDArray[np.bool_]:
        """Return which intervals share a base with one of some others, on either strand; (N,)."""
        shared = np.zeros(len(self), dtype=np.bool_)
        for chrom in np.unique(self.chrom).tolist():
            own, there = self.chrom == chrom, np.flatnonzero(others.chrom == chrom)
            there = there[np.argsort(others.start[there], kind="stable")]
            reach = np.maximum.accumulate(np.append(_BEFORE_ALL, others.end[there]))
            before = np.searchsorted(others.start[there], self.end[own])
            shared[own] = reach[before] > self.start[own]
        return shared
