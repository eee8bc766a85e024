"""Seqlets: the intervals of sequence that an explanation points at, beyond a shuffled null."""

from __future__ import annotations

import numpy as np
import pandas as pd

from motiflens.attribution import Attributions
from motiflens.discovery.discovered import MotifSite
from motiflens.discovery.oriented import (
    Floats,
    Ints,
    Mask,
    OrientedTracks,
    marked_intervals,
    orient_attributions,
)
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


def find_seqlets(attributions: Attributions, *, fdr: float = 0.05, seed: int = 0) -> pd.DataFrame:
    """Find the intervals whose contributions add up to more than those of shuffled tracks.

    The track of each sequence is divided by its root mean square, or by the median of these over
    all sequences where that is larger: a few sequences of large contributions then do not set the
    limit of all, and those of small ones stay small. The values of every ``WINDOW`` adjacent bases
    are summed, in the tracks and in tracks whose bases are permuted within each sequence. The
    lowest sum is sought from which on shuffled windows, of as many windows, are at most ``fdr`` of
    the real ones. This is done twice: the second time the null is made of the bases outside the
    first seqlets, so that a strong motif does not hide a weak one. The windows from that sum on,
    less ``MARGIN`` at either end, make one seqlet where they overlap or touch. Sums below 0 are
    treated alike.

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
    seqlets
        One row each, by sequence and start: ``sequence`` (row, from 0), ``start``, ``end``
        (0-based, half-open), ``attribution``, the sum of its contributions in units of the
        attribution, and ``p_value``, the fraction of windows of the null with a sum as far from 0
        as the largest in the seqlet. At most ``MAX_SEQLETS`` of either sign.

    Raises
    ------
    InputError
        For another ``fdr``, and for contributions that are not finite.
    """
    tracks = orient_attributions(attributions, both_strands=True)
    rows = []
    for sign in (1, -1):
        intervals, p_values = _seqlets(tracks, sign, fdr, seed)
        for (row, start, end), p in zip(intervals.tolist(), p_values.tolist(), strict=True):
            score = float(tracks.track[row, start:end].sum())
            site = tracks.restore(MotifSite(row, start, end, "+", score))
            rows.append((site.sequence, site.start, site.end, score, p))
    columns = ["sequence", "start", "end", "attribution", "p_value"]
    types = dict(zip(columns, [int, int, int, float, float], strict=True))
    return pd.DataFrame(sorted(rows), columns=columns).astype(types)


def seqlet_intervals(tracks: OrientedTracks, sign: int, *, fdr: float, seed: int) -> Ints:
    """Return the seqlets of one sign as rows (M, 3) of sequence, start and end as oriented.

    Raises
    ------
    InputError
        For an ``fdr`` outside (0, 1).
    """
    return _seqlets(tracks, sign, fdr, seed)[0]


def _seqlets(tracks: OrientedTracks, sign: int, fdr: float, seed: int) -> tuple[Ints, Floats]:
    """Return the seqlets of one sign, (M, 3), and their p-values, (M,)."""
    if not 0.0 < fdr < 1.0:
        raise InputError(
            f"fdr={fdr} is not above 0 and below 1", remedy="give 0.05", argument="fdr"
        )
    track, lengths = sign * _scaled(tracks), tracks.lengths
    sums, whole = _window_sums(track), _whole_windows(lengths, track.shape[1])
    real = sums[whole]
    if real.size == 0:
        return np.zeros((0, 3), dtype=np.int64), np.zeros(0)
    chosen = np.zeros(whole.shape, dtype=np.bool_)
    for _ in range(N_PASSES):
        outside = ~_covered(chosen, track.shape[1], 0)
        null = _null(track, outside & (np.arange(track.shape[1]) < lengths[:, None]), seed)
        chosen = whole & (sums >= _limit(real, null, fdr))
    found = marked_intervals(_covered(chosen, track.shape[1], MARGIN))
    if len(found) > MAX_SEQLETS:
        total = np.cumsum(np.pad(sign * tracks.track, ((0, 0), (1, 0))), axis=1)
        scores = total[found[:, 0], found[:, 2]] - total[found[:, 0], found[:, 1]]
        found = found[np.sort(np.argsort(-scores, kind="stable")[:MAX_SEQLETS])]
    return found, _p_values(found, np.where(chosen, sums, -np.inf), null)


def _p_values(seqlets: Ints, sums: Floats, null: Floats) -> Floats:
    """Compare the largest chosen sum in each seqlet with the sums of the null, (M,)."""
    # The windows of a seqlet begin ``MARGIN`` before it and end as much behind it.
    largest = np.array(
        [
            sums[row, max(start - MARGIN, 0) : end + MARGIN - WINDOW + 1].max()
            for row, start, end in seqlets.tolist()
        ]
    )
    n_as_large = null.size - np.searchsorted(np.sort(null), largest)
    p_values: Floats = (n_as_large + 1) / (null.size + 1)
    return p_values


def _scaled(tracks: OrientedTracks) -> Floats:
    """Divide every track by its scale, (N, L)."""
    scale = np.sqrt((tracks.track**2).sum(axis=1) / np.maximum(tracks.lengths, 1))
    explained = scale[scale > 0]
    least = float(np.median(explained)) if explained.size else 1.0
    scaled: Floats = tracks.track / np.maximum(scale, least)[:, None]
    return scaled


def _window_sums(track: Floats) -> Floats:
    """Sum every ``WINDOW`` adjacent values of (N, L): (N, max(L - WINDOW + 1, 0))."""
    n_windows = max(track.shape[1] - WINDOW + 1, 0)
    sums: Floats = np.zeros((len(track), n_windows))
    for offset in range(WINDOW):
        sums += track[:, offset : offset + n_windows]
    return sums


def _whole_windows(lengths: Ints, length: int) -> Mask:
    whole: Mask = np.arange(max(length - WINDOW + 1, 0)) + WINDOW <= lengths[:, None]
    return whole


def _covered(chosen: Mask, length: int, margin: int) -> Mask:
    """Mark the bases (N, length) of chosen windows, less ``margin`` at either end of each."""
    covered = np.zeros((len(chosen), length), dtype=np.bool_)
    for offset in range(margin, WINDOW - margin):
        covered[:, offset : offset + chosen.shape[1]] |= chosen
    return covered


def _null(track: Floats, used: Mask, seed: int) -> Floats:
    """Sum the windows of tracks whose used bases are permuted within each sequence.

    The values are sorted first, so that a sequence and its reverse complement, whichever of them
    is shown, are permuted alike.
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
    """Return the lowest positive sum from which on the null makes up at most ``fdr``."""
    candidates = np.unique(real[real > 0])
    if candidates.size == 0:
        return np.inf
    n_real = real.size - np.searchsorted(np.sort(real), candidates)
    n_null = null.size - np.searchsorted(np.sort(null), candidates)
    good = n_null / max(null.size, 1) <= fdr * n_real / real.size
    return float(candidates[good][0]) if good.any() else np.inf
