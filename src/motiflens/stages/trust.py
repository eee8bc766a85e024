"""The sixth stage: how far the explanations of a run's models can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from motiflens.attribution import METHODS
from motiflens.attribution.result import Floats
from motiflens.datasets import SequenceDataset
from motiflens.evidence import Controls, find_rule, true_bases, trust_checks
from motiflens.evidence.checks import N_HELD_OUT
from motiflens.evidence.deletion import FRACTIONS
from motiflens.motifs import Motif
from motiflens.progress import Advance, Progress, listener
from motiflens.results.scores import Estimate
from motiflens.results.trust import ModelTrust, Trust
from motiflens.runs import Run
from motiflens.stages.stage import (
    Work,
    each_model,
    explained_positives,
    kept_attributions,
    of_test,
    open_trained,
    true_motifs,
)

#: Seeds of each model, the first included, whose explanations are compared.
N_SEEDS = 3


def trust(
    run: Run | Path | str, *, threads: int | None = None, progress: Progress | None = None
) -> Run:
    """Check the explanations of every model's first seed on the test split.

    The methods are those that ``explain`` has left, or else all that a model takes.

    Parameters
    ----------
    run
        A run, or its directory.
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
        If the directory holds no run with models, or its test split lacks a class.
    """
    run, progress = open_trained(run), listener(progress)
    dataset, explained = run.dataset, explained_positives(run)
    positives = of_test(dataset.in_classes(), 1, N_HELD_OUT).one_hot()
    # A sequence may hold the motif and be none of the highest; the lowest are a null.
    null = lowest(dataset) if dataset.is_regression else dataset
    negatives = of_test(null, 0, N_HELD_OUT).one_hot()
    truths = true_motifs(dataset, run.settings.motif)

    def check(name: str, advance: Advance) -> ModelTrust:
        return _check(run, name, (positives, negatives), explained, truths)

    checked = each_model(run, Work("trust", "checking trust"), check, progress, threads)
    models = {name: _beside_scores(run, name, one) for name, one in checked.items()}
    run.results.write(Trust(fractions=FRACTIONS, models=models), progress)
    return run


def lowest(dataset: SequenceDataset) -> SequenceDataset:
    """Return the lowest tenth of a regression in each split, as negatives, beside all others."""
    upside_down = replace(dataset, labels=-dataset.labels).in_classes()
    return replace(upside_down, labels=1 - upside_down.labels)


def _beside_scores(run: Run, name: str, checked: ModelTrust) -> ModelTrust:
    if run.results.is_regression:
        spearman = run.results.regression.models[name].test.spearman
        return beside_ensemble(checked, spearman, "Spearman correlation", chance=0.0)
    return beside_ensemble(checked, run.results.metrics.models[name].test.auroc)


def beside_ensemble(
    checked: ModelTrust, score: Estimate, what: str = "AUROC", *, chance: float = 0.5
) -> ModelTrust:
    """Claim nothing where the score of all seeds together may be chance.

    Its interval counts related sequences once, which the checks of one seed do not.

    Parameters
    ----------
    checked
        The checks of one seed.
    score
        Of the ensemble on the test split.
    what, chance
        What the score is called, and its value by chance.
    """
    if score.low > chance or score.high < chance:
        return checked
    figures = f"{score.value:.2f} ({score.low:.2f} to {score.high:.2f})"
    words = f"nothing may be claimed: the {what} of all seeds together, {figures}, may be chance"
    rule = checked.rule
    if rule is not msgspec.UNSET:
        rule = msgspec.structs.replace(rule, claimed_by=())
    return msgspec.structs.replace(
        checked, verdict=words, may_claim=False, bases_claimed_by=(), rule=rule
    )


def _check(
    run: Run,
    name: str,
    scored: tuple[Floats, Floats],
    explained: SequenceDataset,
    truths: Sequence[Motif],
) -> ModelTrust:
    first, *others = run.results.explained[name][:N_SEEDS]
    kept = kept_attributions(run, name, explained, METHODS)
    truth, sites = None, run.dataset.sites
    if explained.sites is not None:
        length = explained.codes.shape[1]
        truth = true_bases(explained.sites, truths, explained.lengths, length)
    controls = Controls(
        truth=truth,
        seeds=[run.model(name, seed) for seed in others],
        untrained=run.untrained_model(name, first),
        attributions=kept,
        explained=explained.one_hot(),
        rule=None if sites is None else find_rule(sites, run.in_classes.labels),
        sites=explained.sites,
    )
    return trust_checks(
        run.model(name, first),
        *scored,
        methods=kept or None,
        controls=controls,
        seed=run.settings.seed,
    )
