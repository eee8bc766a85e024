"""Sequence logos: letters as outlines, so that their heights are exact."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from motiflens.errors import InputError
from motiflens.matrices import information
from motiflens.plots.axes import Scale, round_range, tick_text, y_title
from motiflens.plots.svg import GRID, INK, MUTED, element, figure, label, line, number

Matrix = npt.NDArray[np.floating]
Kind = Literal["information", "contribution"]

LETTERS = "ACGT"
# Any two differ by 24 in CIE L*a*b*, for readers without one kind of cone too; each stands out from
# white by 4.5 to 1 or more.
LETTER_COLOURS = {"A": "#0b4a22", "C": "#2865c3", "G": "#9e5112", "T": "#d50e68"}

# Outlines in the unit square, y downwards, that touch all four sides.
OUTLINES = {
    "A": "M0 1L.39 0H.61L1 1H.78L.7.77H.3L.22 1ZM.36.59H.64L.5.2Z",
    "C": "M1 .787A.55.5 0 1 1 1 .213L.82.311A.33.33 0 1 0 .82.689Z",
    "G": "M1 .213L.82.311A.33.33 0 1 0 .8.715V.62H.55V.46H1V.787A.55.5 0 1 1 1 .213Z",
    "T": "M0 0H1V.19H.61V1H.39V.19H0Z",
}

COLUMN, HEIGHT, LEFT, TOP = 18.0, 80.0, 48.0, 10.0
# Two strands side by side; `STRAND` is room for the name of one above a narrow logo.
STRANDS_TOP, STRANDS_GAP, STRAND = 50.0, 24.0, 60.0
FILTERS_PER_ROW = 4
BITS = (0, 1, 2)
UNITS: dict[Kind, str] = {"information": "bits", "contribution": "contribution"}


def figure_key(title: str) -> str:
    """Name a figure's outlines, so that those of other figures on a page have other names."""
    return f"-{zlib.crc32(title.encode(errors='replace')):x}"


def letter_outlines(key: str) -> str:
    """Define the four letters of a figure once; a page of filters draws thousands."""
    return element(
        "defs",
        *(
            element("path", id=base + key, d=outline, fill=LETTER_COLOURS[base])
            for base, outline in OUTLINES.items()
        ),
    )


def _letter(base: str, x: float, y: float, width: float, height: float, key: str) -> str:
    """Draw a base that fills the rectangle with its upper left corner at (x, y)."""
    move = f"translate({number(x)} {number(y)})scale({number(width)} {number(height)})"
    return element("use", href=f"#{base}{key}", transform=move)


def check_matrix(matrix: Matrix) -> Matrix:
    """Return a matrix (4, W) as floats.

    Raises
    ------
    InputError
        It has no four rows, no columns, or numbers that are not finite.
    """
    matrix = np.asarray(matrix, dtype=float)
    if matrix.ndim != 2 or matrix.shape[0] != 4 or matrix.shape[1] == 0:
        raise InputError(
            f"a matrix of shape {matrix.shape} is no motif", remedy="give (4, W), rows A C G T"
        )
    if not np.isfinite(matrix).all():
        column = int(np.argwhere(~np.isfinite(matrix))[0, 1])
        raise InputError("the matrix holds NaN or infinity", f"in column {column}")
    return matrix


def letter_heights(matrix: Matrix, kind: Kind) -> Matrix:
    """Return the height of every letter of a checked matrix.

    `information`: p × (2 − entropy) bits (Schneider and Stephens 1990, without their small-sample
    correction); `contribution`: the numbers themselves.
    """
    matrix = check_matrix(matrix)
    return matrix * information(matrix) if kind == "information" else matrix


def _stack(heights: Matrix, x: float, scale: Scale, width: float, key: str) -> str:
    """Draw one column: positive letters upwards and negative ones downwards, largest outside."""
    parts, up, down = [], 0.0, 0.0
    for index in np.argsort(np.abs(heights), kind="stable"):
        height = float(heights[index])
        pixels = abs(scale(height) - scale(0.0))
        # Thinner than a twentieth of a pixel is invisible, and costs a path in the file.
        if pixels >= 0.05:
            base = LETTERS[index]
            top = scale(up + height) if height > 0 else scale(down)
            parts.append(_letter(base, x + 0.04 * width, top, 0.92 * width, pixels, key))
        up, down = up + max(height, 0.0), down + min(height, 0.0)
    return "".join(parts)


def letter_stacks(heights: Matrix, left: float, scale: Scale, width: float, key: str) -> str:
    """Draw all columns, the first one at `left`, each `width` px wide."""
    return "".join(
        _stack(column, left + index * width, scale, width, key)
        for index, column in enumerate(heights.T)
    )


def _height_scale(heights: Matrix, kind: Kind, bottom: float, top: float) -> Scale:
    """Return the scale that all letters fit on: 0 to 2 bits, or round numbers around zero."""
    if kind == "information":
        return Scale(0.0, 2.0, bottom, top)
    low = float(np.minimum(heights, 0.0).sum(axis=0).min())
    high = float(np.maximum(heights, 0.0).sum(axis=0).max())
    return Scale(*round_range([low, high, 0.0]), bottom, top)


def _height_axis(scale: Scale, title: str, ticks: Sequence[float]) -> str:
    parts = [line(LEFT, scale.start, LEFT, scale.end)]
    for tick in ticks:
        y = scale(tick)
        parts.append(line(LEFT - 4, y, LEFT, y))
        parts.append(label(tick_text(tick), LEFT - 7, y + 4, text_anchor="end", fill=MUTED))
    return "".join(parts) + y_title(title, LEFT - 36, (scale.start + scale.end) / 2)


def _axis_of(kind: Kind, scale: Scale) -> str:
    return _height_axis(scale, UNITS[kind], BITS if kind == "information" else scale.ticks)


def column_numbers(width: int, left: float, y: float, step: float = COLUMN) -> str:
    """Write the number of each column below it."""
    return "".join(
        label(1 + i, left + (i + 0.5) * step, y, text_anchor="middle", fill=MUTED)
        for i in range(width)
    )


def _panel(heights: Matrix, left: float, scale: Scale, key: str) -> str:
    """Draw a whole logo: its line of zero, letters, and the number of each column."""
    width = heights.shape[1]
    return (
        line(left, scale(0), left + width * COLUMN, scale(0))
        + letter_stacks(heights, left, scale, COLUMN, key)
        + column_numbers(width, left, scale.start + 18)
    )


def logo(matrix: Matrix, *, kind: Kind = "information", title: str = "Motif") -> str:
    """Draw a sequence logo.

    Parameters
    ----------
    matrix
        (4, W), rows A C G T: a PPM, or contributions.
    kind
        `information`: letters p × information, axis 0 to 2 bits; `contribution`: signed heights.
    title
        Name of the figure.

    Returns
    -------
    str
        SVG, 18 px a column.

    Raises
    ------
    InputError
        See `check_matrix`.

    References
    ----------
    Schneider and Stephens 1990, Nucleic Acids Research 18:6097.
    """
    heights = letter_heights(matrix, kind)
    width = heights.shape[1]
    scale = _height_scale(heights, kind, TOP + HEIGHT, TOP)
    key = figure_key(title)
    body = [letter_outlines(key), _axis_of(kind, scale), _panel(heights, LEFT, scale, key)]
    size = (LEFT + width * COLUMN + 12, TOP + HEIGHT + 26)
    return figure(*size, title, f"Sequence logo of {width} positions, {top_bases(heights)}", *body)


def top_bases(heights: Matrix) -> str:
    """Read the tallest letter of every column."""
    return "".join(LETTERS[index] for index in np.asarray(heights).argmax(axis=0))


def logo_pair(
    found: Matrix,
    truth: Matrix,
    *,
    offset: int = 0,
    strand: str = "+",
    title: str = "Found motif above the true one",
    below: str = "true",
) -> str:
    """Draw a found motif above the true or a known one, column above column.

    Parameters
    ----------
    found, truth
        PPMs (4, W) and (4, V).
    offset
        Column of the truth at which the found motif starts.
    strand
        On "-" the found motif is drawn as its reverse complement.
    title
        Name of the figure.
    below
        What the lower motif is called.

    Raises
    ------
    InputError
        See `check_matrix`.
    """
    found = np.asarray(found, dtype=float)
    turned = found[::-1, ::-1] if strand == "-" else found
    upper, lower = letter_heights(turned, "information"), letter_heights(truth, "information")
    first = min(0, offset)
    last = max(lower.shape[1], offset + upper.shape[1])
    width = LEFT + (last - first) * COLUMN + 12
    key = figure_key(title)
    body, tops = [letter_outlines(key)], (TOP, TOP + HEIGHT + 24)
    rows = (("found", upper, offset), (below, lower, 0))
    for (name, heights, shift), top in zip(rows, tops, strict=True):
        scale = Scale(0.0, 2.0, top + HEIGHT, top)
        left = LEFT + (shift - first) * COLUMN
        body.append(_height_axis(scale, f"{name} (bits)", BITS))
        body.append(line(LEFT, scale(0), width - 12, scale(0), stroke=GRID))
        body.append(letter_stacks(heights, left, scale, COLUMN, key))
    true_left = LEFT - first * COLUMN
    bottom = tops[1] + HEIGHT
    body.append(column_numbers(lower.shape[1], true_left, bottom + 18))
    body += [_edge(true_left + lower.shape[1] * COLUMN * end, bottom) for end in (0, 1)]
    text = f"Found {top_bases(upper)} at offset {offset} of {top_bases(lower)}"
    return figure(width, bottom + 26, title, f"{text}, strand {strand}", *body)


def _edge(x: float, bottom: float) -> str:
    return line(x, TOP, x, bottom, stroke=INK, stroke_dasharray="3 4", stroke_opacity=0.55)


def filter_grid(
    filters: Matrix, *, title: str = "First-layer filters", numbers: Sequence[int] | None = None
) -> str:
    """Draw first-layer filters as signed logos, each at its own scale.

    Parameters
    ----------
    filters
        (F, 4, K), rows A C G T. The mean of the four weights is taken from every position: on
        one-hot input it acts like a bias and says nothing of the letters.
    title
        Name of the figure.
    numbers
        (F,) by which filters are called; from 0 where not given.
    """
    filters = np.asarray(filters, dtype=float)
    shown = filters - filters.mean(axis=1, keepdims=True)
    called = range(len(filters)) if numbers is None else numbers
    cell = (max(12.0 * shown.shape[2], 64.0) + 24, 84.0)
    key = figure_key(title)
    body = [letter_outlines(key)]
    for index, matrix in enumerate(shown):
        x, y = (index % FILTERS_PER_ROW) * cell[0] + 12, (index // FILTERS_PER_ROW) * cell[1]
        heights = letter_heights(matrix, "contribution")
        scale = _height_scale(heights, "contribution", y + 78, y + 20)
        # A page has thousands of these letters; one of a pixel is not to be read.
        heights = np.where(np.abs(heights) * abs(scale(1) - scale(0)) < 1, 0, heights)
        body.append(
            label(
                f"filter {called[index]}",
                x,
                y + 14,
                font_size=11,
                fill=MUTED,
            )
        )
        body.append(line(x, scale(0), x + 12 * matrix.shape[1], scale(0), stroke=GRID))
        body.append(letter_stacks(heights, x, scale, 12.0, key))
    rows = -(-len(filters) // FILTERS_PER_ROW)
    size = (cell[0] * min(FILTERS_PER_ROW, len(filters)), cell[1] * rows + 6)
    description = f"{len(filters)} filters of width {filters.shape[2]}, weights as letter heights"
    return figure(*size, title, description, *body)


def logo_strands(matrix: Matrix, *, kind: Kind = "information", title: str = "Motif") -> str:
    """Draw a sequence logo and the logo of the other strand on one scale.

    Parameters
    ----------
    matrix
        (4, W), rows A C G T: a PPM, or contributions.
    kind
        `information`: letters p × information, axis 0 to 2 bits; `contribution`: signed heights,
        what is below zero under the axis.
    title
        Name of the figure, written above it.

    Returns
    -------
    str
        SVG, 18 px a column.

    Raises
    ------
    InputError
        See `check_matrix`.
    """
    heights = letter_heights(matrix, kind)
    width = heights.shape[1] * COLUMN
    scale = _height_scale(heights, kind, STRANDS_TOP + HEIGHT, STRANDS_TOP)
    key = figure_key(title)
    body = [
        letter_outlines(key),
        label(title, LEFT, 18, font_size=13, fill=INK, font_weight="bold"),
        _axis_of(kind, scale),
    ]
    pitch = max(width, STRAND) + STRANDS_GAP
    for index, (strand, shown) in enumerate(
        (("forward", heights), ("reverse complement", np.flip(heights)))
    ):
        left = LEFT + index * pitch
        body += [label(strand, left, 38, font_size=11, fill=MUTED), _panel(shown, left, scale, key)]
    text = f"{UNITS[kind]} of {top_bases(heights)}; beside it the reverse complement"
    total = max(LEFT + pitch + max(width, 2 * STRAND), LEFT + 8 * len(title)) + 12
    return figure(total, STRANDS_TOP + HEIGHT + 26, title, text, *body)
