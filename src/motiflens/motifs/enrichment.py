"""What speaks for a motif: where it lies in sequences that it was not found in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binom, false_discovery_control, hypergeom

from motiflens.datasets import SequenceDataset
from motiflens.errors import InputError
from motiflens.motifs.discovered import DiscoveredMotif
from motiflens.scanning import scan

P_THRESHOLDS = (1e-3, 3e-4, 1e-4, 3e-5, 1e-5)
"""p-values at which a window is a site; which of them, the sequences of discovery decide."""

PROFILE_BINS = 20
CENTRAL_SHARES = tuple(k / 10 for k in range(1, 10))
"""Shares of the possible places, around the centre, in which sites are counted."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Central:
    """Whether sites lie near the centres of their sequences.

    Parameters
    ----------
    p_value
        Of the central region with the most surprising number of sites, times the number of
        regions looked at.
    region
        That region, as a share of all places.
    sites_inside
        Share of the sites in it.
    """

    p_value: float
    region: float
    sites_inside: float


@dataclass(frozen=True, eq=False)
class Enrichment:
    """What held-out sequences say about a motif.

    Parameters
    ----------
    p_threshold
        p-value up to which a window is a site, see :func:`measure_enrichment`.
    sites
        Of the held-out sequences, one row each: ``sequence`` (row), ``start``, ``end``,
        ``strand``, ``score``, ``p_value``, ``q_value`` as :func:`motiflens.scan` gives them; of
        sites that overlap in a sequence, the best.
    positives_with_site, negatives_with_site
        Shares of the sequences.
    p_value, log_p_value
        Fisher's exact test, one-sided: as many sequences with a site among the positives, or
        among the negatives for a motif that speaks against the target. Its natural logarithm
        stays finite where the p-value is too small for a number.
    q_value
        By Benjamini and Hochberg, over the motifs.
    fold
        Share of positives with a site over that of negatives, with one sequence more with and
        one without a site on each side, so that it is never infinite.
    profile
        Positives by the place of their best site, from the first to the last possible place, in
        ``PROFILE_BINS`` bins.
    central
        None where no positive has a site.
    """

    p_threshold: float
    sites: pd.DataFrame
    positives_with_site: float
    negatives_with_site: float
    p_value: float
    log_p_value: float
    q_value: float
    fold: float
    profile: tuple[int, ...]
    central: Central | None

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        return len(self.sites)


def measure_enrichment(
    motifs: Sequence[DiscoveredMotif],
    found_in: SequenceDataset,
    held_out: SequenceDataset,
    *,
    strands: str = "both",
) -> list[Enrichment]:
    """Count sites of motifs in positives and negatives that they were not found in.

    Sites come from :func:`motiflens.scan`, with FIMO's background. The p-value up to which a
    window is a site is that of ``P_THRESHOLDS`` which tells the positives of ``found_in`` best
    from its negatives, by Fisher's test; the held-out sequences are tested with that one only.

    Parameters
    ----------
    motifs
        Discovered motifs.
    found_in, held_out
        With labels of both classes; no sequence in both.
    strands
        ``both`` or ``forward``.

    Returns
    -------
    list of Enrichment
        One for each motif.

    Raises
    ------
    InputError
        If positives or negatives are missing.

    References
    ----------
    Bailey, Bioinformatics 37:2834 (2021), for thresholds chosen and tested on different
    sequences; Bailey and Machanick, Nucleic Acids Res 40:e128 (2012), for central enrichment.
    """
    if not motifs:
        return []
    for name, part in (("found_in", found_in), ("held_out", held_out)):
        if not 0 < (part.labels > 0).sum() < len(part):
            raise InputError(
                "enrichment is counted in positives and negatives",
                got=f"{len(part)} sequences of one class in {name}",
                remedy="give sequences of both classes",
            )
    tuning, testing = (_hits(motifs, part, strands) for part in (found_in, held_out))
    counted = []
    for number, motif in enumerate(motifs):
        p_threshold = _best_threshold(tuning[number], found_in, motif)
        hits = testing[number]
        sites = _without_overlaps(hits[hits["p_value"] <= p_threshold])
        counted.append(_count(sites, held_out, motif, p_threshold))
    q_values = false_discovery_control([one.p_value for one in counted])
    return [
        Enrichment(**{**vars(one), "q_value": float(q)})
        for one, q in zip(counted, q_values, strict=True)
    ]


def fisher_log_p(with_a: Ints, n_a: int, with_b: Ints, n_b: int) -> Floats:
    """Log of Fisher's exact one-sided p-value: so many with a site among n_a, of all with one."""
    log_p: Floats = hypergeom.logsf(with_a - 1, n_a + n_b, with_a + with_b, n_a)
    return np.minimum(log_p, 0.0)


def _hits(
    motifs: Sequence[DiscoveredMotif], dataset: SequenceDataset, strands: str
) -> list[pd.DataFrame]:
    found = scan([m.as_motif() for m in motifs], dataset, p=max(P_THRESHOLDS), strands=strands)
    columns = ["sequence", "start", "end", "strand", "score", "p_value", "q_value"]
    by_motif = dict(iter(found.groupby("motif")[columns]))
    return [by_motif.get(number, found.loc[[], columns]) for number in range(len(motifs))]


def _best_threshold(hits: pd.DataFrame, dataset: SequenceDataset, motif: DiscoveredMotif) -> float:
    """Choose the threshold whose sites tell the classes best; of equals the strictest."""
    lowest = np.ones(len(dataset))
    np.minimum.at(lowest, hits["sequence"].to_numpy(), hits["p_value"].to_numpy())
    favoured = (dataset.labels > 0) == (motif.direction == "positive")
    limits = np.array(sorted(P_THRESHOLDS))[:, None]
    with_a = (lowest[favoured] <= limits).sum(axis=1)
    with_b = (lowest[~favoured] <= limits).sum(axis=1)
    log_p = fisher_log_p(with_a, int(favoured.sum()), with_b, int((~favoured).sum()))
    return float(limits[int(log_p.argmin()), 0])


def _without_overlaps(hits: pd.DataFrame) -> pd.DataFrame:
    """Keep the best of hits that overlap in a sequence; rows by sequence and start."""
    ordered = hits.sort_values(["p_value", "sequence", "start", "strand"], kind="stable")
    taken: dict[int, list[tuple[int, int]]] = {}
    kept = []
    for row, sequence, start, end in zip(
        ordered.index, ordered["sequence"], ordered["start"], ordered["end"], strict=True
    ):
        others = taken.setdefault(sequence, [])
        if all(end <= s or e <= start for s, e in others):
            others.append((start, end))
            kept.append(row)
    return hits.loc[sorted(kept)].sort_values(["sequence", "start"]).reset_index(drop=True)


def _count(
    sites: pd.DataFrame, dataset: SequenceDataset, motif: DiscoveredMotif, p_threshold: float
) -> Enrichment:
    positive = dataset.labels > 0
    with_site = np.zeros(len(dataset), dtype=np.bool_)
    with_site[sites["sequence"]] = True
    favoured = positive == (motif.direction == "positive")
    counts = [np.array([int((with_site & part).sum())]) for part in (favoured, ~favoured)]
    n_favoured, n_others = int(favoured.sum()), int((~favoured).sum())
    log_p = float(fisher_log_p(counts[0], n_favoured, counts[1], n_others)[0])
    place = _places(sites, dataset.lengths, positive)
    n_positives, n_negatives = int(positive.sum()), int((~positive).sum())
    n_with = int((with_site & positive).sum())
    n_against = int((with_site & ~positive).sum())
    return Enrichment(
        p_threshold=p_threshold,
        sites=sites,
        positives_with_site=n_with / n_positives,
        negatives_with_site=n_against / n_negatives,
        p_value=float(np.exp(log_p)),
        log_p_value=log_p,
        q_value=1.0,
        fold=((n_with + 1) / (n_positives + 2)) / ((n_against + 1) / (n_negatives + 2)),
        profile=tuple(np.histogram(place, PROFILE_BINS, (0.0, 1.0))[0].tolist()),
        central=_central(place),
    )


def _places(sites: pd.DataFrame, lengths: NDArray[np.int32], positive: NDArray[np.bool_]) -> Floats:
    """Give the place of each positive's best site, from 0 for the first possible one to 1."""
    best = sites.sort_values(["sequence", "p_value", "start"]).drop_duplicates("sequence")
    best = best[positive[best["sequence"]]]
    n_places = lengths[best["sequence"]] - (best["end"] - best["start"]).to_numpy() + 1
    places: Floats = (best["start"].to_numpy() + 0.5) / n_places
    return places


def _central(place: Floats) -> Central | None:
    """Look for the central region with more sites than chance would put there."""
    if place.size == 0:
        return None
    from_centre = np.abs(2 * place - 1)
    shares = np.array(CENTRAL_SHARES)
    inside = (from_centre <= shares[:, None]).sum(axis=1)
    p_values = binom.sf(inside - 1, place.size, shares)
    best = int(p_values.argmin())
    p_value = min(float(p_values[best]) * len(shares), 1.0)
    return Central(p_value, float(shares[best]), float(inside[best] / place.size))
