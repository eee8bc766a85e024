"""Motifs searched for in sequences that are in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from motiflens.datasets import SequenceDataset, check_strands
from motiflens.errors import InputError
from motiflens.matrices import Motif
from motiflens.scanning.backgrounds import resolve_background
from motiflens.scanning.blocks import Block, Stretch, pack
from motiflens.scanning.scores import (
    PSEUDOCOUNT,
    STEPS_PER_BIT,
    ScoredMotif,
    q_values,
    score_motif,
)
from motiflens.scanning.search import Searcher
from motiflens.sequences import Codes, encode

Sequences = SequenceDataset | Codes | Sequence[str]


def scan(
    motifs: Sequence[Motif],
    sequences: Sequences,
    *,
    p: float = 1e-4,
    background: str | Path | Sequence[float] = "fimo",
    strands: str = "both",
    pseudocount: float = PSEUDOCOUNT,
) -> pd.DataFrame:
    """Find the sites of motifs, with exact p-values, as FIMO does.

    A window is a hit when its log-odds score is so high that a window of background has as high a
    one with a probability of at most ``p``. Windows with an N in them are not scored. Where a
    motif is its own reverse complement, a site is a hit on both strands.

    Parameters
    ----------
    motifs
        What is searched for.
    sequences
        A data set, codes uint8 (N, L) filled up with ``PAD``, or N strings of ACGTN in any case.
    p
        The largest p-value of a hit.
    background
        ``fimo`` (A, T 0.275, C, G 0.225 on both strands), ``uniform``, ``sequences`` (their own
        frequencies), four probabilities of A C G T, or a file; see
        :func:`motiflens.scanning.read_background`. With both strands, the probabilities of
        complementary bases are averaged.
    strands
        ``both`` or ``forward``.
    pseudocount
        Shared out by the background among the sites that a motif was made from.

    Returns
    -------
    hits
        One row a hit, in the order of sequence, start, motif and strand: ``sequence`` (index),
        ``start``, ``end`` (0-based, half-open, on the sequence as given), ``strand``, ``motif``
        (index), ``score`` (bits, to 1/256), ``p_value``, ``q_value`` (Benjamini and Hochberg,
        a motif at a time, over all windows scored).

    Raises
    ------
    InputError
        For a letter other than ACGTN, and for a p, a background, strands or a pseudocount that
        are none.

    References
    ----------
    Grant, Bailey and Noble, Bioinformatics 27:1017 (2011).
    """
    check_strands(strands)
    both = strands == "both"
    base = resolve_background(background, _blocks(sequences), both_strands=both)
    scored = [score_motif(motif, base, p=p, pseudocount=pseudocount) for motif in motifs]
    columns, n_windows = _search(scored, _blocks(sequences), both_strands=both)
    return _frame(scored, columns, n_windows * (1 + both))


def _blocks(sequences: Sequences) -> Iterator[Block]:
    return pack(_stretches(sequences))


def _stretches(sequences: Sequences) -> Iterable[Stretch]:
    if isinstance(sequences, SequenceDataset):
        sequences = sequences.codes
    if isinstance(sequences, np.ndarray):
        if sequences.ndim != 2 or sequences.dtype != np.uint8:
            raise InputError(
                "codes of sequences are uint8 (N, L)",
                got=f"{sequences.dtype} {sequences.shape}",
                remedy="encode the sequences by motiflens.sequences.encode",
            )
        rows: Iterable[Codes] = sequences
    else:
        if isinstance(sequences, str):
            raise InputError(
                "sequences come as a list", got="one string", remedy="put it into a list"
            )
        codes, lengths = encode(sequences)
        rows = (row[:length] for row, length in zip(codes, lengths.tolist(), strict=True))
    return (Stretch(index, 0, row, len(row)) for index, row in enumerate(rows))


Columns = tuple[NDArray[np.int64], ...]


def _search(
    scored: list[ScoredMotif], blocks: Iterable[Block], *, both_strands: bool
) -> tuple[Columns, NDArray[np.int64]]:
    """Give the columns sequence, start, motif, reverse and score, and the windows of each width."""
    searcher = Searcher(scored, both_strands=both_strands)
    widest = max((one.motif.width for one in scored), default=1)
    n_windows = np.zeros(widest + 1, dtype=np.int64)
    parts = [(np.zeros(0, dtype=np.int64),) * 5]
    for block in blocks:
        hits = searcher.find(block)
        sequence, start = block.place(hits.position)
        parts.append((sequence, start, hits.motif, hits.reverse.astype(np.int64), hits.score))
        n_windows += block.count_windows(widest)
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True)), n_windows


def _frame(scored: list[ScoredMotif], columns: Columns, n_tests: NDArray[np.int64]) -> pd.DataFrame:
    sequence, start, motif, reverse, score = columns
    width = np.array([one.motif.width for one in scored], dtype=np.int64)
    p_value, q_value = np.zeros(len(score)), np.zeros(len(score))
    for index, one in enumerate(scored):
        rows = np.flatnonzero(motif == index)
        above = score[rows] - one.threshold
        counts = np.bincount(above, minlength=len(one.p_values))
        p_value[rows] = one.p_values[above]
        q_value[rows] = q_values(one, counts, int(n_tests[one.motif.width]))[above]
    return pd.DataFrame(
        {
            "sequence": sequence,
            "start": start,
            "end": start + width[motif],
            "strand": np.where(reverse == 1, "-", "+"),
            "motif": motif,
            "score": score / STEPS_PER_BIT,
            "p_value": p_value,
            "q_value": q_value,
        }
    )
