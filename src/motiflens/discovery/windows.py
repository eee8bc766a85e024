"""Windows of sequence in which sites of a motif are looked for, and their scores."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import conv1d

from motiflens.discovery.oriented import OrientedTracks
from motiflens.sequences import PAD, Codes, one_hot

MAX_WIDTH = 40
"""Columns of a motif at most."""

FLANK = 20
"""Columns on either side of a motif that are looked at for more of it."""

MARGIN = FLANK + MAX_WIDTH

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Windows:
    """M windows: a site lies in the one that holds its centre, so in exactly one.

    Parameters
    ----------
    row, start, size
        (M,) row of the sequence, first position of the window on it, number of its positions.
    codes
        uint8 (M, R): from ``MARGIN`` before the start on; padding beyond the sequence.
    length
        (M,) of the sequence.
    background
        Base probabilities (4,); those of A and T, of C and G are equal on both strands.
    background_bits
        -log2 of the background's probability of the bases before each column, (M, R + 1).
    both_strands
        Whether sites lie on either strand.
    max_site_fraction
        Fraction of windows with a site, at most, as far as the limit of a score is concerned.
    """

    row: Ints
    start: Ints
    size: Ints
    codes: Codes
    length: Ints
    background: Floats
    background_bits: Floats
    both_strands: bool
    max_site_fraction: float = 0.5

    def __len__(self) -> int:
        return len(self.row)

    @property
    def n_offsets(self) -> Ints:
        """Number of offsets of a site in every window, on all its strands, (M,)."""
        return self.size * (2 if self.both_strands else 1)

    def column(self, window: Ints, start: Ints) -> Ints:
        """Return the column of ``codes`` at which sites of windows start."""
        column: Ints = start - self.start[window] + MARGIN
        return column

    def mask_margins(self, values: Floats) -> Floats:
        """Set values (M, R) to 0 outside the windows."""
        offset = np.arange(self.codes.shape[1]) - MARGIN
        kept: Floats = np.where((offset >= 0) & (offset < self.size[:, None]), values, 0.0)
        return kept

    def take(self, chosen: NDArray[np.generic]) -> Windows:
        """Return some of the windows."""
        columns = ("row", "start", "size", "codes", "length", "background_bits")
        return replace(self, **{name: getattr(self, name)[chosen] for name in columns})

    def scores(self, log_odds: Floats) -> NDArray[np.float32]:
        """Score K motifs at every offset.

        Parameters
        ----------
        log_odds
            log2 of the probabilities, (K, 4, W); those of the background are taken off here.

        Returns
        -------
        scores
            Bits (M, K, S, P): strand + and, with both, strand -; P offsets of the centre;
            ``-inf`` where a site would leave its sequence or its window.
        """
        width = log_odds.shape[2]
        n_offsets = int(self.size.max(initial=0))
        low = MARGIN - width // 2
        bases = self.codes[:, low : low + n_offsets + width - 1]
        strands = [log_odds, log_odds[:, ::-1, ::-1]] if self.both_strands else [log_odds]
        kernels = np.stack(strands, axis=1).reshape(-1, 4, width)
        with torch.inference_mode():
            raw = conv1d(torch.from_numpy(one_hot(bases)), torch.from_numpy(kernels).float())
        scores: NDArray[np.float32] = raw.numpy().reshape(
            len(self), len(log_odds), len(strands), n_offsets
        )
        bits = self.background_bits[:, low + width : low + width + n_offsets]
        bits = bits - self.background_bits[:, low : low + n_offsets]
        # -inf rides on the background: one pass over the scores, which are many, not two.
        bits = np.where(self._on_sequence(width), bits, -np.inf).astype(np.float32)
        scores += bits[:, None, None]
        return scores

    def _on_sequence(self, width: int) -> NDArray[np.bool_]:
        """Mark the offsets at which a site of a width fits on its sequence, (M, P)."""
        offset = np.arange(int(self.size.max(initial=0)))
        first = self.start[:, None] + offset - width // 2
        fits = (first >= 0) & (first + width <= self.length[:, None])
        return (offset < self.size[:, None]) & fits


def cut_windows(
    tracks: OrientedTracks,
    intervals: Ints,
    *,
    both_strands: bool,
    max_size: int | None = None,
    order: int = 0,
    background: Codes | None = None,
) -> Windows:
    """Cut windows out of intervals (M, 3) of sequence, start and end; long ones into several.

    Parameters
    ----------
    max_size
        Positions of a window at most; None for no limit.
    order
        Of the background's Markov chain.
    background
        Codes (N', L') that it is fitted to; None for the sequences of the tracks.
    """
    background = tracks.codes if background is None else background
    row, start, end = _pieces(intervals, max_size).T
    size = end - start
    position = start[:, None] - MARGIN + np.arange(int(size.max(initial=0)) + 2 * MARGIN)
    chain = fit_markov_chain(background, order, both_strands)
    inside = (position >= 0) & (position < tracks.lengths[row, None])
    source = np.where(inside, position, 0)
    codes = np.where(inside, tracks.codes[row[:, None], source], PAD).astype(np.uint8)
    every = background_bits(tracks.codes, chain, order)
    bits = np.where(inside, every[row[:, None], source], 0.0)
    return Windows(
        row,
        start,
        size,
        codes,
        tracks.lengths[row],
        fit_markov_chain(background, 0, both_strands)[0],
        np.pad(np.cumsum(bits, axis=1), ((0, 0), (1, 0))),
        both_strands,
    )


def _pieces(intervals: Ints, max_size: int | None) -> Ints:
    """Cut intervals longer than ``max_size`` into pieces of equal length, as nearly as can be."""
    if max_size is None:
        return intervals
    row, start, end = intervals.T
    n_pieces = -(-(end - start) // max_size)
    index = np.repeat(np.arange(len(row)), n_pieces)
    piece = np.arange(len(index)) - np.repeat(np.cumsum(n_pieces) - n_pieces, n_pieces)
    size, count = (end - start)[index], n_pieces[index]
    low, high = start[index] + piece * size // count, start[index] + (piece + 1) * size // count
    return np.stack([row[index], low, high], axis=1)


def fit_markov_chain(codes: Codes, order: int, both_strands: bool) -> Floats:
    """Fit a Markov chain to the sequences: probabilities (4 ** order, 4), a pseudocount each."""
    context, base = _contexts(codes, order)
    known = context >= 0
    n_kmers = 4 ** (order + 1)
    counts = np.bincount(4 * context[known] + base[known], minlength=n_kmers).astype(np.float64)
    if both_strands:
        letters = np.arange(n_kmers)[:, None] // 4 ** np.arange(order + 1) % 4  # last base first
        mirrored = ((3 - letters) * 4 ** np.arange(order + 1)[::-1]).sum(axis=1)
        counts = counts + counts[mirrored]
    counts = counts.reshape(-1, 4) + 1.0
    probabilities: Floats = counts / counts.sum(axis=1, keepdims=True)
    return probabilities


def background_bits(codes: Codes, chain: Floats, order: int) -> Floats:
    """Return -log2 of the probability of every base under a Markov chain, (N, L).

    0 for N and padding; 2 bits for the first bases of a sequence, which have no context.
    """
    context, base = _contexts(codes, order)
    bits = np.where(codes < PAD, 2.0, 0.0)
    known = context >= 0
    bits[:, order:][known] = -np.log2(chain[context[known], base[known]])
    return bits


def _contexts(codes: Codes, order: int) -> tuple[Ints, Ints]:
    """Return the ``order`` bases before each base as a number, -1 for unknown ones; the base."""
    n_bases = max(codes.shape[1] - order, 0)
    context = np.zeros((len(codes), n_bases), dtype=np.int64)
    known = codes[:, order:] < PAD
    for offset in range(order):
        column = codes[:, offset : offset + n_bases].astype(np.int64)
        known = known & (column < PAD)
        context = 4 * context + np.minimum(column, PAD - 1)
    base = codes[:, order:].astype(np.int64)
    return np.where(known, context, -1), base
