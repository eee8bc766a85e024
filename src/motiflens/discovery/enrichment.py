"""What speaks for a motif: where it lies in sequences that it was not found in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import false_discovery_control, hypergeom

from motiflens.datasets import SequenceDataset
from motiflens.discovery.central import Central, central_enrichment
from motiflens.discovery.counted import Counted, count_once
from motiflens.discovery.discovered import DiscoveredMotif
from motiflens.errors import InputError
from motiflens.hits import find_hits

P_THRESHOLDS = (1e-3, 3e-4, 1e-4, 3e-5, 1e-5)
"""p-values at which a window is a site; which of them, the sequences of discovery decide."""

PROFILE_BINS = 20

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Enrichment:
    """What held-out sequences say about a motif.

    Parameters
    ----------
    p_threshold
        p-value up to which a window is a site, see :func:`measure_enrichment`.
    sites
        Of all held-out sequences, one row each: ``sequence`` (row), ``start``, ``end``,
        ``strand``, ``score``, ``p_value``, ``q_value`` as of :func:`motiflens.find_hits`; of
        sites that overlap in a sequence, the best.
    positives_with_site, negatives_with_site
        Shares of the sequences that count (:class:`motiflens.discovery.counted.Counted`), one of
        each homology group and class; 0 where none does. All below is of these sequences too.
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
    counted: Counted | None = None,
) -> list[Enrichment]:
    """Count sites of motifs in positives and negatives that they were not found in.

    Sites come from :func:`motiflens.find_hits`, with FIMO's background. The p-value up to which a
    window is a site is that of ``P_THRESHOLDS`` which tells the positives of ``found_in`` best
    from its negatives, by Fisher's test; the held-out sequences are tested with that one only.

    Fisher's test takes sequences as independent. So one sequence stands for its homology group
    and class, the first of the file, and held-out sequences whose group has one in ``found_in``
    are left out (:func:`motiflens.discovery.counted.count_once`). Where no sequence of a class is
    left, nothing is confirmed: the p-value is 1.

    Parameters
    ----------
    motifs
        Discovered motifs.
    found_in, held_out
        With labels of both classes.
    strands
        ``both`` or ``forward``.
    counted
        Which of their sequences count; by default as :func:`count_once` chooses.

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
    counted = counted or count_once(found_in, held_out)
    tuning, testing = (_hits(motifs, part, strands) for part in (found_in, held_out))
    measured = []
    for number, motif in enumerate(motifs):
        p_threshold = _best_threshold(tuning[number], found_in, counted.found_in, motif)
        hits = testing[number]
        sites = _without_overlaps(hits[hits["p_value"] <= p_threshold])
        measured.append(_count(sites, held_out, counted.held_out, motif, p_threshold))
    q_values = false_discovery_control([one.p_value for one in measured])
    return [
        Enrichment(**{**vars(one), "q_value": float(q)})
        for one, q in zip(measured, q_values, strict=True)
    ]


def fisher_log_p(with_a: Ints, n_a: int, with_b: Ints, n_b: int) -> Floats:
    """Log of Fisher's exact one-sided p-value: so many with a site among n_a, of all with one."""
    log_p: Floats = hypergeom.logsf(with_a - 1, n_a + n_b, with_a + with_b, n_a)
    # None or more is certain, which scipy does not know where there is nothing to count.
    return np.where(with_a == 0, 0.0, np.minimum(log_p, 0.0))


def _hits(
    motifs: Sequence[DiscoveredMotif], dataset: SequenceDataset, strands: str
) -> list[pd.DataFrame]:
    found = find_hits(motifs, dataset, p=max(P_THRESHOLDS), strands=strands)
    columns = ["sequence", "start", "end", "strand", "score", "p_value", "q_value"]
    by_motif = dict(iter(found.groupby("motif")[columns]))
    return [by_motif.get(number, found.loc[[], columns]) for number in range(len(motifs))]


def _best_threshold(
    hits: pd.DataFrame, dataset: SequenceDataset, counts: Mask, motif: DiscoveredMotif
) -> float:
    """Choose the threshold whose sites tell the classes best; of equals the strictest."""
    lowest = np.ones(len(dataset))
    np.minimum.at(lowest, hits["sequence"].to_numpy(), hits["p_value"].to_numpy())
    lowest, positive = lowest[counts], dataset.labels[counts] > 0
    favoured = positive == (motif.direction == "positive")
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
    sites: pd.DataFrame,
    dataset: SequenceDataset,
    counts: Mask,
    motif: DiscoveredMotif,
    p_threshold: float,
) -> Enrichment:
    with_site = np.zeros(len(dataset), dtype=np.bool_)
    with_site[sites["sequence"]] = True
    positive, with_site = dataset.labels[counts] > 0, with_site[counts]
    n_positives, n_negatives = int(positive.sum()), int((~positive).sum())
    n_with, n_against = int((with_site & positive).sum()), int((with_site & ~positive).sum())
    both = [(n_with, n_positives), (n_against, n_negatives)]
    (favoured, n_favoured), (other, n_other) = both if motif.direction == "positive" else both[::-1]
    log_p = fisher_log_p(np.array([favoured]), n_favoured, np.array([other]), n_other)[0]
    start, n_places = _places(sites, dataset.lengths, counts & (dataset.labels > 0))
    profile = np.histogram((start + 0.5) / n_places, PROFILE_BINS, (0.0, 1.0))[0]
    return Enrichment(
        p_threshold=p_threshold,
        sites=sites,
        positives_with_site=n_with / max(n_positives, 1),
        negatives_with_site=n_against / max(n_negatives, 1),
        p_value=float(np.exp(log_p)),
        log_p_value=float(log_p),
        q_value=1.0,
        fold=((n_with + 1) / (n_positives + 2)) / ((n_against + 1) / (n_negatives + 2)),
        profile=tuple(profile.tolist()),
        central=central_enrichment(start, n_places),
    )


def _places(sites: pd.DataFrame, lengths: NDArray[np.int32], chosen: Mask) -> tuple[Ints, Ints]:
    """Give the start of each chosen sequence's best site, and how many starts it might have."""
    best = sites.sort_values(["sequence", "p_value", "start"]).drop_duplicates("sequence")
    best = best[chosen[best["sequence"]]]
    start = best["start"].to_numpy(dtype=np.int64)
    width = best["end"].to_numpy(dtype=np.int64) - start
    n_places: Ints = lengths[best["sequence"]].astype(np.int64) - width + 1
    return start, n_places
