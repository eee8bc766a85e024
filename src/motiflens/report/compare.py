"""Sections on models compared: scores over seeds, curves over epochs and training sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from motiflens.plots import bar_chart, line_chart
from motiflens.plots.charts import Bar, Curve
from motiflens.report.audit import DIGITS, METRICS
from motiflens.report.headline import scored_in_folds
from motiflens.report.parts import (
    MISSING,
    NO_COMPARISON,
    Absent,
    Block,
    Figure,
    Part,
    Section,
    Table,
    Text,
    bar,
    held,
    interval,
    number,
)
from motiflens.results import Results
from motiflens.results.comparison import Comparison, Difference, ModelScores, TrainingSize
from motiflens.results.scores import MeanOfSeeds, Scores
from motiflens.results.tracks import read_histories

COMPARE, WATCHED = "motiflens compare", "motiflens run --target 0.95"
UNWATCHED = "The test split was scored once, at the end"


def compare_parts(results: Results) -> list[Part]:
    """Lay out everything that `comparison.json` and the histories of training hold."""
    comparison = held(results, NO_COMPARISON)
    return [
        _scores(comparison, by_fold=_by_fold(results)),
        _accuracy_curves(results, comparison.target),
        _convergence(comparison),
        _learning_curves(comparison.models),
    ]


def _by_fold(results: Results) -> bool:
    """Return whether each model is scored on the fold that it was held out of."""
    return any(scored_in_folds(results, name) for name in held(results, NO_COMPARISON).models)


def _scores(comparison: Comparison, *, by_fold: bool) -> Part:
    """Lay out test scores with intervals, paired differences and the trivial baselines."""
    title = "Scores of single seeds"
    if not comparison.models:
        return Absent(title, COMPARE)
    epochs = epochs_names(comparison)
    rows = [
        _score_row(name, m) + epochs_cells(comparison, m) for name, m in comparison.models.items()
    ]
    rows += [
        [*_baseline_row(name, scores), *(MISSING for _ in epochs)]
        for name, scores in comparison.baselines.items()
    ]
    head = ["Model", "Parameters", "Seeds", *METRICS.values(), *epochs]
    caption = (
        "Mean over seeds with its 95 % interval over seeds, all on the same test sequences: it "
        "says how much the seed matters, not how other sequences would score. A single seed has "
        "no interval (–); a number alone means that all seeds are equal. "
    )
    if by_fold:
        caption = (
            "Mean over the models of all folds, each scored on the fold that it was held out of, "
            "with its 95 % interval over them. "
        )
    fitted = "the other folds" if by_fold else "the same training split"
    caption += f"Baselines are trained on {fitted}: where they score as high, "
    caption += "the score cannot rank models."
    blocks: list[Block] = [Table(head, rows, "Test scores", caption)]
    if comparison.differences:
        blocks.append(_differences(comparison.differences, comparison.differences_cover))
    return Section("seeds", title, blocks)


def epochs_names(comparison: Comparison) -> list[str]:
    """Name the convergence figure with the run's own target; none without a target."""
    return [] if comparison.target is None else [f"Epochs to {100 * comparison.target:g} %"]


def _score_row(name: str, model: ModelScores) -> list[str]:
    cells = [mean_and_interval(getattr(model.summary, m), DIGITS[m]) for m in METRICS]
    return [name, f"{model.parameters:,}", str(len(model.seeds)), *cells]


def _baseline_row(name: str, scores: Scores) -> list[str]:
    cells = [number(getattr(scores, metric), DIGITS[metric]) for metric in METRICS]
    return [f"baseline: {name}", MISSING, MISSING, *cells]


def mean_and_interval(
    estimate: MeanOfSeeds, digits: int, *, scale: float = 1.0, plus: str = ""
) -> str:
    """Write a mean over seeds with its interval."""
    return interval(estimate.mean, estimate.low, estimate.high, digits, scale=scale, plus=plus)


def epochs_cells(comparison: Comparison, model: ModelScores) -> list[str]:
    """Write the epochs to the target, and how many seeds reached it where not all did."""
    if comparison.target is None:
        return []
    epochs, n = model.summary.epochs_to_target, len(model.seeds)
    text = mean_and_interval(epochs, 1)
    return [text if epochs.n == n else f"{text}; {epochs.n} of {n} seeds"]


def _differences(differences: Sequence[Difference], cover: Sequence[str]) -> Table:
    rows = [
        [
            f"{row.a} − {row.b}",
            *(mean_and_interval(getattr(row, metric), 4, plus="+") for metric in METRICS),
        ]
        for row in differences
    ]
    head = ["Pair", *METRICS.values()]
    return Table(head, rows, "Paired differences", _cover_in_words(cover))


def _cover_in_words(cover: Sequence[str]) -> str:
    """Say what the intervals of differences are over; older runs do not."""
    if not cover:
        return (
            "Mean difference of the same seeds, with its 95 % interval over seeds alone: other "
            "test sequences might decide otherwise."
        )
    over_both = "Mean difference of the same seeds, with its 95 % interval over seeds and test "
    over_one = (
        "Difference of one seed, with its 95 % interval over test sequences alone: how much "
        "another seed would change is not known. "
    )
    return (f"{over_both}sequences. " if "seeds" in cover else over_one) + (
        "Where the interval includes 0, these data do not show which model is better, nor that "
        "they are equal."
    )


def _accuracy_curves(results: Results, target: float | None) -> Part:
    """Draw test accuracy by epoch, the mean over seeds in a band from lowest to highest seed."""
    title = "Test Accuracy Comparison"
    if target is None:
        return Absent(title, WATCHED, UNWATCHED)
    by_model = {model: _accuracy_curve(own) for model, own in read_histories(results).items()}
    curves = {model: curve for model, curve in by_model.items() if curve is not None}
    if not curves:
        return Absent(title, COMPARE)
    lowest = min(min(low) for _, _, low, _ in curves.values())
    svg = line_chart(
        curves,
        title,
        "epoch (counted from 1)",
        "test accuracy (%)",
        y_range=(10 * np.floor(lowest / 10), 100.0),
        reference=(100 * target, f"{100 * target:g} %"),
    )
    caption = (
        "Line: mean over seeds; band: from the lowest to the highest seed; up to the last epoch "
        "that every seed of a model ran. Epochs count from 1."
    )
    return Section("accuracy", title, [Figure(svg, title, caption)])


def _accuracy_curve(histories: Sequence[pd.DataFrame]) -> Curve | None:
    shortest = min((len(history) for history in histories), default=0)
    if not shortest:
        return None
    epochs = histories[0]["epoch"][:shortest].astype(float).tolist()
    by_seed = 100 * np.array([h["test_accuracy"][:shortest].to_numpy(float) for h in histories])
    if np.isnan(by_seed).any():
        return None
    low, high = by_seed.min(axis=0), by_seed.max(axis=0)
    return epochs, by_seed.mean(axis=0).tolist(), low.tolist(), high.tolist()


def _convergence(comparison: Comparison) -> Part:
    """Draw epochs to the target accuracy as bars with their spread."""
    name, models = "Convergence Speed", comparison.models
    title = ", ".join([name, *(f"{epochs} Acc" for epochs in epochs_names(comparison))])
    if not models:
        return Absent(title, COMPARE)
    if comparison.target is None:
        return Absent(title, WATCHED, UNWATCHED)
    groups = {name: {"epochs": _bar(m.summary.epochs_to_target)} for name, m in models.items()}
    if all(np.isnan(bars["epochs"][0]) for bars in groups.values()):
        return Section("convergence", title, [Text("No model reached the target.")])
    svg = bar_chart(
        groups,
        title,
        "epochs (counted from 1)",
        notes={name: _reached(model) for name, model in models.items()},
    )
    caption = (
        "Mean over the seeds that reached the target, with its 95 % interval over seeds. The "
        "tutorial counts epochs from 0, so its figures are one lower."
    )
    return Section("convergence", title, [Figure(svg, title, caption)])


def _bar(estimate: MeanOfSeeds) -> Bar:
    return bar(estimate.mean, estimate.low, estimate.high)


def _reached(model: ModelScores) -> str:
    reached = sum(seed.epochs_to_target is not None for seed in model.seeds)
    return f"{reached} of {len(model.seeds)} seeds"


def _learning_curves(models: Mapping[str, ModelScores]) -> Part:
    """Draw accuracy and AUROC against the number of training sequences."""
    title = "Learning curves"
    sized = {name: model.sizes for name, model in models.items() if model.sizes}
    if not sized:
        return Absent(title, f"{COMPARE} --sizes 50,200,800")
    blocks = []
    for metric, scale, y_label in (
        ("accuracy", 100.0, "test accuracy (%)"),
        ("auroc", 1.0, "test AUROC"),
    ):
        curves = {name: _size_curve(sizes, metric, scale) for name, sizes in sized.items()}
        name = f"{METRICS[metric]} by number of training sequences"
        svg = line_chart(curves, name, "training sequences", y_label, log_x=True)
        blocks.append(Figure(svg, name, "Mean over seeds with its 95 % interval over seeds."))
    return Section("learning", title, blocks)


def _size_curve(sizes: Sequence[TrainingSize], metric: str, scale: float) -> Curve:
    rows = sorted(sizes, key=lambda size: size.n_train)
    bars = [_bar(getattr(row.summary, metric)) for row in rows]
    mean, low, high = ([scale * one[i] for one in bars] for i in range(3))
    return [float(row.n_train) for row in rows], mean, low, high
