"""A run directory, opened: its results and its models."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from motiflens.datasets import (
    SPLITS,
    SequenceDataset,
    open_mapped,
)
from motiflens.errors import InputError
from motiflens.files import write_whole
from motiflens.io.negatives import shuffles_off_genome
from motiflens.io.tables import read_table, write_table
from motiflens.models import BothStrands, SequenceModel, build_model
from motiflens.settings import Settings
from motiflens.training import Epoch, Trained
from motiflens.version import __version__

#: Everything that a run directory may hold; ``--overwrite`` removes these and nothing else.
CONTENT = (
    "run.toml",
    "data.parquet",
    "split.npy",
    "audit.json",
    "comparison.json",
    "crossing.json",
    "metrics.json",
    "timings.json",
    "attention.json",
    "motifs.json",
    "experiments.json",
    "trust.json",
    "report.html",
    "models",
    "attributions",
    "motifs",
    "checkpoint",
)

#: File → the command that makes it.
MADE_BY = {
    "audit.json": "compare",
    "metrics.json": "compare",
    "comparison.json": "compare",
    "crossing.json": "compare --cross-negatives",
    "timings.json": "compare",
    "attention.json": "explain",
    "motifs.json": "motifs",
    "experiments.json": "experiments",
    "trust.json": "trust",
}


class Run:
    """A run directory.

    Parameters
    ----------
    path
        An existing directory with ``run.toml``; :func:`load` checks it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @property
    def configuration(self) -> dict[str, Any]:
        """The content of ``run.toml``."""
        path = self.path / "run.toml"
        try:
            return tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise _damaged(path, error) from None

    @property
    def settings(self) -> Settings:
        """The settings that the run was made with."""
        values = dict(self.configuration["configuration"])
        for name in ("models", "sizes", "test_chromosomes", "valid_chromosomes"):
            if name in values:
                values[name] = tuple(values[name])
        return Settings(**values)

    @property
    def dataset(self) -> SequenceDataset:
        """The data as they were trained on, with their split and true sites.

        Those of a mapped data set stay in its folder: an InputError tells when it has moved or
        changed.
        """
        mapped = self.configuration.get("mapped")
        if mapped is None:
            return shuffles_off_genome(read_table(self.path / "data.parquet"))
        found = open_mapped(mapped["folder"])
        if found.sha256 != mapped["sha256"]:
            raise InputError(
                "the mapped data of a run stay as they were",
                got=f"other data in {mapped['folder']}",
                remedy="put them back, or make the run again with --overwrite",
            )
        try:
            parts = np.load(self.path / "split.npy")
            return found.with_split(np.array(SPLITS)[parts])
        except (OSError, ValueError, IndexError, EOFError) as error:
            raise _damaged(self.path / "split.npy", error) from None

    @property
    def comparison(self) -> dict[str, Any]:
        """The content of ``comparison.json``."""
        return self.read_json("comparison.json")

    @property
    def motifs(self) -> dict[str, Any]:
        """The content of ``motifs.json``."""
        return self.read_json("motifs.json")

    @property
    def models(self) -> dict[str, list[int]]:
        """The trained models: name → seeds, in the order of the settings."""
        found: dict[str, list[int]] = {name: [] for name in self.settings.models}
        for folder in (self.path / "models").glob("*-seed*"):
            match = re.fullmatch(r"(.+)-seed(\d+)", folder.name)
            if match and (folder / "weights.safetensors").is_file():
                found.setdefault(match[1], []).append(int(match[2]))
        return {name: sorted(seeds) for name, seeds in found.items() if seeds}

    def model(self, name: str, seed: int | None = None) -> SequenceModel:
        """Load a trained model, in evaluation mode, on the CPU.

        A model trained on both strands gives the mean logit of both.

        Parameters
        ----------
        name
            Architecture.
        seed
            None for the first.

        Raises
        ------
        InputError
            If the run has no such model, or its files are damaged.
        """
        model, both_strands = self._build(name, seed)
        folder = self._folder(name, seed)
        try:
            model.load_state_dict(load_file(folder / "weights.safetensors"))
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise _damaged(folder, error) from None
        return BothStrands(model) if both_strands else model

    def untrained_model(self, name: str, seed: int | None = None) -> SequenceModel:
        """Build a model of the run again as it was before training; parameters as above."""
        model, both_strands = self._build(name, seed)
        return BothStrands(model) if both_strands else model

    def _build(self, name: str, seed: int | None) -> tuple[SequenceModel, bool]:
        folder = self._folder(name, seed)
        try:
            table = tomllib.loads((folder / "model.toml").read_text(encoding="utf-8"))
            model = build_model(
                table["architecture"],
                length=table["length"],
                seed=table["seed"],
                **table.get("hyperparameters", {}),
            )
            return model, bool(table["recipe"].get("rc_average"))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _damaged(folder, error) from None

    def _folder(self, name: str, seed: int | None) -> Path:
        seeds = self.models.get(name, [])
        chosen = seed if seed is not None else (seeds[0] if seeds else None)
        if chosen not in seeds:
            known = ", ".join(f"{model} {seeds}" for model, seeds in self.models.items())
            raise InputError(
                f"a model of this run, with its seeds, is one of {known}",
                got=f"{name} with seed {seed}",
                remedy="name a model and one of its seeds",
            )
        return self.path / "models" / f"{name}-seed{chosen}"

    def remove(self) -> None:
        """Remove everything of the run, and the directory too where nothing else is in it."""
        self.remove_begun()
        # run.toml, which tells that this is a run, goes last: removing it may be cut off too.
        for path in [self.path / name for name in reversed(CONTENT)]:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        if self.path.is_dir() and not any(self.path.iterdir()):
            self.path.rmdir()

    def remove_begun(self) -> None:
        """Remove the files whose writing was cut off by the end of the process."""
        for path in self.path.rglob(".*"):
            inside = path.relative_to(self.path).parts
            if inside[0].removeprefix(".").startswith(CONTENT) and path.is_file():
                path.unlink()

    def read_json(self, name: str) -> dict[str, Any]:
        """Read a JSON file of the run.

        Raises
        ------
        InputError
            If it is absent (with the command that makes it) or damaged.
        """
        path = self.path / name
        if not path.is_file():
            raise InputError(
                f"the run holds {name}",
                got=f"no such file in {self.path}",
                remedy=f"make it with `motiflens {MADE_BY.get(name, 'run')}`",
            )
        try:
            content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise _damaged(path, error) from None
        return content

    def write_dataset(self, dataset: SequenceDataset) -> None:
        """Keep a data set, unless that is done already; of a mapped one, its split alone."""
        path = self.path / ("split.npy" if dataset.is_mapped else "data.parquet")
        if path.is_file():
            return
        if not dataset.is_mapped:
            write_table(dataset, path)
            return
        content = io.BytesIO()
        np.save(content, dataset.split_numbers())
        write_whole(path, content.getvalue())

    def write_json(self, name: str, content: dict[str, Any]) -> None:
        """Write a JSON file of the run, whole or not at all, with the version that writes it."""
        known = {"schema_version": 1, "version": __version__}
        # What was read and is written again may name an earlier version.
        text = json.dumps({**known, **content, **known}, indent=1, allow_nan=False)
        write_whole(self.path / name, text.encode() + b"\n")

    def add_timing(self, stage: str, seconds: float) -> None:
        """Record how long a stage took."""
        timings = self.read_json("timings.json")
        timings["stages"][stage] = seconds
        self.write_json("timings.json", timings)

    def write_model(self, trained: Trained, length: int) -> None:
        """Write a trained model with what is needed to build it again, and its history."""
        folder = self.path / "models" / f"{trained.job.architecture}-seed{trained.seed}"
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
        write_whole(folder / "model.toml", tomli_w.dumps(table).encode())
        write_whole(folder / "history.csv", _history(trained.history).encode())
        state = {name: value.contiguous() for name, value in trained.model.state_dict().items()}
        write_whole(folder / "weights.safetensors", save(state))


def _history(epochs: tuple[Epoch, ...]) -> str:
    """Write the history; seconds stand in timings.json, so that equal runs give equal files."""
    columns = ("epoch", "train_loss", "valid_loss", "valid_auroc", "test_accuracy")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for epoch in epochs:
        values = (getattr(epoch, column) for column in columns)
        writer.writerow(["" if value is None else value for value in values])
    return text.getvalue()


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(
        "the files of a run are as motiflens wrote them",
        got=f"{path}: {error}",
        remedy="make the run again with --overwrite",
    )


def load(path: Path | str) -> Run:
    """Open a run directory.

    Parameters
    ----------
    path
        Directory written by ``motiflens run``, ``train`` or ``compare``.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        If the directory does not exist or holds no run.
    """
    path = Path(path)
    if not (path / "run.toml").is_file():
        raise InputError(
            "a run is a directory with run.toml",
            got=f"{path}, which {_what_it_is(path)}",
            remedy="make one with `motiflens run DATA -o OUT`",
        )
    return Run(path)


def _what_it_is(path: Path) -> str:
    if path.is_dir():
        return "has none"
    return "is a file" if path.exists() else "does not exist"
