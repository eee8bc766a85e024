"""The fifth stage: experiments in silico with the first seed of every model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from msgspec import convert
from torch import nn

from motiflens.datasets import SequenceDataset
from motiflens.hits import find_hits
from motiflens.motifs import Motif
from motiflens.perturbation import (
    ablate_sites,
    copy_number_effect,
    marginal_effect,
    position_effect,
    shuffled_background,
    spacing_effect,
)
from motiflens.perturbation.effects import Floats
from motiflens.progress import Advance, Progress, listener
from motiflens.results.experiments import (
    Ablation,
    Experiments,
    ModelExperiments,
    MotifExperiments,
    Spacing,
)
from motiflens.runs import Run
from motiflens.sequences import Site, evenly
from motiflens.stages.stage import Work, each_model, explained_positives, open_trained, true_motifs

#: Motifs of a model at most, and what of both strands of a pair is tried.
MAX_MOTIFS, ORIENTATIONS = 3, ("++", "+-")
#: Backgrounds at most and at least, and bases that all calls of a model may read between the two.
MAX_BACKGROUNDS, MIN_BACKGROUNDS, MAX_BASES = 50, 10, 1_000_000
#: About as many sequences are made of each background for one motif.
DESIGNS = 40
N_ABLATED, N_DRAWS = 50, 5


def experiments(
    run: Run | Path | str, *, threads: int | None = None, progress: Progress | None = None
) -> Run:
    """Experiment with the first seed of every model.

    The motifs are the true ones, as far as they are known, or else the first that mutagenesis
    found; up to three. They are put, by their most likely bases, into dinucleotide shuffles of the
    test negatives. Sites are those of the explained positives; where they are not known, they are
    matches with p <= 1e-4.

    Parameters
    ----------
    run
        A run with motifs, or its directory.
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
        If the directory holds no run with models.
    """
    run, progress = open_trained(run), listener(progress)
    truths = true_motifs(run.dataset, run.settings.motif)
    positives = explained_positives(run)

    def experiment(name: str, advance: Advance) -> ModelExperiments | None:
        motifs = (truths or _route_motifs(run, name))[:MAX_MOTIFS]
        return _Bench(run, positives, motifs).experiment(run.model(name)) if motifs else None

    work = Work("experiments", "experimenting")
    tried = each_model(run, work, experiment, progress, threads)
    models = {name: one for name, one in tried.items() if one is not None}
    run.results.write(Experiments(models=models), progress)
    return run


class _Bench:
    """Backgrounds, sequences with sites and motifs, laid out for one model."""

    def __init__(self, run: Run, positives: SequenceDataset, motifs: Sequence[Motif]) -> None:
        self.strands = "both" if run.settings.strands == "both" else "forward"
        self.seed = run.settings.seed
        self.motifs = motifs
        self.background = _background(run, motifs)
        shown = positives.subset(evenly(len(positives), N_ABLATED))
        self.sequences, self.sites = shown.one_hot(), _sites(shown, motifs, self.strands)

    def experiment(self, model: nn.Module) -> ModelExperiments | None:
        """Return what was tried with a model; None where no background has room."""
        if not len(self.background):
            return None
        return ModelExperiments(
            strands=self.strands,
            n_backgrounds=len(self.background),
            motifs=tuple(self._alone(model, motif) for motif in self.motifs),
            spacing=self._pair(model) if len(self.motifs) > 1 else None,
        )

    def _alone(self, model: nn.Module, motif: Motif) -> MotifExperiments:
        inserted, strands, background = motif.likeliest, self.strands, self.background
        room = int(background.any(axis=1).sum(axis=1).min()) // len(inserted)
        dose = copy_number_effect(
            model, inserted, background, max_copies=min(5, room), strands=strands, seed=self.seed
        )
        marginal = marginal_effect(model, inserted, background, strands=strands)
        position = position_effect(model, inserted, background, strands=strands)
        return MotifExperiments(
            name=motif.name,
            inserted=inserted,
            marginal=marginal,
            dose=dose,
            position=position,
            ablation=self._ablated(model, motif),
        )

    def _ablated(self, model: nn.Module, motif: Motif) -> Ablation | None:
        own = [[site for site in row if site.name == motif.name] for row in self.sites]
        if not any(own):
            return None
        return ablate_sites(
            model,
            self.sequences,
            own,
            exclude_sites=self.sites,
            n_draws=N_DRAWS,
            seed=self.seed,
        )

    def _pair(self, model: nn.Module) -> Spacing | None:
        first, second = (motif.likeliest for motif in self.motifs[:2])
        room = int(self.background.any(axis=1).sum(axis=1).min()) - len(first) - len(second)
        gaps = range(0, min(20, room) + 1, 2)
        if not gaps:
            return None
        measured = spacing_effect(
            model,
            (first, second),
            self.background,
            gaps=gaps,
            orientations=ORIENTATIONS,
            strands=self.strands,
        )
        names = {"first_name": self.motifs[0].name, "second_name": self.motifs[1].name}
        return convert(names | asdict(measured), Spacing)


def _route_motifs(run: Run, name: str) -> list[Motif]:
    """Return the motifs that mutagenesis showed in a model's first seed."""
    motifs = run.results.motifs.models[name].seeds[0].routes.get("ism", ())
    return [Motif(one.name, np.array(one.ppm), one.n_sites) for one in motifs]


def _background(run: Run, motifs: Sequence[Motif]) -> Floats:
    """Shuffle test negatives that every motif fits into, as many as the time allows."""
    dataset = run.in_classes
    negatives = (np.asarray(dataset.split) == "test") & (dataset.labels == 0)
    long_enough = dataset.lengths >= max(motif.width for motif in motifs)
    designs = DESIGNS * len(motifs) + (3 * 11 * len(ORIENTATIONS) if len(motifs) > 1 else 0)
    affordable = MAX_BASES // (designs * dataset.codes.shape[1])
    n = min(MAX_BACKGROUNDS, max(MIN_BACKGROUNDS, affordable))
    rows = np.flatnonzero(negatives & long_enough)
    chosen = dataset.subset(rows[evenly(len(rows), n)])
    if not len(rows):
        return chosen.one_hot()
    return shuffled_background(chosen.one_hot(), n=n, seed=run.settings.seed)


def _sites(
    dataset: SequenceDataset, motifs: Sequence[Motif], strands: str
) -> Sequence[Sequence[Site]]:
    """Return the known sites of each sequence, or else the matches of the motifs."""
    if dataset.sites is not None:
        return dataset.sites
    found: list[list[Site]] = [[] for _ in range(len(dataset))]
    hits = find_hits(motifs, dataset, strands=strands)
    columns = (hits[key].tolist() for key in ("sequence", "motif", "start", "end", "strand"))
    for row, motif, start, end, strand in zip(*columns, strict=True):
        found[row].append(Site(motifs[motif].name, start, end, strand))
    return found
