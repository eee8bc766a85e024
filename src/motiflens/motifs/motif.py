"""Motifs: probability matrices with a name, their information and consensus.

A matrix is (4, W): rows A C G T, one column a position. A ``ppm`` holds probabilities, a ``pwm``
log-odds against a background, in bits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from motiflens.errors import InputError
from motiflens.matrices import (
    SUM_TOLERANCE,
    Matrix,
    consensus,
)
from motiflens.plots.logo import logo
from motiflens.sequences import ALPHABET, iupac_codes

CONTRIBUTIONS = ("cwm", "hypothetical_cwm")
_FREQUENCY_TOLERANCE = 1e-2  # files print as few as two digits


@dataclass(frozen=True, eq=False, repr=False)
class Motif:
    """A position probability matrix with a name, and what its bases contribute where that is known.

    Parameters
    ----------
    name
        One word.
    ppm
        (4, W), W >= 1, rows A C G T; every column sums to 1 within 0.001 and is then scaled to
        sum to 1. Kept as a read-only float64 copy.
    n_sites
        Number of sequences it was made from; 0 when unknown.
    alt_name
        A second name, one word or empty; in JASPAR files the name of the factor.
    cwm, hypothetical_cwm
        Mean contributions of the observed bases and of every base, (4, W); None where unknown.

    Raises
    ------
    InputError
        When one of these does not hold.
    """

    name: str
    ppm: Matrix
    n_sites: int = 0
    alt_name: str = ""
    cwm: Matrix | None = None
    hypothetical_cwm: Matrix | None = None

    def __post_init__(self) -> None:
        if len(self.name.split()) != 1 or len(self.alt_name.split()) > 1:
            raise InputError(
                f"a motif is named {self.name!r}, {self.alt_name!r}, and not by one word each",
                remedy="join the words by '_'",
                argument=("name", "alt_name"),
            )
        if self.n_sites < 0:
            raise InputError(
                f"motif {self.name} has n_sites={self.n_sites}",
                remedy="use 0 where the number of sites is unknown",
                argument="n_sites",
            )
        ppm = np.array(self.ppm, dtype=np.float64)
        _check_ppm(ppm, self.name)
        ppm /= ppm.sum(axis=0)
        ppm.setflags(write=False)
        object.__setattr__(self, "ppm", ppm)
        for key in CONTRIBUTIONS:
            if getattr(self, key) is not None:
                object.__setattr__(self, key, _contributions(self, key))

    def __repr__(self) -> str:
        named = f", {self.alt_name}" if self.alt_name else ""
        kind = type(self).__name__
        return f"{kind}({self.name!r}{named}, {self.consensus}, {self.n_sites:,} sites)"

    def _repr_html_(self) -> str:
        """Show the logo in a notebook, and what the bases contribute where that is known."""
        title = f"{self.name} {self.alt_name}".strip()
        shown = logo(self.ppm, title=title)
        if self.cwm is not None:
            shown += logo(self.cwm, kind="contribution", title=f"{title}, contributions")
        return f"<figure>{shown}<figcaption>{escape(repr(self))}</figcaption></figure>"

    @property
    def width(self) -> int:
        """Number of columns."""
        return int(self.ppm.shape[1])

    @property
    def likeliest(self) -> str:
        """The most likely base of every column."""
        return "".join(ALPHABET[base] for base in self.ppm.argmax(axis=0))

    @property
    def consensus(self) -> str:
        """IUPAC consensus, see :func:`consensus`."""
        return consensus(self.ppm)

    def reverse_complement(self) -> Self:
        """Return the same motif on the other strand, under the same name."""
        matrices = {key: getattr(self, key) for key in ("ppm", *CONTRIBUTIONS)}
        flipped = {key: m[::-1, ::-1] for key, m in matrices.items() if m is not None}
        return replace(self, **flipped)

    @classmethod
    def from_string(cls, text: str, name: str | None = None) -> Motif:
        """Return the motif of an IUPAC string; the bases of an ambiguous letter are equally likely.

        Raises
        ------
        InputError
            For an empty string or a letter outside the IUPAC nucleotide code.
        """
        codes = iupac_codes(text)
        ppm = np.zeros((4, len(codes)))
        for column, allowed in enumerate(codes):
            ppm[list(allowed), column] = 1 / len(allowed)
        return cls(text.upper() if name is None else name, ppm)

    @classmethod
    def from_counts(cls, name: str, pfm: ArrayLike, alt_name: str = "") -> Motif:
        """Return the motif of counts (4, W), or of weights of any size.

        ``n_sites`` is the mean of the column sums, rounded; 0, for unknown, where these are 1
        within 0.01, as the numbers are frequencies then.

        Raises
        ------
        InputError
            For another shape, for a number that is negative or not finite, and for a column
            without any count.
        """
        counts = np.asarray(pfm, dtype=np.float64)
        problem = _problem(counts)
        total = np.zeros(1) if problem else counts.sum(axis=0)
        if not problem and (total == 0).any():
            problem = f"has only zeros in column {int(total.argmin()) + 1}"
        if problem:
            raise InputError(
                f"the count matrix of {name} {problem}",
                remedy="correct the matrix (rows A C G T), or leave empty columns out",
            )
        frequencies = bool((np.abs(total - 1) <= _FREQUENCY_TOLERANCE).all())
        n_sites = 0 if frequencies else round(float(total.mean()))
        return cls(name, counts / total, n_sites, alt_name)


motif_from_string = Motif.from_string


def _problem(matrix: Matrix) -> str:
    """Return what keeps a matrix from holding counts or probabilities, or ""."""
    if matrix.ndim != 2 or matrix.shape[0] != 4 or matrix.shape[1] == 0:
        return f"has the shape {matrix.shape}, not (4, W)"
    if not np.isfinite(matrix.sum(axis=0)).all() or (matrix < 0).any():
        return "holds a value that is negative or not finite"
    return ""


def _check_ppm(ppm: Matrix, name: str) -> None:
    problem = _problem(ppm)
    if not problem and (np.abs(ppm.sum(axis=0) - 1) > SUM_TOLERANCE).any():
        worst = int(np.abs(ppm.sum(axis=0) - 1).argmax())
        problem = f"has column {worst + 1} with the sum {ppm[:, worst].sum():g}, not 1"
    if problem:
        raise InputError(
            f"the matrix of {name} {problem}",
            remedy="divide counts by their column sums, or transpose the matrix (rows A C G T)",
        )


def _contributions(motif: Motif, key: str) -> Matrix:
    matrix = np.array(getattr(motif, key), dtype=np.float64)
    if matrix.shape != motif.ppm.shape or not np.isfinite(matrix).all():
        raise InputError(
            f"the {key} of {motif.name} has the shape {matrix.shape}, or not finite numbers",
            remedy=f"give finite numbers of the shape of its ppm, {motif.ppm.shape}",
            argument=key,
        )
    matrix.setflags(write=False)
    return matrix
