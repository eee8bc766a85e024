"""Predicted against measured values, a point each."""

from __future__ import annotations

from collections.abc import Sequence

from motiflens.plots.axes import Axes, Scale, round_range
from motiflens.plots.svg import MUTED, SERIES, element, figure, line, number

SIDE, LEFT, RIGHT, TOP, BELOW = 240.0, 76.0, 12.0, 8.0, 48.0
RADIUS = 2.0


def scatter_chart(
    measured: Sequence[float],
    predicted: Sequence[float],
    title: str,
    x_label: str,
    y_label: str,
) -> str:
    """Draw points in a square, both scales the same, with the line on which they are equal.

    Parameters
    ----------
    measured, predicted
        Across and upwards, of one length.
    title, x_label, y_label
        Names of the figure and its axes, with units.

    Returns
    -------
    str
        SVG, 328 px wide.
    """
    low, high = round_range([*measured, *predicted])
    axes = Axes(
        Scale(low, high, LEFT, LEFT + SIDE), Scale(low, high, TOP + SIDE, TOP), x_label, y_label
    )
    equal = line(
        axes.x(low), axes.y(low), axes.x(high), axes.y(high), stroke=MUTED, stroke_dasharray="4 3"
    )
    # One path of all points: a round cap makes a dot of a line without length.
    dots = "".join(
        f"M{number(axes.x(x))} {number(axes.y(y))}h0"
        for x, y in zip(measured, predicted, strict=True)
    )
    points = element(
        "path",
        d=dots or "M0 0",
        stroke=SERIES[0],
        stroke_width=2 * RADIUS,
        stroke_linecap="round",
        stroke_opacity=0.5,
        fill="none",
    )
    description = f"{y_label} by {x_label} of {len(measured)} sequences."
    width, height = LEFT + SIDE + RIGHT, TOP + SIDE + BELOW
    return figure(width, height, title, description, axes.draw(), equal, points)
