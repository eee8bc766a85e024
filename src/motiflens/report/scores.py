"""Sections on scores: table, curves over epochs, convergence, learning curves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from motiflens.plots import bar_chart, line_chart
from motiflens.plots.charts import Bar, Curve
from motiflens.report.parts import (
    NOTHING,
    Block,
    Figure,
    Section,
    Table,
    absent,
    finite,
    interval,
    triple,
)
from motiflens.report.reading import Run

METRICS = {"accuracy": "Accuracy", "auroc": "AUROC", "auprc": "AUPRC", "mcc": "MCC"}
DIGITS = {"accuracy": 3, "auroc": 4, "auprc": 4, "mcc": 3}
COMPARE = "motiflens compare"


def score_sections(run: Run) -> list[Section]:
    """Lay out everything that `comparison.json` and the histories hold."""
    return [scores(run), accuracy_curves(run), convergence(run), learning_curves(run)]


def scores(run: Run) -> Section:
    """Lay out test scores with intervals, paired differences and the trivial baselines."""
    title = "Scores on the test part"
    models = run.comparison.get("models", {})
    if not models:
        return absent("scores", title, "comparison.json", COMPARE)
    rows = [_score_row(name, models[name]) for name in ordered(run, models)]
    baselines = run.comparison.get("baselines", {})
    rows += [_baseline_row(name, baselines[name]) for name in baselines]
    head = ["Model", "Parameters", "Seeds", *METRICS.values(), epochs_name(run)]
    caption = (
        "Mean over seeds with its 95 % interval over seeds, all on the same test sequences: it "
        "says how much the seed matters, not how other sequences would score. A single seed has "
        "none (–), and seeds that score the same have none to show. Baselines are trained on the "
        "same training part: where they score as high, the score cannot tell models apart."
    )
    blocks: list[Block] = [Table(head, rows, "Test scores", caption)]
    if differences := run.comparison.get("differences"):
        blocks.append(_differences(differences, run.comparison.get("differences_cover")))
    return Section("scores", title, blocks)


def ordered(run: Run, found: Any) -> list[str]:
    """Put models into the order of the run's configuration."""
    known = [model for model in run.models if model in found]
    return known + [model for model in found if model not in known]


def epochs_name(run: Run) -> str:
    """Name the convergence figure with the run's own target."""
    return f"Epochs to {100 * run.comparison.get('target', 0.95):g} %"


def _score_row(name: str, model: dict[str, Any]) -> list[str]:
    summary, seeds = model["summary"], model["seeds"]
    cells = [interval(summary.get(metric), DIGITS[metric]) for metric in METRICS]
    return [name, f"{model['parameters']:,}", str(len(seeds)), *cells, epochs_cell(model)]


def _baseline_row(name: str, found: dict[str, float]) -> list[str]:
    cells = [
        f"{found[metric]:.{DIGITS[metric]}f}" if finite(found.get(metric)) else NOTHING
        for metric in METRICS
    ]
    return [f"baseline: {name}", NOTHING, NOTHING, *cells, NOTHING]


def epochs_cell(model: dict[str, Any]) -> str:
    """Write the epochs to the target, and how many seeds reached it where not all did."""
    found = model["summary"].get("epochs_to_target") or {}
    n = len(model["seeds"])
    reached = found.get("n", n)
    text = interval(found, 1)
    return text if reached == n else f"{text}; {reached} of {n} seeds"


def _differences(differences: list[dict[str, Any]], cover: list[str] | None) -> Table:
    """Lay out differences; `cover` is what their intervals are over, None in older runs."""
    metrics = {**METRICS, "epochs_to_target": "Epochs to target"}
    shown = [metric for metric in metrics if any(metric in row for row in differences)]
    rows = [
        [f"{row['a']} − {row['b']}", *(interval(row.get(metric), 4, plus="+") for metric in shown)]
        for row in differences
    ]
    head = ["Pair", *(metrics[m] for m in shown)]
    return Table(head, rows, "Paired differences", _differences_caption(cover))


def _differences_caption(cover: list[str] | None) -> str:
    if cover is None:  # runs of versions that did not say
        return (
            "Mean difference of the same seeds, with its 95 % interval over seeds alone: other "
            "test sequences might decide otherwise."
        )
    over_both = (
        "Mean difference of the same seeds, with its 95 % interval over seeds and test sequences. "
    )
    over_one = (
        "Difference of one seed, with its 95 % interval over test sequences alone: how much "
        "another seed would change is not known. "
    )
    return (over_both if "seeds" in cover else over_one) + (
        "Where the interval holds 0, these data do not show which model is better, nor that they "
        "are equal."
    )


def accuracy_curves(run: Run) -> Section:
    """Draw test accuracy by epoch, the mean over seeds in a band from lowest to highest seed."""
    title = "Test Accuracy Comparison"
    curves = {
        model: curve
        for model in ordered(run, run.histories)
        if (curve := _accuracy_curve(run.histories[model])) is not None
    }
    if not curves:
        return absent("accuracy", title, "histories of training (models/*/history.csv)", COMPARE)
    target = 100 * run.comparison.get("target", 0.95)
    lowest = min(min(curve[2]) for curve in curves.values())
    svg = line_chart(
        curves,
        title,
        "epoch (counted from 1)",
        "test accuracy (%)",
        y_range=(10 * np.floor(lowest / 10), 100.0),
        reference=(target, f"{target:g} %"),
    )
    caption = (
        "Line: mean over seeds; band: from the lowest to the highest seed; up to the last epoch "
        "that every seed of a model ran. Epochs count from 1."
    )
    return Section("accuracy", title, [Figure(svg, title, caption)])


def _accuracy_curve(histories: list[pd.DataFrame]) -> Curve | None:
    shortest = min((len(history) for history in histories), default=0)
    if not shortest:
        return None
    epochs = histories[0]["epoch"][:shortest].astype(float).tolist()
    by_seed = 100 * np.array([h["test_accuracy"][:shortest].to_numpy(float) for h in histories])
    if np.isnan(by_seed).any():
        return None
    low, high = by_seed.min(axis=0), by_seed.max(axis=0)
    return epochs, by_seed.mean(axis=0).tolist(), low.tolist(), high.tolist()


def convergence(run: Run) -> Section:
    """Draw epochs to the target accuracy as bars with their spread."""
    title = f"Convergence Speed, {epochs_name(run)} Acc"
    models = run.comparison.get("models", {})
    groups: dict[str, dict[str, Bar]] = {
        name: {"epochs": triple(models[name]["summary"].get("epochs_to_target") or {})}
        for name in ordered(run, models)
    }
    if all(bar != bar for bars in groups.values() for bar, _, _ in bars.values()):
        return absent("convergence", title, "a model that reached the target", COMPARE)
    notes = {name: _reached(models[name]) for name in groups}
    svg = bar_chart(groups, title, "epochs (counted from 1)", notes=notes)
    caption = (
        "Mean over the seeds that reached the target, with its 95 % interval over seeds. The "
        "tutorial counts epochs from 0, so its figures are one lower."
    )
    return Section("convergence", title, [Figure(svg, title, caption)])


def _reached(model: dict[str, Any]) -> str:
    values = [seed.get("epochs_to_target") for seed in model["seeds"]]
    return f"{sum(value is not None for value in values)} of {len(values)} seeds"


def learning_curves(run: Run) -> Section:
    """Draw accuracy and AUROC against the number of training sequences."""
    title = "Learning curves"
    models = run.comparison.get("models", {})
    sized = [name for name in ordered(run, models) if models[name].get("sizes")]
    if not sized:
        return absent("learning", title, "training sizes", f"{COMPARE} --sizes 50,200,800")
    blocks = []
    for metric, scale, y_label in (
        ("accuracy", 100.0, "test accuracy (%)"),
        ("auroc", 1.0, "test AUROC"),
    ):
        curves = {name: _size_curve(models[name]["sizes"], metric, scale) for name in sized}
        name = f"{METRICS[metric]} by number of training sequences"
        svg = line_chart(curves, name, "training sequences", y_label, log_x=True)
        blocks.append(Figure(svg, name, "Mean over seeds with its 95 % interval over seeds."))
    return Section("learning", title, blocks)


def _size_curve(sizes: list[dict[str, Any]], metric: str, scale: float) -> Curve:
    rows = sorted(sizes, key=lambda size: size["n_train"])
    triples = [triple(row["summary"].get(metric) or {}) for row in rows]
    mean, low, high = ([scale * value[i] for value in triples] for i in range(3))
    return [float(row["n_train"]) for row in rows], mean, low, high
