"""Matrices (4, W), rows A C G T, one column a position: their bits, log-odds and consensus.

A ``ppm`` holds probabilities, a ``pwm`` log-odds against a background, in bits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from motiflens.errors import InputError
from motiflens.sequences import IUPAC, PAD, Codes

UNIFORM = (0.25, 0.25, 0.25, 0.25)

Matrix = NDArray[np.float64]

SUM_TOLERANCE = 1e-3
_LETTER_OF_CODES = {codes: letter for letter, codes in IUPAC.items()}


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
    if base.shape != (4,) or not (base > 0).all() or abs(base.sum() - 1) > SUM_TOLERANCE:
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
