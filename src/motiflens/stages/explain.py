"""The third stage: the models of a run explained base by base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import torch
from msgspec import UNSET

from motiflens.attribution import METHODS, Attributions
from motiflens.attribution.export import located, write_bed, write_big_wig
from motiflens.attribution.workers import explanations
from motiflens.cluster import Engine, engine_of
from motiflens.datasets import SequenceDataset
from motiflens.errors import InputError
from motiflens.models import SequenceModel
from motiflens.progress import Advance, Progress, listener
from motiflens.results.explanations import Attention, AttentionContrast, Checks, MethodChecks
from motiflens.runs import Run
from motiflens.settings import DISTILLED
from motiflens.stages.agreement import agreement_with_ensemble
from motiflens.stages.attention import contrast_attention
from motiflens.stages.defaults import FURTHER_METHODS
from motiflens.stages.highest_negatives import explain_negatives, highest_negatives, rounded_logits
from motiflens.stages.stage import (
    Work,
    each_model,
    explained_positives,
    note_on_length,
    open_trained,
)


def explain(
    run: Run | Path | str,
    *,
    thorough: bool = False,
    threads: int | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
) -> Run:
    """Explain the first seed of every model: its attributions, their checks, its attention.

    For the page, so are negatives that the best model takes for positives. Explanations that are
    not those of before, as of another version, take with them what later stages made of those.

    Parameters
    ----------
    run
        A run, or its directory.
    thorough
        By every method, as a thorough run does, and not by those of the first report and those
        that the run holds already.
    threads
        Threads to compute with; those of the run by default.
    scheduler
        Workers that explain blocks of sequences, see :func:`motiflens.cluster.engine_of`; None for
        threads here. It changes no bit of the run.
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
    positives = explained_positives(run)
    if note := note_on_length(run):
        progress.note(note)
    negatives = highest_negatives(run, len(positives))
    further = () if thorough or run.settings.thorough else FURTHER_METHODS
    methods = [method for method in METHODS if method not in further]
    steps = len(methods) * (len(positives) + len(negatives))
    label = Work("explain", "explaining", steps, "sequences")
    with engine_of(scheduler) as engine:
        explain_one = partial(
            _explain_model, run, (positives, negatives), methods, progress, engine
        )
        contrasts = each_model(run, label, explain_one, progress, threads)
    known = {name: contrast for name, contrast in contrasts.items() if contrast is not None}
    run.results.write(Attention(models=known), progress)
    return run


def _explain_model(
    run: Run,
    explained: tuple[SequenceDataset, SequenceDataset],
    methods: Sequence[str],
    progress: Progress,
    engine: Engine | None,
    name: str,
    advance: Advance,
) -> AttentionContrast | None:
    """Write the attributions of a model; return its attention on and off the sites, if it has any.

    A method that refuses the model, as DeepLIFT may, is left out with a note.
    """
    positives, negatives = explained
    model = run.model(name)
    run.results.path_of("checks", model=name).parent.mkdir(parents=True, exist_ok=True)
    first = torch.as_tensor(positives.subset([0]).one_hot())
    maps = model.attention_maps(first) if isinstance(model, SequenceModel) else []
    attentive, stacked = bool(maps), bool(maps) and all(m.full is not None for m in maps)
    # What a thorough run or call has left is kept up, as later stages may rest on it.
    kept = {m: run.results.path_of("attributions", model=name, method=m) for m in METHODS}
    taken = {method: method in methods or kept[method].is_file() for method in METHODS}
    taken |= {"attention": attentive, "rollout": stacked}
    wanted = [method for method in METHODS if taken[method]]
    explain_by = explanations(model, positives.codes, wanted, engine, advance)
    checks, refused = {}, {}
    for method in METHODS:
        if not taken[method]:
            _remove(run, name, method, progress)
            continue
        try:
            attributions = explain_by(method)
        except InputError as error:
            refused[method] = str(error)
            progress.note(f"{name} is not explained by {method}: {error}")
            _remove(run, name, method, progress)
            continue
        _keep(run, name, attributions, positives, progress)
        if attributions.checks is not None:
            checks[method] = MethodChecks(**asdict(attributions.checks))
    done = [method for method in wanted if method not in refused]
    below = explain_negatives(run, name, negatives, done, advance) or UNSET
    logits = rounded_logits(model, positives)
    agreed = agreement_with_ensemble(run, positives, done) if name == DISTILLED else UNSET
    found = Checks(
        methods=checks, refused=refused, logits=logits, negative_logits=below, agreement=agreed
    )
    run.results.write(found, progress, model=name)
    if not isinstance(model, SequenceModel) or not attentive or positives.sites is None:
        return None
    return contrast_attention(model, run.in_classes, positives, run.settings)


def _keep(
    run: Run, name: str, attributions: Attributions, positives: SequenceDataset, progress: Progress
) -> None:
    """Write an explanation; where it is not that of before, later stages are to be done again."""
    names = {"model": name, "method": attributions.method}
    path, ids = run.results.path_of("attributions", **names), positives.names.tolist()
    if _is_other(path, attributions, ids):
        run.results.remove_following(["attributions"], progress)
    attributions.save(path, ids)
    if located(positives):
        write_big_wig(run.results.path_of("track", **names), attributions, positives)
        write_bed(run.results.path_of("intervals", **names), attributions, positives)


def _remove(run: Run, name: str, method: str, progress: Progress) -> None:
    """Remove an explanation of before, by a method that is not taken now."""
    paths = [
        run.results.path_of(kind, model=name, method=method)
        for kind in ("attributions", "track", "intervals", "negative_attributions")
    ]
    if paths[0].is_file():
        run.results.remove_following(["attributions"], progress)
        for path in paths:
            path.unlink(missing_ok=True)


def _is_other(path: Path, attributions: Attributions, ids: list[str]) -> bool:
    """Return whether explanations of before are there, and are not the same."""
    if not path.is_file():
        return False
    try:
        before = Attributions.load(path)
    except InputError:
        return True
    return before.names != tuple(ids) or not np.array_equal(
        before.contributions, attributions.contributions
    )
