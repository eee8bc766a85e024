"""From scores to p-values and q-values, for hits that need not all be in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from motiflens.hits.blocks import Block
from motiflens.hits.scores import ScoredMotif
from motiflens.hits.search import Searcher
from motiflens.motifs import Matrix


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
        int64 (M,): a score of a motif, in steps, plus this is its place among them.
    """

    p_values: Matrix
    q_values: Matrix
    shift: NDArray[np.int64]

    def of(self, hits: Hits) -> tuple[Matrix, Matrix]:
        """Give the p-values and the q-values of hits, (H,) each."""
        place = self.shift[hits.motif] + hits.score
        return self.p_values[place], self.q_values[place]


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
        # A score in steps plus this is its place among the counts of all motifs.
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
        return np.array([part.sum() for part in self._split(self._counts)], dtype=np.int64)

    def n_tests(self, width: int) -> int:
        """Windows of a width scored so far, on all strands."""
        return int(self._n_windows[width]) * self._n_strands

    def search(self, blocks: Iterable[Block]) -> Iterator[Hits]:
        """Find the hits of each block, and count them."""
        for block in blocks:
            found = self._searcher.find(block)
            np.add.at(self._counts, self._shift[found.motif] + found.score, 1)
            self._n_windows += block.count_windows(self.widest)
            yield Hits(*block.place(found.position), found.motif, found.reverse, found.score)

    def significance(self) -> Significance:
        """Give the p-values and q-values of all scores, once all sequences were searched.

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
    """Give the q-value of each score, lowest first; (S,)."""
    rank = np.cumsum(counts[::-1])[::-1]
    raw = np.full(len(counts), np.inf)
    seen = counts > 0
    raw[seen] = p_values[seen] * n_tests / rank[seen]
    return np.minimum(np.minimum.accumulate(raw), 1.0)
