"""JSON files read into their types, from old runs too, and written from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from motiflens.errors import InputError
from motiflens.files import write_whole
from motiflens.results.base import SCHEMA_VERSION, File
from motiflens.version import __version__

Content = TypeVar("Content")

#: Fields that had another name in files of before 0.3: type → old name → new one.
RENAMED = {
    "Experiments": {"word": "inserted"},
    "Trust": {"erasure": "deletion_curve"},
}


def read_json(path: Path, type_: type[Content], command: str) -> Content:
    """Read a JSON file.

    Parameters
    ----------
    path
        An existing file.
    type_
        What it holds, a subclass of :class:`~motiflens.results.base.File`.
    command
        That makes it again, for a remedy.

    Raises
    ------
    InputError
        If it is no JSON, of another schema, or has a field that is unknown, missing or of a wrong
        type.
    """
    remedy = f"make it again with `{command}`"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}", remedy=remedy) from None
    version = content.get("schema_version") if isinstance(content, dict) else None
    if version != SCHEMA_VERSION:
        problem = f"{path} is of schema_version {version!r}, not {SCHEMA_VERSION}"
        raise InputError(problem, remedy=f"use the motiflens that wrote it, or {remedy}")
    return converted(_with_new_names(content, RENAMED.get(type_.__name__, {})), type_, path, remedy)


def converted(
    content: Any,
    type_: type[Content],
    path: Path,
    remedy: str,
    argument: str | tuple[str, ...] = (),
) -> Content:
    """Make a type of plain data; a field that is not as the type says is an InputError."""
    try:
        return msgspec.convert(content, type_)
    except msgspec.ValidationError as error:
        problem, _, place = str(error).partition(" - at ")
        field = place.strip("`").removeprefix("$").removeprefix(".").replace("[...]", ".*")
        where = f"in {field} of {path}" if field else f"in {path}"
        raise InputError(problem.replace("`", "'"), where, remedy, argument or ()) from None


def write_json(path: Path, content: File) -> None:
    """Write a JSON file, whole or not at all, with the version that writes it."""
    stamped = msgspec.structs.replace(content, schema_version=SCHEMA_VERSION, version=__version__)
    write_whole(path, as_bytes(stamped))


def as_bytes(content: File) -> bytes:
    """Return the bytes of a JSON file."""
    return json.dumps(msgspec.to_builtins(content), indent=1, allow_nan=False).encode() + b"\n"


def _with_new_names(content: Any, names: dict[str, str]) -> Any:
    if isinstance(content, list):
        return [_with_new_names(value, names) for value in content]
    if isinstance(content, dict):
        return {names.get(k, k): _with_new_names(v, names) for k, v in content.items()}
    return content
