"""Long commands as lists of independent tiles, made again wherever these are computed."""

from __future__ import annotations

import hashlib
import importlib
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from motiflens.errors import InputError
from motiflens.files import open_binary
from motiflens.progress import Progress

#: Command → where the kind of its work is.
WORKS: dict[str, str] = {
    "scan": "motiflens.scoring.scan:Scan",
    "annotate": "motiflens.scoring.annotate:Annotation",
    "variants": "motiflens.scoring.variants:Variants",
    "mutations": "motiflens.scoring.mutations:Mutations",
}

HASHED_AT_ONCE = 1 << 22


class Work(ABC):
    """What a long command does, cut into tiles.

    Made again of ``arguments`` by whoever computes or joins tiles: another process, another host,
    or ``motiflens merge``.

    Parameters
    ----------
    arguments
        Of the command, as JSON holds them: text, numbers, true and false, lists. A ``Path`` becomes
        the text of the absolute one, as workers have other working folders.
    """

    #: The command.
    name: str
    #: What the sizes of tiles count, in the plural.
    unit: str

    def __init__(self, **arguments: Any) -> None:
        self.given = arguments
        self.arguments: dict[str, Any] = {
            name: str(value.absolute()) if isinstance(value, Path) else value
            for name, value in arguments.items()
        }

    @property
    def output(self) -> Path:
        """What is made, as it was given: the tiles lie beside it."""
        return Path(self.given["output"])

    @property
    def outputs(self) -> Sequence[Path]:
        """All files that are made."""
        return [self.output]

    @property
    def notes(self) -> Sequence[str]:
        """Sentences for a log: what was left out or chosen."""
        return ()

    @property
    def plan(self) -> Mapping[str, Any]:
        """What is computed, in the words of a plan."""
        return {}

    @property
    @abstractmethod
    def settings(self) -> Mapping[str, Any]:
        """All that decides the result, as JSON holds it: hashes of model and input, options."""

    @property
    @abstractmethod
    def sizes(self) -> Sequence[int]:
        """The size of each tile, in ``unit``."""

    @abstractmethod
    def compute(self, tile: int) -> bytes:
        """Compute a tile; several threads may do so at once."""

    @abstractmethod
    def join(self, tiles: Iterator[bytes], progress: Progress) -> None:
        """Write the output, whole or not at all, from all tiles in order."""


@dataclass(frozen=True)
class Shard:
    """Every n-th tile: shard ``number``, from 1, of ``count``."""

    number: int = 1
    count: int = 1

    @staticmethod
    def parse(text: str | None) -> Shard:
        """Read ``3/40``; None is all of it."""
        match = re.fullmatch(r"(\d+)/(\d+)", text or "1/1")
        if not match or not 1 <= int(match[1]) <= int(match[2]):
            raise InputError(
                f"shard={text} is no shard",
                remedy="write the number and how many there are, such as shard=3/40",
                argument="shard",
            )
        return Shard(int(match[1]), int(match[2]))

    def takes(self, tile: int) -> bool:
        """Return whether a tile is of this shard."""
        return tile % self.count == self.number - 1


def hash_file(path: Path | str) -> str:
    """Return the SHA-256 of the bytes of a file."""
    digest = hashlib.sha256()
    with open_binary(path) as file:
        while block := file.read(HASHED_AT_ONCE):
            digest.update(block)
    return digest.hexdigest()


def open_work(command: str, arguments: str) -> Work:
    """Make a work again of its command and its arguments in JSON."""
    if command not in WORKS:
        raise InputError(
            f"tiles of `motiflens {command}` are unknown to this version",
            remedy="merge with the version that made them",
        )
    module, name = WORKS[command].split(":")
    kind: type[Work] = getattr(importlib.import_module(module), name)
    return kind(**json.loads(arguments))
