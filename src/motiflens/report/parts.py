"""What a page is made of: sections that hold figures, tables and paragraphs; numbers in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

NOTHING = "–"
# Spaces at which a narrow table cell does not break an interval in two.
TO = "\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class Figure:
    """An SVG with its caption; `name` is what readers look for."""

    svg: str
    name: str
    caption: str = ""
    kind: str = "figure"


@dataclass(frozen=True)
class Table:
    """Rows of text under a head; the first cell of a row is its name."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    name: str = ""
    caption: str = ""
    kind: str = "table"


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str
    kind: str = "text"


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    texts: Sequence[str]
    kind: str = "bullets"


@dataclass(frozen=True)
class Heading:
    """A heading inside a section."""

    text: str
    kind: str = "heading"


@dataclass(frozen=True)
class Finding:
    """A claim that the run's figures support, or a sentence that says that they do not."""

    title: str
    text: str
    supported: bool
    kind: str = "finding"


Block = Figure | Table | Text | Bullets | Heading | Finding


@dataclass(frozen=True)
class Section:
    """A part of the page with an entry in the table of contents."""

    id: str
    title: str
    blocks: Sequence[Block]


def absent(id: str, title: str, what: str, command: str) -> Section:
    """Say in one line what is not there and which command makes it."""
    return Section(id, title, [Text(f"Absent from this run: {what}. Made by `{command}`.")])


def finite(value: Any) -> TypeGuard[float]:
    """Tell whether a value of a JSON file is a number to draw or print."""
    return isinstance(value, int | float) and math.isfinite(value)


def triple(summary: Mapping[str, Any]) -> tuple[float, float, float]:
    """Take mean, low and high out of a summary; NaN where there is none."""
    mean = _number(summary.get("mean"), math.nan)
    return mean, _number(summary.get("low"), mean), _number(summary.get("high"), mean)


def _number(value: Any, otherwise: float) -> float:
    return float(value) if finite(value) else otherwise


def percent(share: Any, digits: int = 1) -> str:
    """Write a share as a percentage."""
    return f"{100 * share:.{digits}f} %" if finite(share) else NOTHING


def interval(
    summary: Mapping[str, Any] | None, digits: int = 3, scale: float = 1.0, plus: str = ""
) -> str:
    """Write mean and interval: "0.998 (0.997 to 0.999)", the mean alone where they are equal.

    "0.998 (–)" is a mean without an interval, as that of a single seed.
    """
    summary = summary or {}
    mean, low, high = triple(summary)
    if not finite(mean):
        return NOTHING
    texts = [signed(scale * value, digits, plus) for value in (mean, low, high)]
    if not finite(summary.get("low")):
        return f"{texts[0]} ({NOTHING})"
    return texts[0] if low == high else f"{texts[0]} ({texts[1]}{TO}{texts[2]})"


def signed(value: float, digits: int, plus: str = "") -> str:
    """Write a number with a minus sign, not a hyphen, and on demand with its plus sign."""
    text = f"{value:{plus}.{digits}f}"
    return text.replace("-", "−")


def listed(words: Sequence[str]) -> str:
    """Join words: "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
