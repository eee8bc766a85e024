"""A trained model as files: its weights, how to build it, and how it came about."""

from __future__ import annotations

import csv
import io
import tomllib
from dataclasses import asdict
from pathlib import Path

import tomli_w
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from motiflens.errors import InputError
from motiflens.files import write_whole
from motiflens.models import BothStrands, SequenceModel, build_model
from motiflens.results import ARTIFACTS
from motiflens.training import Epoch, Trained

MODEL, HISTORY, WEIGHTS = (ARTIFACTS[name].name for name in ("model", "history", "weights"))


def write_model(folder: Path, trained: Trained, length: int) -> None:
    """Write a trained model with what is needed to build it again, and its history."""
    folder.mkdir(parents=True, exist_ok=True)
    table = {
        "architecture": trained.job.architecture,
        "seed": trained.seed,
        "length": length,
        "best_epoch": trained.best_epoch,
        "n_train": trained.n_train,
        "n_valid": trained.n_valid,
        "hyperparameters": trained.job.hyperparameters,
        "recipe": asdict(trained.job.settings),
    }
    write_whole(folder / MODEL, tomli_w.dumps(table).encode())
    write_whole(folder / HISTORY, _history(trained.history).encode())
    state = {name: value.contiguous() for name, value in trained.model.state_dict().items()}
    write_whole(folder / WEIGHTS, save(state))


def read_model(folder: Path, *, trained: bool = True) -> SequenceModel:
    """Build a model from its folder, in evaluation mode, on the CPU.

    A model trained on both strands gives the mean logit of both.

    Parameters
    ----------
    folder
        As written by :func:`write_model`.
    trained
        Whether it gets its weights; without, it is as it was before training.

    Raises
    ------
    InputError
        If the files are absent or damaged.
    """
    try:
        table = tomllib.loads((folder / MODEL).read_text(encoding="utf-8"))
        model = build_model(
            table["architecture"],
            length=table["length"],
            seed=table["seed"],
            **table.get("hyperparameters", {}),
        )
        if trained:
            model.load_state_dict(load_file(folder / WEIGHTS))
        return BothStrands(model) if table["recipe"].get("rc_average") else model
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise InputError(
            f"{folder} cannot be read: {error}",
            remedy="make the run again with overwrite=True",
            argument="overwrite",
        ) from None


def _history(epochs: tuple[Epoch, ...]) -> str:
    """Write the history; seconds stand elsewhere, so that equal runs give equal files."""
    columns = ("epoch", "train_loss", "valid_loss", "valid_auroc", "test_accuracy")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for epoch in epochs:
        values = (getattr(epoch, column) for column in columns)
        writer.writerow(["" if value is None else value for value in values])
    return text.getvalue()
