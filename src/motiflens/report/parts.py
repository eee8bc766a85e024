"""What a page is made of: sections of figures, tables and paragraphs; numbers as text."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeGuard, TypeVar

from motiflens.results import Results
from motiflens.results.base import File
from motiflens.results.comparison import Comparison
from motiflens.results.motifs import Motifs
from motiflens.results.scores import Metrics
from motiflens.results.trust import Trust

Content = TypeVar("Content", bound=File)

NO_COMPARISON = Comparison(
    target=0.95, n_train=0, n_test=0, models={}, differences=(), baselines={}
)
NO_METRICS = Metrics(models={}, baselines={}, negatives="")
NO_MOTIFS = Motifs(models={})
NO_TRUST = Trust(fractions=(), models={})

MISSING = "–"
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
class Link:
    """A text that leads to a section or a fold of the page."""

    text: str
    target: str


@dataclass(frozen=True)
class Table:
    """Rows of text under a head; the first cell of a row is its name."""

    head: Sequence[str]
    rows: Sequence[Sequence[str | Link]]
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


@dataclass(frozen=True)
class Section:
    """Blocks under one title: a section of the page, or, among the blocks of one, a fold in it."""

    id: str
    title: str
    blocks: Sequence[Block]
    kind: str = "fold"


@dataclass(frozen=True)
class Row:
    """Figures side by side."""

    figures: Sequence[Figure]
    kind: str = "row"


@dataclass(frozen=True)
class Download:
    """A file that the page holds: its name, and its content in base64."""

    name: str
    media_type: str
    content: str


@dataclass(frozen=True)
class Card:
    """A motif: its picture, what speaks for it, what is behind it, its files."""

    id: str
    title: str
    word: str
    picture: Figure
    facts: Sequence[tuple[str, str]]
    more: Sequence[Figure]
    downloads: Sequence[Download]
    note: str = ""
    kind: str = "card"


@dataclass(frozen=True)
class Cell:
    """A judgement, as a word and as a level, and the figures it rests on."""

    word: str
    level: str
    facts: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Grid:
    """Judgements: a row's name and a cell a column."""

    head: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]
    name: str
    caption: str = ""
    kind: str = "grid"


@dataclass(frozen=True)
class Command:
    """A line to copy into a terminal, or a paragraph to copy into a paper."""

    text: str
    name: str
    prose: bool = False
    kind: str = "command"


@dataclass(frozen=True)
class Browser:
    """Sequences to look through: their data as JSON, and the first of them as pictures."""

    data: str
    pictures: Sequence[Figure]
    kind: str = "browser"


Block = (
    Figure | Table | Text | Bullets | Heading | Finding | Section | Row | Card | Grid | Command
    | Browser
)  # fmt: skip


@dataclass(frozen=True)
class Absent:
    """What a run does not hold, and the command that makes it."""

    title: str
    command: str
    why: str = "Not run"


Part = Block | Absent


def walk(blocks: Iterable[Block]) -> Iterator[Block]:
    """Yield blocks and, after each fold, row or card, what is in it."""
    for block in blocks:
        yield block
        if isinstance(block, Section):
            yield from walk(block.blocks)
        elif isinstance(block, Row):
            yield from block.figures
        elif isinstance(block, Card):
            yield from (block.picture, *block.more)


def held(results: Results, empty: Content) -> Content:
    """Return the file of a type, or an empty one where the run does not hold it."""
    name = type(empty).__name__.lower()
    content: Content = getattr(results, name) if results.holds(name) else empty
    return content


def finite(value: float | None) -> TypeGuard[float]:
    """Return whether there is a number to draw or print."""
    return value is not None and math.isfinite(value)


def bar(
    mean: float | None, low: float | None = None, high: float | None = None
) -> tuple[float, float, float]:
    """Return a mean and its interval to draw; NaN for no mean, the mean for an absent end."""
    middle = mean if finite(mean) else math.nan
    return middle, low if finite(low) else middle, high if finite(high) else middle


def signed(value: float, digits: int, plus: str = "") -> str:
    """Write a number with a minus sign, not a hyphen, and on demand with its plus sign."""
    return f"{value:{plus}.{digits}f}".replace("-", "−")


def number(value: float | None, digits: int) -> str:
    """Write a number, or that there is none."""
    return signed(value, digits) if finite(value) else MISSING


def small(value: float | None) -> str:
    """Write a small probability, with a minus sign at which no cell of a table breaks."""
    if not finite(value):
        return MISSING
    return ("below 1e-300" if value < 1e-300 else f"{value:.2g}").replace("-", "−")


def percent(fraction: float | None, digits: int = 1) -> str:
    """Write a fraction as a percentage."""
    return f"{100 * fraction:.{digits}f} %" if finite(fraction) else MISSING


def interval(
    mean: float | None,
    low: float | None,
    high: float | None,
    digits: int = 3,
    *,
    scale: float = 1.0,
    plus: str = "",
) -> str:
    """Write a mean and its interval: "0.998 (0.997 to 0.999)", one number where all are equal.

    "0.998 (–)" is a mean without an interval, as that of a single seed.
    """
    if not finite(mean):
        return MISSING
    middle = signed(scale * mean, digits, plus)
    if not (finite(low) and finite(high)):
        return f"{middle} ({MISSING})"
    ends = TO.join(signed(scale * end, digits, plus) for end in (low, high))
    return middle if low == high else f"{middle} ({ends})"


def listed(words: Sequence[str]) -> str:
    """Join words: "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
