"""A motif's logo, and that of its reverse complement beside it."""

from __future__ import annotations

import numpy as np

from motiflens.plots.logo import (
    COLUMN,
    HEIGHT,
    LEFT,
    Kind,
    Matrix,
    axis_title,
    column_numbers,
    figure_key,
    height_axis,
    height_scale,
    letter_heights,
    outlines,
    stacks,
    top_bases,
)
from motiflens.plots.svg import INK, MUTED, figure, label, line

_TOP, _GAP, _RIGHT = 50.0, 24.0, 12.0
_STRAND = 60.0  # room for the name of the strand above a narrow logo; its reverse needs two


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
        See `letter_heights`.
    """
    heights = letter_heights(matrix, kind)
    width = heights.shape[1] * COLUMN
    scale = height_scale(heights, kind, _TOP + HEIGHT, _TOP)
    key = figure_key(title)
    ticks = (0, 1, 2) if kind == "information" else scale.ticks
    name = axis_title(kind)
    pitch = max(width, _STRAND) + _GAP
    body = [
        outlines(key),
        label(title, LEFT, 18, font_size=13, fill=INK, font_weight="bold"),
        height_axis(scale, LEFT, name, ticks),
    ]
    panels = (("forward", heights), ("reverse complement", np.flip(heights)))
    for number, (strand, shown) in enumerate(panels):
        left = LEFT + number * pitch
        body += [
            label(strand, left, 38, font_size=11, fill=MUTED),
            line(left, scale(0), left + width, scale(0)),
            stacks(shown, left, scale, COLUMN, key),
            column_numbers(heights.shape[1], left, _TOP + HEIGHT + 18),
        ]
    text = f"{name} of {top_bases(heights)}; beside it the reverse complement"
    total = max(LEFT + pitch + max(width, 2 * _STRAND), LEFT + 8 * len(title)) + _RIGHT
    return figure(total, _TOP + HEIGHT + 26, title, text, *body)
