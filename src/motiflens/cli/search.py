"""The sub-command search: hyper-parameters that a run takes afterwards."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from motiflens.cli.options import (
    TRAINING,
    Data,
    Json,
    Models,
    Overwrite,
    Reads,
    SplitOptions,
    changes_in,
    split_settings,
)
from motiflens.cli.progress import on_stderr
from motiflens.errors import InputError
from motiflens.io.options import AS_IT_IS
from motiflens.io.read import read_files
from motiflens.settings import Settings

SECONDS = {"s": 1, "m": 60, "h": 3600}


@Parameter(name="*", group=TRAINING)
@dataclass(frozen=True)
class SearchOptions:
    """How much is tried, and how models are trained.

    Parameters
    ----------
    trials
        Of each model, with those that the study holds already; 30 where no --budget is given.
    budget
        Time for this call, such as 90s, 10m or 2h, divided equally among the models.
    seeds
        Replicas of each trial, whose mean counts.
    seed
        Decides everything random, as in `run`.
    strands
        auto, forward or both, as in `run`.
    hyperparameters
        TOML file of what stays as it says, of the form that `run` takes.
    threads
        Trials at the same time; one for each core by default.
    device
        To train on: cpu, cuda or cuda:1; auto takes a GPU where there is one.
    """

    trials: int | None = None
    budget: str | None = None
    seeds: int = 1
    seed: int = Settings.seed
    strands: str = Settings.strands
    hyperparameters: Path | None = None
    threads: int | None = None
    device: str = Settings.device


def search(
    data: Data,
    *,
    output: Annotated[
        Path, Parameter(name=["--output", "-o"], help="Folder of the study to make or go on with.")
    ],
    models: Models = ("cnn",),
    source: Reads = AS_IT_IS,
    splits: SplitOptions = SplitOptions(),
    how: SearchOptions = SearchOptions(),
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Search hyper-parameters by validation scores; best.toml is for --hyperparameters of run.

    Parameters
    ----------
    overwrite
        Begin anew in the folder of another study.
    """
    seconds = None if how.budget is None else seconds_of(how.budget)
    if how.trials is not None and how.trials < 1:
        raise InputError(f"trials={how.trials} is less than 1", argument="trials")
    settings = Settings(
        models=models,
        seeds=how.seeds,
        seed=how.seed,
        strands=how.strands,
        threads=how.threads,
        device=how.device,
        hyperparameters=changes_in(how.hyperparameters),
        **split_settings(splits),
    )
    try:
        from motiflens.stages import search as stage
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "optuna":
            raise
        problem = "a search needs Optuna, which is not installed"
        raise InputError(problem, remedy="pip install 'motiflens[search]'") from error
    reading = read_files(
        data, source, splits.files(), test_negatives=splits.test_negatives, seed=settings.seed
    )
    study = stage.search(
        reading.dataset,
        output,
        settings,
        trials=how.trials,
        seconds=seconds,
        overwrite=overwrite,
        progress=on_stderr(),
    )
    best = {name: study.best(name) for name in models}
    file = output / stage.BEST
    if as_json:
        found = {name: one and msgspec.to_builtins(one) for name, one in best.items()}
        print(json.dumps({"study": str(output), "hyperparameters": str(file), "best": found}))
        return
    for name, one in best.items():
        if one is not None:
            first = next(trial for trial in study.of(name) if trial.number == 0)
            print(f"{name:<20} validation AUROC {one.auroc:.4f}, of the defaults {first.auroc:.4f}")
    chosen = f"--models {','.join(models)} --hyperparameters {file}"
    print(f"use them: motiflens run {data} {chosen} -o RUN")


def seconds_of(budget: str) -> float:
    """Read a time such as 90s, 10m or 1.5h."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", budget.strip())
    if found is None or float(found[1]) == 0:
        raise InputError(
            f"budget={budget!r} is no time", remedy="give one such as 10m", argument="budget"
        )
    return float(found[1]) * SECONDS[found[2]]
