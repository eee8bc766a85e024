"""The folder of tiles beside an output: each whole or not there, and what they are of."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from motiflens.errors import InputError
from motiflens.files import read_bytes, write_whole
from motiflens.scoring.work import Work

DIGEST = hashlib.sha256().digest_size


class Tiles:
    """The folder of tiles beside an output."""

    def __init__(self, output: Path) -> None:
        self.output = output
        self.folder = output.with_name(f"{output.name}.tiles")

    def begin(self, work: Work, *, overwrite: bool) -> bool:
        """Make the folder, or find it begun by the same work, and return whether it was there.

        Raises
        ------
        InputError
            If the output is there and nothing is to be resumed, or the folder is of other work.
        """
        begun = self._manifest_path.is_file()
        if begun and self.manifest()["settings"] != manifest_of(work)["settings"]:
            changed = name_changed(self.manifest()["settings"], work.settings)
            if not overwrite:
                raise InputError(
                    f"{self.folder} holds tiles that were begun with other {changed}",
                    remedy="repeat that command, choose another output, or overwrite=True",
                    argument="overwrite",
                )
            shutil.rmtree(self.folder)
            begun = False
        if not begun:
            if self.output.exists() and not overwrite:
                raise InputError(
                    f"{self.output} already exists",
                    remedy="use another name, or overwrite=True",
                    argument="overwrite",
                )
            self._make()
            write_whole(self._manifest_path, json.dumps(manifest_of(work), indent=1).encode())
        return begun

    def _make(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"{self.folder} cannot be made: {error.strerror}", remedy="choose another output"
            ) from None

    @property
    def _manifest_path(self) -> Path:
        return self.folder / "manifest.json"

    def manifest(self) -> dict[str, Any]:
        """Read what the tiles are of.

        Raises
        ------
        InputError
            If there is no manifest, or it is damaged.
        """
        try:
            manifest: dict[str, Any] = json.loads(read_bytes(self._manifest_path))
            _ = manifest["command"], manifest["arguments"], manifest["settings"], manifest["tiles"]
        except (ValueError, KeyError, TypeError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(
                f"{self._manifest_path} is damaged",
                remedy=f"remove {self.folder} and begin anew",
            ) from None
        return manifest

    def write(self, tile: int, content: bytes) -> None:
        """Keep a tile, with a digest that tells whether it is whole."""
        write_whole(self._path(tile), hashlib.sha256(content).digest() + content)

    def read(self, tile: int) -> bytes | None:
        """Return a tile; None where there is none or it is damaged."""
        path = self._path(tile)
        if not path.is_file():
            return None
        content = path.read_bytes()
        digest, content = content[:DIGEST], content[DIGEST:]
        return content if hashlib.sha256(content).digest() == digest else None

    def _path(self, tile: int) -> Path:
        return self.folder / f"{tile:06}.tile"

    def missing(self, n_tiles: int) -> list[int]:
        """Return the tiles that are not there, or damaged."""
        return [tile for tile in range(n_tiles) if self.read(tile) is None]

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def manifest_of(work: Work) -> dict[str, Any]:
    """Return what the manifest of a work holds, as JSON gives it back."""
    manifest = {
        "schema_version": 1,
        "command": work.name,
        "arguments": work.arguments,
        "settings": dict(work.settings),
        "tiles": len(work.sizes),
    }
    plain: dict[str, Any] = json.loads(json.dumps(manifest))
    return plain


def name_changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Return the names of the settings that differ, joined by commas."""
    plain = json.loads(json.dumps(dict(now)))
    names = [name for name in sorted({*before, *plain}) if before.get(name) != plain.get(name)]
    return ", ".join(names)
