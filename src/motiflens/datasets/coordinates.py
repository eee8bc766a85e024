"""Where sequences lie in a genome."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motiflens.errors import InputError

_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, eq=False)
class Coordinates:
    """The intervals of N sequences in a genome: 0-based, half-open.

    A sequence of the strand - is the reverse complement of its interval; ``.`` reads as +. What
    is of no known place has the empty string for a chromosome and the interval 0 to 0.

    Parameters
    ----------
    chrom
        (N,) strings without control characters.
    start, end
        int64 (N,), 0 <= start <= end.
    strand
        (N,) of ``+``, ``-`` and ``.``.

    Raises
    ------
    InputError
        When one of these does not hold.
    """

    chrom: NDArray[np.str_]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    strand: NDArray[np.str_]

    def __post_init__(self) -> None:
        sizes = {np.shape(self.chrom), *(np.shape(c) for c in (self.start, self.end, self.strand))}
        if sizes != {(len(self.chrom),)}:
            problem = f"columns of {', '.join(map(str, sorted(sizes)))}"
        elif wrong := np.flatnonzero((self.start < 0) | (self.end < self.start)).tolist():
            problem = f"{self.start[wrong[0]]} to {self.end[wrong[0]]} for sequence {wrong[0] + 1}"
        elif wrong := np.flatnonzero(~np.isin(self.strand, ("+", "-", "."))).tolist():
            problem = f"the strand {self.strand[wrong[0]].item()!r} for sequence {wrong[0] + 1}"
        elif _CONTROL_CHARACTER.search("".join(self.chrom.tolist())):
            problem = "a control character in the name of a chromosome"
        else:
            return
        raise InputError(
            "each sequence has a chromosome, 0 <= start <= end, and a strand +, - or .",
            got=problem,
            remedy="correct them, or leave the coordinates out",
        )

    def __len__(self) -> int:
        return len(self.chrom)

    def subset(self, rows: NDArray[np.intp]) -> Coordinates:
        """Give the rows of an index array, in that order."""
        return Coordinates(self.chrom[rows], self.start[rows], self.end[rows], self.strand[rows])

    @classmethod
    def unknown(cls, n: int) -> Coordinates:
        """Give the coordinates of n sequences of no known place."""
        none = np.zeros(n, dtype=np.int64)
        return cls(np.full(n, "", dtype=np.str_), none, none, np.full(n, ".", dtype=np.str_))

    @classmethod
    def join(cls, parts: Iterable[Coordinates]) -> Coordinates:
        """Put coordinates one after the other."""
        columns = [(part.chrom, part.start, part.end, part.strand) for part in parts]
        return cls(*(np.concatenate(column) for column in zip(*columns, strict=True)))
