"""The fourth stage: motifs read from the models of a run and confirmed, and the shortcut test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from motiflens.datasets import SequenceDataset
from motiflens.discovery import DiscoveredMotif, find_motifs
from motiflens.discovery.held_out import METHOD, Discovery, discover_and_confirm
from motiflens.discovery.written import (
    as_rows,
    count_classes,
    count_tested,
    database_name,
    describe,
    describe_dismissed,
    note_on_groups,
    write_discovery,
)
from motiflens.motifs import Motif, read_motifs, recover, write_motifs
from motiflens.perturbation import shortcut_test
from motiflens.progress import Advance, Progress, listener
from motiflens.results.motifs import (
    DiscoveredBy,
    ModelMotifs,
    Motifs,
    RouteMotif,
    SeedMotifs,
    Shortcut,
    TrueMotif,
)
from motiflens.results.tracks import best_validated
from motiflens.runs import Run
from motiflens.stages.defaults import n_searched
from motiflens.stages.stage import (
    in_threads,
    kept_attributions,
    motif_positives,
    n_threads,
    open_trained,
    site_motifs,
    true_motifs,
)
from motiflens.stages.timing import timed

#: Seeds of each model whose untrained weights are the control of the motif routes.
N_UNTRAINED = 3

#: Seeds of the best model that explain the sequences, in turn, and whose logits are tested.
N_SEEDS = 3

#: Methods whose attributions the routes take where ``explain`` has left them.
KEPT = ("saliency", "ism", "attention")


def motifs(
    run: Run | Path | str,
    *,
    thorough: bool = False,
    database: Path | str | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Run:
    """Read the motifs of every model by every route, and confirm those of the best model.

    Routes are taken from the first seed of each model, and from every seed where the true motif is
    known or the run is thorough.

    Those of the best model are discovered from their seqlets, tested on held-out sequences and
    named (:func:`motiflens.discovery.held_out.discover_and_confirm`).

    The true motifs, where known, only score what was found. Then the routes are
    also taken on some models before training, as a control: positives that all hold a motif can
    show it through filters that have learnt nothing.

    Parameters
    ----------
    run
        A run, or its directory.
    thorough
        From every seed, as a thorough run does.
    database
        File of known motifs to name the discovered ones by; JASPAR CORE vertebrates by default.
    threads
        Threads to compute with; those of the run by default.
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
    run, progress = open_trained(run), listener(progress)
    positives = motif_positives(run)
    truths = true_motifs(run.dataset, run.settings.motif)
    models = run.results.explained
    every = bool(truths) or thorough or run.settings.thorough
    replicas = [
        _Replica(name, seed)
        for name, seeds in models.items()
        for seed in (seeds if every else seeds[:1])
    ]
    if truths:
        replicas += [
            _Replica(name, seed, trained=False)
            for name, seeds in models.items()
            for seed in seeds[:N_UNTRAINED]
        ]
    with (
        timed(run, "motifs"),
        progress.stage("reading motifs", len(replicas), "models") as advance,
    ):
        take = partial(_routes_of, run, positives, advance)
        routes = in_threads(replicas, take, n_threads(run, threads))
        shortcuts = {
            name: _shortcut(run, name, truths, routes[_Replica(name, seeds[0])])
            for name, seeds in models.items()
        }
    with timed(run, "discovery"), progress.stage("discovering", 1) as advance:
        discover = partial(_discover, run)
        (found,) = in_threads([database], discover, n_threads(run, threads)).values()
        advance(1)
    discovery, discovered_by = found
    run.results.path_of("discovery").parent.mkdir(exist_ok=True)
    write_discovery(discovery, run.results.path_of)
    for name, seeds in models.items():
        _write_routes(run, name, routes[_Replica(name, seeds[0])])
    content = Motifs(
        truth=tuple(
            TrueMotif(name=m.name, consensus=m.consensus, ppm=as_rows(m.ppm)) for m in truths
        ),
        n_positives=len(positives),
        models=_by_model(routes, truths, trained=True),
        untrained=_by_model(routes, truths, trained=False),
        discovery=tuple(describe(finding, truths) for finding in discovery.found),
        discovered_by=discovered_by,
        shortcut={name: test for name, test in shortcuts.items() if test is not None},
    )
    run.results.write(content, progress)
    return run


@dataclass(frozen=True)
class _Replica:
    """A model of a run, as trained or as it was before."""

    name: str
    seed: int
    trained: bool = True


Routes = dict[_Replica, dict[str, list[DiscoveredMotif]]]


def _routes_of(
    run: Run, positives: SequenceDataset, advance: Advance, replica: _Replica
) -> dict[str, list[DiscoveredMotif]]:
    model = run.model if replica.trained else run.untrained_model
    first = replica.trained and replica.seed == run.results.explained[replica.name][0]
    routes = find_motifs(
        model(replica.name, replica.seed),
        positives,
        strands="both" if run.settings.strands == "both" else "forward",
        attributions=kept_attributions(run, replica.name, positives, KEPT) if first else {},
    )
    advance(1)
    return routes


def _write_routes(run: Run, name: str, routes: dict[str, list[DiscoveredMotif]]) -> None:
    """Write the motifs of each route as a MEME file; remove those of before."""
    for route, found in routes.items():
        path = run.results.path_of("route_motifs", model=name, route=route)
        path.unlink(missing_ok=True)
        if found:
            write_motifs(found, path)


def _by_model(routes: Routes, truths: Sequence[Motif], *, trained: bool) -> dict[str, ModelMotifs]:
    seeds: dict[str, list[SeedMotifs]] = {}
    for replica, by_route in routes.items():
        if replica.trained == trained:
            described = {
                route: tuple(_described(motif, truths) for motif in found)
                for route, found in by_route.items()
            }
            of_seed = SeedMotifs(seed=replica.seed, routes=described)
            seeds.setdefault(replica.name, []).append(of_seed)
    return {name: ModelMotifs(seeds=tuple(own)) for name, own in seeds.items()}


def _described(motif: DiscoveredMotif, truths: Sequence[Motif]) -> RouteMotif:
    return RouteMotif(
        name=motif.name,
        consensus=motif.consensus,
        ppm=as_rows(motif.ppm),
        n_sites=motif.n_sites,
        recovery=recover(motif.ppm, truths) if truths else None,
    )


def _shortcut(
    run: Run, name: str, truths: Sequence[Motif], routes: dict[str, list[DiscoveredMotif]]
) -> Shortcut | None:
    """Test the first true motif, or else the first motif that mutagenesis finds.

    Where the true motif leaves letters open, those that its sites have most often are tested.
    """
    if truths:
        of_sites = {motif.name: motif for motif in site_motifs(run.dataset)}
        letters = of_sites.get(truths[0].name, truths[0]).likeliest
    elif routes["ism"]:
        letters = routes["ism"][0].likeliest
    else:
        return None
    length = max(int(np.median(run.dataset.lengths)), len(letters))
    return shortcut_test(run.model(name), letters, length=length, seed=run.settings.seed)


def _discover(run: Run, database: Path | str | None) -> tuple[Discovery, DiscoveredBy]:
    """Discover the motifs of the best model of a run in all but the test split, and test them."""
    dataset, settings = run.in_classes, run.settings
    name = best_validated(run.results)
    assert name is not None, "a run with models has a best one"
    seeds = run.results.explained[name][:N_SEEDS]
    is_test = np.asarray(dataset.split) == "test"
    discovery = discover_and_confirm(
        [run.model(name, seed) for seed in seeds],
        dataset.subset(np.flatnonzero(~is_test)),
        dataset.subset(np.flatnonzero(is_test)),
        strands="both" if settings.strands == "both" else "forward",
        n_explained=n_searched(settings),
        database=None if database is None else read_motifs(database),
        seed=settings.seed,
    )
    return discovery, DiscoveredBy(
        model=name,
        seeds=seeds,
        method=METHOD,
        database=database_name(database),
        found_in=count_classes(discovery.explained),
        tested_on=count_tested(discovery),
        note=note_on_groups(discovery),
        not_significant=tuple(map(describe_dismissed, discovery.not_significant)),
    )
