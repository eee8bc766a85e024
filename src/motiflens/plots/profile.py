"""Where sites lie in their sequences, as bars."""

from __future__ import annotations

from collections.abc import Sequence

from motiflens.plots.axes import Scale, y_title
from motiflens.plots.svg import MUTED, SERIES, figure, label, line, rect

WIDTH, LEFT, RIGHT, TOP, HEIGHT = 320.0, 52.0, 10.0, 8.0, 92.0


def position_profile(counts: Sequence[int], *, title: str, y_label: str = "sequences") -> str:
    """Draw counts along the sequence, from its first place to its last.

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
    bottom, most = TOP + HEIGHT, max(*counts, 1)
    scale = Scale(0.0, float(most), bottom, TOP)
    step = (WIDTH - LEFT - RIGHT) / len(counts)
    body = [y_title(y_label, 14, TOP + HEIGHT / 2)]
    body += [
        label(tick, LEFT - 6, scale(tick) + 4, text_anchor="end", fill=MUTED) for tick in (0, most)
    ]
    for index, count in enumerate(counts):
        x, y = LEFT + index * step + 0.5, scale(count)
        body.append(rect(x, y, step - 1, bottom - y, fill=SERIES[0]))
    body.append(line(LEFT, bottom, WIDTH - RIGHT, bottom))
    ends = ((LEFT, "start", "first"), ((LEFT + WIDTH - RIGHT) / 2, "middle", "centre"))
    for x, anchor, text in (*ends, (WIDTH - RIGHT, "end", "last place")):
        body.append(label(text, x, bottom + 16, text_anchor=anchor, fill=MUTED))
    description = f"{y_label} in {len(counts)} bins from the first place to the last: "
    return figure(WIDTH, bottom + 24, title, description + ", ".join(map(str, counts)), *body)
