"""The run directory, read for the report; what is absent stays empty."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from safetensors.numpy import load_file

from motiflens.errors import InputError
from motiflens.sequences import Site, parse_sites

Array = npt.NDArray[Any]
Content = dict[str, Any]
Result = TypeVar("Result")

SCHEMA_VERSION = 1
_MODEL_FOLDER = re.compile(r"(?P<model>.+)-seed(?P<seed>\d+)")


@dataclass(frozen=True, eq=False)
class Tracks:
    """One method's explanation of one model: `names` (N,), `one_hot` (N, 4, L), `values` (N, L)."""

    names: list[str]
    one_hot: Array
    values: Array

    def sequence(self, index: int) -> str:
        """Read the letters of a sequence; N where no base is set, padding cut off."""
        columns = self.one_hot[index]
        codes = np.where(columns.any(axis=0), columns.argmax(axis=0), 4)
        return "".join("ACGTN"[code] for code in codes).rstrip("N")


@dataclass(frozen=True, eq=False)
class Run:
    """Everything a run directory holds; empty where a file is absent.

    `histories`, `checks` and `filters` (F, 4, K) are by model, `tracks` by model and method,
    `sites` by the name of a sequence; `lengths` has the `min`, `max` and `mean` of the sequences,
    in bp.
    """

    provenance: Content
    models: list[str]
    audit: Content
    metrics: Content
    comparison: Content
    crossing: Content
    timings: Content
    attention: Content
    motifs: Content
    experiments: Content
    trust: Content
    histories: dict[str, list[pd.DataFrame]]
    filters: dict[str, Array]
    tracks: dict[str, dict[str, Tracks]]
    checks: dict[str, Content]
    sites: dict[str, list[Site]]
    lengths: Content


def read_run(directory: Path) -> Run:
    """Read a run directory.

    Raises
    ------
    InputError
        The directory or its `run.toml` is absent, or a file in it is damaged.
    """
    path = directory / "run.toml"
    if not path.is_file():
        raise InputError(
            "a run directory holds run.toml",
            got=f"no such file: {path}",
            remedy="give a directory that `motiflens run` or `motiflens compare` has written",
        )
    provenance = read_with(path, lambda p: tomllib.loads(p.read_text(encoding="utf-8")))
    folders = _model_folders(directory / "models")
    return Run(
        provenance=provenance,
        models=_model_order(provenance, folders),
        audit=read_json(directory / "audit.json"),
        metrics=read_json(directory / "metrics.json"),
        comparison=read_json(directory / "comparison.json"),
        crossing=read_json(directory / "crossing.json"),
        timings=read_json(directory / "timings.json"),
        attention=read_json(directory / "attention.json"),
        motifs=read_json(directory / "motifs.json"),
        experiments=read_json(directory / "experiments.json"),
        trust=read_json(directory / "trust.json"),
        histories={model: _histories(paths) for model, paths in folders.items()},
        filters=_filters(folders),
        tracks=_all_tracks(directory / "attributions"),
        checks={
            path.parent.name: read_json(path)
            for path in sorted((directory / "attributions").glob("*/checks.json"))
        },
        sites=_sites(directory / "data.parquet"),
        lengths=_lengths(directory / "data.parquet"),
    )


def read_with(path: Path, reader: Callable[[Path], Result]) -> Result:
    """Read a file; whatever goes wrong in it is an InputError that names it."""
    try:
        return reader(path)
    except InputError:
        raise
    except Exception as error:  # on damaged bytes each library raises what it likes
        raise InputError(
            "the files of a run directory are whole and of the documented form",
            got=f"{path}: {str(error) or type(error).__name__}",
            remedy="make the run again with `motiflens run --overwrite`",
        ) from error


def read_json(path: Path) -> Content:
    """Read a JSON file; empty where it is absent, an InputError where it is damaged."""
    return read_with(path, _versioned) if path.is_file() else {}


def _versioned(path: Path) -> Content:
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or content.get("schema_version") != SCHEMA_VERSION:
        version = content.get("schema_version") if isinstance(content, dict) else None
        raise InputError(
            f"the report reads schema_version {SCHEMA_VERSION}",
            got=f"{version!r} in {path}",
            remedy="use the version of motiflens that made the run, or make the run again",
        )
    return content


def _model_folders(directory: Path) -> dict[str, list[Path]]:
    """Find the folders of every model, by seed."""
    found: dict[str, list[tuple[int, Path]]] = {}
    for path in directory.iterdir() if directory.is_dir() else ():
        if match := _MODEL_FOLDER.fullmatch(path.name):
            found.setdefault(match["model"], []).append((int(match["seed"]), path))
    return {model: [path for _, path in sorted(found[model])] for model in sorted(found)}


def _model_order(provenance: Content, folders: dict[str, list[Path]]) -> list[str]:
    configured = provenance.get("configuration", {}).get("models", [])
    return list(dict.fromkeys([*configured, *folders]))


def _histories(folders: list[Path]) -> list[pd.DataFrame]:
    paths = [folder / "history.csv" for folder in folders]
    return [read_with(path, pd.read_csv) for path in paths if path.is_file()]


def _filters(folders: dict[str, list[Path]]) -> dict[str, Array]:
    """Read the first-layer weights of each model's first seed."""
    paths = {model: paths[0] / "weights.safetensors" for model, paths in folders.items()}
    found = {
        model: read_with(path, _first_layer) for model, path in paths.items() if path.is_file()
    }
    return {model: weights for model, weights in found.items() if weights is not None}


def _first_layer(path: Path) -> Array | None:
    """Take the weights that reach over the four bases, whatever the layer is called."""
    weights = load_file(path)
    shaped = (weights[name] for name in sorted(weights) if weights[name].ndim == 3)
    return next((found for found in shaped if found.shape[1] == 4), None)


def _all_tracks(directory: Path) -> dict[str, dict[str, Tracks]]:
    models = sorted(directory.iterdir()) if directory.is_dir() else []
    return {
        model.name: {path.stem: read_with(path, _tracks) for path in sorted(model.glob("*.npz"))}
        for model in models
    }


def _tracks(path: Path) -> Tracks:
    # numpy leaves a file that it opened itself open where the archive is damaged.
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        one_hot, contributions = arrays["one_hot"], arrays["contributions"]
        names = [str(name) for name in arrays["names"]]
    if one_hot.shape != contributions.shape or len(names) != len(one_hot):
        raise ValueError(
            f"one_hot {one_hot.shape}, contributions {contributions.shape}, {len(names)} names"
        )
    return Tracks(names, one_hot, contributions.sum(axis=1))


def _lengths(path: Path) -> Content:
    return read_with(path, _lengths_of_table) if path.is_file() else {}


def _lengths_of_table(path: Path) -> Content:
    table = pd.read_parquet(path)
    if "sequence" not in table.columns or not len(table):
        return {}
    found = table["sequence"].str.len()
    return {"min": int(found.min()), "max": int(found.max()), "mean": float(found.mean())}


def _sites(path: Path) -> dict[str, list[Site]]:
    return read_with(path, _sites_of_table) if path.is_file() else {}


def _sites_of_table(path: Path) -> dict[str, list[Site]]:
    table = pd.read_parquet(path)
    if not {"name", "sites"} <= set(table.columns):
        return {}
    pairs = zip(table["name"], table["sites"].fillna(""), strict=True)
    return {str(name): _parsed(str(text), f"sequence {name!r} of {path}") for name, text in pairs}


def _parsed(text: str, place: str) -> list[Site]:
    try:
        return parse_sites(text)
    except InputError as error:
        got = f"{error.got} for {place}"
        raise InputError(error.rule, got=got, remedy=error.remedy) from None
