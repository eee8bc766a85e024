"""Values along a sequence: one bar a base above its letter, and counts of sites by position."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from motiflens.errors import InputError
from motiflens.plots.axes import Scale, grid, linear_ticks, round_range, y_title
from motiflens.plots.logo import LETTER_COLOURS, figure_key, letter_outlines, letter_stacks
from motiflens.plots.svg import (
    MONOSPACE,
    MUTED,
    SERIES,
    SITE,
    element,
    figure,
    label,
    line,
    rect,
    tip,
)

Values = npt.NDArray[np.floating[Any]]
Interval = tuple[int, int]

BAR_COLOURS = ("#0b4fa8", "#a3195b")
LEFT = 70.0


def base_track(
    sequence: str,
    values: Sequence[float] | Values,
    sites: Sequence[Interval] = (),
    *,
    title: str = "Contributions",
    y_label: str = "contribution",
    start: int = 0,
    site_name: str = "true site",
) -> str:
    """Draw one bar a base with its letter below.

    Parameters
    ----------
    sequence
        L letters.
    values
        (L,), signed.
    sites
        Half-open intervals, 0-based like `start`, shaded.
    title, y_label
        Names of the figure and of its vertical axis, with units.
    start
        0-based position of the first letter; positions on the axis count from 1.
    site_name
        What a shaded interval is.

    Raises
    ------
    InputError
        Letters and values differ in number, or there are none.
    """
    values = np.asarray(values, dtype=float)
    if values.shape != (len(sequence),) or not sequence:
        raise InputError(
            f"{len(sequence)} letters and values of shape {values.shape} make no track",
            remedy="give one value for every letter",
            argument=("sequence", "values"),
        )
    step, top, bottom = 16.0, 26.0, 166.0
    right = LEFT + step * len(sequence)
    scale = Scale(*round_range([0.0, *values.tolist()]), bottom, top)
    body = [_site(site, start, len(sequence), step, top, bottom + 18, site_name) for site in sites]
    ticks = linear_ticks(scale.low, scale.high, 4)
    body.append(grid(scale, ticks, LEFT, right, stroke_opacity=0.7))
    body.append(y_title(y_label, LEFT - 54, (top + bottom) / 2))
    body.append(line(LEFT, scale(0), right, scale(0)))
    for index, (base, value) in enumerate(zip(sequence, values, strict=True)):
        x = LEFT + step * index
        body += [_bar(x, step, scale, float(value), f"{base}{start + index + 1}"), _letter(x, base)]
    body += [positions(len(sequence), start, step, 200.0), position_title(right, 218.0)]
    strongest = int(np.nanargmax(np.abs(values))) if np.isfinite(values).any() else 0
    description = f"{y_label} of {len(sequence)} bases, largest at position {start + strongest + 1}"
    named = [LEFT + step * max(first - start, 0) + 7.2 * len(site_name) for first, _ in sites]
    return figure(max(right + 16, *named, 0), 226, title, description, *body)


def contribution_track(
    contributions: Values,
    sites: Sequence[tuple[int, int, str]] = (),
    *,
    title: str = "Contributions",
    y_label: str = "contribution",
    start: int = 0,
    step: float = 11.0,
    height: float = 96.0,
) -> str:
    """Draw letters as high as their contributions, those below zero downwards.

    Parameters
    ----------
    contributions
        (4, L), rows A C G T; at each position only the base that is there has one.
    sites
        Half-open intervals, 0-based like `start`, each with what it is, shaded.
    title, y_label
        Names of the figure and of its vertical axis.
    start
        0-based position of the first letter; positions on the axis count from 1.
    step, height
        Pixels of a base, and of the plot.
    """
    matrix = np.asarray(contributions, dtype=float)
    length = matrix.shape[1]
    top, bottom, right = 26.0, 26.0 + height, LEFT + step * length
    ends = [0.0, float(matrix.min(initial=0)), float(matrix.max(initial=0))]
    scale, key = Scale(*round_range(ends), bottom, top), figure_key(title)
    body = [letter_outlines(key)]
    # A name that has no room before the right edge is left out; its site is shaded all the same.
    rooms = [length - max(first - start, 0) for first, _, _ in sites]
    body += [
        _site((a, b), start, length, step, top, bottom, name if room * step > 50 else "")
        for (a, b, name), room in zip(sites, rooms, strict=True)
    ]
    body.append(grid(scale, linear_ticks(scale.low, scale.high, 3), LEFT, right))
    body += [y_title(y_label, LEFT - 54, (top + bottom) / 2), line(LEFT, scale(0), right, scale(0))]
    body += [
        letter_stacks(matrix, LEFT, scale, step, key),
        positions(length, start, step, bottom + 18),
    ]
    strongest = start + 1 + int(np.abs(matrix).sum(axis=0).argmax())
    text = f"{y_label} of {length} bases, largest at position {strongest}"
    return figure(right + 12, bottom + 26, title, text, *body)


def units_track(
    sequence: str,
    panels: Sequence[tuple[str, Values]],
    units: Sequence[tuple[int, int, float]],
    sites: Sequence[Interval] = (),
    *,
    title: str = "Units",
) -> str:
    """Draw weights of bases above and below the units that they come from, on one ruler.

    Parameters
    ----------
    sequence
        L letters.
    panels
        Two of a heading and values (L,): above the units, and below them.
    units
        First base, base after the last (0-based) and weight of each; drawn as brackets, the
        heavier the darker.
    sites
        Half-open intervals, 0-based, shaded.
    title
        Name of the figure.
    """
    step, height = 16.0, 84.0
    right = LEFT + step * len(sequence)
    overlaps = [sum(a <= first < b for a, b, _ in units) for first, _, _ in units]
    lanes = max(overlaps, default=1)
    middle = 28 + height + 30
    tops = (28.0, middle + 11.0 * lanes + 34)
    bottom = tops[1] + height
    body = [
        _site(site, 0, len(sequence), step, tops[0], bottom + 18, "true site") for site in sites
    ]
    for top, (heading, values) in zip(tops, panels, strict=True):
        scale = Scale(*round_range([0.0, *np.asarray(values, float).tolist()]), top + height, top)
        body.append(grid(scale, linear_ticks(scale.low, scale.high, 3), LEFT, right))
        body += [label(heading, LEFT + 4, top + 2, font_weight="bold")]
        for index, (base, value) in enumerate(zip(sequence, values, strict=True)):
            body.append(_bar(LEFT + step * index, step, scale, float(value), f"{base}{index + 1}"))
    most = max((weight for _, _, weight in units), default=1.0) or 1.0
    for index, (first, last, weight) in enumerate(units):
        y = middle + 11.0 * (index % lanes)
        left, end = LEFT + step * max(first, 0) + 2, LEFT + step * min(last, len(sequence)) - 2
        path = f"M{left:g} {y + 5:g}V{y:g}H{end:g}V{y + 5:g}"
        look: dict[str, str | float] = {"stroke": SERIES[0], "stroke_width": 2, "fill": "none"}
        shade = 0.4 + 0.6 * weight / most
        hint = tip(f"unit {index + 1}: {weight:.3g}")
        body.append(element("path", hint, d=path, stroke_opacity=shade, **look))
    for index, base in enumerate(sequence):
        x, colour = LEFT + step * (index + 0.5), LETTER_COLOURS.get(base, MUTED)
        letter = {"font_family": MONOSPACE, "font_weight": "bold", "fill": colour}
        body.append(label(base, x, bottom + 15, text_anchor="middle", font_size=13, **letter))
    body += [positions(len(sequence), 0, step, bottom + 34), position_title(right, bottom + 52)]
    text = f"weights of {len(sequence)} bases above and below {len(units)} units"
    return figure(right + 16, bottom + 60, title, text, *body)


def _site(
    site: Interval, start: int, length: int, step: float, top: float, bottom: float, name: str
) -> str:
    first, last = max(site[0] - start, 0), min(site[1] - start, length)
    if last <= first:
        return ""
    x, width = LEFT + step * first, step * (last - first)
    text = label(name, x, top - 10, fill=MUTED)
    return rect(x, top - 6, width, bottom - top + 6, fill=SITE, class_="site") + text


def _bar(x: float, step: float, scale: Scale, value: float, base: str) -> str:
    if not math.isfinite(value):
        return ""
    ends = sorted((scale(0), scale(value)))
    box = {"x": x + 2, "y": ends[0], "width": step - 4, "height": ends[1] - ends[0]}
    return element("rect", tip(f"{base}: {value:.4g}"), fill=BAR_COLOURS[value < 0], **box)


def _letter(x: float, base: str) -> str:
    colour = LETTER_COLOURS.get(base, MUTED)
    settings = {"font_family": MONOSPACE, "font_weight": "bold", "fill": colour}
    return label(base, x + 8, 181, text_anchor="middle", font_size=13, **settings)


def positions(length: int, start: int, step: float, y: float) -> str:
    """Write every fifth position, or fewer where bases are narrow, counting from 1."""
    every = 5 if step >= 8 else 10 * max(1, math.ceil(60 / step / 10))
    shown = [p for p in range(length) if (start + p + 1) % every == 0 or p == 0]
    return "".join(
        label(start + p + 1, LEFT + step * (p + 0.5), y, text_anchor="middle", fill=MUTED)
        for p in shown
        if p == 0 or step * p > 24
    )


def position_title(right: float, y: float) -> str:
    """Write the title of the position axis, which runs from `LEFT` to `right`."""
    return label("position (bp)", (LEFT + right) / 2, y, text_anchor="middle")


def position_profile(counts: Sequence[int], *, title: str, y_label: str = "sequences") -> str:
    """Draw counts along the sequence, from its first position to its last.

    Parameters
    ----------
    counts
        One for each of equally wide bins; at least one bin.
    title
        Name of the figure.
    y_label
        What is counted.

    Returns
    -------
    str
        SVG, 320 px wide.
    """
    left, right, top, bottom, most = 52.0, 310.0, 8.0, 100.0, max(*counts, 1)
    scale = Scale(0.0, float(most), bottom, top)
    step = (right - left) / len(counts)
    body = [y_title(y_label, 14, (top + bottom) / 2)]
    body += [
        label(tick, left - 6, scale(tick) + 4, text_anchor="end", fill=MUTED) for tick in (0, most)
    ]
    for index, count in enumerate(counts):
        x, y = left + index * step + 0.5, scale(count)
        body.append(rect(x, y, step - 1, bottom - y, fill=SERIES[0]))
    body.append(line(left, bottom, right, bottom))
    ends = ((left, "start", "first"), ((left + right) / 2, "middle", "centre"))
    for x, anchor, text in (*ends, (right, "end", "last position")):
        body.append(label(text, x, bottom + 16, text_anchor=anchor, fill=MUTED))
    description = f"{y_label} in {len(counts)} bins from the first position to the last: "
    return figure(right + 10, 124, title, description + ", ".join(map(str, counts)), *body)
