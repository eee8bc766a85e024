"""The second stage: the models of a run explained base by base."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from motiflens.attribution import attribute
from motiflens.datasets import SequenceDataset
from motiflens.experiments import attention_contrast
from motiflens.models import SequenceModel
from motiflens.pipeline.stages import explained_positives, opened, timed
from motiflens.progress import Progress, Silent
from motiflens.runs import Run
from motiflens.settings import Settings

#: Methods whose attributions a run keeps, of each model's first seed.
METHODS = ("saliency", "tutorial-saliency", "ism", "attention")


def explain(run: Run | Path | str, *, progress: Progress | None = None) -> Run:
    """Explain the first seed of every model: ``attributions/`` and ``attention.json``.

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
    positives = explained_positives(run)
    one_hot = positives.one_hot()
    contrasts: dict[str, Any] = {}
    with timed(run, "explain"), progress.stage("explaining", len(run.models)) as advance:
        for name in run.models:
            model = run.model(name)
            folder = run.path / "attributions" / name
            folder.mkdir(parents=True, exist_ok=True)
            attentive = bool(model.attention_maps(torch.as_tensor(one_hot[:1])))
            for method in METHODS:
                if method != "attention" or attentive:
                    found = attribute(model, one_hot, method)
                    found.save(folder / f"{method}.npz", positives.names.tolist())
            if attentive and positives.sites is not None:
                contrasts[name] = _contrast(model, run.dataset, positives, run.settings)
            advance(1)
    run.write_json("attention.json", {"models": contrasts})
    return run


def _contrast(
    model: SequenceModel, dataset: SequenceDataset, positives: SequenceDataset, settings: Settings
) -> dict[str, object]:
    """Compare attention on true sites, beside them, and at the same places of test negatives."""
    test = dataset.part("test")
    negatives = test.subset(np.flatnonzero(test.labels == 0)[: settings.n_explained])
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
