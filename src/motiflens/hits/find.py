"""Motifs searched for in sequences that are in memory, and the significance of their hits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from motiflens.datasets import SequenceDataset, check_strands
from motiflens.errors import InputError
from motiflens.hits.blocks import Block, Stretch, pack
from motiflens.hits.scores import (
    PSEUDOCOUNT,
    STEPS_PER_BIT,
    ScoredMotif,
    resolve_background,
    score_motif,
)
from motiflens.hits.search import Searcher
from motiflens.io.inputs import Sequences, as_codes
from motiflens.motifs import Matrix, Motif, Motifs, resolve_motifs
from motiflens.sequences import Codes


def find_hits(
    motifs: Motifs,
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
        What is searched for: motifs, a file of them, or what else
        :func:`motiflens.motifs.resolve_motifs` takes.
    sequences
        Strings of ACGTN in any case, a file, a data set, one-hot (N, 4, L), or codes uint8 (N, L)
        filled up with ``PAD``.
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
        Distributed by the background over the sites that a motif was made from.

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
    motifs = resolve_motifs(motifs)
    both = strands == "both"
    rows = _rows(sequences)
    base = resolve_background(background, _blocks(rows), both_strands=both)
    scored = [score_motif(motif, base, p=p, pseudocount=pseudocount) for motif in motifs]
    tally = Tally(scored, both_strands=both)
    none = np.zeros(0, dtype=np.int64)
    blocks = [Hits(none, none, none, none.astype(bool), none), *tally.search(_blocks(rows))]
    columns = (np.concatenate(column) for column in zip(*blocks, strict=True))
    return _frame(motifs, Hits(*columns), tally)


def _rows(sequences: Sequences) -> Codes | list[Codes]:
    """Return the codes of each sequence; those of a data set with their padding."""
    if isinstance(sequences, SequenceDataset):
        return sequences.codes
    if getattr(sequences, "ndim", 0) == 2:
        codes = np.asarray(sequences)
        if codes.dtype != np.uint8:
            raise InputError(
                f"the codes of the sequences are {codes.dtype} {codes.shape}, not uint8 (N, L)",
                remedy="encode the sequences by motiflens.sequences.encode",
                argument="sequences",
            )
        return codes
    codes, lengths = as_codes(sequences)
    return [row[:length] for row, length in zip(codes, lengths.tolist(), strict=True)]


def _blocks(rows: Codes | list[Codes]) -> Iterator[Block]:
    return pack(Stretch(index, 0, row, len(row)) for index, row in enumerate(rows))


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


class Hits(NamedTuple):
    """Hits in the order of sequence, start, motif and strand.

    Parameters
    ----------
    sequence, start, motif
        int64 (H,): number of the sequence, first base on it, index of the motif.
    reverse
        bool (H,), whether the site is on the strand -.
    score
        int64 (H,), in steps.
    """

    sequence: NDArray[np.int64]
    start: NDArray[np.int64]
    motif: NDArray[np.int64]
    reverse: NDArray[np.bool_]
    score: NDArray[np.int64]


class Significance(NamedTuple):
    """The p-value and q-value of every score that a hit may have, motif after motif.

    Parameters
    ----------
    p_values, q_values
        float64 (S,).
    shift
        int64 (M,): a score of a motif, in steps, plus this is its index among them.
    """

    p_values: Matrix
    q_values: Matrix
    shift: NDArray[np.int64]

    def of(self, hits: Hits) -> tuple[Matrix, Matrix]:
        """Return the p-values and the q-values of hits, (H,) each."""
        index = self.shift[hits.motif] + hits.score
        return self.p_values[index], self.q_values[index]


class Tally:
    """Counts of the hits of each motif by their score, and of the windows of each width.

    That is all that q-values need, so hits can be written away as they are found.

    Parameters
    ----------
    scored
        The motifs.
    both_strands
        Whether windows of the strand - are scored too.
    """

    def __init__(self, scored: Sequence[ScoredMotif], *, both_strands: bool) -> None:
        self._scored = scored
        self._searcher = Searcher(scored, both_strands=both_strands)
        self._n_strands = 1 + both_strands
        sizes = [len(one.p_values) for one in scored]
        self._ends = np.cumsum(sizes, dtype=np.int64)
        # A score in steps plus this is its index among the counts of all motifs.
        thresholds = np.array([one.threshold for one in scored], dtype=np.int64)
        self._shift = self._ends - np.array(sizes, dtype=np.int64) - thresholds
        self._counts = np.zeros(sum(sizes), dtype=np.int64)
        self._n_windows = np.zeros(self.widest + 1, dtype=np.int64)

    @property
    def widest(self) -> int:
        """Columns of the widest motif."""
        return max((one.motif.width for one in self._scored), default=1)

    @property
    def n_hits(self) -> NDArray[np.int64]:
        """Hits of each motif so far, (M,)."""
        return np.array([counts.sum() for counts in self._split(self._counts)], dtype=np.int64)

    def n_tests(self, width: int) -> int:
        """Windows of a width scored so far, on all strands."""
        return int(self._n_windows[width]) * self._n_strands

    def search(self, blocks: Iterable[Block]) -> Iterator[Hits]:
        """Find the hits of each block, and count them."""
        for block in blocks:
            hits = self._searcher.find(block)
            np.add.at(self._counts, self._shift[hits.motif] + hits.score, 1)
            self._n_windows += block.count_windows(self.widest)
            yield Hits(*block.locate(hits.position), hits.motif, hits.reverse, hits.score)

    def significance(self) -> Significance:
        """Return the p-values and q-values of all scores, once all sequences were searched.

        The q-values are of each motif by itself, after Benjamini and Hochberg, J R Stat Soc B
        57:289 (1995): with m windows scored, of which r score as high as a hit or higher, p m / r,
        and no more than that of any hit with a lower score.
        """
        q_values = [
            _q_of_scores(one.p_values, counts, self.n_tests(one.motif.width))
            for one, counts in zip(self._scored, self._split(self._counts), strict=True)
        ]
        p_values = [one.p_values for one in self._scored]
        none = np.zeros(0)
        return Significance(
            np.concatenate([none, *p_values]), np.concatenate([none, *q_values]), self._shift
        )

    def _split(self, counts: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        return np.split(counts, self._ends[:-1]) if len(self._ends) else []


def _q_of_scores(p_values: Matrix, counts: NDArray[np.int64], n_tests: int) -> Matrix:
    """Return the q-value of each score, lowest first; (S,)."""
    rank = np.cumsum(counts[::-1])[::-1]
    raw = np.full(len(counts), np.inf)
    seen = counts > 0
    raw[seen] = p_values[seen] * n_tests / rank[seen]
    return np.minimum(np.minimum.accumulate(raw), 1.0)
