"""The section on experiments in silico: what motifs do to the logit of made-up sequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from motiflens.plots import line_chart
from motiflens.plots.axes import round_range
from motiflens.plots.charts import Curve
from motiflens.report.parts import (
    MISSING,
    Absent,
    Figure,
    Part,
    Row,
    Section,
    Table,
    Text,
    signed,
)
from motiflens.results import Results
from motiflens.results.experiments import Effect, ModelExperiments, MotifExperiments, Spacing

TITLE = "Experiments in silico"
SIZE = (310.0, 170.0)
Z = 1.96
NO_EFFECT = Effect(mean=0.0, standard_error=0.0, n=0)
ORIENTATIONS = {"++": "same strand", "+-": "opposite strands"}


def experiment_parts(results: Results) -> list[Part]:
    """Lay out everything that `experiments.json` holds: a table, and curves in folds."""
    if not results.holds("experiments"):
        return [Absent(TITLE, "motiflens experiments")]
    models = results.experiments.models
    if not models:
        return []
    parts: list[Part] = [Text(_in_words(models)), _table(models)]
    names = dict.fromkeys(m.name for model in models.values() for m in model.motifs)
    for index, name in enumerate(names, start=1):
        by_model = {n: m for n, model in models.items() for m in model.motifs if m.name == name}
        fold = f"More copies, and other positions: {name}"
        parts.append(Section(f"dose-{index}", fold, [Row(_curves(name, by_model))]))
    if pairs := [_spacing(name, m.spacing) for name, m in models.items() if m.spacing]:
        parts.append(Section("spacing", "Two motifs together", [Row(pairs)]))
    return parts


def _in_words(models: Mapping[str, ModelExperiments]) -> str:
    name, first = next(iter(models.items()))
    strands = "on both strands" if first.strands == "both" else "on the forward strand"
    return (
        f"Motifs, by their most likely bases and {strands}, are put into dinucleotide shuffles of "
        f"test negatives ({first.n_backgrounds} for {name}), and the logits compared with those of "
        "the shuffles as they are. Bands and ± are 95 % intervals over sequences."
    )


def _table(models: Mapping[str, ModelExperiments]) -> Table:
    rows = [
        [
            name,
            motif.name,
            motif.inserted,
            _text(motif.marginal),
            _text(motif.ablation.effect if motif.ablation else None),
            _text(motif.ablation.control if motif.ablation else None),
        ]
        for name, model in models.items()
        for motif in model.motifs
    ]
    head = ["Model", "Motif", "Inserted", "One copy adds", "Sites shuffled", "Other bases shuffled"]
    caption = (
        "Change of the logit. The last two columns: the sites of explained positives, and as many "
        "stretches of the same widths beside them, shuffled in place with their dinucleotides "
        "kept. What sites lose beyond the last column is due to the motif."
    )
    return Table(head, rows, "Motifs put in and taken out", caption)


def _text(effect: Effect | None) -> str:
    if effect is None:
        return MISSING
    return f"{signed(effect.mean, 2, '+')} ± {Z * effect.standard_error:.2f}"


def _curves(name: str, by_model: Mapping[str, MotifExperiments]) -> list[Figure]:
    """Draw the effect by number of copies and by position, on one vertical scale that holds 0."""
    # No copy has no effect.
    dose = {
        model: _curve([0.0, *motif.dose.copies], [NO_EFFECT, *motif.dose.effects])
        for model, motif in by_model.items()
    }
    # Starts are indices from 0; the page counts bases from 1.
    position = {
        model: _curve([start + 1 for start in motif.position.starts], motif.position.effects)
        for model, motif in by_model.items()
    }
    curves = (*dose.values(), *position.values())
    y_range = round_range([0.0, *(y for curve in curves for ys in curve[1:] for y in ys)])
    figures: list[Figure] = []
    for kind, series, x_label in (
        ("dose", dose, "copies"),
        ("position", position, "first base of the motif (from 1)"),
    ):
        title = f"{name}: {kind}"
        svg = line_chart(series, title, x_label, "change of the logit", y_range=y_range, size=SIZE)
        figures.append(Figure(svg, title, kind="tile"))
    return figures


def _spacing(model: str, spacing: Spacing) -> Figure:
    series = {
        ORIENTATIONS.get(orientation, orientation): _curve(spacing.gaps, effects)
        for orientation, effects in spacing.interaction.items()
    }
    title = f"{spacing.first_name} and {spacing.second_name}: {model}"
    svg = line_chart(series, title, "bases between the two", "beyond the sum of both", size=SIZE)
    caption = "Effect of the pair less the effects of each motif alone; 0: they add up."
    return Figure(svg, title, caption, kind="tile")


def _curve(xs: Sequence[float], effects: Sequence[Effect]) -> Curve:
    low = [effect.mean - Z * effect.standard_error for effect in effects]
    high = [effect.mean + Z * effect.standard_error for effect in effects]
    return list(xs), [effect.mean for effect in effects], low, high
