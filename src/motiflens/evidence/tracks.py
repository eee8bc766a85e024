"""What a track shows: its strongest window against a null, agreement, and the known truth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from motiflens.attribution import Attributions
from motiflens.attribution.result import Floats
from motiflens.metrics import rank_auprc, rank_auroc
from motiflens.motifs import Motif, information
from motiflens.sequences import Lengths, Site
from motiflens.shuffles import dinucleotide_shuffle

WINDOW = 10
"""Bases of the window; most motifs are about as wide."""

LEVEL = 0.95
"""Quantile of the null that a positive has to exceed; by chance 0.05 of them do."""

SUM_TO_ONE = ("attention", "rollout")
"""Methods whose track sums to 1: it is taken times the number of bases, so that 1 is even."""

N_TOP = 10
"""Bases that are compared as the first ones."""


MOTIF, OUTSIDE, LEFT_OUT = 1, 0, -1

STRONG_BITS = 0.5
"""Bits from which a column of a motif has to be found; weaker ones are left out."""

Track = NDArray[np.floating]
Mask = NDArray[np.bool_]


def peaks(found: Attributions) -> NDArray[np.float64]:
    """Return the largest sum of the track over ``WINDOW`` neighbouring bases, (N,)."""
    track = found.track.astype(np.float64)
    if found.method in SUM_TO_ONE:
        track = track * found.one_hot.any(axis=1).sum(axis=1, keepdims=True)
    width = min(WINDOW, track.shape[1])
    sums = np.cumsum(np.pad(track, ((0, 0), (1, 0))), axis=1)
    largest: NDArray[np.float64] = (sums[:, width:] - sums[:, :-width]).max(axis=1)
    return largest


def fraction_above(values: NDArray[np.float64], *nulls: NDArray[np.float64]) -> float:
    """Fraction of values above the 95th percentile of each of the nulls.

    A value has to exceed all of them, by more than a rounding: flat maps are above nothing.
    """
    limit = max(float(np.quantile(null, LEVEL)) for null in nulls)
    return float(np.mean(values > limit + 1e-5 * abs(limit)))


def shuffled(one_hot: Floats, seed: int) -> Floats:
    """Shuffle each sequence (N, 4, L), keeping its dinucleotide counts; N and padding stay."""
    known = one_hot.any(axis=1)
    codes = np.where(known, one_hot.argmax(axis=1), 4).astype(np.uint8)
    lengths = np.full(len(codes), codes.shape[1], dtype=np.int32)
    moved = dinucleotide_shuffle(codes, lengths, np.random.default_rng(seed))
    result: Floats = (moved[:, None] == np.arange(4)[:, None]).astype(np.float32)
    return result


def rank_correlations(a: Track, b: Track, known: Mask) -> NDArray[np.float64]:
    """Spearman's rank correlation of the absolute values of two tracks, sequence by sequence.

    Absolute, because saliency and attention have no sign. A flat track agrees with nothing: 0.

    Parameters
    ----------
    a, b
        (N, L).
    known
        (N, L); bases that are not known are left out.

    Returns
    -------
    ndarray
        (N,).
    """
    found = np.zeros(len(known))
    for row, mask in enumerate(known):
        first, second = (rankdata(np.abs(track[row, mask])) for track in (a, b))
        first, second = first - first.mean(), second - second.mean()
        scale = np.sqrt((first**2).sum() * (second**2).sum())
        found[row] = (first * second).sum() / scale if scale > 0 else 0.0
    return found


def top_overlaps(a: Track, b: Track, known: Mask) -> NDArray[np.float64]:
    """Return the fraction of the ``N_TOP`` bases of largest absolute value common to two tracks.

    The first of equal values is taken from the left. By chance it is ``N_TOP`` over the number of
    bases.

    Returns
    -------
    ndarray
        (N,).
    """
    found = np.zeros(len(known))
    for row, mask in enumerate(known):
        kept = min(N_TOP, int(mask.sum()))
        tops = [
            set(np.argsort(-np.abs(track[row, mask]), kind="stable")[:kept].tolist())
            for track in (a, b)
        ]
        found[row] = len(tops[0] & tops[1]) / kept if kept else 0.0
    return found


def true_bases(
    sites: Sequence[Sequence[Site]], motifs: Sequence[Motif], lengths: Lengths, length: int
) -> NDArray[np.int8]:
    """Mark the bases of the true sites.

    Parameters
    ----------
    sites
        Of each of N sequences.
    motifs
        The motifs by name; of a site without one, all bases are marked.
    lengths
        (N,) bases of each sequence.
    length
        L.

    Returns
    -------
    ndarray
        (N, L): ``MOTIF`` (1) on columns of at least ``STRONG_BITS``, ``LEFT_OUT`` (-1) on weaker
        ones and on padding, ``OUTSIDE`` (0) elsewhere.
    """
    strong = {motif.name: information(motif.ppm) >= STRONG_BITS for motif in motifs}
    truth = np.where(np.arange(length) < lengths[:, None], OUTSIDE, LEFT_OUT).astype(np.int8)
    for row, found in zip(truth, sites, strict=True):
        for site in found:
            marked = np.ones(site.end - site.start, dtype=np.bool_)
            columns = strong.get(site.name, marked)
            if len(columns) == len(marked):
                marked = columns if site.strand == "+" else columns[::-1]
            covered = row[site.start : site.end]
            # Where two sites overlap, a base of either is a base of the motif.
            covered[:] = np.where(marked | (covered == MOTIF), MOTIF, LEFT_OUT)
    return truth


def base_scores(
    track: NDArray[np.floating], truth: NDArray[np.int8] | None
) -> tuple[float, float] | None:
    """Score a track's bases against the true ones, sequence by sequence.

    The track is taken with its sign: an implanted motif speaks for the class.

    Parameters
    ----------
    track
        (N, L).
    truth
        (N, L), as :func:`true_bases` returns it, or None.

    Returns
    -------
    tuple or None
        Means over the sequences with bases of both kinds of AUROC and AUPRC (average precision);
        None where there is no truth or no such sequence.

    References
    ----------
    Koo & Ploenzke, Nat Mach Intell 3:258 (2021).
    """
    scores = []
    for values, bases in zip(track, truth, strict=True) if truth is not None else ():
        kept = bases != LEFT_OUT
        labels, chosen = bases[kept] == MOTIF, values[kept]
        if labels.any() and not labels.all():
            row = labels[None], chosen[None]
            scores.append((rank_auroc(*row)[0], rank_auprc(*row)[0]))
    if not scores:
        return None
    auroc, auprc = np.mean(scores, axis=0)
    return float(auroc), float(auprc)
