"""The fourth stage: how far the explanations of a run's models can be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np

from motiflens.attribution import METHODS
from motiflens.datasets import SequenceDataset
from motiflens.evidence import Controls, ModelTrust, true_bases, trust_checks
from motiflens.evidence.checks import N_HELD_OUT
from motiflens.evidence.deletion import FRACTIONS
from motiflens.motifs import Motif
from motiflens.pipeline.reading import true_motifs
from motiflens.pipeline.stages import explained_positives, kept_attributions, of_each_model, opened
from motiflens.progress import Progress, Silent
from motiflens.runs import Run
from motiflens.sequences import evenly

#: Seeds of each model, the first included, whose explanations are compared.
N_SEEDS = 3


def trust(run: Run | Path | str, *, progress: Progress | None = None) -> Run:
    """Check the explanations of every model's first seed on the test part: ``trust.json``.

    The methods are those that ``explain`` has left, or else all that a model takes.

    Parameters
    ----------
    run
        A run, or its directory.
    progress
        Told how far the work has come.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        If the directory holds no run with models, or its test part lacks a class.
    """
    run, progress = opened(run), progress or Silent()
    positives, negatives = explained_positives(run), _test_negatives(run)
    truths = true_motifs(run.dataset, run.settings.motif)

    def check(name: str) -> ModelTrust:
        return _check(run, name, positives, negatives, truths)

    found = of_each_model(run, "trust", "checking trust", progress, check)
    scores = run.read_json("metrics.json")["models"]
    models = {
        name: msgspec.to_builtins(beside_ensemble(checked, scores[name]["test"]["auroc"]))
        for name, checked in found.items()
    }
    run.write_json("trust.json", {"fractions": FRACTIONS, "models": models})
    return run


def beside_ensemble(found: ModelTrust, score: Mapping[str, float]) -> ModelTrust:
    """Claim nothing where the AUROC of all seeds together may be chance.

    Its interval counts related sequences once, which the checks of one seed do not.

    Parameters
    ----------
    found
        The checks of one seed.
    score
        ``value``, ``low`` and ``high`` of the ensemble's AUROC on the test split.
    """
    if score["low"] > 0.5 or score["high"] < 0.5:
        return found
    figures = f"{score['value']:.2f} ({score['low']:.2f} to {score['high']:.2f})"
    words = f"nothing may be claimed: the AUROC of all seeds together, {figures}, may be chance"
    return msgspec.structs.replace(found, verdict=words, may_claim=False, bases_claimed_by=())


def _test_negatives(run: Run) -> SequenceDataset:
    dataset = run.dataset
    chosen = (np.asarray(dataset.split) == "test") & (dataset.labels == 0)
    rows = np.flatnonzero(chosen)
    return dataset.subset(rows[evenly(len(rows), N_HELD_OUT)])


def _check(
    run: Run,
    name: str,
    positives: SequenceDataset,
    negatives: SequenceDataset,
    truths: Sequence[Motif],
) -> ModelTrust:
    first, *others = run.models[name][:N_SEEDS]
    kept = kept_attributions(run, name, positives, METHODS)
    truth = None
    if positives.sites is not None:
        length = positives.codes.shape[1]
        truth = true_bases(positives.sites, truths, positives.lengths, length)
    controls = Controls(
        truth=truth,
        seeds=[run.model(name, seed) for seed in others],
        untrained=run.untrained_model(name, first),
        attributions=kept,
    )
    return trust_checks(
        run.model(name, first),
        positives.one_hot(),
        negatives.one_hot(),
        methods=kept or None,
        controls=controls,
        seed=run.settings.seed,
    )
