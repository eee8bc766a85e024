"""Sections on explanations: tracks under the letters of one sequence, attention over many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from motiflens.plots import attention_heatmap, bar_chart, base_track, filter_grid
from motiflens.plots.charts import Bar
from motiflens.report.parts import Block, Figure, Heading, Section, Text, absent, triple
from motiflens.report.reading import Run, Tracks
from motiflens.report.scores import ordered
from motiflens.report.sums import sums

EXPLAIN = "motiflens explain"
MAX_BASES, MAX_ROWS, MAX_FILTERS = 120, 40, 64
TRACK_LABELS = {
    "saliency": "largest |∂logit/∂x|",
    "tutorial-saliency": "largest |∂logit/∂x|",
    "ism": "effect on the logit",
    "attention": "attention weight on a base",
}
#: How the height of a bar is to be read, by section.
READ = {
    "saliency": "A tall bar: the logit would change fast if this base changed a little; the sign "
    "is not told.",
    "ism": "Above the line: the base raises the logit over the mean of all four bases there; "
    "below: it lowers it.",
}


def explanation_sections(run: Run) -> list[Section]:
    """Lay out tracks, attention maps and first-layer filters."""
    return [
        saliency_maps(run),
        method_tracks(run, "ism", "Saturation mutagenesis", {"ism": "Saturation mutagenesis"}),
        sums(run),
        attention_distribution(run),
        attention_at_motifs(run),
        filters(run),
    ]


def example_name(run: Run) -> str | None:
    """Choose the sequence shown: the first that every explanation has, with a true site if any."""
    files = [tracks for methods in run.tracks.values() for tracks in methods.values()]
    if not files:
        return None
    shared = set.intersection(*(set(tracks.names) for tracks in files))
    candidates = [name for name in files[0].names if name in shared]
    return next((name for name in candidates if run.sites.get(name)), next(iter(candidates), None))


def saliency_maps(run: Run) -> Section:
    """Draw each model's saliency as the tutorial computes it, and without its arbitrary part."""
    kept, removed = "tutorial-saliency", "saliency"
    title = "Saliency Map"
    both = any(kept in methods for methods in run.tracks.values())
    names = (
        {kept: title, removed: f"{title}, off-simplex part removed"} if both else {removed: title}
    )
    section = method_tracks(run, "saliency", title, names)
    if not both or not run.tracks:
        return section
    text = Text(
        "First as the tutorial computes it, then with the mean over the four bases taken from the "
        "gradient: one-hot columns add up to 1, so that this part of it is arbitrary."
    )
    return Section(section.id, title, [text, *section.blocks])


def method_tracks(run: Run, id: str, title: str, names: Mapping[str, str]) -> Section:
    """Draw tracks of every model on the same sequence; `names` of figures by method."""
    name = example_name(run)
    figures = [
        _track_figure(run, run.tracks[model][method], name, f"{words}: {model}", method)
        for model in ordered(run, run.tracks)
        for method, words in names.items()
        if method in run.tracks[model]
    ]
    if not figures:
        return absent(id, title, f"attributions/*/{id}.npz", EXPLAIN)
    return Section(id, title, [Text(f"{READ[id]} {_example_text(run, name)}"), *figures])


def _example_text(run: Run, name: str | None) -> str:
    sites = run.sites.get(name or "", [])
    where = "; ".join(f"{s.name} at {s.start + 1}–{s.end}, strand {s.strand}" for s in sites)
    shaded = f"Shaded: true site ({where})." if where else "No true site is known."
    return (
        f"One positive of the test part, the first seed of each model: {name}. {shaded} "
        "Positions count from 1."
    )


def _track_figure(run: Run, tracks: Tracks, name: str | None, title: str, method: str) -> Figure:
    index = tracks.names.index(name) if name in tracks.names else 0
    sequence = tracks.sequence(index)
    values = tracks.values[index, : len(sequence)]
    sites = [(site.start, site.end) for site in run.sites.get(tracks.names[index], [])]
    first, last = _window(len(sequence), sites, values)
    svg = base_track(
        sequence[first:last],
        values[first:last],
        sites,
        title=title,
        y_label=TRACK_LABELS[method],
        start=first,
    )
    cut = f"Bases {first + 1}–{last} of {len(sequence)}." if last - first < len(sequence) else ""
    return Figure(svg, title, cut)


def _window(length: int, sites: Sequence[tuple[int, int]], values: Any) -> tuple[int, int]:
    """Cut long sequences to the bases around the first site, or else the strongest base."""
    centre = sum(sites[0]) // 2 if sites else int(np.abs(values).argmax())
    first = max(0, min(centre - MAX_BASES // 2, length - MAX_BASES))
    return first, min(length, first + MAX_BASES)


def attention_distribution(run: Run) -> Section:
    """Draw attention on every base: many positives as a heat map, one as a track."""
    title = "Attention Weights Distribution"
    found = {model: run.tracks[model]["attention"] for model in ordered(run, run.tracks)
             if "attention" in run.tracks[model]}  # fmt: skip
    if not found:
        return absent("attention", title, "a model with attention, explained", EXPLAIN)
    name = example_name(run)
    blocks: list[Block] = [
        Text("Each unit's weight is shared among the bases it sees; nothing is stretched.")
    ]
    for model, tracks in found.items():
        blocks.append(_attention_map(run, tracks, f"{title}: {model}"))
        track_title = f"Attention on one sequence: {model}"
        blocks.append(_track_figure(run, tracks, name, track_title, "attention"))
    return Section("attention", title, blocks)


def _attention_map(run: Run, tracks: Tracks, title: str) -> Figure:
    names = tracks.names[:MAX_ROWS]
    sites = [[(site.start, site.end) for site in run.sites.get(name, [])] for name in names]
    svg = attention_heatmap(tracks.values[: len(names)], sites, names=names, title=title)
    caption = f"The first {len(names)} of {len(tracks.names)} positives of the test part."
    return Figure(svg, title, caption)


def attention_at_motifs(run: Run) -> Section:
    """Draw mean attention on motif bases, beside them and on negatives."""
    title = "Attention Weights at Motif Positions"
    models = run.attention.get("models", {})
    if not models:
        return absent("attention-motif", title, "attention.json with known sites", EXPLAIN)
    names = ordered(run, models)
    notes = {model: f"{models[model]['n']} positives" for model in names}
    groups = {model: _attention_bars(models[model]) for model in names}
    svg = bar_chart(groups, title, "attention, times an even share", notes=notes)
    caption = (
        "Mean weight of a base inside and outside the true sites, over all positives of the test "
        "part, with 95 % interval; 1 is attention spread evenly. Null: the same sites laid on "
        "negatives."
    )
    figures = [Figure(svg, title, caption)]
    stretched = {model: found for model in names if (found := _stretched_bars(models[model]))}
    if stretched:
        figures.append(_stretched_figure(stretched, f"{title}, stretched, first 100 positives"))
    return Section("attention-motif", title, figures)


def _attention_bars(model: dict[str, Any]) -> dict[str, Bar]:
    names = {"motif": "motif", "background": "background", "null": "null (negatives)"}
    return {name: triple(model.get(key) or {}) for key, name in names.items()}


def _stretched_bars(model: dict[str, Any]) -> dict[str, Bar]:
    stretched = model.get("stretched_first_100") or {}
    return {place: triple({"mean": stretched[place]}) for place in stretched}


def _stretched_figure(groups: dict[str, dict[str, Bar]], name: str) -> Figure:
    svg = bar_chart(groups, name, "mean stretched weight")
    caption = (
        "The tutorial's own chart: weights interpolated from units to bases, so that they no "
        "longer add up to 1, over the first 100 positives. Not on the scale of the chart above."
    )
    return Figure(svg, name, caption)


def filters(run: Run) -> Section:
    """Draw first-layer filters of the first seed as signed logos."""
    title = "First-layer filters"
    if not run.filters:
        return absent("filters", title, "weights (models/*/weights.safetensors)", "motiflens train")
    blocks: list[Block] = [
        Text(
            "Weights as letter heights, each filter at its own scale, after the mean of the four "
            "weights is taken from every position. Letters below the line speak against a motif."
        )
    ]
    for model in ordered(run, run.filters):
        weights = run.filters[model]
        name = f"First-layer filters: {model}"
        svg = filter_grid(weights[:MAX_FILTERS], title=name)
        rest = len(weights) - MAX_FILTERS
        caption = f"First seed; {rest} more are not shown." if rest > 0 else "First seed."
        blocks += [Heading(model), Figure(svg, name, caption)]
    return Section("filters", title, blocks)
