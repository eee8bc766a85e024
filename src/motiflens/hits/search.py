"""Where motifs score high enough in a block.

Two exact steps. First, every base is looked up by the eight bases that begin there: could a site
lie over them, on either strand, if all its other columns fitted best? One table of 65,536 entries
a motif answers for both strands. Then what is left is scored, four columns at a time, for as long
as the columns that remain could still make it a hit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from motiflens.hits.blocks import Block
from motiflens.hits.scores import ScoredMotif, Steps
from motiflens.sequences import Codes

_KMER = 8
_QUAD = 4
_LAST_QUAD = 2 * (_KMER - _QUAD)  # bits to drop of a k-mer, to have its first four bases

Kmers = NDArray[np.intp]


class BlockHits(NamedTuple):
    """Hits in the order of position, motif and strand.

    Parameters
    ----------
    position
        int64 (H,), first base of the window in the block.
    motif
        int64 (H,), index of the motif.
    reverse
        bool (H,), whether the site is on the strand -.
    score
        int64 (H,), in steps.
    """

    position: NDArray[np.int64]
    motif: NDArray[np.int64]
    reverse: NDArray[np.bool_]
    score: NDArray[np.int64]


class _Strand(NamedTuple):
    """A motif as it lies on the strand + of the sequence.

    Parameters
    ----------
    anchor
        Column at which the k-mer that is looked up begins.
    quads
        For every four columns, those that tell most first: their offset, int64 (256,) their score
        by their bases, and the score that is needed up to here for a hit.
    """

    anchor: int
    quads: list[tuple[int, NDArray[np.int64], int]]

    def score(
        self, kmers: Kmers, starts: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return those of the windows that are hits, and their scores.

        Windows may reach over the ends of the k-mers; the scores of those mean nothing.
        """
        score = np.zeros(len(starts), dtype=np.int64)
        for offset, table, needed in self.quads:
            score += table.take(kmers.take(starts + offset, mode="clip") >> _LAST_QUAD)
            able = score >= needed
            starts, score = starts[able], score[able]
        return starts, score


class Searcher:
    """Motifs prepared for many blocks.

    Parameters
    ----------
    scored
        The motifs.
    both_strands
        Whether sites of the strand - are hits too.
    """

    def __init__(self, scored: Sequence[ScoredMotif], *, both_strands: bool) -> None:
        self._scored = [(index, one) for index, one in enumerate(scored) if len(one.p_values)]
        self._strands: list[list[_Strand]] = []
        self._flags: list[NDArray[np.uint8]] = []  # by k-mer; bit 0 is for the strand +, 1 for -
        for _, one in self._scored:
            prepared = [_prepare(s, one.threshold) for s in _orientations(one.steps, both_strands)]
            self._strands.append([strand for strand, _ in prepared])
            keeps = [keep.astype(np.uint8) << bit for bit, (_, keep) in enumerate(prepared)]
            self._flags.append(np.bitwise_or.reduce(keeps))

    def find(self, block: Block) -> BlockHits:
        """Return all hits in a block."""
        kmers = _kmers(block.codes)
        hits: list[BlockHits] = []
        for (index, one), strands, flags in zip(
            self._scored, self._strands, self._flags, strict=True
        ):
            flag = flags.take(kmers)
            positions = np.flatnonzero(flag != 0)
            flag = flag[positions]
            for bit, strand in enumerate(strands):
                able = positions[(flag & (1 << bit)) != 0] - strand.anchor
                starts, score = strand.score(kmers, able)
                room = block.room.take(starts, mode="clip")
                inside = (starts >= 0) & (room >= one.motif.width)
                starts, score = starts[inside], score[inside]
                same = (np.full(len(starts), index), np.full(len(starts), bool(bit)))
                hits.append(BlockHits(starts, *same, score))
        return _in_order(hits)


def _orientations(steps: Steps, both_strands: bool) -> list[Steps]:
    return [steps, steps[::-1, ::-1]] if both_strands else [steps]


def _prepare(steps: Steps, threshold: int) -> tuple[_Strand, NDArray[np.bool_]]:
    """Return a strand, and for each k-mer, bool (65536,), whether a site may lie over it."""
    width = steps.shape[1]
    padded = np.zeros((4, max(_KMER, -(-width // _QUAD) * _QUAD)), dtype=np.int64)
    padded[:, :width] = steps
    best = padded.max(axis=0)
    loss = best - padded.mean(axis=0)  # what a column tells: how far its mean is below its best
    upto = np.concatenate([[0], np.cumsum(loss)])
    n_anchors = max(width - _KMER, 0) + 1
    anchor = int(np.argmax(upto[_KMER : _KMER + n_anchors] - upto[:n_anchors]))
    halves = [_quad(padded[:, at : at + _QUAD]) for at in (anchor, anchor + _QUAD)]
    rest = best.sum() - best[anchor : anchor + _KMER].sum()
    keep = np.add.outer(*halves).reshape(-1) + rest >= threshold
    offsets = sorted(range(0, width, _QUAD), key=lambda at: -loss[at : at + _QUAD].sum())
    quads, missing = [], int(best.sum())
    for at in offsets:
        missing -= int(best[at : at + _QUAD].sum())
        quads.append((at, _quad(padded[:, at : at + _QUAD]), threshold - missing))
    return _Strand(anchor, quads), keep


def _quad(columns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the scores of all 256 4-mers over four columns (4, 4), in order of the letters."""
    table = np.zeros(1, dtype=np.int64)
    for column in columns.T:
        table = np.add.outer(table, column).reshape(-1)
    return table


def _kmers(codes: Codes) -> Kmers:
    """Return the 8-mer that begins at each base; N, and what is past the end, reads as A."""
    letters = np.zeros(len(codes) + _KMER - 1, dtype=np.uint16)
    letters[: len(codes)] = codes
    letters[letters > 3] = 0
    pairs = letters[:-1] << 2 | letters[1:]
    quads = pairs[:-2] << 4 | pairs[2:]
    return (quads[:-4] << 8 | quads[4:]).astype(np.intp)


def _in_order(hits: list[BlockHits]) -> BlockHits:
    if not hits:
        none = np.zeros(0, dtype=np.int64)
        return BlockHits(none, none, none.astype(bool), none)
    position, motif, reverse, score = (np.concatenate(column) for column in zip(*hits, strict=True))
    order = np.lexsort((reverse, motif, position))
    return BlockHits(position[order], motif[order], reverse[order].astype(bool), score[order])
