"""What all types of results stand on: frozen structures that a JSON file is read into."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import msgspec

Matrix = tuple[tuple[float, ...], ...]
"""(4, W): one row a base, in the order A, C, G, T."""

SCHEMA_VERSION = 1

#: Entries of a list, and letters of a value, that a notebook shows.
MAX_SHOWN, MAX_TEXT = 50, 300

#: Letters of a value that stands in a line beside others.
MAX_IN_LINE = 60


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a file; its fields are those of the JSON object, in their order."""

    def __repr__(self) -> str:
        """Show the fields in one line; what is long is counted."""
        fields = (f"{name}={_short(getattr(self, name))}" for name in self.__struct_fields__)
        return f"{type(self).__name__}({', '.join(fields)})"

    def _repr_html_(self) -> str:
        """Show the fields as a table in a notebook; what is inside them folds."""
        return table({name: getattr(self, name) for name in self.__struct_fields__})


def _short(value: Any) -> str:
    text = repr(value)
    if len(text) <= MAX_IN_LINE:
        return text
    if isinstance(value, str):
        return f"{text[:MAX_IN_LINE]}…"
    if isinstance(value, tuple | list | dict):
        return f"<{len(value)} entries>"
    return f"<{type(value).__name__}>"


def table(values: Mapping[str, Any]) -> str:
    """Return names and values as a table in HTML."""
    rows = (f"<tr><th>{escape(str(k))}</th><td>{_cell(v)}</td></tr>" for k, v in values.items())
    return f"<table>{''.join(rows)}</table>"


def _cell(value: Any) -> str:
    if isinstance(value, Part):
        value = {name: getattr(value, name) for name in value.__struct_fields__}
    if isinstance(value, tuple | list) and any(isinstance(entry, Part) for entry in value):
        value = {str(number): entry for number, entry in enumerate(value[:MAX_SHOWN])}
    if isinstance(value, dict) and value:
        return f"<details><summary>{len(value)} entries</summary>{table(value)}</details>"
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return escape(text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…")


class File(Part, frozen=True, kw_only=True):
    """A JSON file.

    Parameters
    ----------
    schema_version
        Of its form.
    version
        The motiflens that wrote it; "" where the file does not say.
    """

    schema_version: int = SCHEMA_VERSION
    version: str = ""


class ClassCounts(Part, frozen=True, kw_only=True):
    """Numbers of sequences of each class."""

    positives: int
    negatives: int


class Interval(Part, frozen=True, kw_only=True):
    """A mean with the ends of its 95 % interval."""

    mean: float
    low: float
    high: float
