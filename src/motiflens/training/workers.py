"""Groups of replicas trained by workers elsewhere, through the folder of a checkpoint.

A worker finds there what is trained and on what, and writes the state of its group there, as a
thread of this process would. So a group goes on where another worker, or an earlier call, has left
it; and who waits for the workers finds all groups finished, and takes the weights from them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from motiflens.cluster import Engine, naming_host, tell
from motiflens.datasets import SPLITS, SequenceDataset, default_names, open_mapped
from motiflens.errors import InputError
from motiflens.files import whole_file
from motiflens.training import distributed
from motiflens.training.checkpoint import SETTINGS, Checkpoint, require_equal, slots_in
from motiflens.training.data import EncodedData
from motiflens.training.group import Group, train_group, versions
from motiflens.training.job import Job
from motiflens.training.machine import single_intra_op_thread

#: In the folder of the checkpoint.
DATA = "data.npz"
#: Seconds between what a worker tells of its progress.
TELLS_EVERY = 0.5

_OPENING = Lock()


@dataclass(frozen=True)
class Place:
    """Where workers find what they train, and how they compute.

    Parameters
    ----------
    folder
        Of the checkpoint.
    settings
        Of the checkpoint, in JSON.
    device, dtype
        As in :func:`motiflens.training.train_all`.
    """

    folder: Path
    settings: str
    device: str
    dtype: torch.dtype


@dataclass(frozen=True)
class Unit:
    """A group by its number in the checkpoint, its job and its seeds."""

    number: int
    job: Job
    seeds: tuple[int, ...]


def check_engine(engine: Engine | None, checkpoint: Path | None) -> None:
    """Raise :class:`InputError` for an engine where there can be none."""
    if engine is None:
        return
    if distributed.n_processes() > 1:
        raise InputError(
            "scheduler= is given under torchrun, and both divide the training",
            remedy="take one of them",
            argument="scheduler",
        )
    if checkpoint is None:
        raise InputError("engine= needs checkpoint=, a folder that the workers see")


def train_on_workers(
    engine: Engine,
    dataset: SequenceDataset,
    groups: Mapping[int, Group],
    checkpoint: Checkpoint,
    data: EncodedData,
    advance: Callable[[int], None],
) -> None:
    """Train groups until the checkpoint holds all of them, finished.

    Parameters
    ----------
    engine
        The workers.
    dataset
        With a split.
    groups
        By their numbers in the checkpoint, the longest first.
    checkpoint
        In a folder that the workers see.
    data
        Where and in what type to compute.
    advance
        Called with a number of epochs whenever these are done or turn out not to be needed.

    Raises
    ------
    InputError
        That of a worker; or if a worker does not see the folder, or has other versions.
    """
    assert checkpoint.folder is not None
    folder = checkpoint.folder.absolute()
    _write(dataset, folder / DATA)
    settings = json.dumps(checkpoint.settings)
    place = Place(folder, settings, str(data.table.device), data.table.dtype)
    units = [Unit(number, group.job, group.seeds) for number, group in groups.items()]
    done, counting = dict.fromkeys(groups, 0), Lock()

    def hear(told: tuple[int, int]) -> None:
        number, n_epochs = told
        with counting:
            # A unit that is done again by another worker tells what is known already.
            more = max(n_epochs - done[number], 0)
            done[number] += more
        advance(more)

    with closing(engine(partial(train_unit, place), units, hear)) as finished:
        for unit, n_epochs in finished:
            hear((unit.number, n_epochs))


def train_unit(place: Place, unit: Unit) -> int:
    """Train a group on a worker, from the state that is there; return its epochs at most.

    Raises
    ------
    InputError
        If the checkpoint or its data are not seen here, or versions are others here.
    """
    with naming_host(), _OPENING:
        dataset, data = _opened(place)
        # Under the lock too: initial weights go through PyTorch's global state.
        group = Group.of(dataset, unit.job, unit.seeds)
    done, told = 0, time.monotonic()

    def advance(n_epochs: int) -> None:
        nonlocal done, told
        done += n_epochs
        if time.monotonic() - told >= TELLS_EVERY:
            tell((unit.number, done))
            told = time.monotonic()

    with single_intra_op_thread():
        train_group(data, group, *slots_in(place.folder, unit.number), advance)
    return done


@lru_cache(maxsize=1)
def _opened(place: Place) -> tuple[SequenceDataset, EncodedData]:
    """Read the data of a checkpoint, once a process."""
    settings = json.loads(place.settings)
    own = versions()
    if settings["versions"] != own:
        raise InputError(
            f"versions of motiflens and PyTorch are {' and '.join(own)} here, and "
            f"{' and '.join(settings['versions'])} where the command runs",
            remedy="install the same on all hosts",
        )
    if not (place.folder / SETTINGS).is_file():
        raise InputError(
            f"there is no checkpoint in {place.folder}",
            remedy="write the run to a disk that all hosts see",
        )
    require_equal(place.folder / SETTINGS, settings)
    dataset = _read(place.folder / DATA)
    if dataset.fingerprint() != settings["data"]:
        raise InputError(
            f"the data in {place.folder} are other data",
            remedy=f"remove that folder to start anew, and see that {DATA} is read whole",
        )
    return dataset, EncodedData.of(dataset, place.device, place.dtype)


def _write(dataset: SequenceDataset, path: Path) -> None:
    """Write all that training looks at; of mapped data where they are, and the split."""
    if path.is_file():
        return
    arrays: dict[str, NDArray[Any]] = {"split": dataset.split_numbers()}
    if dataset.is_mapped:
        arrays["folder"] = np.array(dataset.provenance()["mapped"]["folder"])
    else:
        arrays |= {name: getattr(dataset, name) for name in ("codes", "lengths", "labels")}
    arrays |= {
        name: values
        for name in ("groups", "folds")
        if (values := getattr(dataset, name)) is not None
    }
    if dataset.is_regression:
        arrays["task"] = np.array(dataset.task)
    with whole_file(path) as file:
        np.savez(file, allow_pickle=False, **arrays)


def _read(path: Path) -> SequenceDataset:
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        split = np.array(SPLITS)[arrays.pop("split")]
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise InputError(
            f"{path} cannot be read: {error}",
            remedy="write the run to a disk that all hosts see",
        ) from None
    if "folder" in arrays:
        mapped = open_mapped(arrays["folder"].item())
        return replace(mapped, split=split, groups=arrays.get("groups"))
    task = arrays.pop("task").item() if "task" in arrays else None
    return SequenceDataset(**arrays, names=default_names(len(split)), split=split, task=task)
