"""SVG elements as text: escaping, numbers, the frame of a figure."""

from __future__ import annotations

import re
from html import escape

INK = "#1b1f24"
MUTED = "#57606a"
GRID = "#d8dee4"
PAPER = "#ffffff"
SITE = "#ffe8a3"

# The first four after Okabe and Ito (2008), darkened; the others found by search, so that any two
# differ by 10 in CIE 1976 L*a*b* or more, also for readers without one kind of cone (Machado et
# al., IEEE TVCG 15:1291, 2009), and stand out from white paper by 3 to 1.
SERIES = ("#0072b2", "#c04f00", "#00805e", "#a8477f", "#110077", "#bb8855", "#9911ee", "#442200",
          "#ff33ee", "#660044", "#0033bb", "#774433", "#662277")  # fmt: skip

MONOSPACE = "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"

# XML 1.0 knows no other control characters, and UTF-8 no lone surrogates.
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def escaped(content: object) -> str:
    """Make any text inert inside SVG or HTML, in an element as well as in an attribute."""
    return escape(_NOT_XML.sub("\ufffd", str(content)), quote=True)


def number(value: float) -> str:
    """Write a coordinate in pixels with at most two decimals and no negative zero."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def element(tag: str, *children: str, **attributes: str | float) -> str:
    """Write one element.

    Parameters
    ----------
    tag
        Name of the element.
    *children
        Markup inside it, taken as it is; text goes through `escaped` first.
    **attributes
        Escaped; an underscore stands for a hyphen, numbers are written as coordinates.
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="'
        f'{escaped(value) if isinstance(value, str) else number(value)}"'
        for name, value in attributes.items()
    )
    if not children:
        return f"<{tag}{written}/>"
    return f"<{tag}{written}>{''.join(children)}</{tag}>"


def rect(x: float, y: float, width: float, height: float, **attributes: str | float) -> str:
    """Write a rectangle with its upper left corner at (x, y)."""
    return element("rect", x=x, y=y, width=width, height=height, **attributes)


def line(x1: float, y1: float, x2: float, y2: float, **attributes: str | float) -> str:
    """Write a straight line; grey where no stroke is named."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, **{"stroke": MUTED, **attributes})


def label(content: object, x: float, y: float, **attributes: str | float) -> str:
    """Write a text of 12 px whose baseline starts at (x, y)."""
    settings = {"font_size": 12, "fill": INK, **attributes}
    return element("text", escaped(content), x=x, y=y, **settings)


def tip(content: object) -> str:
    """Write the name that a browser shows when the pointer rests on the parent element."""
    return element("title", escaped(content))


def figure(width: float, height: float, title: str, description: str, *body: str) -> str:
    """Frame a figure: white paper, a name and a description for those who cannot see it.

    Parameters
    ----------
    width, height
        Size in pixels.
    title, description
        Read out by screen readers; `title` also shows when the pointer rests on the figure.
    *body
        Markup of the figure.
    """
    return element(
        "svg",
        tip(title),
        element("desc", escaped(description)),
        rect(0, 0, width, height, fill=PAPER),
        *body,
        xmlns="http://www.w3.org/2000/svg",
        width=width,
        height=height,
        viewBox=f"0 0 {number(width)} {number(height)}",
        role="img",
        font_family="system-ui, -apple-system, Segoe UI, Roboto, sans-serif",
    )
