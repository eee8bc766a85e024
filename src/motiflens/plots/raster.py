"""Figures as pixels."""

from __future__ import annotations

import resvg_py


def png(svg: str, *, zoom: float = 2.0) -> bytes:
    """Draw an SVG figure as PNG.

    Letters of logos are outlines, the same everywhere; numbers and titles are in a font without
    serifs of the machine, and are missing where it has no fonts.

    Parameters
    ----------
    svg
        A figure of ours.
    zoom
        Pixels of the picture for one of the figure.
    """
    return resvg_py.svg_to_bytes(svg_string=svg, zoom=zoom)
