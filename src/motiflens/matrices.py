"""Motifs: probability matrices with a name, their information and consensus, MEME files.

A matrix is (4, W): rows A C G T, one column a position. A ``ppm`` holds probabilities, a ``pwm``
log-odds against a background, in bits.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from motiflens.errors import InputError
from motiflens.files import read_text, write_whole
from motiflens.sequences import ALPHABET, PAD, Codes, iupac_codes
from motiflens.sequences import IUPAC as IUPAC

UNIFORM = (0.25, 0.25, 0.25, 0.25)

Matrix = NDArray[np.float64]

_SUM_TOLERANCE = 1e-3
_PRINTED_SUM_TOLERANCE = 1e-2  # files print as few as two digits
_LETTER_OF_CODES = {codes: letter for letter, codes in IUPAC.items()}


@dataclass(frozen=True, eq=False)
class Motif:
    """A position probability matrix with a name.

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

    Raises
    ------
    InputError
        When one of these does not hold.
    """

    name: str
    ppm: Matrix
    n_sites: int = 0
    alt_name: str = ""

    def __post_init__(self) -> None:
        if len(self.name.split()) != 1 or len(self.alt_name.split()) > 1:
            raise InputError(
                "the name of a motif is one word",
                got=f"{self.name!r}, {self.alt_name!r}",
                remedy="join its words by '_'",
            )
        if self.n_sites < 0:
            raise InputError(
                "the number of sites of a motif is 0 or more",
                got=f"{self.n_sites} for {self.name}",
                remedy="use 0 where it is unknown",
            )
        ppm = np.array(self.ppm, dtype=np.float64)
        _check_ppm(ppm, self.name)
        ppm /= ppm.sum(axis=0)
        ppm.setflags(write=False)
        object.__setattr__(self, "ppm", ppm)

    @property
    def width(self) -> int:
        """Number of columns."""
        return int(self.ppm.shape[1])

    @property
    def consensus(self) -> str:
        """IUPAC consensus, see :func:`consensus`."""
        return consensus(self.ppm)

    def reverse_complement(self) -> Motif:
        """Give the same motif on the other strand, under the same name."""
        flipped = self.ppm[::-1, ::-1]
        return Motif(self.name, flipped, n_sites=self.n_sites, alt_name=self.alt_name)

    @classmethod
    def from_string(cls, text: str, name: str | None = None) -> Motif:
        """Make a motif of an IUPAC string; the bases of an ambiguous letter are equally likely.

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


motif_from_string = Motif.from_string


def _check_ppm(ppm: Matrix, name: str) -> None:
    if ppm.ndim != 2 or ppm.shape[0] != 4 or ppm.shape[1] == 0:
        problem = f"shape {ppm.shape}"
    elif not np.isfinite(ppm).all() or (ppm < 0).any():
        problem = "a value that is negative or not finite"
    elif (np.abs(ppm.sum(axis=0) - 1) > _SUM_TOLERANCE).any():
        worst = int(np.abs(ppm.sum(axis=0) - 1).argmax())
        problem = f"column {worst + 1} with the sum {ppm[:, worst].sum():g}"
    else:
        return
    raise InputError(
        "a motif matrix has 4 rows (A C G T) of probabilities and columns that sum to 1",
        got=f"{problem} in {name}",
        remedy="divide counts by their column sums, or transpose the matrix",
    )


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
    ratio = probabilities / _checked_background(background)[:, None]
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
            "the pseudocount of log-odds is above 0",
            got=f"{pseudocount}",
            remedy="use a small number such as 0.001; a probability of 0 has no logarithm",
        )
    base = _checked_background(background)[:, None]
    smoothed = (np.asarray(ppm, dtype=np.float64) + pseudocount * base) / (1 + pseudocount)
    log_odds: Matrix = np.log2(smoothed / base)
    return log_odds


def _checked_background(background: Sequence[float]) -> Matrix:
    base = np.array(background, dtype=np.float64)
    if base.shape != (4,) or not (base > 0).all() or abs(base.sum() - 1) > _SUM_TOLERANCE:
        raise InputError(
            "a background is four probabilities above 0 (A C G T) that sum to 1",
            got=f"{list(background)}",
            remedy="correct it, or use (0.25, 0.25, 0.25, 0.25)",
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


def trim(ppm: ArrayLike, threshold: float) -> tuple[int, int]:
    """Interval ``[start, end)`` from the first to the last column with at least so many bits.

    ``(0, 0)`` when no column has them.
    """
    kept = np.flatnonzero(information(ppm) >= threshold)
    return (int(kept[0]), int(kept[-1]) + 1) if kept.size else (0, 0)


_KEY = re.compile(r"(\w+)\s*=\s*(\S+)")


def read_meme(path: Path | str) -> list[Motif]:
    """Read the motifs of a MEME text file, minimal or full, plain or gzip.

    Of every motif the ``letter-probability matrix`` is read; log-odds matrices, URLs and
    background frequencies are passed over.

    Raises
    ------
    InputError
        Names file and line when this is no MEME file or is for another alphabet, when a matrix is
        cut short, holds anything but probabilities or has a row that does not sum to 1 within
        0.01, and when a motif has no matrix or the file no motif.
    """
    lines = read_text(path).split("\n")
    if not any(line.startswith("MEME version") for line in lines):
        raise _meme_error(path, 1, "a MEME file has a line 'MEME version ...'", "none")
    motifs: list[Motif] = []
    pending: tuple[int, list[str]] | None = None  # the MOTIF line that still waits for its matrix
    for number, line in enumerate(lines, start=1):
        if re.match(r"ALPHABET\b", line) and not re.fullmatch(r"ALPHABET\s*=\s*ACGT\s*", line):
            raise _meme_error(path, number, "the alphabet of a motif is ACGT", repr(line))
        if re.match(r"MOTIF\s", line):
            _check_has_matrix(path, pending)
            pending = number, line.split()[1:]
        elif line.startswith("letter-probability matrix:"):
            if pending is None:
                raise _meme_error(path, number, "a MOTIF line comes before each matrix", "none")
            motifs.append(_read_motif(path, lines, number, pending))
            pending = None
    _check_has_matrix(path, pending)
    if not motifs:
        raise _meme_error(path, len(lines), "a MEME file holds a motif", "the end without one")
    return motifs


def _check_has_matrix(path: Path | str, pending: tuple[int, list[str]] | None) -> None:
    if pending is not None:
        rule = "every MOTIF has a letter-probability matrix"
        raise _meme_error(path, pending[0], rule, "one without")


def _read_motif(
    path: Path | str, lines: list[str], number: int, pending: tuple[int, list[str]]
) -> Motif:
    """Read the matrix under its heading, which is line ``number`` counted from 1."""
    motif_line, words = pending
    full_output = "width" in words[1:]  # MOTIF 1 MEME width = 18 sites = 18 ...
    names = words[: words.index("width", 1)] if full_output else words
    if not names:
        raise _meme_error(path, motif_line, "a MOTIF line names the motif", "no name")
    keys = dict(_KEY.findall(lines[number - 1]))
    if keys.get("alength", "4") != "4":
        raise _meme_error(path, number, "alength= is 4", keys["alength"])
    rows = _read_rows(path, lines, number)
    width = _count(path, number, keys, "w") or len(rows)
    if len(rows) != width or not rows:
        got = f"{len(rows)} rows"
        raise _meme_error(path, number, f"the matrix has as many rows as w= says, {width}", got)
    n_sites = _count(path, number, keys, "nsites")
    return Motif(names[0], np.array(rows).T, n_sites, names[1] if len(names) > 1 else "")


def _count(path: Path | str, number: int, keys: dict[str, str], key: str) -> int:
    text = keys.get(key, "0")
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]*)?(e\+?[0-9])?", text):
        raise _meme_error(path, number, f"{key}= is a number", repr(text))
    return round(float(text))


def _read_rows(path: Path | str, lines: list[str], number: int) -> list[list[float]]:
    """Read the lines of numbers that follow line ``number``, each scaled to sum to 1."""
    rows = []
    for place, line in enumerate(lines[number:], start=number + 1):
        try:
            row = [float(word) for word in line.split()]
        except ValueError:
            break
        if not row:
            break
        total = sum(row)
        right_size = len(row) == 4 and min(row) >= 0
        if not (right_size and abs(total - 1) <= _PRINTED_SUM_TOLERANCE):
            rule = "a row is four probabilities that sum to 1"
            raise _meme_error(path, place, rule, repr(line.strip()))
        rows.append([value / total for value in row])
    return rows


def _meme_error(path: Path | str, number: int, rule: str, got: str) -> InputError:
    return InputError(rule, got=f"{got} in line {number} of {path}", remedy="correct the MEME file")


def write_meme(
    motifs: Sequence[Motif], path: Path | str, background: Sequence[float] = UNIFORM
) -> None:
    """Write motifs as a minimal MEME file (compressed for ``.gz``), to six decimals.

    The printed columns sum to 1 exactly, so what is read back prints the same digits.
    """
    base = _checked_background(background)
    letters = " ".join(f"{letter} {p:.6g}" for letter, p in zip(ALPHABET, base, strict=True))
    parts = [
        "MEME version 4\n\nALPHABET= ACGT\n\nstrands: + -\n\n"
        f"Background letter frequencies\n{letters}\n",
        *(_format_motif(motif) for motif in motifs),
    ]
    write_whole(path, "\n".join(parts).encode())


def _format_motif(motif: Motif) -> str:
    sites = f" nsites= {motif.n_sites}" if motif.n_sites else ""
    rows = [" ".join(f"{value:.6f}" for value in row) for row in _round_to_sum(motif.ppm.T, 6)]
    heading = f"MOTIF {motif.name} {motif.alt_name}".rstrip()
    matrix = f"letter-probability matrix: alength= 4 w= {motif.width}{sites} E= 0"
    return "\n".join([heading, matrix, *rows, ""])


def _round_to_sum(rows: Matrix, digits: int) -> Matrix:
    """Round every row (W, 4) so that it still sums to 1: the largest remainders go up."""
    units = rows * 10**digits
    floors = np.floor(units + 1e-6)  # a value already round must not fall below itself
    missing = 10**digits - floors.sum(axis=1, keepdims=True)
    rank = np.argsort(np.argsort(floors - units, axis=1, kind="stable"), axis=1)
    rounded: Matrix = (floors + (rank < missing)) / 10**digits
    return rounded
