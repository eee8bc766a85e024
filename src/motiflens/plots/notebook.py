"""The figures of the report as matplotlib axes, for notebooks and papers.

Each function draws into ``ax``, or into a figure of its own, and returns the axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from motiflens.errors import InputError, one_of
from motiflens.plots.heatmaps import RAMP
from motiflens.plots.logo import LETTER_COLOURS, LETTERS, UNITS, Kind, letter_heights
from motiflens.plots.svg import GRID, INK, MUTED, PAPER, SERIES, SITE
from motiflens.results.comparison import Comparison
from motiflens.sequences import Site

try:
    from matplotlib import pyplot
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.font_manager import FontProperties
    from matplotlib.patches import PathPatch, Rectangle
    from matplotlib.textpath import TextPath
    from matplotlib.ticker import MaxNLocator
    from matplotlib.transforms import Affine2D
except ImportError:
    raise InputError(
        "matplotlib is not installed", remedy='install it with pip install "motiflens[plot]"'
    ) from None

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

METRICS = ("accuracy", "auroc", "auprc", "mcc")
_FONT = FontProperties(family="DejaVu Sans", weight="bold")
_OUTLINES = {base: TextPath((0, 0), base, size=1, prop=_FONT) for base in LETTERS}


class Explained(Protocol):
    """What an explanation has, such as :class:`motiflens.Attributions`."""

    @property
    def method(self) -> str:
        """Name of the method."""

    @property
    def contributions(self) -> NDArray[np.float32]:
        """(N, 4, L)."""

    @property
    def track(self) -> NDArray[np.float32]:
        """(N, L)."""

    @property
    def names(self) -> tuple[str, ...] | None:
        """Of the sequences."""


class Matrix(Protocol):
    """What a motif has, such as :class:`motiflens.Motif`."""

    @property
    def name(self) -> str:
        """Name of the motif."""

    @property
    def ppm(self) -> Floats:
        """(4, W)."""


class Compared(Protocol):
    """What a run has that compares models."""

    @property
    def results(self) -> Any:
        """With ``comparison``."""


def plot_track(
    attributions: Explained,
    index: int = 0,
    *,
    start: int = 0,
    end: int | None = None,
    sites: Sequence[Site] = (),
    ax: Axes | None = None,
) -> Axes:
    """Draw one sequence of an explanation, its letters as high as their contributions.

    Parameters
    ----------
    attributions
        As :func:`motiflens.attribute` returns them.
    index
        Which sequence, from 0.
    start, end
        The bases to draw, 0-based, the end not in; None for all.
    sites
        Intervals to shade, such as ``dataset.sites[index]``.
    ax
        Where to draw.

    Raises
    ------
    InputError
        For a sequence or a range that there is not, and where matplotlib is not installed.
    """
    if not hasattr(attributions, "contributions"):
        raise _not(attributions, "an explanation", "give what motiflens.attribute returns")
    n, _, length = attributions.contributions.shape
    stop = length if end is None else end
    if not (-n <= index < n and 0 <= start < stop <= length):
        raise InputError(
            f"index={index}, start={start}, end={end} is no part of {n} sequences of {length} bp",
            argument=("index", "start", "end"),
        )
    heights = np.asarray(attributions.contributions[index, :, start:stop], dtype=np.float64)
    axes = _axes(ax, 0.16 * (stop - start) + 1.2, 2.0)
    for site in sites:
        axes.axvspan(site.start + 0.5, site.end + 0.5, color=SITE, linewidth=0, zorder=0)
    _letters(axes, heights, first=start + 1)
    name = attributions.names[index] if attributions.names else f"sequence {index % n + 1}"
    axes.set(title=f"{name}: {attributions.method}", xlabel="position", ylabel="contribution")
    return axes


def plot_logo(
    motif: Matrix | ArrayLike, *, kind: Kind = "information", ax: Axes | None = None
) -> Axes:
    """Draw the logo of a motif.

    Parameters
    ----------
    motif
        A :class:`~motiflens.Motif`, or a matrix (4, W), rows A C G T.
    kind
        ``"information"``: probabilities as letters of up to 2 bits (Schneider and Stephens 1990);
        ``"contribution"``: the numbers of the matrix as signed heights.
    ax
        Where to draw.

    Raises
    ------
    InputError
        For a matrix of another shape or with numbers that are not finite, and where matplotlib is
        not installed.
    """
    try:
        matrix = np.asarray(getattr(motif, "ppm", motif), dtype=np.float64)
    except (TypeError, ValueError):
        remedy = "give one of a list, or Motif.from_string('TGACTCA') for letters"
        raise _not(motif, "one motif or matrix (4, W)", remedy) from None
    heights = np.asarray(letter_heights(matrix, kind), dtype=np.float64)
    axes = _axes(ax, 0.28 * heights.shape[1] + 1.0, 1.8)
    _letters(axes, heights, first=1)
    if kind == "information":
        axes.set(ylim=(0, 2), yticks=(0, 1, 2))
    axes.set(xticks=np.arange(1, heights.shape[1] + 1), ylabel=UNITS[kind])
    axes.tick_params(axis="x", labelsize=7)
    if name := getattr(motif, "name", ""):
        axes.set_title(str(name))
    return axes


def plot_attention(
    attributions: Explained | ArrayLike,
    *,
    sites: Sequence[Sequence[Site]] = (),
    ax: Axes | None = None,
) -> Axes:
    """Draw a heat map, one row a sequence, darker where the value is larger, sites outlined.

    Parameters
    ----------
    attributions
        An explanation by ``attention`` or ``rollout``, or values (N, L), none negative.
    sites
        Of each sequence, such as ``dataset.sites``; none by default.
    ax
        Where to draw.

    Raises
    ------
    InputError
        For values of another shape, as many sites as there are not sequences, and where matplotlib
        is not installed.
    """
    try:
        values = np.asarray(getattr(attributions, "track", attributions), dtype=np.float64)
    except (TypeError, ValueError):
        remedy = "give what motiflens.attribute returns, or values (N, L)"
        raise _not(attributions, "an explanation", remedy) from None
    if values.ndim != 2 or len(sites) not in (0, len(values)):
        raise InputError(
            f"values of shape {values.shape} and {len(sites)} lists of sites do not fit",
            remedy="pass values (N, L), and the sites of each of the N sequences or none",
        )
    n, length = values.shape
    axes = _axes(ax, min(0.12 * length + 2, 11), min(0.16 * n + 1.2, 8))
    ramp = LinearSegmentedColormap.from_list("report", RAMP)
    image = axes.imshow(
        values, cmap=ramp, vmin=0, aspect="auto", extent=(0.5, length + 0.5, n + 0.5, 0.5)
    )
    for row, own in enumerate(sites):
        for site in own:
            box = (site.start + 0.5, row + 0.5), site.end - site.start, 1
            for colour, linewidth in ((PAPER, 3), (SERIES[1], 1.4)):  # told apart on any blue
                outline = Rectangle(*box, fill=False, edgecolor=colour, linewidth=linewidth)
                axes.add_patch(outline)
    method = getattr(attributions, "method", "attention")
    bar = axes.figure.colorbar(image, ax=axes, pad=0.02)
    bar.set_label(f"{method} on a base", color=INK)
    bar.outline.set_visible(False)
    axes.set(xlabel="position", ylabel="sequence")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    return axes


def plot_comparison(
    run: Compared | Comparison, metric: str = "accuracy", *, ax: Axes | None = None
) -> Axes:
    """Draw the test score of every model of a run: a dot a seed, and the mean with its interval.

    Parameters
    ----------
    run
        As :func:`motiflens.load_run` returns it, or its ``results.comparison``.
    metric
        ``"accuracy"``, ``"auroc"``, ``"auprc"`` or ``"mcc"``.
    ax
        Where to draw.

    Raises
    ------
    InputError
        For another metric, a run without a comparison, and where matplotlib is not installed.
    """
    one_of("a metric", metric, METRICS, argument="metric")
    if not isinstance(run, Comparison) and not hasattr(run, "results"):
        raise _not(run, "a run", "open it with motiflens.load_run")
    comparison = run if isinstance(run, Comparison) else run.results.comparison
    models = comparison.models
    axes = _axes(ax, 1.1 * len(models) + 1.6, 2.8)
    for column, (name, model) in enumerate(models.items()):
        colour = SERIES[column % len(SERIES)]
        scores = [getattr(seed.test, metric) for seed in model.seeds]
        spread = column + np.linspace(-0.12, 0.12, len(scores)) if len(scores) > 1 else [column]
        axes.scatter(spread, scores, s=18, color=colour, alpha=0.55, linewidth=0, label=name)
        summary = getattr(model.summary, metric)
        if summary.mean is not None:
            axes.plot([column - 0.25, column + 0.25], [summary.mean] * 2, color=colour, linewidth=2)
        if summary.low is not None and summary.high is not None:
            axes.vlines(column, summary.low, summary.high, color=colour, linewidth=1.5)
    best = max((getattr(b, metric) for b in comparison.baselines.values()), default=None)
    if best is not None:
        axes.axhline(best, color=MUTED, linewidth=1, linestyle=(0, (2, 2)))
        axes.annotate(
            "best baseline",
            (1, best),
            (-2, 2),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            ha="right",
            fontsize=7,
            color=MUTED,
        )
    low, high = axes.get_ylim()
    axes.set(ylim=(min(low, 0.94) if metric != "mcc" else low, min(high, 1.005)))
    axes.set(xticks=range(len(models)), xlim=(-0.6, len(models) - 0.4))
    axes.set_xticklabels(list(models))
    named = metric if metric == "accuracy" else metric.upper()
    axes.set(ylabel=f"test {named}")
    return axes


def _not(value: object, what: str, remedy: str) -> InputError:
    shown = repr(value) if isinstance(value, str) else f"a {type(value).__name__}"
    return InputError(f"{shown} is not {what}", remedy=remedy)


def _axes(ax: Axes | None, width: float, height: float) -> Axes:
    """Return axes in the report's colours, in a new figure of a size in inches where none are."""
    if ax is None:
        _, ax = pyplot.subplots(figsize=(width, height), layout="constrained")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(GRID)
    ax.tick_params(colors=MUTED, labelsize=8)
    ax.title.set(fontsize=9, color=INK)
    for axis in (ax.xaxis, ax.yaxis):
        axis.label.set(fontsize=8, color=INK)
    return ax


def _letters(axes: Axes, heights: Floats, first: int) -> None:
    """Stack the letters of (4, W) on either side of 0, the largest outermost."""
    for column, values in enumerate(heights.T):
        top = bottom = 0.0
        for row in np.argsort(np.abs(values), kind="stable"):
            value = float(values[row])
            if value == 0:
                continue
            base = top if value > 0 else bottom + value
            top, bottom = (top + value, bottom) if value > 0 else (top, bottom + value)
            outline = _OUTLINES[LETTERS[row]]
            box = outline.get_extents()
            fit = Affine2D().translate(-box.x0, -box.y0)
            fit = fit.scale(0.94 / box.width, abs(value) / box.height)
            fit = fit.translate(first + column - 0.47, base)
            patch = PathPatch(
                outline, transform=fit + axes.transData, color=LETTER_COLOURS[LETTERS[row]], lw=0
            )
            axes.add_patch(patch)
    axes.axhline(0, color=MUTED, linewidth=0.8)
    low, high = np.minimum(heights, 0).sum(axis=0).min(), np.maximum(heights, 0).sum(axis=0).max()
    room = 0.04 * max(high - low, 1e-12)
    axes.set_xlim(first - 0.6, first + heights.shape[1] - 0.4)
    axes.set_ylim(low - room if low < 0 else 0, high + room if high > 0 else room)
