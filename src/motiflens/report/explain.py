"""Sections on explanations: tracks of one sequence, attention over many, sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec import UNSET

from motiflens.plots import attention_heatmap, bar_chart, base_track, units_track
from motiflens.plots.charts import Bar
from motiflens.plots.tracks import Interval, Values
from motiflens.report.parts import (
    Absent,
    Block,
    Figure,
    Part,
    Section,
    Table,
    Text,
    bar,
    finite,
    percent,
)
from motiflens.results import Results
from motiflens.results.base import Interval as Mean
from motiflens.results.explanations import AttentionContrast
from motiflens.results.tracks import Tracks, read_sites, read_tracks
from motiflens.sequences import Site

EXPLAIN = "motiflens explain"
MAX_BASES, MAX_ROWS = 120, 40
TRACK_LABELS = {
    "saliency": "largest |∂logit/∂x|",
    "tutorial-saliency": "largest |∂logit/∂x|",
    "ism": "effect on the logit",
    "attention": "attention weight on a base",
}
#: How the height of a bar is to be read, by section.
HOW_TO_READ = {
    "saliency": "A tall bar: the logit would change fast if this base changed a little; the sign "
    "is not shown.",
    "ism": "Above the line: the base raises the logit over the mean of all four bases there; "
    "below: it lowers it.",
}
#: Methods whose contributions add up to a difference of logits, and to which.
SUMS = {
    "deeplift_shap": "the logit less the mean logit of its shuffles",
    "expected_gradients": "the logit less the mean logit of its shuffles",
    "integrated_gradients": "the logit less that of ¼ of every base",
}


@dataclass(frozen=True, eq=False)
class _Explained:
    """Model → method → tracks, sequence → true sites, and the sequence that is shown."""

    tracks: Mapping[str, Mapping[str, Tracks]]
    sites: Mapping[str, Sequence[Site]]

    @property
    def example(self) -> str | None:
        """The first sequence that every explanation has, with a true site if any."""
        files = [tracks for methods in self.tracks.values() for tracks in methods.values()]
        if not files:
            return None
        shared = set.intersection(*(set(tracks.names) for tracks in files))
        candidates = [name for name in files[0].names if name in shared]
        return next((n for n in candidates if self.sites.get(n)), next(iter(candidates), None))

    def intervals(self, name: str) -> list[Interval]:
        """Return where the true sites of a sequence are."""
        return [(site.start, site.end) for site in self.sites.get(name, [])]


def explain_parts(results: Results) -> list[Part]:
    """Lay out tracks, attention maps, sums of contributions and first-layer filters."""
    explained = _Explained(read_tracks(results), read_sites(results))
    mutagenesis = "Saturation mutagenesis"
    of_attention = (
        _stretched_and_exact(results, explained),
        _attention_distribution(explained),
        _attention_at_motifs(results),
    )
    return [
        _saliency_maps(explained),
        _method_tracks(explained, "ism", mutagenesis, {"ism": mutagenesis}),
        *(part for part in of_attention if part),
        sums_section(results),
    ]


def _saliency_maps(explained: _Explained) -> Part:
    """Draw each model's saliency as the tutorial computes it, and after gradient correction."""
    title = "Saliency Map"
    if not any("tutorial-saliency" in methods for methods in explained.tracks.values()):
        return _method_tracks(explained, "saliency", title, {"saliency": title})
    names = {"tutorial-saliency": title, "saliency": f"{title}, gradient correction"}
    part = _method_tracks(explained, "saliency", title, names)
    text = Text(
        "First as the tutorial computes it, then after gradient correction: the mean over the four "
        "bases is subtracted from the gradient, as it is arbitrary where one-hot columns always "
        "add up to 1."
    )
    return Section(part.id, title, [text, *part.blocks]) if isinstance(part, Section) else part


def _method_tracks(explained: _Explained, id: str, title: str, names: Mapping[str, str]) -> Part:
    """Draw tracks of every model on the same sequence; `names` of figures by method."""
    figures = [
        _track_figure(explained, tracks[method], f"{words}: {model}", method)
        for model, tracks in explained.tracks.items()
        for method, words in names.items()
        if method in tracks
    ]
    if not figures:
        return Absent(title, EXPLAIN)
    return Section(id, title, [Text(f"{HOW_TO_READ[id]} {_example_text(explained)}"), *figures])


def _example_text(explained: _Explained) -> str:
    name = explained.example
    sites = explained.sites.get(name or "", [])
    where = "; ".join(f"{s.name} at {s.start + 1}–{s.end}, strand {s.strand}" for s in sites)
    shaded = f"Shaded: true site ({where})." if where else "No true site is known."
    return (
        f"One positive of the test split, the first seed of each model: {name}. {shaded} "
        "Positions count from 1."
    )


def _track_figure(explained: _Explained, tracks: Tracks, title: str, method: str) -> Figure:
    name = explained.example if explained.example in tracks.names else tracks.names[0]
    return track_figure(tracks, name, explained.intervals(name), title, TRACK_LABELS[method])


def track_figure(
    tracks: Tracks, name: str, sites: Sequence[Interval], title: str, y_label: str
) -> Figure:
    """Draw the track of one sequence, of a long one around its first site or strongest base."""
    index = tracks.names.index(name)
    sequence = tracks.sequence(index)
    values = tracks.values[index, : len(sequence)]
    first, last = _window(len(sequence), sites, values)
    svg = base_track(
        sequence[first:last],
        values[first:last],
        sites,
        title=title,
        y_label=y_label,
        start=first,
    )
    cut = f"Bases {first + 1}–{last} of {len(sequence)}." if last - first < len(sequence) else ""
    return Figure(svg, title, cut)


def _window(length: int, sites: Sequence[Interval], values: Values) -> tuple[int, int]:
    """Cut long sequences to the bases around the first site, or else the strongest base."""
    centre = sum(sites[0]) // 2 if sites else int(np.abs(values).argmax())
    first = max(0, min(centre - MAX_BASES // 2, length - MAX_BASES))
    return first, min(length, first + MAX_BASES)


def sums_section(results: Results) -> Part:
    """Lay out how much of the logits' differences the contributions of each method miss.

    Checks without a note are of a version that measured them before gradient correction: they say
    nothing of the contributions that it kept.
    """
    title = "Do the contributions add up"
    rows = []
    for model, checks in results.checks.items():
        for method, sum_in_words in SUMS.items():
            check = checks.methods.get(method)
            if check and check.completeness_note is not UNSET and finite(check.completeness):
                note = check.completeness_note or "adds up"
                missed = percent(check.completeness, 2)
                rows.append([f"{model}, {method}", sum_in_words, missed, note])
    if not rows:
        return Absent(title, EXPLAIN)
    caption = (
        "Mean absolute difference between the sum of a sequence's contributions and what they "
        "should add up to, as a fraction of the mean absolute value of that, over the explained "
        "positives. A correct sum does not show that each base's contribution is correct."
    )
    head = ["Model, method", "Should add up to", "Misses", "Result"]
    return Section("sums", title, [Table(head, rows, title, caption)])


def _attention_distribution(explained: _Explained) -> Part | None:
    """Draw attention on every base: many positives as a heat map, one as a track."""
    title = "Attention Weights Distribution"
    if not explained.tracks:
        return Absent(title, EXPLAIN)
    blocks: list[Block] = []
    for model, methods in explained.tracks.items():
        if tracks := methods.get("attention"):
            one = f"Attention on one sequence: {model}"
            blocks.append(_attention_map(explained, tracks, f"{title}: {model}"))
            blocks.append(_track_figure(explained, tracks, one, "attention"))
    text = "Each unit's weight is split evenly over the bases it sees; nothing is stretched."
    return Section("attention", title, [Text(text), *blocks]) if blocks else None


def _stretched_and_exact(results: Results, explained: _Explained) -> Part | None:
    """Draw the attention on one sequence stretched and exact, with the bases that units see."""
    title = "Stretched and exact attention"
    models = results.attention.models if results.holds("attention") else {}
    blocks: list[Block] = []
    for name, contrast in models.items():
        exact, units = explained.tracks.get(name, {}).get("attention"), contrast.example
        if units is UNSET or exact is None or units.sequence not in exact.names:
            continue
        index = exact.names.index(units.sequence)
        sequence = exact.sequence(index)
        if len(sequence) != len(units.stretched) or len(sequence) > MAX_BASES:
            continue
        starts = [units.first + units.stride * i for i in range(len(units.weights))]
        seen = [(a, a + units.width, w) for a, w in zip(starts, units.weights, strict=True)]
        panels = (
            ("stretched over the sequence, as in the tutorial", np.array(units.stretched)),
            ("on the bases that each unit sees", exact.values[index, : len(sequence)]),
        )
        heading = f"{title}: {name}"
        sites = explained.intervals(units.sequence)
        svg = units_track(sequence, panels, seen, sites, title=heading)
        caption = f"{units.sequence}. Brackets: the {units.width} bases that each of {len(seen)} "
        blocks.append(Figure(svg, heading, caption + "units sees, the heavier the darker."))
    text = (
        "The same weights twice. Stretching takes the middle of a unit for a fraction of the "
        "sequence; it lies where its layer looks."
    )
    return Section("stretched", title, [Text(text), *blocks]) if blocks else None


def _attention_map(explained: _Explained, tracks: Tracks, title: str) -> Figure:
    names = tracks.names[:MAX_ROWS]
    sites = [explained.intervals(name) for name in names]
    svg = attention_heatmap(tracks.values[: len(names)], sites, names=names, title=title)
    caption = f"The first {len(names)} of {len(tracks.names)} positives of the test split."
    return Figure(svg, title, caption, "paper")


def _attention_at_motifs(results: Results) -> Part | None:
    """Draw mean attention on motif bases, beside them and on negatives."""
    title = "Attention Weights at Motif Positions"
    if not results.holds("attention"):
        return Absent(title, EXPLAIN)
    models = results.attention.models
    if not models:
        return None
    stretched = {
        name: {
            "motif": bar(model.stretched_first_100.motif),
            "background": bar(model.stretched_first_100.background),
        }
        for name, model in models.items()
    }
    name = f"{title}, stretched, first 100 positives"
    caption = (
        "The tutorial's own chart: weights interpolated from units to bases, so that they no "
        "longer add up to 1, over the first 100 positives. Not on the scale of the chart above."
    )
    svg = bar_chart(stretched, name, "mean stretched weight")
    figures = [_contrast_figure(models, title), Figure(svg, name, caption)]
    return Section("attention-motif", title, figures)


def _contrast_figure(models: Mapping[str, AttentionContrast], title: str) -> Figure:
    groups = {
        name: {
            "motif": _bar(model.motif),
            "background": _bar(model.background),
            "null (negatives)": _bar(model.null),
        }
        for name, model in models.items()
    }
    notes = {name: f"{model.n} positives" for name, model in models.items()}
    svg = bar_chart(groups, title, "attention, relative to uniform", notes=notes)
    caption = (
        "Mean weight of a base inside and outside the true sites, over all positives of the test "
        "split, with 95 % interval; 1 is uniform attention. Null: negatives, at the "
        "positions of the same sites."
    )
    return Figure(svg, title, caption)


def _bar(estimate: Mean | None) -> Bar:
    return bar(None) if estimate is None else bar(estimate.mean, estimate.low, estimate.high)
