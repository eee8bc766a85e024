"""A run directory, begun: or gone on with, or refused."""

from __future__ import annotations

import platform
import tomllib
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
import torch

from motiflens.datasets import SequenceDataset
from motiflens.errors import InputError
from motiflens.files import write_whole
from motiflens.runs.run import Run
from motiflens.settings import Settings
from motiflens.training import distributed
from motiflens.version import __version__


@dataclass(frozen=True)
class Origin:
    """Where a run came from, in words: data, command, kind of negatives, notes on the reading."""

    data: str
    command: str = "a call from Python"
    negatives: str = "given"
    notes: tuple[str, ...] = ()


def check_output(path: Path | str, *, overwrite: bool, last: str = "comparison.json") -> None:
    """Raise :class:`InputError` if a run may not be written into a directory.

    It may into a new or empty one, over an earlier run with ``overwrite``, and into an unfinished
    run, which is then gone on with: one without the file that is to be written ``last``. Where
    several processes work on one run, the first one looks.
    """
    distributed.in_first(partial(_check_output, Path(path), overwrite, last))


def _check_output(path: Path, overwrite: bool, last: str) -> None:
    if path.exists() and not path.is_dir():
        raise InputError(
            "the output is a directory", got=f"the file {path}", remedy="choose another path"
        )
    if not path.is_dir() or not any(path.iterdir()):
        return
    # A run that was cut off before run.toml was there has left no more than that file's beginning.
    others = [entry for entry in path.iterdir() if not entry.name.startswith(".run.toml.")]
    if others and not (path / "run.toml").is_file():
        raise InputError(
            "the output is a new or empty directory, or an earlier run",
            got=f"{path}, which holds other files",
            remedy="choose another path",
        )
    # The checkpoint is removed after the last file of training: that may have been cut off.
    if not overwrite and (path / last).is_file() and not (path / "checkpoint").exists():
        raise InputError(
            "the output directory holds no earlier run",
            got=f"the run in {path}",
            remedy="choose another path, or give --overwrite to replace it",
        )


def create(
    path: Path | str,
    dataset: SequenceDataset,
    settings: Settings,
    origin: Origin,
    *,
    overwrite: bool,
    last: str = "comparison.json",
) -> Run:
    """Begin a run directory, or go on with one that is unfinished.

    Where several processes work on one run, the first one writes.

    Parameters
    ----------
    path
        Made with its parents; an earlier run there is removed first, with ``overwrite``.
    dataset
        As it is trained on, with its split.
    settings
        Of the run.
    origin
        Where the data came from and what made the run.
    overwrite
        Whether an earlier run may be replaced.
    last
        The file whose presence tells that a run is finished.

    Returns
    -------
    Run
        With ``run.toml`` and ``data.parquet``, or ``split.npy`` of a mapped data set.

    Raises
    ------
    InputError
        If the directory holds something else, an earlier run without ``overwrite``, or an
        unfinished one of other data or settings.
    """
    run = Run(Path(path))
    check_output(path, overwrite=overwrite, last=last)
    distributed.in_first(partial(_begin, run, dataset, settings, origin, overwrite))
    return run


def _begin(
    run: Run, dataset: SequenceDataset, settings: Settings, origin: Origin, overwrite: bool
) -> None:
    table = _provenance(dataset, settings, origin)
    if not overwrite and (run.path / "run.toml").is_file():
        _require_same(run, table)
        run.remove_begun()
        run.write_dataset(dataset)
        return
    try:
        run.remove()
        run.path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            "the output directory can be written",
            got=f"{run.path}: {error.strerror}",
            remedy="choose another path",
        ) from None
    # First of all, so that whatever else is in the directory is known to be a run's.
    write_whole(run.path / "run.toml", tomli_w.dumps(table).encode())
    run.write_dataset(dataset)


def _provenance(dataset: SequenceDataset, settings: Settings, origin: Origin) -> dict[str, Any]:
    return {
        "run": {
            "command": origin.command,
            "version": __version__,
            "seed": settings.seed,
            "data": origin.data,
            "sha256": dataset.data_sha256(),
            "n_sequences": len(dataset),
            "n_positives": int((dataset.labels > 0).sum()),
            "length": int(dataset.lengths.max()),
            "negatives": origin.negatives,
            "notes": list(origin.notes),
        },
        "versions": {
            "python": platform.python_version(),
            "torch": str(torch.__version__),
            "numpy": np.__version__,
        },
        "configuration": {k: v for k, v in asdict(settings).items() if v is not None},
        **dataset.provenance(),
    }


def _require_same(run: Run, table: dict[str, Any]) -> None:
    """Refuse to go on with an unfinished run of other data or settings."""
    begun, now = run.configuration, tomllib.loads(tomli_w.dumps(table))
    before, after = begun["configuration"], now["configuration"]
    changed = [name for name in sorted(before | after) if before.get(name) != after.get(name)]
    if begun["run"]["sha256"] != now["run"]["sha256"]:
        other = "data"
    elif changed:
        other = f"settings ({', '.join(changed)})"
    else:
        return
    state = "trained" if (run.path / "comparison.json").is_file() else "begun"
    raise InputError(
        f"what is {state} is gone on with on the same data and with the same settings",
        got=f"other {other} than those of the run in {run.path}",
        remedy="repeat the settings of its run.toml, or give --overwrite to begin anew",
    )
