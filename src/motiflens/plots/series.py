"""How the series of a chart look: each has a colour, a dash and a marker of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from motiflens.plots.svg import PAPER, SERIES, element, line, number

CHANCE_COLOUR = "#8c8c8c"

# Outlines within 4.5 px of their centre; the open ones are filled with paper.
_CLOSED = (
    "M-3 0a3 3 0 1 0 6 0a3 3 0 1 0 -6 0Z",
    "M-3-3H3V3H-3Z",
    "M0-4L3.5 3H-3.5Z",
    "M0-4L4 0L0 4L-4 0Z",
    "M-1-4H1V-1H4V1H1V4H-1V1H-4V-1H-1Z",
    "M0 4L3.5-3H-3.5Z",
    "M-4-2.6L-2.6-4L0-1.4L2.6-4L4-2.6L1.4 0L4 2.6L2.6 4L0 1.4L-2.6 4L-4 2.6L-1.4 0Z",
)
_OPEN = (
    "M-3.2 0a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0 -6.4 0Z",
    "M-3.2-3.2H3.2V3.2H-3.2Z",
    "M0-4.2L3.8 3.2H-3.8Z",
    "M0-4.2L4.2 0L0 4.2L-4.2 0Z",
)
_LAST = ("M-4-4H4L-4 4H4Z", "M-4.5-1.3H4.5V1.3H-4.5Z")
_MARKERS = (*_CLOSED, *_OPEN, *_LAST)
_DASHES = ("none", "7 3", "2 3", "9 3 2 3", "14 4", "5 5", "9 3 2 3 2 3", "1 5", "14 3 5 3",
           "3 1.5", "5 2 1 2", "10 8", "2 2 2 6")  # fmt: skip


@dataclass(frozen=True)
class Look:
    """A colour, a dash pattern, the outline of a marker, and whether that is filled."""

    colour: str
    dash: str
    marker: str
    filled: bool = True

    def sample(self) -> str:
        """Draw the line of a legend, 24 px wide."""
        drawn = line(0, 0, 24, 0, stroke=self.colour, stroke_width=2, stroke_dasharray=self.dash)
        return drawn + self.mark(12, 0)

    def mark(self, x: float, y: float, *children: str) -> str:
        """Draw the marker, with what is inside its element."""
        paint: dict[str, str | float] = {"fill": self.colour}
        if not self.filled:
            paint = {"fill": PAPER, "stroke": self.colour, "stroke_width": 1.5}
        move = f"translate({number(x)} {number(y)})"
        return element("path", *children, d=self.marker, transform=move, **paint)


#: What chance gives looks like no series.
CHANCE = Look(CHANCE_COLOUR, "1 2", "M-1-4H1V4H-1Z")


def looks(names: Sequence[str], chance: str | None = None) -> dict[str, Look]:
    """Give every series a look: any two of up to 13 differ in colour, in dash and in marker.

    Of more, colours come again, and any two of up to 169 differ in dash or in marker.

    Parameters
    ----------
    names
        Of the series, each once.
    chance
        The one that shows what chance gives, if any: it is grey.
    """
    others = [name for name in names if name != chance]
    found = {name: _look(index) for index, name in enumerate(others)}
    return {name: found.get(name, CHANCE) for name in names}


def _look(index: int) -> Look:
    n = len(SERIES)
    # A second round takes the markers one further, so that no pair of dash and marker comes again.
    marker = _MARKERS[(index + index // n) % n]
    return Look(SERIES[index % n], _DASHES[index % n], marker, marker not in _OPEN)
