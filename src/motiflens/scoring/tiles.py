"""The folder of tiles beside an output: each whole or not there, and what they are of."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from motiflens.errors import InputError
from motiflens.files import make_folder, read_bytes, write_whole
from motiflens.scoring.work import Work

DIGEST = hashlib.sha256().digest_size
MANIFEST = "manifest.json"


def folder_of(output: Path) -> Path:
    """Return the folder of the tiles of an output."""
    return output.parent / f"{output.name}.tiles"


def read_manifest(output: Path) -> dict[str, Any]:
    """Read what the tiles of an output are of.

    Raises
    ------
    InputError
        If there is no manifest, or it is damaged.
    """
    path = folder_of(output) / MANIFEST
    if not path.is_file():
        remedy = "give the output that was given to the shards"
        if output.is_dir():
            raise InputError(f"{output} is a folder", remedy=remedy)
        there = " (the output is there already)" if output.exists() else ""
        raise InputError(f"there are no tiles in {path.parent}{there}", remedy=remedy)
    try:
        manifest: dict[str, Any] = json.loads(read_bytes(path))
        _ = manifest["command"], manifest["arguments"], manifest["settings"], manifest["tiles"]
    except (ValueError, KeyError, TypeError):
        raise InputError(
            f"{path} is damaged", remedy=f"remove {path.parent} and begin anew"
        ) from None
    return manifest


class Tiles:
    """The tiles of a work in the folder beside its output.

    Their names hold a digest of the work's settings. So tiles of two works never mix, also where
    both were begun at once under one name.
    """

    def __init__(self, work: Work) -> None:
        self.output, self.outputs = work.output, work.outputs
        self.folder = folder_of(work.output)
        self.manifest = manifest_of(work)
        settings = json.dumps(self.manifest["settings"], sort_keys=True)
        self.key = hashlib.sha256(settings.encode()).hexdigest()[:16]

    def begin(self, *, overwrite: bool) -> None:
        """Make the folder and those of the outputs, or find it begun by the same work.

        Raises
        ------
        InputError
            If an output is there and nothing is to be resumed, or the folder is of other work.
        OSError
            If the disk is full.
        """
        for output in self.outputs:
            if output.is_dir() or not self.output.name:
                raise InputError(f"{output} is a folder", remedy="give the name of a file")
        there = [output for output in self.outputs if output.exists()]
        path = self.folder / MANIFEST
        if path.is_file():
            changed = self.changed(read_manifest(self.output)["settings"])
            if not changed:
                return
            if not overwrite:
                raise InputError(
                    f"{self.folder} holds tiles that were begun with other {changed}",
                    remedy="repeat that command, choose another output, or overwrite=True",
                    argument="overwrite",
                )
        elif there and not overwrite:
            shutil.rmtree(self.folder, ignore_errors=True)  # what an end in `remove` has left
            raise InputError(
                f"{there[0]} already exists",
                remedy="use another name, or overwrite=True",
                argument="overwrite",
            )
        for folder in (self.folder, *(output.parent for output in self.outputs)):
            make_folder(folder)
        write_whole(path, json.dumps(self.manifest, indent=1).encode())

    def changed(self, settings: Mapping[str, Any]) -> str:
        """Return the names of the settings that differ from others, joined by commas."""
        now = self.manifest["settings"]
        names = sorted({*now, *settings})
        return ", ".join(name for name in names if now.get(name) != settings.get(name))

    def write(self, tile: int, content: bytes) -> None:
        """Keep a tile, with a digest that tells whether it is whole."""
        if not self.folder.is_dir():
            raise InputError(
                f"{self.folder} has gone while its tiles were computed",
                remedy=f"another call may have joined them: see whether {self.output} is there",
            )
        write_whole(self._path(tile), hashlib.sha256(content).digest() + content)

    def read(self, tile: int) -> bytes:
        """Return a tile.

        Raises
        ------
        InputError
            If it is not there or damaged; then it is removed, to be computed again.
        """
        path = self._path(tile)
        with suppress(FileNotFoundError):
            content = path.read_bytes()
            if hashlib.sha256(content[DIGEST:]).digest() == content[:DIGEST]:
                return content[DIGEST:]
            path.unlink()
        raise InputError(
            f"tile {tile} in {self.folder} has gone or is damaged",
            remedy="repeat the command that computed it: it computes that tile alone",
        )

    def _path(self, tile: int) -> Path:
        return self.folder / f"{tile:06}.{self.key}.tile"

    def missing(self) -> list[int]:
        """Return the tiles that are not there, by one look at the folder."""
        names = set(os.listdir(self.folder)) if self.folder.is_dir() else set()
        n_tiles = self.manifest["tiles"]
        return [tile for tile in range(n_tiles) if self._path(tile).name not in names]

    def remove_cut_off(self) -> None:
        """Remove beginnings of outputs that were cut off when their writer was killed."""
        for output in self.outputs:
            for aside in output.parent.glob(f".{glob.escape(output.name)}.????????"):
                if aside.is_dir():
                    shutil.rmtree(aside, ignore_errors=True)
                else:
                    aside.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the folder, and the manifest first: without it there is nothing to resume."""
        (self.folder / MANIFEST).unlink(missing_ok=True)
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
