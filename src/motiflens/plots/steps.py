"""The steps of additive attention, from the keys of units to the logit, as four small pictures."""

from __future__ import annotations

from collections.abc import Sequence

from motiflens.plots.axes import Scale, grid, linear_ticks, round_range
from motiflens.plots.heatmaps import RAMP, shade
from motiflens.plots.svg import INK, MUTED, PAPER, SERIES, SITE, figure, label, line, rect

WIDTH, LEFT, TOP, ROOM = 300.0, 34.0, 26.0, 192.0
RIGHT, BOTTOM = WIDTH - 10, TOP + ROOM
HEIGHT = BOTTOM + 44


def keys_picture(keys: Sequence[Sequence[float]], on_site: Sequence[int], *, title: str) -> str:
    """Draw the keys (U, F) as columns of a heat map, darker where a filter answers more.

    Parameters
    ----------
    keys
        (U, F), not negative.
    on_site
        Units whose columns are marked.
    title
        Name of the figure.
    """
    n_filters, most = len(keys[0]), max((max(key) for key in keys), default=0.0) or 1.0
    step, row = (RIGHT - LEFT) / len(keys), ROOM / n_filters
    cells = [
        rect(LEFT + step * unit + 1, TOP + row * i, step - 2, row, fill=shade(value / most))
        for unit, key in enumerate(keys)
        for i, value in enumerate(key)
        if value > 0
    ]
    body = [_marks(on_site, step), *cells, _units(len(keys)), _filters(n_filters)]
    text = f"keys of {len(keys)} units by {n_filters} filters, at most {most:.3g}"
    return figure(WIDTH, HEIGHT, title, text, *body)


def query_picture(query: Sequence[float], *, title: str) -> str:
    """Draw the query (F,) as one bar a filter, in the order of the keys' rows."""
    most, row = max(query) or 1.0, ROOM / len(query)
    bars = [
        rect(
            LEFT, TOP + row * i + 0.5, (RIGHT - LEFT) * max(value, 0) / most, row - 1, fill=RAMP[1]
        )
        for i, value in enumerate(query)
    ]
    ends = label("0", LEFT, BOTTOM + 16, fill=MUTED)
    ends += label(f"{most:.3g}", RIGHT, BOTTOM + 16, text_anchor="end", fill=MUTED)
    axis = line(LEFT, TOP, LEFT, BOTTOM)
    text = f"query of {len(query)} filters, at most {most:.3g}"
    return figure(WIDTH, HEIGHT, title, text, *bars, axis, ends, _filters(len(query)))


def scores_picture(
    scores: Sequence[float], weights: Sequence[float], on_site: Sequence[int], *, title: str
) -> str:
    """Draw the scores (U,) as bars, and above each the weight (U,) that it becomes."""
    # Only differences count for a softmax, so bars may start anywhere: at the lowest tick.
    scale = Scale(*round_range(scores), BOTTOM, TOP + 12)
    step = (RIGHT - LEFT) / len(scores)
    body = [_marks(on_site, step)]
    body.append(grid(scale, linear_ticks(scale.low, scale.high, 4), LEFT, RIGHT))
    for unit, (score, weight) in enumerate(zip(scores, weights, strict=True)):
        x, y = LEFT + step * unit, scale(score)
        body.append(rect(x + 3, y, step - 6, BOTTOM - y, fill=SERIES[0]))
        middle = {"text_anchor": "middle", "font_weight": "bold" if weight >= 0.1 else "normal"}
        body.append(label(_percent(weight), x + step / 2, y - 4, font_size=10, **middle))
    best = max(range(len(weights)), key=weights.__getitem__)
    text = f"scores of {len(scores)} units; unit {best + 1} has {_percent(weights[best])} %"
    return figure(WIDTH, HEIGHT, title, text, *body, line(LEFT, BOTTOM, RIGHT, BOTTOM),
                  _units(len(scores)))  # fmt: skip


def glass_picture(
    weights: Sequence[float], parts: Sequence[tuple[str, float]], *, title: str
) -> str:
    """Draw the weights (U,) as layers of a glass, and beside it what adds up to the logit.

    Parameters
    ----------
    weights
        Of each unit; they add up to 1.
    parts
        Name and size of each part of the logit, and their sum last.
    title
        Name of the figure.
    """
    left, width, y = LEFT + 4, 74.0, BOTTOM
    body = []
    order = sorted(range(len(weights)), key=weights.__getitem__, reverse=True)
    for place, unit in enumerate(order):
        height = ROOM * weights[unit]
        y -= height
        fraction = 0.85 - 0.7 * place / max(len(weights) - 1, 1)
        body.append(
            rect(left, y, width, height, fill=shade(fraction), stroke=PAPER, stroke_width=0.5)
        )
        if height >= 14:
            ink = PAPER if fraction > 0.45 else INK
            text = f"{unit + 1}: {_percent(weights[unit])} %"
            middle = (left + width / 2, y + height / 2 + 4)
            body.append(label(text, *middle, text_anchor="middle", fill=ink))
    right = left + width
    body += [
        line(*ends, stroke=INK, stroke_width=2)
        for ends in (
            (left, TOP - 8, left, BOTTOM),
            (right, TOP - 8, right, BOTTOM),
            (left, BOTTOM, right, BOTTOM),
        )
    ]
    column = right + 18
    for place, (name, value) in enumerate(parts):
        top, last = TOP + 22 + 44 * place, place == len(parts) - 1
        look = {"font_weight": "bold"} if last else {}
        number = f"{value:{'' if last else '+'}.2f}".replace("-", "−")
        body += [
            label(name, column, top, fill=MUTED),
            label(number, column, top + 17, font_size=15, **look),
        ]
    text = "layers of the glass; " + ", ".join(f"{name} {value:.2f}" for name, value in parts)
    return figure(WIDTH, HEIGHT, title, text, *body)


def _percent(weight: float) -> str:
    return f"{100 * weight:.0f}"


def _marks(units: Sequence[int], step: float) -> str:
    return "".join(
        rect(LEFT + step * unit, TOP - 14, step, ROOM + 18, fill=SITE, class_="site")
        for unit in units
    )


def _units(n: int) -> str:
    step = (RIGHT - LEFT) / n
    numbers = (
        label(unit + 1, LEFT + step * (unit + 0.5), BOTTOM + 18, text_anchor="middle", fill=MUTED)
        for unit in range(n)
    )
    return "".join(numbers) + label("unit", (LEFT + RIGHT) / 2, BOTTOM + 36, text_anchor="middle")


def _filters(n: int) -> str:
    y = (TOP + BOTTOM) / 2
    turned = {"transform": f"rotate(-90 14 {y:g})", "text_anchor": "middle"}
    return label(f"{n} filters", 14, y, **turned)
