"""A rectangle with two scales: ticks, grid, titles, legend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from motiflens.plots.svg import GRID, INK, MUTED, element, label, line

# Differences this small are zero for a reader, and would overflow when divided by.
TINY = 1e-250


@dataclass(frozen=True)
class Scale:
    """A map from values to pixels, linear or logarithmic.

    Parameters
    ----------
    low, high
        Ends of the values; `low` > 0 where `log`.
    start, end
        Ends in pixels; a vertical scale has `start` below `end` on the page, so `start > end`.
    log
        Equal ratios, not equal differences, are equally far apart.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Return the pixel of a value."""
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log(low), math.log(high), math.log(value)
        fraction = (value - low) / (high - low) if high > low else 0.5
        return self.start + fraction * (self.end - self.start)

    @property
    def ticks(self) -> list[float]:
        """Round values inside the scale: 1, 2 or 5 times powers of ten."""
        return _log_ticks(self.low, self.high) if self.log else linear_ticks(self.low, self.high)


def linear_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Return about `count` round values from `low` to `high`, both ends included."""
    if not _apart(low, high):
        return [low]
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= 0.7 * rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{index * step:.12g}") for index in range(first, last + 1)]


def _apart(low: float, high: float) -> bool:
    """Return whether two ends differ by more than what rounding makes of equal numbers."""
    return high - low > max(TINY, 1e-9 * max(abs(low), abs(high)))


def _log_ticks(low: float, high: float) -> list[float]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    candidates = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
    return [tick for tick in candidates if low * 0.999 <= tick <= high * 1.001]


def round_range(values: Sequence[float]) -> tuple[float, float]:
    """Return round ends of a scale that holds all finite values, never of zero length."""
    finite = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(finite), max(finite)
    if not _apart(low, high):
        margin = 0.1 * max(abs(low), abs(high)) if max(abs(low), abs(high)) > TINY else 0.1
        low, high = low - margin, high + margin
    ticks = linear_ticks(low, high)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else high - low
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step


def tick_text(value: float) -> str:
    """Write a tick's value: up to six digits, thousands parted, no exponent below a million."""
    return f"{value:,.6g}"


@dataclass(frozen=True)
class Axes:
    """The drawing area of a chart: one scale across, one upwards, and their titles."""

    x: Scale
    y: Scale
    x_label: str
    y_label: str

    def draw(self, x_ticks: bool = True) -> str:
        """Draw grid, ticks and titles; `x_ticks` is off where categories stand below."""
        lines = grid(self.y, self.y.ticks, self.x.start, self.x.end)
        return lines + (self._x_axis() if x_ticks else "") + self._titles()

    def _x_axis(self) -> str:
        bottom = self.y.start
        parts = [line(self.x.start, bottom, self.x.end, bottom, stroke=INK)]
        for tick in self.x.ticks:
            x = self.x(tick)
            parts.append(line(x, bottom, x, bottom + 4, stroke=INK))
            text = label(tick_text(tick), x, bottom + 18, text_anchor="middle", fill=MUTED)
            parts.append(text)
        return "".join(parts)

    def _titles(self) -> str:
        middle_x = (self.x.start + self.x.end) / 2
        middle_y = (self.y.start + self.y.end) / 2
        below = label(self.x_label, middle_x, self.y.start + 38, text_anchor="middle")
        return (below if self.x_label else "") + y_title(self.y_label, self.x.start - 46, middle_y)


def grid(
    scale: Scale, ticks: Sequence[float], left: float, right: float, **attributes: str | float
) -> str:
    """Draw a line and its value at every tick of a vertical scale."""
    parts = []
    for tick in ticks:
        y = scale(tick)
        parts.append(line(left, y, right, y, stroke=GRID, **attributes))
        parts.append(label(tick_text(tick), left - 6, y + 4, text_anchor="end", fill=MUTED))
    return "".join(parts)


def y_title(text: str, x: float, y: float) -> str:
    """Write the title of a vertical axis, read upwards, centred at (x, y)."""
    turn = f"rotate(-90 {x:.2f} {y:.2f})"
    return label(text, x, y, text_anchor="middle", transform=turn)


def legend(entries: Sequence[tuple[str, str]], left: float, width: float) -> tuple[str, float]:
    """Lay out (markup of a sample 24 px wide, text) in rows from y = 0.

    Returns
    -------
    tuple of str and float
        The markup and its height in pixels.
    """
    parts, x, y = [], left, 14.0
    for sample, text in entries:
        needed = 24 + 8 + 7.2 * len(text) + 18
        if x > left and x + needed > left + width:
            x, y = left, y + 20
        moved = element("g", sample, transform=f"translate({x:.2f} {y - 4:.2f})")
        parts.append(moved + label(text, x + 32, y))
        x += needed
    return "".join(parts), y + 12
