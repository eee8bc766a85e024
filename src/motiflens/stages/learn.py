"""Data split and models trained by a call from Python, as the commands do it, without a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from motiflens.datasets import SequenceDataset
from motiflens.errors import InputError
from motiflens.io.read import Source, read
from motiflens.models.calling import choose_device, require_device
from motiflens.progress import Progress, listener
from motiflens.settings import Settings
from motiflens.stages.data import check_regression, prepare
from motiflens.stages.hyperparameters import RECIPE, job_of
from motiflens.stages.splitting import cut
from motiflens.training import Recipe, TrainedModel, count_epochs, train_all
from motiflens.training.data import hold_out


def split(
    dataset: SequenceDataset,
    rule: str = "auto",
    *,
    test: float = 0.2,
    valid: float = 0.1,
    seed: int = 0,
    test_chromosomes: tuple[str, ...] = (),
    valid_chromosomes: tuple[str, ...] = (),
) -> SequenceDataset:
    """Split a data set for training, validation and testing.

    Parameters
    ----------
    dataset
        A split of its own is kept; what it lacks is cut out of its training sequences.
    rule
        ``"random"``, ``"homology"`` (no 31-mer is shared between the splits), ``"chromosome"``, or
        ``"auto"``: ``homology`` for windows on a genome and where related sequences would be in
        both splits.
    test, valid
        Fractions for testing and, of what is left, for validation; 0 for no validation.
    seed
        Decides a random split.
    test_chromosomes, valid_chromosomes
        For a split by chromosome.

    Raises
    ------
    InputError
        For a rule or a fraction that is none, and where the data cannot be split so.
    """
    settings = Settings(
        split=rule,
        test_fraction=test,
        seed=seed,
        test_chromosomes=test_chromosomes,
        valid_chromosomes=valid_chromosomes,
    )
    if not 0 <= valid < 1:
        raise InputError(
            f"valid={valid} is no fraction", remedy="give a value such as 0.1", argument="valid"
        )
    made, _ = cut(dataset, settings, valid, listener(False).note)
    assert made.split is not None
    if valid > 0 and not (made.split == "valid").any():
        names = made.split.astype("<U5")
        names[hold_out(made, np.flatnonzero(names == "train"), valid)] = "valid"
        made = made.with_split(names)
    return made


def train(
    dataset: SequenceDataset | Source,
    model: str = "cnn",
    *,
    seeds: int = 1,
    seed: int = 0,
    strands: str = "auto",
    recipe: Recipe | Mapping[str, Any] | str | None = None,
    hyperparameters: Mapping[str, Any] | None = None,
    threads: int | None = None,
    device: str = "cpu",
    progress: Progress | bool = False,
) -> list[TrainedModel]:
    """Train an architecture, several seeds of it at once.

    Parameters
    ----------
    dataset
        Labelled sequences, or a file or data frame of them (:func:`motiflens.read`). One without a
        split is split as the commands do it; the test sequences of one choose nothing.
    model
        ``"cnn"``, ``"attention"``, ``"hybrid"``, ``"transformer"``, ``"tutorial-cnn"`` or
        ``"tutorial-attention"``.
    seeds
        How many models, with the seeds ``seed``, ``seed`` + 1, and so on.
    seed
        Decides the split, initial weights and the order of the data.
    strands
        ``"both"``, ``"forward"``, or ``"auto"``: the data decide.
    recipe
        How to train, or what differs from the architecture's own, as in ``{"epochs": 5}``, or
        ``"accurate"`` (:class:`motiflens.settings.Settings`), whose seeds are as many as ``seeds``.
    hyperparameters
        What differs from the architecture's defaults, as in ``{"n_filters": 64}``.
    threads
        Models trained at the same time, each on one thread; None for one a core.
    device
        ``"cpu"``, ``"cuda"`` or ``"cuda:1"``; ``"auto"`` is a GPU where there is one.
    progress
        Told how far the work has come; True for a line on stderr.

    Returns
    -------
    list of TrainedModel
        In the order of the seeds, on the CPU.

    Raises
    ------
    InputError
        For data that cannot be trained on, an unknown model, and hyperparameters or a recipe that
        it does not take.
    """
    if not isinstance(dataset, SequenceDataset):
        dataset = read(dataset)
    named = "default"
    if isinstance(recipe, str):
        named, recipe = recipe, None
    elif isinstance(recipe, Recipe):
        recipe = {field.name: getattr(recipe, field.name) for field in fields(recipe)}
    own = {model: {**(hyperparameters or {}), RECIPE: dict(recipe or {})}}
    settings = Settings(
        models=(model,),
        seeds=seeds,
        seed=seed,
        strands=strands,
        recipe=named,
        hyperparameters=own,
    )
    require_device(device)
    device = choose_device(device)
    held_out = job_of(model, settings).settings.validation_fraction
    shown = listener(progress)
    dataset, settings = prepare(dataset, settings, shown.note, held_out)
    if dataset.is_regression:
        check_regression(dataset, settings, shown.note)
    job = job_of(model, settings, settings.seed_list, regression=dataset.is_regression)
    with shown.stage(f"training {model}", count_epochs(dataset, [job]), "epochs") as advance:
        (trained,) = train_all(dataset, [job], threads=threads, device=device, advance=advance)
    return [TrainedModel.of(one, dataset.codes.shape[1]) for one in trained]
