"""Runs opened for the bench: their models, motifs, and sequences to begin with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from motiflens.app.wire import Example, KnownMotif, Offer, ServedModel
from motiflens.datasets import SequenceDataset
from motiflens.errors import InputError, one_of
from motiflens.results import Results
from motiflens.runs import Run, load_run
from motiflens.runs.ensemble import Ensemble
from motiflens.scoring.models import ModuleScorer, open_models, open_predictor
from motiflens.sequences import ALPHABET, evenly
from motiflens.training import TrainedModel

#: Bases of the longest sequence on the bench.
MAX_BASES = 2000
#: Methods of explanation that are on offer.
METHODS = ("ism", "deeplift_shap", "integrated_gradients", "input_x_gradient", "saliency")
#: That is quick on any network, where every mutant would go through the whole of it.
QUICK = "input_x_gradient"
#: Sequences of each class of which the examples are the most telling ones.
LOOKED_AT = 100
#: Motifs of a run at most.
MAX_MOTIFS = 20


@dataclass(frozen=True, eq=False)
class Served:
    """A model of a run, open: its seeds as one, what scores by them, and what it is."""

    about: ServedModel
    scorer: ModuleScorer
    whole: Ensemble

    def seed(self, seed: int | None) -> TrainedModel:
        """Return the network of one seed; the first for None."""
        seeds = self.about.seeds
        if seed is None:
            return self.whole.seeds[0]
        one_of("a seed of this model", str(seed), map(str, seeds), argument="seed")
        return self.whole.seeds[seeds.index(seed)]


@dataclass(frozen=True, eq=False)
class Bench:
    """All that is open: models by their name in requests, and what the page offers."""

    models: dict[str, Served]
    offer: Offer

    def model(self, id: str) -> Served:
        """Return a model, or raise :class:`InputError`."""
        one_of("a model of this bench", id, self.models, argument="model")
        return self.models[id]


def open_bench(paths: Sequence[Path], device: str = "cpu") -> Bench:
    """Open the models of runs.

    Parameters
    ----------
    paths
        Run directories.
    device
        Where to compute.

    Raises
    ------
    InputError
        If one is no run or holds no trained model, its files are damaged, or there is no such
        device.
    """
    runs = [load_run(path) for path in paths]
    models: dict[str, Served] = {}
    for run, name in zip(runs, _names(runs), strict=True):
        for served in _models(run, name, device, alone=len(runs) == 1):
            models[served.about.id] = served
    first = next(iter(models.values()))
    motifs = [motif for run, name in zip(runs, _names(runs), strict=True)
              for motif in _motifs(run.results, name if len(runs) > 1 else "")]  # fmt: skip
    offer = Offer(
        tuple(served.about for served in models.values()),
        tuple(motifs),
        tuple(_examples(runs[0].in_classes, first)),
        MAX_BASES,
    )
    return Bench(models, offer)


def _names(runs: Sequence[Run]) -> list[str]:
    """Name runs by their folders, those of one name by a number, too."""
    names: list[str] = []
    for run in runs:
        name = run.path.resolve().name
        n = names.count(name) + sum(one.startswith(f"{name} (") for one in names)
        names.append(f"{name} ({n + 1})" if n else name)
    return names


def _models(run: Run, run_name: str, device: str, *, alone: bool) -> Iterator[Served]:
    """Open the models of a run, the best on validation data first."""
    best = open_predictor(run, device=device)
    names = [best.name, *(name for name in run.results.models if name != best.name)]
    for name in names:
        scorer = best
        if name != best.name:
            other = open_models(run, name, device=device)
            scorer = replace(other, trained_on=best.trained_on)
        seeds = [member for member in scorer.members if isinstance(member, TrainedModel)]
        # A module of others scores by itself, without what says of which run and seed it is.
        whole = Ensemble(seeds) if seeds else run.models[name].to(scorer.device)
        for parameter in whole.parameters():
            parameter.requires_grad_(False)  # requests at once follow gradients of the input
        yield Served(_about(scorer, whole, run_name, alone=alone), scorer, whole)


def _about(scorer: ModuleScorer, whole: Ensemble, run_name: str, *, alone: bool) -> ServedModel:
    probe, x = whole.seeds[0], torch.zeros(1, 4, scorer.length, device=scorer.device)
    with torch.inference_mode():
        exact = probe.single_mutant_logits(x, 0, 1) is not None
        attends = bool(probe.attention_maps(x))
    return ServedModel(
        id=scorer.name if alone else f"{run_name}: {scorer.name}",
        run=run_name,
        name=scorer.name,
        seeds=tuple(seed.seed for seed in whole.seeds),
        methods=METHODS if exact else (QUICK, *(m for m in METHODS if m != QUICK)),
        min_length=scorer.min_length,
        max_length=scorer.length if scorer.only_length else MAX_BASES,
        length=scorer.length,
        both_strands=scorer.both_strands,
        attends=attends,
        stages=not probe.is_foreign,
    )


def _motifs(results: Results, run_name: str) -> list[KnownMotif]:
    """Return the motifs of a run: confirmed ones, true ones, and the first of every route."""
    found: list[tuple[str, str, str]] = []
    read: list[tuple[str, str, str]] = []
    if results.holds("motifs"):
        motifs = results.motifs
        found += [(one.name, _letters(one.ppm), "confirmed") for one in motifs.discovery]
        found += [(one.name, _letters(one.ppm), "true") for one in motifs.truth]
        read = [
            (f"{model}, {route}", _letters(ones[0].ppm), "read from the model")
            for model, own in motifs.models.items()
            for route, ones in own.seeds[0].routes.items()
            if ones
        ]
    given = (results.settings.motif or "").upper()
    if given and set(given) <= set(ALPHABET):
        found.append((given, given, "true"))
    by_letters: dict[str, tuple[str, str]] = {}
    for name, letters, origin in (*found, *read):
        by_letters.setdefault(letters, (name, origin))
    prefix = f"{run_name}: " if run_name else ""
    return [
        KnownMotif(f"{prefix}{name}", letters, origin)
        for letters, (name, origin) in by_letters.items()
    ][:MAX_MOTIFS]


def _letters(ppm: Sequence[Sequence[float]]) -> str:
    """Return the most likely bases of a matrix (4, W)."""
    return "".join(ALPHABET[base] for base in np.asarray(ppm).argmax(axis=0))


def _examples(dataset: SequenceDataset, served: Served) -> list[Example]:
    """Return the strongest and the weakest sequences of each class of the test split."""
    test = dataset if dataset.split is None else dataset.part("test")
    examples: list[Example] = []
    for label, n_strongest in ((1, 4), (0, 2)):
        rows = np.flatnonzero(np.asarray(test.labels) == label)
        rows = rows[evenly(len(rows), LOOKED_AT)]
        lengths = test.lengths[rows]
        fits = (lengths >= served.about.min_length) & (lengths <= served.about.max_length)
        chosen = test.subset(rows[fits])
        if not len(chosen):
            continue
        logits = served.scorer.logits(chosen.codes, chosen.lengths).mean(axis=0)
        order = np.argsort(-logits, kind="stable")
        names, letters = chosen.names.tolist(), chosen.sequences()
        examples += [
            Example(names[row], letters[row], label, round(float(logits[row]), 4))
            for row in dict.fromkeys([*order[:n_strongest].tolist(), *order[-2:].tolist()])
        ]
    if not examples:
        raise InputError(
            "the test split of the run holds no sequence that its model takes",
            remedy="make the run again with overwrite=True",
            argument="overwrite",
        )
    return examples
