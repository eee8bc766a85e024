"""The section on held-out scores: the ensemble of each model with its intervals and curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from motiflens.plots import unit_chart
from motiflens.report.parts import (
    NOTHING,
    TO,
    Block,
    Figure,
    Section,
    Table,
    Text,
    absent,
    finite,
    interval,
    signed,
)
from motiflens.report.reading import Run
from motiflens.report.scores import ordered

RANKING = {"auroc": "AUROC", "auprc": "AUPRC", "recall_at_fdr10": "Recall at 10 % FDR"}
CALLS = {"mcc": "MCC", "accuracy": "Accuracy"}
PROBABILITIES = {"brier": "Brier", "ece": "Calibration error"}
CURVES = {
    "roc": ("ROC", "false-positive rate", "recall"),
    "pr": ("Precision and recall", "recall", "precision"),
    "reliability": ("Reliability", "mean probability", "fraction of positives"),
}
CAPTIONS = {
    "roc": "Straight line: chance.",
    "pr": "Straight line: the share of positives, which chance has.",
    "reliability": "15 bins of equal mass. Straight line: probabilities that mean what they say.",
}


def held_out_section(run: Run) -> Section:
    """Lay out everything that `metrics.json` holds."""
    title = "Test scores of the ensembles"
    models = run.metrics.get("models", {})
    if not models:
        return absent("ensembles", title, "metrics.json", "motiflens run")
    negatives = run.metrics.get("negatives") or "not known"
    about = (
        f"Negatives: {negatives}. Scores hold against this kind of negatives alone: a model often "
        "scores higher against shuffled sequences than against genomic ones."
    )
    figures = [figure for kind in CURVES if (figure := _figure(run, kind)) is not None]
    blocks: list[Block] = [Text(about), _ranking(run), _calls(run), *figures]
    return Section("ensembles", title, blocks)


def _ranking(run: Run) -> Table:
    models = run.metrics["models"]
    rows = [
        [name, *_cells(models[name], RANKING), _range(models[name].get("seeds") or [])]
        for name in ordered(run, models)
    ]
    rows += [[*row, NOTHING] for row in _baselines(run, RANKING)]
    caption = (
        "The ensemble of all seeds on the test part, with 95 % intervals over test sequences"
        f"{_counted(run)}. Without a fault they have a width still: a few sequences cannot show "
        "that there is none. Recall at 10 % FDR: the largest recall at a precision of 0.9 or more."
    )
    return Table(["Model", *RANKING.values(), "AUROC of single seeds"], rows, "Ranking", caption)


def _counted(run: Run) -> str:
    """Say how related sequences count; older runs do not tell."""
    if "test_groups" not in run.metrics:
        return ""
    found = run.metrics["test_groups"]
    if found is None:
        return "; related sequences were not looked for among so many"
    return (
        ", in which sequences that share 31 bases count as one: "
        f"{found['groups']:,} groups, {found['positives']:,} of them with positives and "
        f"{found['negatives']:,} with negatives"
    )


def _calls(run: Run) -> Table:
    models = run.metrics["models"]
    rows = [
        [
            name,
            _number(models[name].get("threshold")),
            *_cells(models[name], {**CALLS, **PROBABILITIES}),
        ]
        for name in ordered(run, models)
    ]
    rows += [[row[0], NOTHING, *row[1:], NOTHING, NOTHING] for row in _baselines(run, CALLS)]
    caption = (
        "Calls above the threshold of largest MCC on validation data; baselines call at their own. "
        "Brier score and calibration error, over 15 bins of equal mass: the lower, the better."
    )
    head = ["Model", "Threshold (logit)", *CALLS.values(), *PROBABILITIES.values()]
    return Table(head, rows, "Calls and probabilities", caption)


def _baselines(run: Run, metrics: Mapping[str, str]) -> list[list[str]]:
    return [
        [f"baseline: {name}", *(_number(scores.get(metric)) for metric in metrics)]
        for name, scores in run.metrics.get("baselines", {}).items()
    ]


def _cells(model: dict[str, Any], metrics: Mapping[str, str]) -> list[str]:
    return [cell(model["test"].get(metric) or {}) for metric in metrics]


def cell(found: dict[str, Any]) -> str:
    """Write a score of `metrics.json` with its interval."""
    return interval(
        {"mean": found.get("value"), "low": found.get("low"), "high": found.get("high")}
    )


def _number(value: Any) -> str:
    return signed(value, 3) if finite(value) else NOTHING


def _range(seeds: list[dict[str, Any]]) -> str:
    values = sorted(seed["auroc"] for seed in seeds if finite(seed.get("auroc")))
    if not values:
        return NOTHING
    ends = f"{values[0]:.3f}{TO}{values[-1]:.3f}" if len(values) > 1 else f"{values[0]:.3f}"
    return f"{ends} (n = {len(values)})"


def _figure(run: Run, kind: str) -> Figure | None:
    models = run.metrics["models"]
    found = {
        name: (curve["x"], curve["y"])
        for name in ordered(run, models)
        if (curve := (models[name].get("curves") or {}).get(kind))
    }
    if not found:
        return None
    title, x_label, y_label = CURVES[kind]
    # The last cut of a precision–recall curve calls all sequences positive.
    share = next(iter(found.values()))[1][-1]
    reference = (share, share) if kind == "pr" else (0.0, 1.0)
    svg = unit_chart(found, title, x_label, y_label, reference=reference)
    return Figure(svg, title, CAPTIONS[kind], kind="tile")
