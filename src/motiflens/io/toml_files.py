"""TOML files that users write: read, and their keys checked."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from motiflens.errors import InputError
from motiflens.files import read_text


def read_toml(path: Path, what: str) -> dict[str, Any]:
    """Read a TOML file.

    Parameters
    ----------
    path
        The file.
    what
        What it holds, as the rule of the error begins, such as ``"a grammar is"``.

    Raises
    ------
    InputError
        If the file is missing or is no TOML.
    """
    try:
        return tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise InputError(
            f"{what} a TOML file", got=f"{path}: {error}", remedy="correct the file"
        ) from None


def check_keys(table: Mapping[str, Any], known: Iterable[str], what: str) -> None:
    """Raise :class:`InputError` for a key that is not known, with the nearest that is."""
    known = list(known)
    unknown = next((key for key in table if key not in known), None)
    if unknown is not None:
        near = difflib.get_close_matches(unknown, known, n=1)
        raise InputError(
            f"the keys of {what} are {', '.join(known) or 'none'}",
            got=repr(unknown),
            remedy=f"did you mean {near[0]!r}?" if near else "leave it out",
        )
