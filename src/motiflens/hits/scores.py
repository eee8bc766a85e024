"""Backgrounds, and scores of motifs as whole numbers with the exact chance of each.

Log-odds are rounded to `STEPS_PER_BIT` steps a bit, so that a score is a sum of whole numbers and
its distribution can be computed without sampling. Rounding moves the score of a site by at most
``W / (2 STEPS_PER_BIT)`` bits (0.03 for 16 columns, as a rule a tenth of that); for the rounded
scores p-values are exact. FIMO's own steps are 13 bits in 1,000, about three times as coarse.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motiflens.errors import InputError
from motiflens.files import read_text
from motiflens.hits.blocks import Block
from motiflens.motifs import UNIFORM, Matrix, Motif, check_background, pwm
from motiflens.sequences import ALPHABET

FIMO_BACKGROUND = (0.281774, 0.222020, 0.228876, 0.267330)
"""FIMO's default, from the non-redundant database of GenBank.

Averaged over both strands and rounded, A and T are 0.275, C and G 0.225, as FIMO prints them; with
these digits p-values come out 2 % lower than FIMO's own.
"""

Background = tuple[float, float, float, float]

_NAMED: dict[str, Background] = {"fimo": FIMO_BACKGROUND, "uniform": UNIFORM}
_ROW = re.compile(r"\s*([ACGT])\s+([0-9.eE+-]+)\s*", re.IGNORECASE)
_LETTERS_HEADING = "Background letter frequencies"

STEPS_PER_BIT = 256
PSEUDOCOUNT = 0.1
UNKNOWN_SITES = 20
"""Sites that a motif is taken to be made from where its file does not say; as in MEME."""

Steps = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class ScoredMotif:
    """A motif that is ready to be searched for.

    Parameters
    ----------
    motif
        What is searched for.
    steps
        int32 (4, W), log-odds in steps of ``1 / STEPS_PER_BIT`` bit.
    threshold
        The lowest score of a hit, in steps; one above the best score where no site can be a hit.
    p_values
        (best score - threshold + 1,), the chance that a window of background scores as high or
        higher, for each score from the threshold on.
    best_p
        The p-value of the best score.
    """

    motif: Motif
    steps: Steps
    threshold: int
    p_values: Matrix
    best_p: float

    @property
    def best(self) -> int:
        """The highest score, in steps."""
        return int(self.steps.max(axis=0).sum())


def score_motif(
    motif: Motif, background: Sequence[float], *, p: float, pseudocount: float = PSEUDOCOUNT
) -> ScoredMotif:
    """Return the scores of a motif and the p-values of those that are hits.

    Log-odds are those of FIMO: ``log2(p' / b)``, where the pseudocount k is distributed by the
    background over the n sites, ``p' = (n p + k b) / (n + k)``.

    Parameters
    ----------
    motif
        What is searched for.
    background
        Probabilities b of A C G T.
    p
        The largest p-value of a hit, above 0 and at most 1.
    pseudocount
        k, above 0.

    Raises
    ------
    InputError
        For a p, a pseudocount or a background outside these limits.
    """
    if not 0 < p <= 1:
        raise InputError(f"p={p} is not above 0 and at most 1", remedy="try p=1e-4", argument="p")
    log_odds = pwm(motif.ppm, background, pseudocount / (motif.n_sites or UNKNOWN_SITES))
    steps = np.rint(log_odds * STEPS_PER_BIT).astype(np.int32)
    lowest, tail = tail_of_scores(steps, background)
    n_too_low = int(np.count_nonzero(tail > p))  # the tail falls: these come first
    # A copy, so that the rest, some hundred times as long, is freed.
    return ScoredMotif(motif, steps, lowest + n_too_low, tail[n_too_low:].copy(), float(tail[-1]))


def tail_of_scores(steps: Steps, background: Sequence[float]) -> tuple[int, Matrix]:
    """Return the chance of every score or a higher one, for independent bases of the background.

    Column by column, the distribution of the sum is that of the columns before, shifted by the
    score of each base and weighted by its probability (Staden, CABIOS 5:89, 1989).

    Parameters
    ----------
    steps
        int32 (4, W).
    background
        Probabilities of A C G T.

    Returns
    -------
    lowest
        The lowest score.
    tail
        float64 (highest - lowest + 1,); the first is 1.
    """
    probabilities = np.asarray(background, dtype=np.float64) / np.sum(background)
    chance = np.ones(1)
    for column in (steps - steps.min(axis=0)).T.tolist():
        longer = np.zeros(len(chance) + max(column))
        for shift, weight in zip(column, probabilities.tolist(), strict=True):
            longer[shift : shift + len(chance)] += weight * chance
        chance = longer
    tail: Matrix = np.minimum(np.cumsum(chance[::-1])[::-1], 1.0)
    tail[0] = 1.0
    return int(steps.min(axis=0).sum()), tail


def resolve_background(
    background: str | Path | Sequence[float], blocks: Iterable[Block], *, both_strands: bool
) -> Background:
    """Return the probabilities of A C G T.

    With both strands, those of complementary bases are averaged, as FIMO does: a window and its
    reverse complement are then equally likely.

    Parameters
    ----------
    background
        ``fimo``, ``uniform``, ``sequences`` (their own frequencies), four probabilities, or a
        file; see `read_background`.
    blocks
        The sequences, read only when they are asked for.
    both_strands
        Whether both are searched.

    Raises
    ------
    InputError
        For a background that is none.
    """
    if not isinstance(background, str | Path):
        values: Sequence[float] = background
    elif background in _NAMED:
        values = _NAMED[str(background)]
    elif background == "sequences":
        values = _of_blocks(blocks)
    elif Path(background).exists():
        values = read_background(background)
    else:
        raise InputError(
            f"the background {str(background)!r} is not fimo, uniform or sequences, and no file",
            remedy="correct the name or the path",
            argument="background",
        )
    base = check_background(values)
    if both_strands:
        base = (base + base[::-1]) / 2
    a, c, g, t = base.tolist()
    return a, c, g, t


def read_background(path: Path | str) -> Background:
    """Read base frequencies from a file of MEME's: a background model, or motifs.

    Of a model, the lines with one letter and its frequency count (order 0); of a file of motifs,
    the line under ``Background letter frequencies``. Comments begin with ``#``.

    Raises
    ------
    InputError
        When the file is missing or does not have one frequency for each of A, C, G and T.
    """
    lines = [line.partition("#")[0] for line in read_text(path).split("\n")]
    headings = [n for n, line in enumerate(lines) if line.startswith(_LETTERS_HEADING)]
    if headings:
        words = " ".join(lines[headings[0] + 1 : headings[0] + 3]).split()[:8]
        lines = [" ".join(words[at : at + 2]) for at in range(0, len(words), 2)]
    rows = [(match[1].upper(), match[2]) for line in lines if (match := _ROW.fullmatch(line))]
    try:
        frequencies = {letter: float(text) for letter, text in rows}
    except ValueError:
        frequencies = {}
    if set(frequencies) != set(ALPHABET) or len(rows) != len(frequencies):
        raise InputError(
            f"there are frequencies of {', '.join(letter for letter, _ in rows) or 'no base'}, "
            "not one of each of A, C, G and T",
            f"in {path}",
            remedy="write lines such as 'A 0.275', or use fimo, uniform or sequences",
        )
    a, c, g, t = check_background([frequencies[letter] for letter in ALPHABET]).tolist()
    return a, c, g, t


def _of_blocks(blocks: Iterable[Block]) -> Sequence[float]:
    counts = np.zeros(len(ALPHABET), dtype=np.int64)
    for block in blocks:
        # Bases without room are counted in the block before, or are N.
        known = block.codes[block.room > 0]
        counts += np.bincount(known, minlength=len(ALPHABET))[: len(ALPHABET)]
    if not counts.all():
        told = ", ".join(f"{n} {base}" for n, base in zip(counts, ALPHABET, strict=True))
        raise InputError(
            f"the sequences hold {told}, and a background needs each base",
            remedy="use fimo, uniform or a file",
            argument="background",
        )
    return tuple((counts / counts.sum()).tolist())
