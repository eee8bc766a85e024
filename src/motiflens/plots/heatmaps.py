"""Heat maps: a PPM with its numbers, attention over many sequences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from motiflens.errors import InputError
from motiflens.plots.axes import y_title
from motiflens.plots.logo import LETTER_COLOURS, LETTERS, check_matrix, column_numbers, top_bases
from motiflens.plots.svg import GRID, INK, MUTED, PAPER, element, figure, label, number, rect, tip
from motiflens.plots.tracks import LEFT, Interval, Values, position_title, positions

# From white to dark blue, which stays in order when printed in grey.
RAMP = ("#ffffff", "#08306b")
LEVELS = 20
CELL = (42.0, 32.0)
KEY_TEXT = LEFT + 8 * (LEVELS + 1) + 6


def shade(fraction: float) -> str:
    """Return the colour at a fraction (0 to 1) of the way between the ends of the ramp."""
    ends = [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in RAMP]
    mixed = [round(a + (b - a) * min(max(fraction, 0.0), 1.0)) for a, b in zip(*ends, strict=True)]
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def ppm_heatmap(ppm: Values, *, title: str = "PPM") -> str:
    """Draw a PPM as a heat map with the number in every cell.

    Parameters
    ----------
    ppm
        (4, W), rows A C G T, probabilities.
    title
        Name of the figure.

    Raises
    ------
    InputError
        See `check_matrix`.
    """
    ppm = check_matrix(ppm)
    left, top, width = 30.0, 8.0, ppm.shape[1]
    bottom, right = top + 4 * CELL[1], left + width * CELL[0]
    body = [
        _row_of_cells(base, row, top + CELL[1] * index, left)
        for index, (base, row) in enumerate(zip(LETTERS, ppm, strict=True))
    ]
    body.append(column_numbers(width, left, bottom + 18, CELL[0]))
    axis = label("position in the motif", (left + right) / 2, bottom + 38, text_anchor="middle")
    description = f"Probability of each base at {width} positions; most likely {top_bases(ppm)}"
    return figure(max(right + 12, 190), bottom + 48, title, description, *body, axis)


def _row_of_cells(base: str, row: Values, y: float, left: float) -> str:
    bold: dict[str, str | float] = {"font_size": 14, "font_weight": "bold"}
    name = label(base, left - 16, y + 21, **bold, fill=LETTER_COLOURS[base])
    cells = [_cell(left + CELL[0] * index, y, float(value)) for index, value in enumerate(row)]
    return name + "".join(cells)


def _cell(x: float, y: float, value: float) -> str:
    box = rect(x, y, *CELL, fill=shade(value), stroke=PAPER)
    ink = PAPER if value > 0.45 else INK
    middle = (x + CELL[0] / 2, y + CELL[1] / 2 + 4)
    return box + label(f"{value:.2f}", *middle, text_anchor="middle", fill=ink)


def attention_heatmap(
    values: Values,
    sites: Sequence[Sequence[Interval]],
    *,
    names: Sequence[str] = (),
    title: str = "Attention",
    value_label: str = "attention weight on a base",
) -> str:
    """Draw one row a sequence, darker where the value is larger, true sites outlined.

    Parameters
    ----------
    values
        (N, L), not negative.
    sites
        N lists of half-open intervals, 0-based.
    names
        N names, shown when the pointer rests on a row; none where empty.
    title, value_label
        Names of the figure and of the colour scale.

    Raises
    ------
    InputError
        `values` and `sites` differ in number.
    """
    values = np.asarray(values, dtype=float)
    if values.ndim != 2 or len(values) != len(sites):
        raise InputError(
            f"values of shape {values.shape} and {len(sites)} lists of sites make no heat map",
            remedy="give one row of values and one list of sites for every sequence",
            argument=("values", "sites"),
        )
    n, length = values.shape
    step = max(min(16.0, 960.0 / length), 1.0)
    row = 14.0 if n <= 40 else 8.0
    top, right = 40.0, LEFT + step * length
    bottom = top + row * n
    largest = float(np.nanmax(values, initial=0.0)) or 1.0
    key = f"{largest:.3g}  {value_label}{'; outlined: true site' if any(sites) else ''}"
    body = [
        _colour_key(key),
        rect(LEFT, top, right - LEFT, bottom - top, fill="none", stroke=GRID),
        _cells(values / largest, step, row, top),
        *(_outline(site, i, step, row, top) for i, own in enumerate(sites) for site in own),
        *(_row_tip(name, i, row, top, right) for i, name in enumerate(names)),
        positions(length, 0, step, bottom + 18),
        position_title(right, bottom + 36),
        y_title(f"{n} sequences", LEFT - 20, (top + bottom) / 2),
    ]
    description = f"{value_label} over {n} sequences of {length} bases, at most {largest:.3g}"
    # The key's text may be longer than few or short sequences are wide.
    width = max(right + 16, KEY_TEXT + 7.2 * len(key))
    return figure(width, bottom + 46, title, description, *body)


def _cells(fractions: Values, step: float, row: float, top: float) -> str:
    """Draw runs of equal colour as one path a level, in units of cells: thousands of bases fit."""
    levels = np.rint(np.clip(np.nan_to_num(fractions), 0.0, 1.0) * LEVELS).astype(int)
    runs: dict[int, list[str]] = {}
    for index, line_of_levels in enumerate(levels):
        edges = np.flatnonzero(np.diff(line_of_levels)) + 1
        starts = [0, *edges.tolist()]
        for first, last in zip(starts, [*starts[1:], len(line_of_levels)], strict=True):
            level = int(line_of_levels[first])
            if level:
                run = f"M{first} {index}h{last - first}v1h{first - last}z"
                runs.setdefault(level, []).append(run)
    paths = [element("path", d="".join(runs[level]), fill=shade(level / LEVELS))
             for level in sorted(runs)]  # fmt: skip
    move = f"translate({number(LEFT)} {number(top)}) scale({number(step)} {number(row)})"
    return element("g", *paths, transform=move, shape_rendering="crispEdges")


def _outline(site: Interval, index: int, step: float, row: float, top: float) -> str:
    box = (LEFT + step * site[0], top + row * index + 1, step * (site[1] - site[0]), row - 2)
    return rect(*box, fill="none", stroke="#c04f00", stroke_width=1, class_="site")


def _row_tip(name: str, index: int, row: float, top: float, right: float) -> str:
    box = {"x": LEFT, "y": top + row * index, "width": right - LEFT, "height": row}
    return element("rect", tip(name), fill_opacity=0.0, **box)


def _colour_key(text: str) -> str:
    shades = [
        rect(LEFT + 8 * level, 8, 8, 12, fill=shade(level / LEVELS)) for level in range(LEVELS + 1)
    ]
    right = LEFT + 8 * (LEVELS + 1)
    zero = label("0", LEFT - 6, 19, text_anchor="end", fill=MUTED)
    frame = rect(LEFT, 8, right - LEFT, 12, fill="none", stroke=GRID)
    most = label(text, KEY_TEXT, 19, fill=MUTED)
    return zero + "".join(shades) + frame + most
