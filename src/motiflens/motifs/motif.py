"""Motifs: probability matrices with a name, their information and consensus.

A matrix is (4, W): rows A C G T, one column a position. A ``ppm`` holds probabilities, a ``pwm``
log-odds against a background, in bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from motiflens.errors import InputError
from motiflens.sequences import ALPHABET, IUPAC, PAD, Codes, iupac_codes

UNIFORM = (0.25, 0.25, 0.25, 0.25)

Matrix = NDArray[np.float64]

CONTRIBUTIONS = ("cwm", "hypothetical_cwm")
_SUM_TOLERANCE = 1e-3
_FREQUENCY_TOLERANCE = 1e-2  # files print as few as two digits
_LETTER_OF_CODES = {codes: letter for letter, codes in IUPAC.items()}


@dataclass(frozen=True, eq=False)
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
        fits = counts.ndim == 2 and counts.shape[0] == 4 and counts.shape[1] > 0
        total = counts.sum(axis=0) if fits else np.zeros(1)
        if not fits:
            problem = f"has the shape {counts.shape}, not (4, W)"
        elif not np.isfinite(total).all() or (counts < 0).any():
            problem = "holds a number that is negative or not finite"
        elif (total == 0).any():
            problem = f"has only zeros in column {int(total.argmin()) + 1}"
        else:
            frequencies = bool((np.abs(total - 1) <= _FREQUENCY_TOLERANCE).all())
            n_sites = 0 if frequencies else round(float(total.mean()))
            return cls(name, counts / total, n_sites, alt_name)
        raise InputError(
            f"the count matrix of {name} {problem}",
            remedy="correct the matrix (rows A C G T), or leave empty columns out",
        )


motif_from_string = Motif.from_string


def _check_ppm(ppm: Matrix, name: str) -> None:
    if ppm.ndim != 2 or ppm.shape[0] != 4 or ppm.shape[1] == 0:
        problem = f"has the shape {ppm.shape}, not (4, W)"
    elif not np.isfinite(ppm).all() or (ppm < 0).any():
        problem = "holds a value that is negative or not finite"
    elif (np.abs(ppm.sum(axis=0) - 1) > _SUM_TOLERANCE).any():
        worst = int(np.abs(ppm.sum(axis=0) - 1).argmax())
        problem = f"has column {worst + 1} with the sum {ppm[:, worst].sum():g}, not 1"
    else:
        return
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


def ppm_from_codes(codes: Codes, pseudocount: float = 0.0) -> Matrix:
    """Column frequencies of aligned windows.

    Parameters
    ----------
    codes
        uint8 (N, W); N and padding do not count in their column.
    pseudocount
        Added to the count of each of the four bases.

    Returns
    -------
    ppm
        (4, W); a column in which nothing counts is uniform.
    """
    counts = np.stack([(codes == base).sum(axis=0) for base in range(PAD)]) + float(pseudocount)
    counts[:, counts.sum(axis=0) == 0] = 1.0
    ppm: Matrix = counts / counts.sum(axis=0)
    return ppm


def information(ppm: ArrayLike, background: Sequence[float] = UNIFORM) -> Matrix:
    """Bits of every column: its Kullback-Leibler divergence from the background.

    With the uniform background this is 2 minus the entropy (Schneider et al., J Mol Biol
    188:415, 1986, without the small-sample correction).

    Parameters
    ----------
    ppm
        (4, W).
    background
        Probabilities of A C G T, all above 0.

    Returns
    -------
    bits
        (W,).
    """
    probabilities = np.asarray(ppm, dtype=np.float64)
    ratio = probabilities / check_background(background)[:, None]
    bits: Matrix = (probabilities * np.log2(np.where(ratio > 0, ratio, 1))).sum(axis=0)
    return bits


def pwm(
    ppm: ArrayLike, background: Sequence[float] = UNIFORM, pseudocount: float = 0.001
) -> Matrix:
    """Log-odds in bits: ``log2(p' / b)`` with ``p' = (p + c b) / (1 + c)``.

    Parameters
    ----------
    ppm
        (4, W).
    background
        Probabilities b of A C G T, all above 0.
    pseudocount
        The weight c > 0 of the background against a whole column. The pseudocount k of a
        motif made from n sites, in the sense of FIMO, is ``k / n`` here.

    Returns
    -------
    pwm
        (4, W).
    """
    if not pseudocount > 0:
        raise InputError(
            f"pseudocount={pseudocount} is not above 0, and a probability of 0 has no logarithm",
            remedy="use a small number such as pseudocount=0.001",
            argument="pseudocount",
        )
    base = check_background(background)[:, None]
    smoothed = (np.asarray(ppm, dtype=np.float64) + pseudocount * base) / (1 + pseudocount)
    log_odds: Matrix = np.log2(smoothed / base)
    return log_odds


def check_background(background: Sequence[float]) -> Matrix:
    """Return the probabilities of A C G T, all above 0, scaled to sum to 1.

    Raises
    ------
    InputError
        When they are no such probabilities.
    """
    base = np.array(background, dtype=np.float64)
    if base.shape != (4,) or not (base > 0).all() or abs(base.sum() - 1) > _SUM_TOLERANCE:
        raise InputError(
            f"background={list(background)} is not four probabilities above 0 (A C G T) "
            "that sum to 1",
            remedy="correct it, or use background=(0.25, 0.25, 0.25, 0.25)",
            argument="background",
        )
    base /= base.sum()
    return base


def consensus(ppm: ArrayLike) -> str:
    """IUPAC letters of the columns of (4, W), by the rule of Cavener.

    One base if it has more than 50 % and more than twice the second; else two bases if they
    have more than 75 % together; else three if the fourth has less than 5 %; else N.
    Cavener, Nucleic Acids Res 15:1353 (1987), where three bases ask for a fourth at 0 %;
    5 % is let through here because sampled or smoothed columns hardly ever hold a zero.
    """
    columns = np.asarray(ppm, dtype=np.float64).T
    return "".join(_consensus_letter(column) for column in columns)


def _consensus_letter(column: Matrix) -> str:
    order = np.argsort(-column, kind="stable")
    first, second, _, fourth = column[order]
    if first > 0.5 and first > 2 * second:
        size = 1
    elif first + second > 0.75:
        size = 2
    else:
        size = 3 if fourth < 0.05 else 4
    return _LETTER_OF_CODES[tuple(sorted(order[:size].tolist()))]
