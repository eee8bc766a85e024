"""The tutorial told with a run's own numbers; only in runs of the tutorial's attention model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec import UNSET

from motiflens.plots import glass_picture, keys_picture, query_picture, scores_picture
from motiflens.report.explained import Explained
from motiflens.report.motifs import exact_count
from motiflens.report.parts import (
    NO_MOTIFS,
    Figure,
    Link,
    Part,
    Row,
    Section,
    Table,
    Text,
    held,
    number,
    percent,
    signed,
)
from motiflens.results import Results
from motiflens.results.explanations import AttentionContrast, AttentionSteps, UnitWeights
from motiflens.results.tracks import Tracks, read_sites
from motiflens.sequences import Site

MODEL = "tutorial-attention"
#: What a plain and our Transformer reach, as docs/background/tutorial.md has it: training
#: sequences, test accuracies of `transformer` and of `hybrid`.
WITHOUT_CONVOLUTION = (
    ("50", "99.8, 100, 97.5 %", "88.8, 85.5, 86.8 %"),
    ("200", "100, 100, 100 %", "99.5, 100, 100 %"),
    ("800 and 1,600", "100, 100, 100 %", "100, 100, 100 %"),
)


@dataclass(frozen=True, eq=False)
class _Bar:
    """The example: its units, its steps to the logit, its letters and its true sites."""

    units: UnitWeights
    steps: AttentionSteps
    sites: Sequence[Site]

    @property
    def length(self) -> int:
        """Bases of the sequence."""
        return len(self.units.stretched)

    @property
    def seen(self) -> int:
        """Bases from the first on that reach any unit."""
        return min(self.length, self.bases(len(self.units.weights) - 1)[1])

    def bases(self, unit: int) -> tuple[int, int]:
        """Return the half-open interval of bases that a unit sees."""
        start = self.units.first + self.units.stride * unit
        return start, start + self.units.width

    @property
    def on_site(self) -> list[int]:
        """Units that see as many bases of the first true site as any unit does."""
        if not self.sites:
            return []
        a, b = self.sites[0].start, self.sites[0].end
        shared = [min(b, end) - max(a, start) for start, end in map(self.bases, range(self.n))]
        return [unit for unit, n in enumerate(shared) if n == max(shared) and n > 0]

    @property
    def n(self) -> int:
        """Number of units."""
        return len(self.units.weights)


def tutorial_parts(results: Results, explained: Explained | None) -> list[Part]:
    """Lay out the tutorial's story, pitfalls and figures; nothing in a run of other models."""
    contrast = results.attention.models.get(MODEL) if results.holds("attention") else None
    if contrast is None or contrast.example is UNSET or contrast.steps is UNSET:
        return []
    sites = read_sites(results)
    bar = _Bar(contrast.example, contrast.steps, sites.get(contrast.example.sequence, []))
    tracks = explained.tracks.get(MODEL, {}) if explained else {}
    return [
        _bartender(bar),
        Section("pitfalls", "Three pitfalls", [_pitfalls(bar, sites, tracks, contrast)]),
        _transformer(),
        Section("figures", "Where the tutorial's figures are", [_figures(results, contrast)]),
    ]


def _bartender(bar: _Bar) -> Section:
    """Tell query, keys, scores, weights and context as a bar, in four pictures."""
    title, steps, n = "The bartender, in four pictures", bar.steps, bar.n
    text = (
        f"You sit at a bar with {n} bottles and say in one sentence what you feel like. The "
        "barkeeper holds it against every label, turns how well they match into fractions, and "
        "pours by these fractions into one glass. "
        f"Here with the numbers of {MODEL}, first seed, for {bar.units.sequence}. "
        "Units and bases are counted from 1."
    )
    names = [f"{i}. {name}" for i, name in enumerate(
        ("The bottles", "What the guest asks for", "How well each label matches", "The glass"), 1
    )]  # fmt: skip
    parts = [
        ("from the glass", steps.from_context),
        ("from the units directly", steps.from_filters),
        ("bias", steps.bias),
        ("logit", steps.logit),
    ]
    figures = (
        (keys_picture(steps.keys, bar.on_site, title=names[0]), _of_bottles(bar)),
        (query_picture(steps.query, title=names[1]), _of_query(steps)),
        (scores_picture(steps.scores, steps.weights, bar.on_site, title=names[2]), _of_scores(bar)),
        (glass_picture(steps.weights, parts, title=names[3]), _of_glass(steps)),
    )
    row = [Figure(svg, name, words, "paper step") for name, (svg, words) in
           zip(names, figures, strict=True)]  # fmt: skip
    return Section("bartender", title, [Text(text), Row(row)])


def _of_bottles(bar: _Bar) -> str:
    words = (
        f"Each of {bar.n} units sees {bar.units.width} bases. What its {len(bar.steps.query)} "
        "filters answer is its label, the key, and its content, the value; the darker, the more."
    )
    if bar.sites:
        site = bar.sites[0]
        words += f" Shaded: who sees most of the motif at bases {site.start + 1}–{site.end}."
    return words


def _of_query(steps: AttentionSteps) -> str:
    most = int(np.argmax(steps.query))
    return (
        "The guest is the sequence itself: the query is the mean of the "
        f"{len(steps.keys)} labels. Filter {most + 1} asks for most: {steps.query[most]:.2f}."
    )


def _of_scores(bar: _Bar) -> str:
    weights = bar.steps.weights
    best = int(np.argmax(weights))
    start, end = bar.bases(best)
    return (
        "Bars: the scores, of which only differences count. Above them the weights they become by "
        f"softmax, in per cent of the glass. Unit {best + 1}, which sees bases {start + 1}–{end}, "
        f"is given {percent(weights[best], 0)}."
    )


def _of_glass(steps: AttentionSteps) -> str:
    return (
        "The context: the contents mixed by weight. Beside it what adds up to the logit: the glass "
        f"gives {signed(steps.from_context, 2, '+')}, the units directly "
        f"{signed(steps.from_filters, 2, '+')}, past all attention. So weights alone do not "
        "say what decides."
    )


def _pitfalls(
    bar: _Bar,
    sites: Mapping[str, Sequence[Site]],
    tracks: Mapping[str, Tracks],
    contrast: AttentionContrast,
) -> Table:
    rows = [
        ["Dimensions must add up", _dimensions(bar), _dropped(bar, sites, tracks)],
        [
            "No gradients under no_grad",
            "Inside torch.no_grad() nothing is recorded, and backward() ends in an error. "
            "model.eval() is something else, and leaves gradients alone.",
            _gradients(tracks),
        ],
        [
            "The mean of an empty slice",
            f"The weights are {bar.n} numbers for {bar.n} units, not {bar.length} for "
            f"{bar.length} bases: a slice by the motif's bases is empty, or holds wrong units.",
            _slices(bar, sites, contrast),
        ],
    ]
    return Table(["Pitfall", "What happens", "What this run shows"], rows, "The note's pitfalls")


def _dimensions(bar: _Bar) -> str:
    stride, kernel = bar.units.stride, bar.units.width - bar.units.stride + 1
    positions = bar.length - kernel + 1
    left = positions - stride * bar.n
    return (
        f"A kernel of width {kernel} has {positions} positions in {bar.length} bases. Pooled by "
        f"{stride} they make {bar.n} units, and the last {left} are dropped without an error."
    )


def _dropped(bar: _Bar, sites: Mapping[str, Sequence[Site]], tracks: Mapping[str, Tracks]) -> str:
    if bar.seen == bar.length:
        return "No base is dropped."
    words = f"Bases {bar.seen + 1}–{bar.length} reach no unit."
    if "ism" in tracks:
        most = float(np.abs(tracks["ism"].values[:, bar.seen : bar.length]).max(initial=0))
        words += f" The largest effect of mutating one of them: {number(most, 3)}."
    ends = [site.end for own in sites.values() for site in own]
    n = sum(end > bar.seen for end in ends)
    return f"{words} {n:,} of {len(ends):,} motifs reach into them."


def _gradients(tracks: Mapping[str, Tracks]) -> str:
    saliency = tracks.get("tutorial-saliency") or tracks.get("saliency")
    if saliency is None:
        return "This run holds no saliency."
    largest = np.abs(saliency.values).max(axis=1)
    return (
        f"Computed outside of it: {int((largest > 0).sum()):,} of {len(largest):,} explained "
        f"sequences have gradients, the largest {largest.max():.3g}."
    )


def _slices(bar: _Bar, sites: Mapping[str, Sequence[Site]], contrast: AttentionContrast) -> str:
    starts = [site.start for own in sites.values() for site in own]
    empty = sum(start >= bar.n for start in starts)
    words = (
        f"Of {len(starts):,} motifs {empty:,} give an empty slice (nan) and "
        f"{len(starts) - empty:,} the weights of wrong units, without a warning."
    )
    if contrast.motif is None or contrast.background is None:
        return words
    return (
        f"{words} On the bases that units see, attention is {contrast.motif.mean:.2f} times the "
        f"even share on the motif and {contrast.background.mean:.2f} times beside it."
    )


def _transformer() -> Section:
    """Tell what attention needs in place of the convolution; measured beside, not in this run."""
    text = (
        "Not of this run, but measured on data of the same kind (seeds 0, 1 and 2, 400 test "
        "sequences; the tutorial's page in the docs). A plain Transformer over bases with learned "
        "positions stops at 71–75 %, what base composition gives. It needs heads that know "
        "offsets: a learned bias for each distance between two bases, which starts at a head's "
        "own offset. Their attention then explains nothing, as heads look at fixed offsets: "
        "mutagenesis and saliency show the motif."
    )
    head = [
        "Training sequences",
        "transformer, test accuracy",
        "hybrid: convolution, then attention",
    ]
    table = Table(head, WITHOUT_CONVOLUTION, "Attention in place of the convolution")
    return Section("transformer", "What the Transformer needed", [Text(text), table])


def _figures(results: Results, contrast: AttentionContrast) -> Table:
    """Name each figure of the tutorial, where it is, and what is better about it here."""
    n_seeds = len(results.explained.get(MODEL, ()))
    model = held(results, NO_MOTIFS).models.get(MODEL)
    stretched, exact = (exact_count(model, r) for r in ("attention-stretched", "attention"))
    watched = [
        ("Two accuracy curves", "Test Accuracy Comparison", "accuracy",
         f"Mean and range of {n_seeds} seeds, not one training."),
        ("Bars of epochs", "Convergence Speed", "convergence",
         "Epochs counted from 1, with an interval over seeds."),
    ]  # fmt: skip
    rows = [
        *(watched if results.holds("comparison") and results.comparison.target else []),
        ("Gradient bars per base", "Saliency Map", "saliency",
         "Letters and the true site below; then with gradient correction."),
        ("Heat map along the sequence", "Attention Weights Distribution", "attention",
         "Weights on the bases that units see, not stretched."),
        ("Motif against background", "Attention Weights at Motif Positions", "attention-motif",
         f"{contrast.n:,} test positives, and negatives as a null."),
        ("Heat map of the motif with numbers", "Reconstructed Motif PWM from Attention Maxima",
         "reconstructed", f"The motif itself in {exact[0]} of {exact[1]} seeds; stretched, as in "
         f"the tutorial, in {stretched[0]} of {stretched[1]}."),
        ("Pictures of the filters", "First-layer filters", "filters",
         "As logos, those most like the motif first."),
    ]  # fmt: skip
    cells: list[tuple[str, Link, str]] = [
        (figure, Link(name, id), better) for figure, name, id, better in rows
    ]
    return Table(["The tutorial's figure", "Here", "What is better"], cells, "Figures of the note")
