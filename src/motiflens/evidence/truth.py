"""Where the true motifs are known: how well an explanation tells their bases from the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from motiflens.metrics import rank_auprc, rank_auroc
from motiflens.motifs import Motif, information
from motiflens.sequences import Lengths, Site

MOTIF, OUTSIDE, LEFT_OUT = 1, 0, -1

STRONG = 0.5
"""Bits from which a column of a motif has to be found; weaker ones are left out."""


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
        (N, L): ``MOTIF`` (1) on columns of at least ``STRONG`` bits, ``LEFT_OUT`` (-1) on weaker
        ones and on padding, ``OUTSIDE`` (0) elsewhere.
    """
    strong = {motif.name: information(motif.ppm) >= STRONG for motif in motifs}
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


def base_scores(track: NDArray[np.floating], truth: NDArray[np.int8]) -> tuple[float, float] | None:
    """Score a track's bases against the true ones, sequence by sequence.

    The track is taken with its sign: an implanted motif speaks for the class.

    Parameters
    ----------
    track
        (N, L).
    truth
        (N, L), as :func:`true_bases` gives it.

    Returns
    -------
    tuple or None
        Means over the sequences with bases of both kinds of AUROC and AUPRC (average precision);
        None where there is no such sequence.

    References
    ----------
    Koo & Ploenzke, Nat Mach Intell 3:258 (2021).
    """
    scores = []
    for values, bases in zip(track, truth, strict=True):
        kept = bases != LEFT_OUT
        labels, chosen = bases[kept] == MOTIF, values[kept]
        if labels.any() and not labels.all():
            row = labels[None], chosen[None]
            scores.append((rank_auroc(*row)[0], rank_auprc(*row)[0]))
    if not scores:
        return None
    auroc, auprc = np.mean(scores, axis=0)
    return float(auroc), float(auprc)
