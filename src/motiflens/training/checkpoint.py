"""The state of training under way, so that it resumes after the process was killed.

A checkpoint is a folder: ``training.json`` tells whose state it is, and each group of replicas has
a file, which is written whole or not at all: a sha256 and the safetensors that it is of. Nothing in
it is code, so nothing is run when it is read.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor

from motiflens.errors import InputError
from motiflens.files import write_whole
from motiflens.training import distributed

#: A state is written when so much time has gone by since the last: a small part of the work, and
#: little of it is lost.
SECONDS = 5.0

#: Of the checkpoint, all that decides the outcome.
SETTINGS = "training.json"


@dataclass(frozen=True)
class State:
    """Everything that training needs to resume: tensors, and facts that JSON can hold."""

    tensors: dict[str, Tensor]
    facts: dict[str, Any]

    def to_bytes(self) -> bytes:
        """Write as safetensors, the facts as one more tensor of bytes."""
        facts = torch.frombuffer(bytearray(json.dumps(self.facts).encode()), dtype=torch.uint8)
        tensors = {name: value.cpu().contiguous() for name, value in self.tensors.items()}
        content: bytes = save({**tensors, "facts": facts})
        return hashlib.sha256(content).digest() + content

    @staticmethod
    def from_bytes(content: bytes) -> State:
        """Read what :meth:`to_bytes` has written, or raise a ValueError."""
        size = hashlib.sha256().digest_size
        if hashlib.sha256(content[size:]).digest() != content[:size]:
            raise ValueError("its content is not what its sha256 says")
        tensors = {name: value.clone() for name, value in load(content[size:]).items()}
        return State(tensors, json.loads(tensors.pop("facts").numpy().tobytes()))


class Slot:
    """The file of one group in a checkpoint; without a path nothing is kept."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.written = time.monotonic()

    def due(self) -> bool:
        """Return whether it is time to write the state again."""
        return self.path is not None and time.monotonic() - self.written >= SECONDS

    def write(self, state: State) -> None:
        """Replace the state, whole or not at all; the first process does it for all."""
        if self.path is not None and distributed.process() == 0:
            write_whole(self.path, state.to_bytes())
            self.written = time.monotonic()

    def read(self) -> State | None:
        """Return the state that was written last, or None.

        Raises
        ------
        InputError
            If the file is damaged.
        """
        if self.path is None:
            return None
        own = distributed.process() == 0 and self.path.is_file()
        content = distributed.from_first(self.path.read_bytes() if own else None)
        if content is None:
            return None
        try:
            return State.from_bytes(content)
        except ValueError as error:
            raise _damaged(self.path, error) from None


class Checkpoint:
    """A folder with the state of every group of replicas.

    Parameters
    ----------
    folder
        Made where it is not there; None keeps nothing.
    settings
        All that decides the outcome of training, as JSON can hold it. What does not decide it
        must stay out: a checkpoint is resumed with equal settings only.

    Raises
    ------
    InputError
        If the folder holds a checkpoint of other settings, or cannot be written.
    """

    def __init__(self, folder: Path | None, settings: dict[str, Any]) -> None:
        self.folder, self.settings = folder, settings
        if folder is not None:
            distributed.in_first(partial(_begin, folder, settings))

    def slots(self, group: int) -> tuple[Slot, Slot]:
        """Return the files of a group's state: of the choice of its epochs, and of any refit."""
        return slots_in(self.folder, group)


def slots_in(folder: Path | None, group: int) -> tuple[Slot, Slot]:
    """Return the files of a group's state in the folder of a checkpoint, or in none."""
    choose, refit = (
        Slot(None if folder is None else folder / f"group{group}-{stage}.state")
        for stage in ("choose", "refit")
    )
    return choose, refit


def _begin(folder: Path, settings: dict[str, Any]) -> None:
    path = folder / SETTINGS
    if path.is_file():
        require_equal(path, settings)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for aside in folder.glob(".*"):  # a write that the end of the process cut off
            aside.unlink()
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written: {error.strerror}",
            remedy="choose another path",
            argument="checkpoint",
        ) from None
    write_whole(path, json.dumps(settings, indent=1).encode())


def remove_checkpoint(folder: Path) -> None:
    """Remove a checkpoint, once what was trained has been written elsewhere."""
    if distributed.process() == 0 and (folder / SETTINGS).is_file():
        shutil.rmtree(folder)


def require_equal(path: Path, settings: dict[str, Any]) -> None:
    """Raise :class:`InputError` unless a checkpoint was begun with these settings."""
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
        other = [name for name in settings if saved[name] != json.loads(json.dumps(settings[name]))]
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path, error) from None
    if other:
        raise InputError(
            f"the checkpoint in {path.parent} was made with other {', '.join(other)}",
            remedy="give the same again to resume it, or remove that folder to start anew",
        )


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(
        f"{path} is damaged: {error}", remedy=f"remove the folder {path.parent} to start anew"
    )
