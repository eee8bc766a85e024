"""Seqlets: the stretches of sequence that an explanation points at, beyond a shuffled null."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from motiflens.attribution import Attributions
from motiflens.discovery.discovered import Seqlet
from motiflens.discovery.frame import Frame, frame_attributions
from motiflens.errors import InputError

WINDOW = 7
"""Bases whose contributions are summed: shorter than most motifs, so that a null made of the
bases of a 35-bp probe still differs from a motif in it."""

MARGIN = 1
"""Bases at either end of such a window that do not belong to the seqlet: the sum exceeds the
limit as soon as most of a motif is in it."""

N_PASSES = 2
N_NULL = 300_000
"""Windows of shuffled tracks that the null is made of, at least where there are sequences."""

MAX_SEQLETS = 20_000
"""Seqlets of either sign that are kept at most, those of the largest contributions."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def find_seqlets(attributions: Attributions, *, fdr: float = 0.05, seed: int = 0) -> list[Seqlet]:
    """Find the stretches whose contributions add up to more than those of shuffled tracks.

    The track of each sequence is divided by its root mean square, or by the median of these over
    all sequences where that is larger: a few sequences of large contributions then do not set the
    limit of all, and those of small ones stay small. The values of every ``WINDOW`` adjacent bases
    are summed, in the tracks and in tracks whose bases are permuted within each sequence. The
    lowest sum is sought from which on shuffled windows, for the same number of places, are at most
    ``fdr`` of the real ones. This is done twice: the second time the null is made of the bases
    outside the first seqlets, so that a strong motif does not hide a weak one. The windows from
    that sum on, less ``MARGIN`` at either end, make one seqlet where they overlap or touch. Sums
    below 0 are treated alike.

    Neither the order nor the strand of the sequences matters: the shuffles are drawn for the
    sequences in an order and orientation of their own content.

    Parameters
    ----------
    attributions
        Of N sequences, by any method.
    fdr
        False-discovery rate, above 0 and below 1.
    seed
        Of the shuffles.

    Returns
    -------
    list of Seqlet
        By sequence and start, strand +; ``score`` is the sum of contributions, in units of the
        attribution. At most ``MAX_SEQLETS`` of either sign.

    Raises
    ------
    InputError
        For another ``fdr``, and for contributions that are not finite.
    """
    frame = frame_attributions(attributions, both_strands=True)
    found = []
    for sign in (1, -1):
        for row, start, end in stretches(frame, sign, fdr=fdr, seed=seed).tolist():
            score = float(frame.track[row, start:end].sum())
            found.append(replace(frame.seqlet(row, start, end, "+", score), strand="+"))
    return sorted(found)


def stretches(frame: Frame, sign: int, *, fdr: float, seed: int) -> Ints:
    """Find the seqlets of one sign as rows (M, 3) of sequence, start and end in the frame.

    Raises
    ------
    InputError
        For an ``fdr`` outside (0, 1).
    """
    if not 0.0 < fdr < 1.0:
        raise InputError(
            "a false-discovery rate is above 0 and below 1", got=f"{fdr}", remedy="give 0.05"
        )
    track, lengths = sign * _scaled(frame), frame.lengths
    sums, whole = _window_sums(track), _whole_windows(lengths, track.shape[1])
    real = sums[whole]
    if real.size == 0:
        return np.zeros((0, 3), dtype=np.int64)
    chosen = np.zeros(whole.shape, dtype=np.bool_)
    for _ in range(N_PASSES):
        outside = ~_covered(chosen, track.shape[1], 0)
        null = _null(track, outside & (np.arange(track.shape[1]) < lengths[:, None]), seed)
        chosen = whole & (sums >= _limit(real, null, fdr))
    covered = _covered(chosen, track.shape[1], MARGIN)
    edges = np.diff(np.pad(covered, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    (row, start), end = np.nonzero(edges == 1), np.nonzero(edges == -1)[1]
    found = np.stack([row, start, end], axis=1).astype(np.int64)
    if len(found) > MAX_SEQLETS:
        total = np.cumsum(np.pad(sign * frame.track, ((0, 0), (1, 0))), axis=1)
        scores = total[row, end] - total[row, start]
        found = found[np.sort(np.argsort(-scores, kind="stable")[:MAX_SEQLETS])]
    return found


def _scaled(frame: Frame) -> Floats:
    """Divide every track by its scale, (N, L)."""
    scale = np.sqrt((frame.track**2).sum(axis=1) / np.maximum(frame.lengths, 1))
    explained = scale[scale > 0]
    least = float(np.median(explained)) if explained.size else 1.0
    scaled: Floats = frame.track / np.maximum(scale, least)[:, None]
    return scaled


def _window_sums(track: Floats) -> Floats:
    """Sum every ``WINDOW`` adjacent values of (N, L): (N, max(L - WINDOW + 1, 0))."""
    n_windows = max(track.shape[1] - WINDOW + 1, 0)
    sums: Floats = np.zeros((len(track), n_windows))
    for offset in range(WINDOW):
        sums += track[:, offset : offset + n_windows]
    return sums


def _whole_windows(lengths: Ints, length: int) -> NDArray[np.bool_]:
    whole: NDArray[np.bool_] = np.arange(max(length - WINDOW + 1, 0)) + WINDOW <= lengths[:, None]
    return whole


def _covered(chosen: NDArray[np.bool_], length: int, margin: int) -> NDArray[np.bool_]:
    """Mark the bases (N, length) of chosen windows, less ``margin`` at either end of each."""
    covered = np.zeros((len(chosen), length), dtype=np.bool_)
    for offset in range(margin, WINDOW - margin):
        covered[:, offset : offset + chosen.shape[1]] |= chosen
    return covered


def _null(track: Floats, used: NDArray[np.bool_], seed: int) -> Floats:
    """Sum the windows of tracks whose used bases are permuted within each sequence.

    The values are sorted first, so that a sequence and its reverse complement, whichever of them
    the frame shows, are permuted alike.
    """
    generator = np.random.default_rng(seed)
    n_used = used.sum(axis=1)
    inside = np.arange(track.shape[1]) < n_used[:, None]
    values = np.sort(np.where(used, track, np.inf), axis=1)
    whole = _whole_windows(n_used, track.shape[1])
    drawn = []
    for _ in range(max(1, -(-N_NULL // max(int(whole.sum()), 1)))):
        keys = np.where(inside, generator.random(track.shape), 2.0)
        shuffled = np.take_along_axis(values, np.argsort(keys, axis=1), axis=1)
        drawn.append(_window_sums(np.where(inside, shuffled, 0.0))[whole])
    return np.concatenate(drawn)


def _limit(real: Floats, null: Floats, fdr: float) -> float:
    """Give the lowest positive sum from which on the null makes up at most ``fdr``."""
    candidates = np.unique(real[real > 0])
    if candidates.size == 0:
        return np.inf
    n_real = real.size - np.searchsorted(np.sort(real), candidates)
    n_null = null.size - np.searchsorted(np.sort(null), candidates)
    good = n_null / max(null.size, 1) <= fdr * n_real / real.size
    return float(candidates[good][0]) if good.any() else np.inf
