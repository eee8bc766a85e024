"""Line charts with bands, bar charts with intervals, and how their series look."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from motiflens.plots.axes import Axes, Scale, legend, round_range, tick_text
from motiflens.plots.svg import (
    INK,
    MUTED,
    PAPER,
    SERIES,
    element,
    figure,
    label,
    line,
    number,
    rect,
    tip,
)

Curve = tuple[Sequence[float], Sequence[float], Sequence[float], Sequence[float]]
Bar = tuple[float, float, float]

WIDTH, PLOT_HEIGHT, LEFT, RIGHT = 720.0, 280.0, 76.0, 16.0
UNIT_LEFT, UNIT_SIDE, MAX_MARKED = 60.0, 224.0, 20

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
    """Choose the look of every series: any two of up to 13 differ in colour, in dash and in marker.

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


def line_chart(
    series: Mapping[str, Curve],
    title: str,
    x_label: str,
    y_label: str,
    *,
    y_range: tuple[float, float] | None = None,
    log_x: bool = False,
    reference: tuple[float, str] | None = None,
    chance: str | None = None,
    size: tuple[float, float] = (WIDTH, PLOT_HEIGHT),
) -> str:
    """Draw curves with their bands.

    Parameters
    ----------
    series
        Name → (x, mean, low, high), four sequences of one length; a mean that is not finite
        leaves a gap.
    title, x_label, y_label
        Names of the figure and its axes, with units.
    y_range
        Ends of the vertical axis; taken from the data where not given.
    log_x
        Logarithmic horizontal axis; all x > 0.
    reference
        A horizontal line: its value and what it is.
    chance
        The series that shows what chance gives, drawn in grey.
    size
        Width of the picture and height of the plot in it, in pixels.

    Returns
    -------
    str
        SVG, 720 px wide unless ``size`` says otherwise.
    """
    shown = looks(list(series), chance)
    samples = [(shown[name].sample(), name) for name in series]
    key, top = legend(samples, LEFT, size[0] - LEFT - RIGHT)
    low, high = y_range or round_range(
        [y for curve in series.values() for ys in curve[1:] for y in ys]
    )
    xs = [x for curve in series.values() for x in curve[0]] or [1.0]
    across = Scale(min(xs), max(xs), LEFT + 8, size[0] - RIGHT, log_x)
    axes = Axes(across, Scale(low, high, top + size[1], top + 6), x_label, y_label)
    body = [key, axes.draw(), _reference_line(axes, reference) if reference else ""]
    body += [_band(axes, curve, shown[name]) for name, curve in series.items()]
    body += [_curve(axes, name, curve, shown[name]) for name, curve in series.items()]
    description = "; ".join(
        f"{name}: last mean {tick_text(curve[1][-1])}" for name, curve in series.items() if curve[0]
    )
    return figure(
        size[0], axes.y.start + 48, title, f"{y_label} by {x_label}. {description}", *body
    )


def _points(axes: Axes, xs: Sequence[float], ys: Sequence[float]) -> list[str]:
    pairs = [(x, y) for x, y in zip(xs, ys, strict=True) if math.isfinite(y)]
    return [f"{number(axes.x(x))} {number(axes.y(y))}" for x, y in pairs]


def _band(axes: Axes, curve: Curve, look: Look) -> str:
    xs, _, low, high = curve
    outline = _points(axes, xs, high) + _points(axes, xs, low)[::-1]
    if len(outline) < 4:
        return ""
    return element("path", d=f"M{'L'.join(outline)}Z", fill=look.colour, fill_opacity=0.16)


def _curve(axes: Axes, name: str, curve: Curve, look: Look) -> str:
    xs, means, lows, highs = curve
    path = _path(_points(axes, xs, means), look)
    marks = [
        look.mark(
            axes.x(x),
            axes.y(mean),
            tip(
                f"{name}: {tick_text(x)}, {mean:.4g}"
                + (f" ({low:.4g} to {high:.4g})" if low < high else "")
            ),
        )
        for x, mean, low, high in zip(xs, means, lows, highs, strict=True)
        if math.isfinite(mean)
    ]
    return path + "".join(marks)


def _path(points: Sequence[str], look: Look) -> str:
    if not points:
        return ""
    return element(
        "path",
        d="M" + "L".join(points),
        fill="none",
        stroke=look.colour,
        stroke_width=2,
        stroke_dasharray=look.dash,
    )


def _reference_line(axes: Axes, reference: tuple[float, str]) -> str:
    value, text = reference
    y, right = axes.y(value), axes.x.end
    stroke = line(axes.x.start, y, right, y, stroke=INK, stroke_dasharray="4 4")
    return stroke + label(text, axes.x.end - 4, y + 14, text_anchor="end", fill=MUTED)


def bar_chart(
    groups: Mapping[str, Mapping[str, Bar]],
    title: str,
    y_label: str,
    *,
    notes: Mapping[str, str] | None = None,
) -> str:
    """Draw bars with intervals, from zero.

    Parameters
    ----------
    groups
        Group → bar → (mean, low, high). Bars of one name have one colour over all groups; a
        legend appears where there are several names. A mean that is not finite draws no bar.
    title, y_label
        Names of the figure and of its vertical axis, with units.
    notes
        A second line under a group's name.

    Returns
    -------
    str
        SVG, 720 px wide or as wide as the bars need.
    """
    names = list(dict.fromkeys(name for bars in groups.values() for name in bars))
    slot = max(96.0, 40.0 * len(names) + 32, *(7.2 * len(group) + 12 for group in groups))
    width = max(WIDTH, LEFT + RIGHT + slot * len(groups))
    slot = (width - LEFT - RIGHT) / max(len(groups), 1)
    samples = [
        (rect(4, -6, 16, 12, fill=SERIES[index % len(SERIES)]), name)
        for index, name in enumerate(names)
    ]
    key, top = legend(samples, LEFT, width - LEFT - RIGHT) if len(names) > 1 else ("", 12.0)
    values = [v for bars in groups.values() for bar in bars.values() for v in bar]
    low, high = round_range([0.0, *values])
    upwards = Scale(low, high, top + PLOT_HEIGHT, top + 20)
    axes = Axes(Scale(0, 1, LEFT, width - RIGHT), upwards, "", y_label)
    body = [key, axes.draw(x_ticks=False), line(LEFT, axes.y(0), width - RIGHT, axes.y(0))]
    for index, (group, bars) in enumerate(groups.items()):
        middle = LEFT + slot * (index + 0.5)
        body += [_bars(axes, group, bars, names, middle), _group_name(axes, group, middle, notes)]
    description = "; ".join(
        f"{group}, {name}: {bar[0]:.4g} ({bar[1]:.4g} to {bar[2]:.4g})"
        for group, bars in groups.items()
        for name, bar in bars.items()
    )
    return figure(width, axes.y.start + 52, title, f"{y_label}. {description}", *body)


def _group_name(axes: Axes, group: str, middle: float, notes: Mapping[str, str] | None) -> str:
    y = axes.y.start
    name = label(group, middle, y + 18, text_anchor="middle")
    note = (notes or {}).get(group, "")
    return name + (label(note, middle, y + 34, text_anchor="middle", fill=MUTED) if note else "")


def _bars(
    axes: Axes, group: str, bars: Mapping[str, Bar], names: Sequence[str], middle: float
) -> str:
    parts = []
    for name, (mean, low, high) in bars.items():
        if not math.isfinite(mean):
            continue
        index = names.index(name)
        x = middle + 40 * (index - (len(names) - 1) / 2)
        ends = sorted((axes.y(0), axes.y(mean)))
        hint = tip(f"{group}, {name}: {mean:.4g} ({low:.4g} to {high:.4g})")
        box = {"x": x - 14, "y": ends[0], "width": 28.0, "height": ends[1] - ends[0]}
        parts.append(element("rect", hint, fill=SERIES[index % len(SERIES)], **box))
        parts.append(_whisker(axes, x, low, high))
        above = min(axes.y(max(mean, high)), axes.y(0)) - 6
        parts.append(label(f"{mean:.3g}", x, above, text_anchor="middle", font_size=11))
    return "".join(parts)


def _whisker(axes: Axes, x: float, low: float, high: float) -> str:
    if not (math.isfinite(low) and math.isfinite(high) and high > low):
        return ""
    bottom, top = axes.y(low), axes.y(high)
    return (
        line(x, bottom, x, top, stroke=INK, stroke_width=1.5)
        + line(x - 5, bottom, x + 5, bottom, stroke=INK, stroke_width=1.5)
        + line(x - 5, top, x + 5, top, stroke=INK, stroke_width=1.5)
    )


def unit_chart(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    title: str,
    x_label: str,
    y_label: str,
    *,
    reference: tuple[float, float] | None = None,
) -> str:
    """Draw curves in the unit square, such as ROC curves.

    Parameters
    ----------
    curves
        Name → (x, y), two sequences of one length within 0 to 1. Points are marked where a curve
        has no more than 20.
    title, x_label, y_label
        Names of the figure and its axes.
    reference
        A straight line to judge by: its heights at x = 0 and at x = 1.

    Returns
    -------
    str
        SVG, 300 px wide.
    """
    shown = looks(list(curves))
    samples = [(shown[name].sample(), name) for name in curves]
    key, top = legend(samples, UNIT_LEFT, UNIT_SIDE)
    right = UNIT_LEFT + UNIT_SIDE
    across, upwards = Scale(0, 1, UNIT_LEFT, right), Scale(0, 1, top + 6 + UNIT_SIDE, top + 6)
    axes = Axes(across, upwards, x_label, y_label)
    body = [key, axes.draw()]
    if reference:
        ends = (axes.y(reference[0]), axes.y(reference[1]))
        body.append(line(UNIT_LEFT, ends[0], right, ends[1], stroke=INK, stroke_dasharray="4 4"))
    for name, (xs, ys) in curves.items():
        if len(xs) <= MAX_MARKED:
            body.append(_curve(axes, name, (xs, ys, ys, ys), shown[name]))
        else:
            body.append(_path(_points(axes, xs, ys), shown[name]))
    description = f"{y_label} by {x_label}. Curves: {', '.join(curves)}"
    return figure(right + RIGHT, axes.y.start + 48, title, description, *body)
