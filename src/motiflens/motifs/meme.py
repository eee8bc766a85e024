"""Motifs in MEME text files, in and out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from motiflens.errors import InputError
from motiflens.files import read_text, write_whole
from motiflens.motifs.motif import UNIFORM, Matrix, Motif, check_background
from motiflens.sequences import ALPHABET

_PRINTED_SUM_TOLERANCE = 1e-2  # files print as few as two digits

_KEY = re.compile(r"(\w+)\s*=\s*(\S+)")


def looks_like_meme(text: str) -> bool:
    """Return whether a text has the line that every MEME file has."""
    return any(line.startswith("MEME version") for line in text.split("\n"))


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
    return parse_meme(read_text(path), path)


def parse_meme(text: str, path: Path | str) -> list[Motif]:
    """Read the motifs out of a text; ``path`` is its name in messages. See `read_meme`."""
    lines = text.split("\n")
    if not looks_like_meme(text):
        raise _meme_error(path, 1, "there is no line 'MEME version ...'")
    motifs: list[Motif] = []
    pending: tuple[int, list[str]] | None = None  # the MOTIF line that still waits for its matrix
    for number, line in enumerate(lines, start=1):
        if re.match(r"ALPHABET\b", line) and not re.fullmatch(r"ALPHABET\s*=\s*ACGT\s*", line):
            raise _meme_error(path, number, f"{line!r} names another alphabet than ACGT")
        if re.match(r"MOTIF\s", line):
            _check_has_matrix(path, pending)
            pending = number, line.split()[1:]
        elif line.startswith("letter-probability matrix:"):
            if pending is None:
                raise _meme_error(path, number, "a matrix comes without a MOTIF line before it")
            motifs.append(_read_motif(path, lines, number, pending))
            pending = None
    _check_has_matrix(path, pending)
    if not motifs:
        raise _meme_error(path, len(lines), "the file ends without a motif")
    return motifs


def _check_has_matrix(path: Path | str, pending: tuple[int, list[str]] | None) -> None:
    if pending is not None:
        raise _meme_error(path, pending[0], "a MOTIF has no letter-probability matrix")


def _read_motif(
    path: Path | str, lines: list[str], number: int, pending: tuple[int, list[str]]
) -> Motif:
    """Read the matrix under its heading, which is line ``number`` counted from 1."""
    motif_line, words = pending
    full_output = "width" in words[1:]  # MOTIF 1 MEME width = 18 sites = 18 ...
    names = words[: words.index("width", 1)] if full_output else words
    if not names:
        raise _meme_error(path, motif_line, "a MOTIF line has no name")
    keys = dict(_KEY.findall(lines[number - 1]))
    if keys.get("alength", "4") != "4":
        raise _meme_error(path, number, f"alength= is {keys['alength']}, not 4")
    rows = _read_rows(path, lines, number)
    width = _count(path, number, keys, "w") or len(rows)
    if len(rows) != width or not rows:
        raise _meme_error(path, number, f"the matrix has {len(rows)} rows, not w= {width}")
    n_sites = _count(path, number, keys, "nsites")
    return Motif(names[0], np.array(rows).T, n_sites, names[1] if len(names) > 1 else "")


def _count(path: Path | str, number: int, keys: dict[str, str], key: str) -> int:
    text = keys.get(key, "0")
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]*)?(e\+?[0-9])?", text):
        raise _meme_error(path, number, f"{key}= is {text!r}, no number")
    return round(float(text))


def _read_rows(path: Path | str, lines: list[str], number: int) -> list[list[float]]:
    """Read the lines of numbers that follow line ``number``, each scaled to sum to 1."""
    rows = []
    for line_number, line in enumerate(lines[number:], start=number + 1):
        try:
            row = [float(word) for word in line.split()]
        except ValueError:
            break
        if not row:
            break
        total = sum(row)
        right_size = len(row) == 4 and min(row) >= 0
        if not (right_size and abs(total - 1) <= _PRINTED_SUM_TOLERANCE):
            problem = f"{line.strip()!r} is not four probabilities that sum to 1"
            raise _meme_error(path, line_number, problem)
        rows.append([value / total for value in row])
    return rows


def _meme_error(path: Path | str, number: int, problem: str) -> InputError:
    return InputError(problem, f"in line {number} of {path}", "correct the MEME file")


def write_meme(
    motifs: Sequence[Motif], path: Path | str, background: Sequence[float] = UNIFORM
) -> None:
    """Write motifs as a minimal MEME file (compressed for ``.gz``), to six decimals.

    The printed columns sum to 1 exactly, so what is read back prints the same digits.
    """
    base = check_background(background)
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
