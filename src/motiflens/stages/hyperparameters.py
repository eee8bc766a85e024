"""What a user changes in the models of a run: their hyperparameters and their training.

The file that ``--hyperparameters`` takes has a table a model, and in it one for its recipe::

    [attention]
    activation = "exponential"
    kernel_size = 19

    [attention.recipe]
    input_noise = 0.2
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from motiflens.errors import InputError
from motiflens.files import check_keys, read_toml
from motiflens.models import FIXED_LENGTH, MODELS, SequenceModel, build_model, require_model
from motiflens.settings import DISTILLED, Settings
from motiflens.training import Job, Recipe, recipe_for

#: The sub-table of a model that changes its recipe.
RECIPE = "recipe"

#: A hyperparameter of every model but the tutorial's, and its value in the accurate recipe.
KMER_SIZE, ACCURATE_KMERS = "kmer_size", 7

ACCURATE = "the recipe is accurate: more seeds, and 7-mers scored beside models of two classes"


def read_hyperparameters(path: Path | str) -> dict[str, dict[str, Any]]:
    """Read what is to differ from the defaults; :class:`Settings` take it as it is.

    Raises
    ------
    InputError
        If the file is missing or is no TOML.
    """
    path = Path(path)
    tables = read_toml(path)
    for name, table in tables.items():
        if not isinstance(table, dict) or not isinstance(table.get(RECIPE, {}), dict):
            problem = f"{name} = {table!r} stands outside the table of a model"
            remedy = f"put it below [{name if name in MODELS else 'cnn'}], or [cnn.recipe]"
            raise InputError(problem, f"in the hyperparameters of {path}", remedy)
    return tables


def job_of(
    model: str, settings: Settings, seeds: tuple[int, ...] = (), *, regression: bool = False
) -> Job:
    """Return the model of a run as it is trained, with its hyperparameters and recipe.

    Of a regression the validation loss chooses the epoch. Epochs that are named are those at most,
    also on few sequences: ``min_steps`` is then 0, unless it is named too.

    Raises
    ------
    InputError
        For a hyperparameter or a setting of the recipe that there is not, or of a wrong value.
    """
    table = dict(settings.hyperparameters.get(require_model(model), {}))
    recipe = recipe_for(model, both_strands=settings.strands == "both")
    if regression:
        recipe = replace(recipe, metric="loss")
    elif settings.recipe == "accurate" and model not in {*FIXED_LENGTH, DISTILLED}:
        table = {KMER_SIZE: ACCURATE_KMERS, **table}
    changed = _checked(table.pop(RECIPE, {}), asdict(recipe), f"[{model}.{RECIPE}]")
    if "epochs" in changed:
        changed = {"min_steps": 0, **changed}
    hyperparameters = _checked(table, _defaults(model), f"[{model}]")
    for name, value in hyperparameters.items():
        if name != KMER_SIZE:  # 0 is none, and the model checks others
            _require_possible(value, f"{name} of [{model}]")
    recipe, watched = replace(recipe, **changed), settings.target is not None
    if regression:
        _require_no_classes(recipe, hyperparameters, model)
    return Job(model, seeds, recipe, hyperparameters=hyperparameters, watch_test=watched)


def _require_no_classes(recipe: Recipe, hyperparameters: Mapping[str, Any], model: str) -> None:
    """Refuse what is said of classes, where there are none."""
    for name, value, plain, where in (
        ("metric", recipe.metric, "loss", f"{model}.{RECIPE}"),
        ("class_weights", recipe.class_weights, "none", f"{model}.{RECIPE}"),
        (KMER_SIZE, hyperparameters.get(KMER_SIZE, 0), 0, model),
    ):
        if value != plain:
            problem = f"{name} of [{where}] is {value!r}, which is for two classes"
            raise InputError(problem, remedy="leave it out: the labels are numbers")


def validation_fraction(settings: Settings) -> float:
    """Return the largest fraction of the training sequences that a model of a run validates on."""
    return max(job_of(name, settings).settings.validation_fraction for name in settings.models)


def built(job: Job, length: int) -> SequenceModel:
    """Build the model of a job and call it once, which tells whether it can be.

    Raises
    ------
    InputError
        If one of its hyperparameters is impossible, or they do not fit together.
    """
    try:
        model = build_model(job.architecture, length=length, seed=0, **job.hyperparameters)
        with torch.inference_mode():
            model(torch.zeros(1, 4, max(length, model.min_length)))
        return model
    except InputError:
        raise
    except (ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"the hyperparameters {job.hyperparameters} of {job.architecture} do not fit together",
            f"({reason})",
            "change them: the heads divide the channels, for example",
        ) from error


def changes_notes(settings: Settings) -> tuple[str, ...]:
    """Say in sentences what the accurate recipe adds, and what of a model is no default."""
    notes = [ACCURATE] if settings.recipe == "accurate" else []
    for model, table in settings.hyperparameters.items():
        own = {name: value for name, value in table.items() if name != RECIPE}
        changed = [f"{name} {value}" for name, value in {**own, **table.get(RECIPE, {})}.items()]
        if changed:
            notes.append(f"{model} differs from its defaults: {', '.join(changed)}")
    return tuple(notes)


def _defaults(model: str) -> dict[str, Any]:
    """Return the hyperparameters of an architecture with their defaults."""
    parameters = inspect.signature(MODELS[model]).parameters.values()
    own = {one.name: one.default for one in parameters if one.default is not one.empty}
    return own if model in {*FIXED_LENGTH, DISTILLED} else {**own, KMER_SIZE: 0}


def _checked(table: Mapping[str, Any], defaults: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return the values of a table, each of the type of its default."""
    if table and not defaults:
        raise InputError(f"{next(iter(table))} is given, and {where} has no hyperparameters")
    check_keys(table, defaults, where)
    return {
        name: _typed(value, defaults[name], f"{name} of {where}") for name, value in table.items()
    }


def _require_possible(value: Any, what: str) -> None:
    """Raise :class:`InputError` for a number of things below 1, and a fraction out of its range."""
    if type(value) is int and value < 1:
        raise InputError(f"{what} is {value}, less than 1")
    if type(value) is float and not 0 <= value < 1:
        raise InputError(f"{what} is {value}, no fraction of at least 0 and below 1")


def _typed(value: Any, default: Any, what: str) -> Any:
    kind = type(default)
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        words = {int: "a whole number", float: "a number", str: "a name", bool: "true or false"}
        problem = f"{what} is {value!r}, not {words[kind]}"
        raise InputError(problem, remedy=f"use one such as {default!r}")
    return value
