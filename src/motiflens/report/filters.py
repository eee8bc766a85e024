"""First-layer filters: those most like a motif first, the others in a fold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from motiflens.plots import filter_grid
from motiflens.report.headline import headline_motif
from motiflens.report.parts import (
    NO_MOTIFS,
    Absent,
    Block,
    Figure,
    Heading,
    Part,
    Section,
    Text,
    held,
)
from motiflens.results import Results
from motiflens.results.tracks import Array, read_filters

BEST, REST = 8, 16


def filters_part(results: Results) -> Part:
    """Draw first-layer filters of the first seed as signed logos."""
    title = "First-layer filters"
    filters = read_filters(results)
    if not filters:
        return Absent(title, "motiflens train")
    motifs = held(results, NO_MOTIFS)
    shown = headline_motif(motifs.discovery)
    like: tuple[str, Array] | None = None
    if motifs.truth:
        like = "the true motif", np.array(motifs.truth[0].ppm, float)
    elif shown is not None:
        like = shown.name, np.array(shown.ppm, float)
    words = (
        "Weights as letter heights, each filter at its own scale, after the mean of the four "
        "weights is subtracted at every position. Letters below the line have negative weights."
    )
    if like:
        words += f" Those most correlated with {like[0]}, on either strand, come first."
    blocks: list[Block] = [Text(words)]
    for index, (model, weights) in enumerate(filters.items()):
        order = _most_alike_first(weights, like[1]) if like else list(range(len(weights)))
        blocks += [Heading(model), *_figures(model, weights, order, index)]
    return Section("filters", title, blocks)


def _figures(model: str, weights: Array, order: Sequence[int], index: int) -> list[Block]:
    name = f"First-layer filters: {model}"
    best, rest = order[:BEST], order[BEST : BEST + REST]
    svg = filter_grid(weights[list(best)], title=name, numbers=best)
    blocks: list[Block] = [Figure(svg, name, f"First seed; {len(best)} of {len(weights)}.")]
    if rest:
        more = f"{name}, the next {len(rest)}"
        svg = filter_grid(weights[list(rest)], title=more, numbers=rest)
        left = len(order) - BEST - len(rest)
        caption = f"{left} more are not shown." if left else ""
        blocks.append(Section(f"filters-{index}", more, [Figure(svg, more, caption)]))
    return blocks


def _most_alike_first(weights: Array, ppm: Array) -> list[int]:
    """Order filters by their largest correlation with a motif, over offsets and both strands."""
    like = [likeness(np.asarray(one, dtype=float), ppm) for one in weights]
    return [int(i) for i in np.argsort(-np.array(like), kind="stable")]


def likeness(one: Array, other: Array) -> float:
    """Return the largest correlation of two matrices with centred columns, at any offset or strand.

    Where one ends before the other, columns count as 0.
    """
    first, second = (matrix - matrix.mean(axis=0) for matrix in (one, other))
    size = float(np.linalg.norm(first) * np.linalg.norm(second))
    largest = 0.0
    for turned in (second, second[::-1, ::-1]):
        products = [np.convolve(a, b[::-1]) for a, b in zip(first, turned, strict=True)]
        largest = max(largest, float(np.sum(products, axis=0).max()))
    return largest / size if size else 0.0
