"""The section on experiments in silico: what motifs do to the logit of made-up sequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from motiflens.plots import line_chart
from motiflens.plots.axes import round_range
from motiflens.plots.charts import Curve
from motiflens.report.parts import (
    NOTHING,
    Block,
    Figure,
    Heading,
    Section,
    Table,
    Text,
    absent,
    signed,
)
from motiflens.report.reading import Run
from motiflens.report.scores import ordered

TITLE = "Experiments in silico"
SMALL = (310.0, 170.0)
Z = 1.96

Effect = Mapping[str, Any]
NONE: Effect = {"mean": 0.0, "standard_error": 0.0}


def experiments_section(run: Run) -> Section:
    """Lay out everything that `experiments.json` holds."""
    found = run.experiments.get("models") or {}
    if not found:
        return absent("experiments", TITLE, "experiments.json", "motiflens experiments")
    models = ordered(run, found)
    some = found[models[0]]
    strands = "on both strands" if some["strands"] == "both" else "on the forward strand"
    words = (
        f"Motifs, by their most likely bases and {strands}, are put into dinucleotide shuffles of "
        f"test negatives ({some['n_backgrounds']} for {models[0]}), and the logits compared with "
        "those of the shuffles as they are. Bands and ± are 95 % intervals over sequences."
    )
    blocks: list[Block] = [Text(words), _table(found, models)]
    for name in dict.fromkeys(one["name"] for model in models for one in found[model]["motifs"]):
        by_model = {
            model: one for model in models for one in found[model]["motifs"] if one["name"] == name
        }
        blocks += [Heading(name), *_curves(name, by_model)]
    pairs = [_spacing(model, one) for model in models if (one := found[model]["spacing"])]
    blocks += [Heading("Two motifs together"), *pairs] if pairs else []
    return Section("experiments", TITLE, blocks)


def _table(found: Mapping[str, Any], models: Sequence[str]) -> Table:
    rows = []
    for model in models:
        for one in found[model]["motifs"]:
            removed = one["ablation"] or {}
            cells = [one["marginal"], removed.get("effect"), removed.get("control")]
            rows.append([model, one["name"], one["word"], *map(_text, cells)])
    head = ["Model", "Motif", "Inserted", "One copy adds", "Sites shuffled", "Other bases shuffled"]
    caption = (
        "Change of the logit. The last two columns: the sites of explained positives, and as many "
        "stretches of the same widths beside them, shuffled in place with their dinucleotides "
        "kept. What sites lose beyond the last column is due to the motif."
    )
    return Table(head, rows, "Motifs put in and taken out", caption)


def _text(effect: Effect | None) -> str:
    if not effect:
        return NOTHING
    return f"{signed(effect['mean'], 2, '+')} ± {Z * effect['standard_error']:.2f}"


def _curves(name: str, by_model: Mapping[str, Any]) -> list[Block]:
    """Draw the effect by number of copies and by place, on one vertical scale that holds 0."""
    # No copy has no effect.
    dose = {
        model: _curve([0.0, *one["dose"]["copies"]], [NONE, *one["dose"]["effects"]])
        for model, one in by_model.items()
    }
    # Starts are indices from 0; the page counts bases from 1.
    position = {
        model: _curve([start + 1 for start in one["position"]["starts"]],
                      one["position"]["effects"])
        for model, one in by_model.items()
    }  # fmt: skip
    curves = (*dose.values(), *position.values())
    y_range = round_range([0.0, *(y for curve in curves for part in curve[1:] for y in part)])
    blocks: list[Block] = []
    for kind, series, x_label in (
        ("dose", dose, "copies"),
        ("position", position, "first base of the motif (from 1)"),
    ):
        title = f"{name}: {kind}"
        svg = line_chart(series, title, x_label, "change of the logit", y_range=y_range, size=SMALL)
        blocks.append(Figure(svg, title, kind="tile"))
    return blocks


def _spacing(model: str, found: Mapping[str, Any]) -> Figure:
    words = {"++": "same strand", "+-": "opposite strands"}
    series = {
        words.get(orientation, orientation): _curve(found["gaps"], effects)
        for orientation, effects in found["interaction"].items()
    }
    title = f"{found['first_name']} and {found['second_name']}: {model}"
    svg = line_chart(series, title, "bases between the two", "beyond the sum of both", size=SMALL)
    caption = "Effect of the pair less the effects of each motif alone; 0: they add up."
    return Figure(svg, title, caption, kind="tile")


def _curve(xs: Sequence[float], effects: Sequence[Effect]) -> Curve:
    means = [float(effect["mean"]) for effect in effects]
    halves = [Z * float(effect["standard_error"]) for effect in effects]
    low = [mean - half for mean, half in zip(means, halves, strict=True)]
    high = [mean + half for mean, half in zip(means, halves, strict=True)]
    return list(xs), means, low, high
