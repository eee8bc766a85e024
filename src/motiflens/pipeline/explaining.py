"""The second stage: the models of a run explained base by base."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import torch

from motiflens.attribution import METHODS, Attributions, attention_contrast, attribute
from motiflens.attribution.export import located, write_bed, write_big_wig
from motiflens.datasets import SequenceDataset
from motiflens.errors import InputError
from motiflens.models import SequenceModel
from motiflens.pipeline.stages import explained_positives, note_on_length, of_each_model, opened
from motiflens.progress import Progress, Silent
from motiflens.runs import Run
from motiflens.sequences import evenly
from motiflens.settings import Settings

#: What later stages make of the explanations.
MADE_OF_THEM = ("motifs.json", "motifs", "experiments.json", "trust.json", "report.html")


def explain(run: Run | Path | str, *, progress: Progress | None = None) -> Run:
    """Explain the first seed of every model: ``attributions/`` and ``attention.json``.

    Explanations that are not those of before, as another version of motiflens may give, take with
    them what was made of those (``MADE_OF_THEM``).

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
        If the directory holds no run with models.
    """
    run, progress = opened(run), progress or Silent()
    dataset, positives = run.dataset, explained_positives(run)
    if note := note_on_length(run):
        progress.note(note)

    explain_one = partial(_explain_model, run, dataset, positives, progress)
    contrasts = of_each_model(run, "explain", "explaining", progress, explain_one)
    known = {name: contrast for name, contrast in contrasts.items() if contrast is not None}
    run.write_json("attention.json", {"models": known})
    return run


def _explain_model(
    run: Run, dataset: SequenceDataset, positives: SequenceDataset, progress: Progress, name: str
) -> dict[str, object] | None:
    """Write the attributions of a model; give its attention on and off the sites, if it has any.

    A method that refuses the model, as DeepLIFT may, is left out with a note.
    """
    model, one_hot = run.model(name), positives.one_hot()
    folder = run.path / "attributions" / name
    folder.mkdir(parents=True, exist_ok=True)
    maps = model.attention_maps(torch.as_tensor(one_hot[:1]))
    attentive, stacked = bool(maps), bool(maps) and all(m.full is not None for m in maps)
    left_out = {"attention": not attentive, "rollout": not stacked}
    checks, refused = {}, {}
    for method in METHODS:
        if left_out.get(method, False):
            continue
        try:
            found = attribute(model, one_hot, method)
        except InputError as error:
            refused[method] = str(error)
            progress.note(f"{name} is not explained by {method}: {error}")
            if (folder / f"{method}.npz").is_file():
                _forget(run, progress)
                for path in folder.glob(f"{method}.*"):
                    path.unlink()
            continue
        if _is_other(folder / f"{method}.npz", found, positives):
            _forget(run, progress)
        found.save(folder / f"{method}.npz", positives.names.tolist())
        if found.checks is not None:
            checks[method] = asdict(found.checks)
        if located(positives):
            write_big_wig(folder / f"{method}.bw", found, positives)
            write_bed(folder / f"{method}.bed", found, positives)
    run.write_json(f"attributions/{name}/checks.json", {"methods": checks, "refused": refused})
    if not attentive or positives.sites is None:
        return None
    return _contrast(model, dataset, positives, run.settings)


def _is_other(path: Path, found: Attributions, positives: SequenceDataset) -> bool:
    """Tell whether explanations of before are there, and are not the same."""
    if not path.is_file():
        return False
    try:
        before, names = Attributions.load(path)
    except InputError:
        return True
    same = np.array_equal(before.contributions, found.contributions)
    return not same or names != positives.names.tolist()


def _forget(run: Run, progress: Progress) -> None:
    """Remove what was made of explanations that are replaced, and say so."""
    paths = [path for name in MADE_OF_THEM if (path := run.path / name).exists()]
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    if paths:
        progress.note(
            f"the explanations are not those of before; {', '.join(path.name for path in paths)}, "
            "made of those, are removed: motiflens motifs, experiments, trust and report make them"
        )


def _contrast(
    model: SequenceModel, dataset: SequenceDataset, positives: SequenceDataset, settings: Settings
) -> dict[str, object]:
    """Compare attention on true sites, beside them, and at the same places of test negatives."""
    chosen = (np.asarray(dataset.split) == "test") & (dataset.labels == 0)
    rows = np.flatnonzero(chosen)
    negatives = dataset.subset(rows[evenly(len(rows), settings.n_explained)])
    units = model.attention_maps(torch.as_tensor(positives.one_hot()))[0].weights.detach().mean(1)
    assert positives.sites is not None
    return attention_contrast(
        attribute(model, positives.one_hot(), "attention").track,
        positives.sites,
        lengths=positives.lengths,
        null_weights=attribute(model, negatives.one_hot(), "attention").track,
        null_lengths=negatives.lengths,
        unit_weights=units,
        seed=settings.seed,
    )
