"""Motifs searched for in sequences that are in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from motiflens.datasets import SequenceDataset, check_strands
from motiflens.errors import InputError
from motiflens.hits.backgrounds import resolve_background
from motiflens.hits.blocks import Block, Stretch, pack
from motiflens.hits.scores import PSEUDOCOUNT, STEPS_PER_BIT, score_motif
from motiflens.hits.tally import Hits, Tally
from motiflens.motifs import Motif
from motiflens.sequences import Codes, encode

Sequences = SequenceDataset | Codes | Sequence[str]


def find_hits(
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
        :func:`motiflens.hits.read_background`. With both strands, the probabilities of
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
    tally = Tally(scored, both_strands=both)
    none = np.zeros(0, dtype=np.int64)
    parts = [Hits(none, none, none, none.astype(bool), none), *tally.search(_blocks(sequences))]
    columns = (np.concatenate(column) for column in zip(*parts, strict=True))
    return _frame(motifs, Hits(*columns), tally)


def _blocks(sequences: Sequences) -> Iterator[Block]:
    return pack(_stretches(sequences))


def _stretches(sequences: Sequences) -> Iterable[Stretch]:
    if isinstance(sequences, SequenceDataset):
        sequences = sequences.codes
    if isinstance(sequences, np.ndarray):
        if sequences.ndim != 2 or sequences.dtype != np.uint8:
            raise InputError(
                f"an array {sequences.dtype} {sequences.shape} holds no codes, uint8 (N, L)",
                remedy="encode the sequences by motiflens.sequences.encode",
            )
        rows: Iterable[Codes] = sequences
    else:
        if isinstance(sequences, str):
            raise InputError("sequences is one string", remedy="put it into a list")
        codes, lengths = encode(sequences)
        rows = (row[:length] for row, length in zip(codes, lengths.tolist(), strict=True))
    return (Stretch(index, 0, row, len(row)) for index, row in enumerate(rows))


def _frame(motifs: Sequence[Motif], hits: Hits, tally: Tally) -> pd.DataFrame:
    width = np.array([motif.width for motif in motifs], dtype=np.int64)
    p_value, q_value = tally.significance().of(hits)
    return pd.DataFrame(
        {
            "sequence": hits.sequence,
            "start": hits.start,
            "end": hits.start + width[hits.motif],
            "strand": np.where(hits.reverse, "-", "+"),
            "motif": hits.motif,
            "score": hits.score / STEPS_PER_BIT,
            "p_value": p_value,
            "q_value": q_value,
        }
    )
