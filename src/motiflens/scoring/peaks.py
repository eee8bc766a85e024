"""Peaks of a track of window scores: local maxima, with q-values by a null.

The null is the same model on dinucleotide shuffles of the same sequence: its local maxima are what
such a track shows without any order of the bases beyond neighbours, in the same composition,
kilobase by kilobase. Local maxima are compared with local maxima, because neighbouring windows
share most of their bases, and a single site would count as a hundred windows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from motiflens.scoring.shared_windows import Floats32, Positions
from motiflens.sequences import PAD, Codes
from motiflens.shuffles import dinucleotide_shuffle

Floats = NDArray[np.float64]

#: Bases that are shuffled together: enough to break every motif, few enough to keep what is local.
SHUFFLED_TOGETHER = 1000
#: A score in column 5 of narrowPeak is at most this.
MAX_SCORE = 1000
NAME = "dinucleotide shuffles"


def local_maxima(positions: Positions, scores: Floats32, width: int, stride: int) -> Positions:
    """Return the indices of scores that no other within less than ``width`` bases exceeds.

    Of equal scores the first counts, so that two maxima are at least ``width`` bases apart.

    Parameters
    ----------
    positions, scores
        (N,), of one contig: ascending multiples of the stride.
    width, stride
        In bases.
    """
    if len(positions) == 0:
        return np.zeros(0, dtype=np.int64)
    steps = (positions - positions[0]) // stride
    track = np.full(int(steps[-1]) + 1, -np.inf, dtype=np.float32)
    track[steps] = scores
    reach = (width - 1) // stride
    around = _largest_around(track, reach)
    # The largest of the ``reach`` steps before each one.
    before = np.full_like(track, -np.inf)
    before[1:] = _largest_until(track, reach)[:-1]
    return np.flatnonzero((scores == around[steps]) & (scores > before[steps]))


def _largest_around(track: Floats32, reach: int) -> Floats32:
    return maximum_filter1d(track, 2 * reach + 1, mode="constant", cval=-np.inf)


def _largest_until(track: Floats32, n: int) -> Floats32:
    """Return the largest of each and the n - 1 before it; of none, minus infinity."""
    if n == 0:
        return np.full_like(track, -np.inf)
    return maximum_filter1d(track, n, mode="constant", cval=-np.inf, origin=(n - 1) // 2)


def shuffled(codes: Codes, chunk: int, seed: tuple[int, ...]) -> Codes:
    """Shuffle codes that begin at a multiple of SHUFFLED_TOGETHER, each stretch by itself.

    Parameters
    ----------
    codes
        uint8 (T,); every N keeps its place.
    chunk
        Number of the first stretch.
    seed
        With the number of a stretch it decides how that is shuffled, whatever else is.
    """
    n_chunks = -(-len(codes) // SHUFFLED_TOGETHER)
    rows = np.full(n_chunks * SHUFFLED_TOGETHER, PAD, dtype=np.uint8)
    rows[: len(codes)] = codes
    lengths = np.full(n_chunks, SHUFFLED_TOGETHER, dtype=np.int32)
    generators = [np.random.default_rng([*seed, chunk + index]) for index in range(n_chunks)]
    rows = dinucleotide_shuffle(rows.reshape(n_chunks, SHUFFLED_TOGETHER), lengths, generators)
    return rows.reshape(-1)[: len(codes)]


@dataclass(frozen=True, eq=False)
class Significance:
    """What a score means beside a null.

    Parameters
    ----------
    p_values, q_values
        (N,), of the scores as they were given.
    """

    p_values: Floats
    q_values: Floats

    def take(self, rows: Positions) -> Significance:
        """Return those of some scores."""
        return Significance(self.p_values[rows], self.q_values[rows])


def significance(scores: Floats32, null: Floats32) -> Significance:
    """Compare the scores of local maxima with those of a null of as many windows.

    The p-value is the fraction of the null's maxima that score as high, the q-value of a score s
    the number of the null's maxima of at least s over that of the sequence's, and no more than
    that of any lower score. Both count one maximum more in the null than there is, so that
    nothing is certain because the null is small, and no maximum of the sequence is thought to be
    of the null (a fraction of true nulls of 1): both err on the safe side.

    Parameters
    ----------
    scores
        (N,), in any order.
    null
        (M,), in any order.
    """
    order = np.argsort(-scores, kind="stable")
    descending = scores[order]
    ascending_null = np.sort(null)
    above = len(null) - np.searchsorted(ascending_null, descending, side="left") + 1
    at_least = np.searchsorted(-descending, -descending, side="right")
    raw = np.minimum(above / np.maximum(at_least, 1), 1.0)
    q_values, p_values = np.empty(len(scores)), np.empty(len(scores))
    q_values[order] = np.minimum.accumulate(raw[::-1])[::-1]
    p_values[order] = above / (len(null) + 1)
    return Significance(p_values, q_values)


@dataclass(frozen=True, eq=False)
class Peaks:
    """Peaks along a genome, in its order.

    Parameters
    ----------
    contigs
        Names, of each.
    starts, summits
        (N,): the first base of the best window, and the base in it that the site is around.
    scores
        (N,), mean logits.
    """

    contigs: list[str]
    starts: Positions
    summits: Positions
    scores: Floats32


def narrow_peak(peaks: Peaks, found: Significance, length: int) -> Iterator[bytes]:
    """Yield the lines of a narrowPeak file: the best windows of peaks.

    The score is -10 log10 q, up to 1,000; the signal value is the mean logit; p and q are given as
    -log10; the last column is the summit, from the start.
    """
    for index, (contig, start) in enumerate(zip(peaks.contigs, peaks.starts.tolist(), strict=True)):
        q = -np.log10(found.q_values[index]) + 0.0
        p = -np.log10(found.p_values[index]) + 0.0
        score = min(MAX_SCORE, round(10 * q))
        yield (
            f"{contig}\t{start}\t{start + length}\tpeak_{index + 1}\t{score}\t.\t"
            f"{peaks.scores[index]:.6g}\t{p:.5g}\t{q:.5g}\t{peaks.summits[index] - start}\n"
        ).encode()
