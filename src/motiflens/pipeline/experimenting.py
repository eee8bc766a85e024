"""The stage after the motifs: experiments in silico with the first seed of every model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from motiflens.datasets import SequenceDataset
from motiflens.hits import scan
from motiflens.models import SequenceModel
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
from motiflens.pipeline.reading import true_motifs
from motiflens.pipeline.stages import explained_positives, of_each_model, opened
from motiflens.progress import Progress, Silent
from motiflens.runs import Run
from motiflens.sequences import Site, evenly

#: Motifs of a model at most, and what of both strands of a pair is tried.
MAX_MOTIFS, ORIENTATIONS = 3, ("++", "+-")
#: Backgrounds at most and at least, and bases that all calls of a model may read between the two.
MAX_BACKGROUNDS, MIN_BACKGROUNDS, MAX_BASES = 50, 10, 1_000_000
#: About as many sequences are made of each background for one motif.
DESIGNS = 40
N_ABLATED, N_DRAWS = 50, 5


def run_experiments(run: Run | Path | str, *, progress: Progress | None = None) -> Run:
    """Experiment with the first seed of every model: ``experiments.json``.

    The motifs are the true ones, as far as they are known, or else the first that mutagenesis
    found; up to three. They are put, by their most likely bases, into dinucleotide shuffles of the
    test negatives. Sites are those of the explained positives; where they are not known, they are
    matches with p <= 1e-4.

    Parameters
    ----------
    run
        A run, or its directory, with ``motifs.json``.
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
    run, progress = opened(run), progress or Silent()
    truths = true_motifs(run.dataset, run.settings.motif)
    positives = explained_positives(run)

    def experiment(name: str) -> dict[str, Any] | None:
        motifs = (truths or _found_motifs(run, name))[:MAX_MOTIFS]
        return _Bench(run, positives, motifs).experiment(run.model(name)) if motifs else None

    made = of_each_model(run, "experiments", "experimenting", progress, experiment)
    known = {name: found for name, found in made.items() if found is not None}
    run.write_json("experiments.json", {"models": known})
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

    def experiment(self, model: SequenceModel) -> dict[str, Any] | None:
        """Give what a model's ``experiments.json`` holds; None where no background has room."""
        if not len(self.background):
            return None
        pair = self._pair(model) if len(self.motifs) > 1 else None
        return {
            "strands": self.strands,
            "n_backgrounds": len(self.background),
            "motifs": [self._alone(model, motif) for motif in self.motifs],
            "spacing": pair,
        }

    def _alone(self, model: SequenceModel, motif: Motif) -> dict[str, Any]:
        word, strands, background = motif.likeliest, self.strands, self.background
        room = int(background.any(axis=1).sum(axis=1).min()) // len(word)
        doses = copy_number_effect(
            model, word, background, max_copies=min(5, room), strands=strands, seed=self.seed
        )
        places = position_effect(model, word, background, strands=strands)
        own = [[site for site in found if site.name == motif.name] for found in self.sites]
        removed = None
        if any(own):
            found = ablate_sites(
                model,
                self.sequences,
                own,
                exclude_sites=self.sites,
                n_draws=N_DRAWS,
                seed=self.seed,
            )
            removed = asdict(found)
        return {
            "name": motif.name,
            "word": word,
            "marginal": asdict(marginal_effect(model, word, background, strands=strands)),
            "dose": asdict(doses),
            "position": asdict(places),
            "ablation": removed,
        }

    def _pair(self, model: SequenceModel) -> dict[str, Any] | None:
        first, second = (motif.likeliest for motif in self.motifs[:2])
        room = int(self.background.any(axis=1).sum(axis=1).min()) - len(first) - len(second)
        gaps = range(0, min(20, room) + 1, 2)
        if not gaps:
            return None
        found = spacing_effect(
            model,
            (first, second),
            self.background,
            gaps=gaps,
            orientations=ORIENTATIONS,
            strands=self.strands,
        )
        names = {"first_name": self.motifs[0].name, "second_name": self.motifs[1].name}
        return names | asdict(found)


def _found_motifs(run: Run, name: str) -> list[Motif]:
    seeds = run.read_json("motifs.json")["models"][name]["seeds"]
    found = seeds[0]["routes"].get("ism", [])
    return [Motif(one["name"], np.array(one["ppm"]), one["n_sites"]) for one in found]


def _background(run: Run, motifs: Sequence[Motif]) -> Floats:
    """Shuffle test negatives that every motif fits into, as many as the time allows."""
    dataset = run.dataset
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
    """Give the known sites of each sequence, or else the matches of the motifs."""
    if dataset.sites is not None:
        return dataset.sites
    found: list[list[Site]] = [[] for _ in range(len(dataset))]
    hits = scan(motifs, dataset, strands=strands)
    columns = (hits[key].tolist() for key in ("sequence", "motif", "start", "end", "strand"))
    for row, motif, start, end, strand in zip(*columns, strict=True):
        found[row].append(Site(motifs[motif].name, start, end, strand))
    return found
