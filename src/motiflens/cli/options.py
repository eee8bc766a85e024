"""Options that several sub-commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, Token

from motiflens.errors import InputError


def comma_separated(_: type, tokens: list[Token] | tuple[Token, ...]) -> tuple[str, ...]:
    """Split ``a,b,c``."""
    return tuple(part.strip() for part in tokens[0].value.split(",") if part.strip())


def whole_numbers(_: type, tokens: list[Token] | tuple[Token, ...]) -> tuple[int, ...]:
    """Split ``50,100``; ``none`` is an empty list."""
    text = tokens[0].value
    if text.strip().lower() == "none":
        return ()
    try:
        return tuple(sorted({int(part) for part in text.split(",")}))
    except ValueError:
        raise InputError(
            "--sizes is a list of whole numbers joined by commas, or none",
            got=repr(text),
            remedy="write, for example, --sizes 50,200,800",
        ) from None


Output = Annotated[Path, Parameter(name=["--output", "-o"])]
Overwrite = Annotated[bool, Parameter(negative=())]
Json = Annotated[bool, Parameter(name="--json", negative=())]


def check_new_file(path: Path, *, overwrite: bool) -> None:
    """Raise :class:`InputError` if a file exists and may not be replaced."""
    if path.exists() and not overwrite:
        raise InputError(
            "the output file does not exist yet",
            got=str(path),
            remedy="choose another name, or give --overwrite to replace it",
        )
