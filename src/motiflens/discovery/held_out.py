"""Discovery: motifs of trained models, measured on sequences that they were not found in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import nn

from motiflens.attribution import Attributions, attribute
from motiflens.datasets import SequenceDataset
from motiflens.discovery.discover import discover_motifs
from motiflens.discovery.discovered import DiscoveredMotif, Strands
from motiflens.discovery.enrichment import Counted, Enrichment, count_once, measure_enrichment
from motiflens.errors import InputError
from motiflens.motifs import MAX_Q, Match, Motif, name_motifs
from motiflens.perturbation import ablate_sites
from motiflens.results.experiments import Ablation
from motiflens.sequences import Site, evenly

METHOD, N_REFERENCES = "deeplift_shap", 5
"""Attribution that motifs are read from: on 644 peaks of NFE2 saliency shows one motif, and this
three. Fewer references than for one sequence, since a motif is read from hundreds."""

MAX_BASES = 200_000
"""Bases that are explained at most: half a minute or so for the larger of our models."""

N_ABLATED, N_DRAWS = 100, 5
"""Sequences whose sites are taken out at most, and random replacements of each."""


@dataclass(frozen=True, eq=False)
class Finding:
    """A motif with all that is known of it.

    Parameters
    ----------
    motif
        What was discovered.
    enrichment
        Its sites in sequences that it was not found in.
    match
        The known motif it is like; None for an unknown one.
    ablations
        Of each model: what the logit loses with the sites. Empty where there is no site, and
        where the motif is not significant.
    """

    motif: DiscoveredMotif
    enrichment: Enrichment
    match: Match | None = None
    ablations: tuple[Ablation, ...] = ()

    @property
    def n_agreeing(self) -> int:
        """Number of models whose logit moves the way the motif says, by two standard errors."""
        sign = 1 if self.motif.direction == "positive" else -1
        effects = [one.effect for one in self.ablations]
        return sum(-sign * e.mean > 2 * e.standard_error for e in effects)


@dataclass(frozen=True, eq=False)
class Discovery:
    """Motifs that held-out sequences confirm, best first, and those that they do not.

    Parameters
    ----------
    found, not_significant
        With a q-value below 0.05, and the others.
    explained, held_out
        The sequences that motifs were found in, whose rows their seqlets count, and the held-out
        ones, whose rows their sites count.
    counted
        Which of ``held_out`` motifs were tested on.
    attributions
        Of ``explained``; None without a model.
    """

    found: tuple[Finding, ...]
    not_significant: tuple[Finding, ...]
    explained: SequenceDataset
    held_out: SequenceDataset
    counted: Counted
    attributions: Attributions | None = None


def discover_and_confirm(
    models: Sequence[nn.Module],
    found_in: SequenceDataset,
    held_out: SequenceDataset,
    *,
    strands: Strands = "both",
    n_explained: int = 1000,
    n_tested: int = 5000,
    database: Sequence[Motif] | None = None,
    seed: int = 0,
) -> Discovery:
    """Discover the motifs of models, and confirm or dismiss each on other sequences.

    DeepLIFT/SHAP explains positives and negatives alike: a motif of negatives contributes against
    the target. Each sequence is explained by one of the models in turn, so that a motif is what
    several seeds see. It counts as found with a q-value below 0.05 in Fisher's test on
    ``held_out`` (:func:`motiflens.discovery.enrichment.measure_enrichment`).

    One sequence of each homology group and class is explained and tested, and none is tested
    whose group has a sequence in ``found_in`` (:func:`motiflens.discovery.count_once`): a
    model remembers what a locus happens to hold, and another window of it would confirm that.

    Parameters
    ----------
    models
        Seeds of one architecture, or any modules from (N, 4, L) to logits (N,).
    found_in
        Labelled sequences to find motifs in; of each class, ``n_tested`` at most are looked at,
        spread over their order, and of these ``n_explained`` at most are explained, and
        ``MAX_BASES`` of both.
    held_out
        Labelled sequences to test motifs on; of each class, ``n_tested`` at most.
    strands
        ``both`` or ``forward``.
    database
        Known motifs to name the found ones by; JASPAR CORE vertebrates by default.
    seed
        Of the null of the seqlets and of the ablations.

    Returns
    -------
    Discovery
        By the held-out p-value, smallest first.

    Raises
    ------
    InputError
        If positives or negatives are missing in either data set.
    """
    found_in, held_out = (of_each_class(part, n_tested) for part in (found_in, held_out))
    counted = count_once(found_in, held_out)
    explained = to_explain(found_in.subset(counted.found_in), n_explained)
    attributions = attributions_in_turn(models, explained)
    motifs = discover_motifs(attributions, strands=strands, seed=seed)
    measured = measure_enrichment(motifs, found_in, held_out, strands=strands, counted=counted)
    findings = [Finding(m, e) for m, e in zip(motifs, measured, strict=True)]
    findings.sort(key=lambda f: (f.enrichment.log_p_value, -f.motif.n_sites))
    good = [f for f in findings if f.enrichment.q_value < MAX_Q]
    matches = name_motifs([f.motif for f in good], database)
    tested = np.flatnonzero(counted.held_out)
    found = [
        Finding(
            replace(f.motif, name=f"motif-{rank}"),
            f.enrichment,
            match,
            _ablations(models, f, held_out, tested, seed),
        )
        for rank, (f, match) in enumerate(zip(good, matches, strict=True), start=1)
    ]
    rest = [f for f in findings if f.enrichment.q_value >= MAX_Q]
    return Discovery(tuple(found), tuple(rest), explained, held_out, counted, attributions)


def attributions_in_turn(models: Sequence[nn.Module], dataset: SequenceDataset) -> Attributions:
    """Explain the sequences of each class by the models in turn.

    By mutagenesis, which takes every model, where DeepLIFT/SHAP refuses one of them.
    """
    try:
        return _in_turn(models, dataset, METHOD, n_references=N_REFERENCES)
    except InputError:
        return _in_turn(models, dataset, "ism")


def _in_turn(
    models: Sequence[nn.Module], dataset: SequenceDataset, method: str, **options: Any
) -> Attributions:
    one_hot, turn = dataset.one_hot(), np.zeros(len(dataset), dtype=np.int64)
    for positive in (True, False):
        own = np.flatnonzero((dataset.labels > 0) == positive)
        turn[own] = np.arange(len(own)) % len(models)
    contributions, hypothetical = np.zeros_like(one_hot), np.zeros_like(one_hot)
    for number, model in enumerate(models):
        own = np.flatnonzero(turn == number)
        if own.size:
            found = attribute(model, one_hot[own], method, **options)
            assert found.hypothetical is not None
            contributions[own], hypothetical[own] = found.contributions, found.hypothetical
    return Attributions(method, one_hot, contributions, hypothetical)


def to_explain(dataset: SequenceDataset, n_explained: int) -> SequenceDataset:
    """Give the sequences that motifs are found in."""
    longest = int(dataset.lengths.max()) if len(dataset) else 1
    return of_each_class(dataset, max(min(n_explained, MAX_BASES // (2 * longest)), 1))


def of_each_class(dataset: SequenceDataset, most: int) -> SequenceDataset:
    """Give at most so many positives and as many negatives, spread evenly over their order."""
    rows = []
    for positive in (True, False):
        own = np.flatnonzero((dataset.labels > 0) == positive)
        rows.append(own[evenly(len(own), most)])
    return dataset.subset(np.sort(np.concatenate(rows)))


def _ablations(
    models: Sequence[nn.Module],
    finding: Finding,
    held_out: SequenceDataset,
    tested: NDArray[np.intp],
    seed: int,
) -> tuple[Ablation, ...]:
    """Take the sites out of the tested sequences of the class that the motif contributes to."""
    for_positives = finding.motif.direction == "positive"
    favoured = tested[(held_out.labels[tested] > 0) == for_positives]
    sites = finding.enrichment.sites
    sites = sites[sites["sequence"].isin(favoured)]
    chosen = sites.groupby("sequence")["p_value"].min().nsmallest(N_ABLATED, keep="first")
    if chosen.empty:
        return ()
    rows = np.sort(chosen.index.to_numpy())
    one_hot = held_out.subset(rows).one_hot()
    by_row = [_as_sites(sites[sites["sequence"] == row]) for row in rows]
    return tuple(
        ablate_sites(model, one_hot, by_row, replacement="random", n_draws=N_DRAWS, seed=seed)
        for model in models
    )


def _as_sites(rows: pd.DataFrame) -> list[Site]:
    return [
        Site("site", int(start), int(end), str(strand))
        for start, end, strand in zip(rows["start"], rows["end"], rows["strand"], strict=True)
    ]
