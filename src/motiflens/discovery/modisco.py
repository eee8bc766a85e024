"""TF-MoDISco's motifs, as the routes give theirs."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motiflens.attribution import Attributions
from motiflens.attribution.export import PADDING, padded_for_modisco
from motiflens.discovery.discovered import DiscoveredMotif, MotifSite, Strand
from motiflens.errors import InputError

SETTINGS = {
    "sliding_window_size": 20,
    "flank_size": 5,
    "target_seqlet_fdr": 0.05,
    "n_leiden_runs": 2,
    "max_seqlets_per_metacluster": 20_000,
}
"""What the command ``modisco motifs`` sets; the rest is left as it comes."""

TRIM = 0.3
"""Fraction of the largest column's contributions that the outermost columns of a motif have, as in
modisco's own report."""


def modisco_motifs(found: Attributions, *, name: str = "modisco") -> list[DiscoveredMotif]:
    """Find motifs by TF-MoDISco, of the package modisco-lite.

    The sequences get 40 columns without a base on either side: modisco leaves out the seqlets near
    the ends, which are nearly all of 50 bases. Its settings are those of its command, and it always
    looks on both strands. The same explanation gives the same motifs. Its first call on a machine
    compiles for 20 seconds of processor time.

    Parameters
    ----------
    found
        An explanation with hypothetical contributions, (N, 4, L).
    name
        The motifs are called ``name-1``, ``name-2``, ...

    Returns
    -------
    list of DiscoveredMotif
        Of the patterns that contribute to the target, in modisco's order, trimmed to the columns
        with ``TRIM`` of the largest one's contributions. Empty where modisco finds 100 seqlets or
        fewer.

    Raises
    ------
    InputError
        If modisco-lite is not installed; if the explanation has no hypothetical contributions, or
        such that modisco finds no null distribution for them.

    References
    ----------
    Shrikumar et al., arXiv:1811.00416 (2018).
    """
    sequences, hypothetical = (a.transpose(0, 2, 1) for a in padded_for_modisco(found))
    tfmodisco = _installed()
    if not (sequences * hypothetical).any():
        return []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            positive, _ = tfmodisco.TFMoDISco(sequences, hypothetical, **SETTINGS)
        except ValueError as error:
            raise InputError(
                f"modisco finds no null distribution for these contributions: {error}",
                remedy="explain by deeplift_shap, or choose another route",
            ) from error
    motifs = [_motif(pattern, found.one_hot) for pattern in positive or []]
    return [
        DiscoveredMotif(f"{name}-{rank}", ppm, len(sites), sites=sites)
        for rank, (ppm, sites) in enumerate((m for m in motifs if m[1]), start=1)
    ]


def _installed() -> Any:
    """Import modisco-lite, which only this route needs and not everyone has."""
    try:
        return importlib.import_module("modiscolite.tfmodisco")
    except ModuleNotFoundError as error:
        raise InputError(
            f"the route modisco needs modisco-lite, and there is no module {error.name}",
            remedy="pip install 'motiflens[modisco]'",
        ) from error


def _motif(
    pattern: Any, one_hot: NDArray[np.float32]
) -> tuple[NDArray[np.float64], tuple[MotifSite, ...]]:
    """Trim a pattern, and give its base frequencies and its sites, those that hold it whole."""
    size = np.abs(pattern.contrib_scores).sum(axis=1)
    kept = np.flatnonzero(size >= TRIM * size.max())
    low, high = int(kept[0]), int(kept[-1]) + 1
    counts, sites = np.zeros((4, high - low)), []
    for seqlet in pattern.seqlets:
        site = _site(seqlet, low, high)
        bases = one_hot[site.sequence, :, max(site.start, 0) : site.end]
        if bases.shape[1] == high - low and bases[:, 0].any() and bases[:, -1].any():
            counts += bases if site.strand == "+" else bases[::-1, ::-1]
            sites.append(site)
    return counts / np.maximum(counts.sum(axis=0), 1.0), tuple(sorted(sites))


def _site(seqlet: Any, low: int, high: int) -> MotifSite:
    """Put the columns [low, high) of a seqlet, counted along its own strand, on the bases."""
    minus = bool(seqlet.is_revcomp)
    start = int(seqlet.end) - high if minus else int(seqlet.start) + low
    start -= PADDING
    strand: Strand = "-" if minus else "+"
    return MotifSite(int(seqlet.example_idx), start, start + high - low, strand)
