"""The third stage: motifs read from the models of a run, and the shortcut test."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from motiflens.datasets import SequenceDataset
from motiflens.discovery import DiscoveredMotif, find_motifs
from motiflens.motifs import Motif, motif_from_string, ppm_from_codes, recover, write_motifs
from motiflens.perturbation import shortcut_test
from motiflens.pipeline.findings import discover_in_run
from motiflens.pipeline.stages import kept_attributions, motif_positives, opened, timed
from motiflens.progress import Advance, Progress, Silent
from motiflens.runs import Run
from motiflens.training import n_cores

#: Seeds of each model whose untrained weights are the control of the motif routes.
N_UNTRAINED = 3

#: Methods whose attributions the routes take where ``explain`` has left them.
KEPT = ("saliency", "ism", "attention")


def read_motifs(
    run: Run | Path | str,
    *,
    database: Path | str | None = None,
    progress: Progress | None = None,
) -> Run:
    """Read the motifs of every model and seed by every route: ``motifs.json`` and ``motifs/``.

    The best model's are also discovered from their seqlets, tested on held-out sequences and
    named (:func:`motiflens.pipeline.findings.discover_in_run`).

    The true motifs, where known, only score what was found. Then the routes are
    also taken on some models before training, as a control: positives that all hold a motif can
    show it through filters that have learnt nothing.

    Parameters
    ----------
    run
        A run, or its directory.
    database
        File of known motifs to name the discovered ones by; JASPAR CORE vertebrates by default.
    progress
        Told how far the work has come.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        If the directory holds no run with models, or the database no motifs.
    """
    run, progress = opened(run), progress or Silent()
    positives = motif_positives(run)
    truths = true_motifs(run.dataset, run.settings.motif)
    trained = [_Replica(name, seed) for name, seeds in run.models.items() for seed in seeds]
    untrained = [
        _Replica(name, seed, trained=False)
        for name, seeds in run.models.items()
        for seed in seeds[:N_UNTRAINED]
    ]
    replicas = trained + untrained if truths else trained
    with timed(run, "motifs"), progress.stage("reading motifs", len(replicas)) as advance:
        routes = _take_routes(run, replicas, positives, advance)
        shortcuts = {
            name: _shortcut(run, name, truths, routes[_Replica(name, seeds[0])])
            for name, seeds in run.models.items()
        }
    with timed(run, "discovery"), progress.stage("discovering", 1) as advance:
        discovered = discover_in_run(run, truths, database)
        advance(1)
    for name, seeds in run.models.items():
        for route, found in routes[_Replica(name, seeds[0])].items():
            if found:
                path = run.path / "motifs" / f"{name}-{route}.meme"
                write_motifs(found, path)
    run.write_json(
        "motifs.json",
        {
            "truth": [
                {"name": m.name, "consensus": m.consensus, "ppm": _rows(m.ppm)} for m in truths
            ],
            "n_positives": len(positives),
            "models": _by_model(routes, truths, trained=True),
            "untrained": _by_model(routes, truths, trained=False),
            **discovered,
            "shortcut": {name: test for name, test in shortcuts.items() if test is not None},
        },
    )
    return run


@dataclass(frozen=True)
class _Replica:
    """A model of a run, as trained or as it was before."""

    name: str
    seed: int
    trained: bool = True


Routes = dict[_Replica, dict[str, list[DiscoveredMotif]]]


def _take_routes(
    run: Run, replicas: Sequence[_Replica], positives: SequenceDataset, advance: Advance
) -> Routes:
    """Take every route of every replica, one replica a thread."""

    def take(replica: _Replica) -> dict[str, list[DiscoveredMotif]]:
        model = run.model if replica.trained else run.untrained_model
        first = replica.trained and replica.seed == run.models[replica.name][0]
        known = kept_attributions(run, replica.name, positives, KEPT) if first else {}
        found = find_motifs(
            model(replica.name, replica.seed),
            positives,
            strands="both" if run.settings.strands == "both" else "forward",
            attributions=known,
        )
        advance(1)
        return found

    threads = run.settings.threads or n_cores()
    with ThreadPoolExecutor(threads) as pool:
        return dict(zip(replicas, pool.map(take, replicas), strict=True))


def _by_model(routes: Routes, truths: Sequence[Motif], *, trained: bool) -> dict[str, Any]:
    models: dict[str, Any] = {}
    for replica, by_route in routes.items():
        if replica.trained == trained:
            described = {route: _describe(found, truths) for route, found in by_route.items()}
            seeds = models.setdefault(replica.name, {"seeds": []})["seeds"]
            seeds.append({"seed": replica.seed, "routes": described})
    return models


def true_motifs(dataset: SequenceDataset, motif: str | None) -> list[Motif]:
    """Give the true motifs: of the sites' own bases, or as given; none when nothing is known."""
    if dataset.sites is None:
        return [] if motif is None else [motif_from_string(motif)]
    named = {site.name for row in dataset.sites for site in row}
    if motif is not None and named <= {motif.upper()}:
        return [motif_from_string(motif)]
    return _site_motifs(dataset)


def _site_motifs(dataset: SequenceDataset) -> list[Motif]:
    """Make motifs of the bases of the true sites, one for each name, by name."""
    windows: dict[str, list[np.ndarray[Any, Any]]] = {}
    for row, sites in enumerate(dataset.sites or ()):
        for site in sites:
            bases = dataset.codes[row, site.start : site.end]
            oriented = np.where(bases < 4, 3 - bases, 4)[::-1] if site.strand == "-" else bases
            windows.setdefault(site.name, []).append(oriented)
    return [
        Motif(name, ppm_from_codes(np.stack(rows).astype(np.uint8)), n_sites=len(rows))
        for name, rows in sorted(windows.items())
    ]


def _describe(found: Sequence[DiscoveredMotif], truths: Sequence[Motif]) -> list[dict[str, Any]]:
    described = []
    for motif in found:
        recovery = recover(motif.ppm, truths) if truths else None
        described.append(
            {
                "name": motif.name,
                "consensus": motif.consensus,
                "ppm": _rows(motif.ppm),
                "n_sites": motif.n_sites,
                "recovery": None if recovery is None else vars(recovery),
            }
        )
    return described


def _rows(ppm: np.ndarray[Any, Any]) -> list[list[float]]:
    return [[round(float(value), 6) for value in row] for row in ppm]


def _shortcut(
    run: Run, name: str, truths: Sequence[Motif], routes: dict[str, list[DiscoveredMotif]]
) -> dict[str, Any] | None:
    """Test the first true motif, or else the first motif that mutagenesis finds.

    Where the true motif leaves letters open, those that its sites have most often are tested.
    """
    if truths:
        of_sites = {motif.name: motif for motif in _site_motifs(run.dataset)}
        word = of_sites.get(truths[0].name, truths[0]).likeliest
    elif routes["ism"]:
        word = routes["ism"][0].likeliest
    else:
        return None
    length = max(int(np.median(run.dataset.lengths)), len(word))
    test = shortcut_test(run.model(name), word, length=length, seed=run.settings.seed)
    return {
        "motif": word,
        "motif_effect": test.motif_effect,
        "standard_error": test.standard_error,
        "low": test.low,
        "high": test.high,
        "outcome": test.outcome,
        "shuffled_fraction": test.shuffled_fraction,
        "homopolymer_fraction": test.homopolymer_fraction,
        "homopolymer_fractions": test.homopolymer_fractions,
        "mismatch_loss": list(test.mismatch_loss),
        "verdict": test.verdict,
    }
