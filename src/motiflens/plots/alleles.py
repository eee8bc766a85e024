"""What the bases around a variant contribute, on each of its alleles: letters, hits, scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from motiflens.plots.axes import Scale, grid, round_range, y_title
from motiflens.plots.logo import LETTERS, figure_key, letter_outlines, letter_stacks
from motiflens.plots.svg import INK, MUTED, SERIES, SITE, figure, label, line, rect
from motiflens.plots.tracks import Values

STEP, LEFT, RIGHT = 14.0, 66.0, 16.0
#: Of a row: above its letters, their height, and a line of hits.
HEAD, HEIGHT, HIT = 30.0, 96.0, 16.0
TITLE = 34.0
TICKS_EVERY = 10


@dataclass(frozen=True)
class DrawnHit:
    """A hit of a motif: its columns, the end not in, and what it is called."""

    start: int
    end: int
    name: str


@dataclass(frozen=True)
class AlleleTrack:
    """An allele between its flanks.

    Parameters
    ----------
    name
        What is written above it.
    letters
        One a column; a blank where the other allele is longer, or beyond the window.
    values
        (W,): what each contributes.
    hits
        In columns of the figure.
    """

    name: str
    letters: str
    values: Values
    hits: tuple[DrawnHit, ...] = ()


def allele_tracks(
    tracks: Sequence[AlleleTrack],
    variant: tuple[int, int],
    *,
    title: str,
    start: int,
    y_label: str = "effect on the logit",
) -> str:
    """Draw alleles below each other, column below column, on one scale.

    Parameters
    ----------
    tracks
        One or more, of as many columns each.
    variant
        Its columns, the end not in; shaded.
    title
        Written above.
    start
        Position in the genome, from 1, of the first column of the first track.
    y_label
        What the height of a letter is.

    Returns
    -------
    str
        SVG.
    """
    n, key = len(tracks[0].letters), figure_key(title)
    heights = [_heights(track) for track in tracks]
    ends = [0.0, *(float(v) for one in heights for v in (one.min(), one.max()))]
    low, high = round_range(ends)
    lanes = [_lanes(track.hits) for track in tracks]
    width = LEFT + n * STEP + RIGHT
    body = [letter_outlines(key), label(title, LEFT, 20, font_size=14, font_weight="bold")]
    top = TITLE
    for track, matrix, own in zip(tracks, heights, lanes, strict=True):
        scale = Scale(low, high, top + HEAD + HEIGHT, top + HEAD)
        body.append(_row(track, matrix, scale, variant, key, y_label))
        bottom = top + HEAD + HEIGHT + 6
        body += [_hit(hit, bottom + HIT * lane) for hit, lane in zip(track.hits, own, strict=True)]
        top = bottom + HIT * (max(own, default=-1) + 1) + 6
    body.append(_positions(tracks[0].letters, variant, start, top + 8))
    body.append(label("position (bp)", (LEFT + width) / 2, top + 26, text_anchor="middle"))
    text = "; ".join(track.name for track in tracks)
    return figure(max(width, LEFT + 8 * len(title)), top + 36, title, text, *body)


def _heights(track: AlleleTrack) -> Values:
    heights = np.zeros((len(LETTERS), len(track.letters)))
    for column, letter in enumerate(track.letters):
        if letter in LETTERS:
            heights[LETTERS.index(letter), column] = track.values[column]
    return heights


def _row(
    track: AlleleTrack,
    heights: Values,
    scale: Scale,
    variant: tuple[int, int],
    key: str,
    y_label: str,
) -> str:
    right = LEFT + len(track.letters) * STEP
    first, last = variant[0], max(variant[1], variant[0] + 1)
    top, bottom = scale.end, scale.start
    absent = [LEFT + STEP * at for at in range(*variant) if track.letters[at] == " "]
    return "".join(
        [
            label(track.name, LEFT, top - 12, fill=INK),
            rect(
                *(LEFT + STEP * first, top - 6, STEP * (last - first), bottom - top + 10),
                fill=SITE,
            ),
            grid(scale, scale.ticks, LEFT, right, stroke_opacity=0.7),
            y_title(y_label, LEFT - 50, (top + bottom) / 2),
            line(LEFT, scale(0), right, scale(0)),
            letter_stacks(heights, LEFT, scale, STEP, key),
            *(line(x, scale(0), x + STEP, scale(0), stroke=SITE, stroke_width=2) for x in absent),
        ]
    )


def _lanes(hits: Sequence[DrawnHit]) -> list[int]:
    """Give each hit the first line on which it and its name meet no other."""
    free: list[float] = []
    lanes = []
    for hit in hits:
        lane = next((n for n, end in enumerate(free) if end <= hit.start), len(free))
        end = hit.start + max(hit.end - hit.start, 1 + 7.5 * len(hit.name) / STEP)
        free[lane : lane + 1] = [end]
        lanes.append(lane)
    return lanes


def _hit(hit: DrawnHit, y: float) -> str:
    x, width = LEFT + STEP * hit.start, STEP * (hit.end - hit.start)
    bar = rect(x + 1, y, width - 2, 3, fill=SERIES[0])
    return bar + label(hit.name, x + 1, y + 13, font_size=10, fill=MUTED)


def _positions(letters: str, variant: tuple[int, int], start: int, y: float) -> str:
    """Write every tenth position of the genome below the columns that it has.

    A blank in the variant is an insertion; one beside it is a base beyond the window.
    """
    parts, position = [], start
    for column, letter in enumerate(letters):
        if letter == " " and variant[0] <= column < variant[1]:
            continue
        if position % TICKS_EVERY == 0:
            x = LEFT + STEP * (column + 0.5)
            parts.append(label(f"{position:,}", x, y, text_anchor="middle", fill=MUTED))
        position += 1
    return "".join(parts)
