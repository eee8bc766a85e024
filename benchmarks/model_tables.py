"""The tables of `benchmarks.models`, as Markdown, from its rows and logits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.model_tasks import TASKS, Task, shows_rule
from motiflens.metrics.intervals import paired_difference, seed_scores

#: Fraction of the best score of a task that counts as having learnt it.
NEARLY = 0.95
RELATING, OTHERS = ("hybrid", "transformer"), ("cnn", "attention")

Row = dict[str, Any]


def logits_file(task: str, size: int, model: str) -> str:
    """Name the file of the logits (S, N) of S seeds for N held-out sequences."""
    return f"{task}-{size}-{model}.npy".replace("/", "-").replace(" ", "-")


def tables(rows: Sequence[Row], folder: Path) -> str:
    """Lay everything out that has been measured."""
    parts = []
    for name, task in TASKS.items():
        own = [row for row in rows if row["task"] == name]
        trained = [row for row in own if "model" in row]
        if trained:
            parts += [f"## {name}\n", curves(trained), _baselines(own), summary(task, trained)]
            parts += [differences(task, trained, folder), _verdicts(trained)]
    return "\n".join(parts)


def curves(rows: Sequence[Row]) -> str:
    """Lay out MCC by size, mean over seeds with the lowest and highest."""
    sizes = sorted({row["n_train"] for row in rows})
    lines = [_line(["MCC", *(f"{size:,}" for size in sizes)]), _rule(len(sizes) + 1)]
    for model in _models(rows):
        at = {row["n_train"]: row for row in rows if row["model"] == model}
        lines.append(_line([f"`{model}`", *(_spread(at.get(size), "mcc") for size in sizes)]))
    return "\n".join(lines) + "\n"


def _baselines(rows: Sequence[Row]) -> str:
    for row in rows:
        if "baselines" in row:
            found = (f"{name} {one['mcc']:.2f}" for name, one in row["baselines"].items())
            return f"Baselines on {row['n_train']:,}: {', '.join(found)}.\n"
    return ""


def needed(rows: Sequence[Row], model: str) -> int | None:
    """Return the fewest sequences that gave 95 % of the best mean MCC of all models and sizes."""
    best = max(_mean(row, "mcc") for row in rows)
    enough = [
        row["n_train"]
        for row in rows
        if row["model"] == model and _mean(row, "mcc") >= NEARLY * best
    ]
    return min(enough, default=None)


def summary(task: Task, rows: Sequence[Row]) -> str:
    """Lay out what each model needed, cost and showed, at the largest size it was trained on."""
    head = ["model", "parameters", "s a seed", "for 95 % of the best", "accuracy", "AUROC"]
    head += ["motifs exact: ism", "attention"] if task.motifs else []
    head += ["rule kept: logit, ism", "spacing experiment"] if len(task.motifs) == 2 else []
    lines = [_line(head), _rule(len(head))]
    for model in _models(rows):
        last = max((row for row in rows if row["model"] == model), key=lambda row: row["n_train"])
        fewest = needed(rows, model)
        cells = [f"`{model}`", f"{last['parameters']:,}", f"{last['seconds']:.0f}"]
        cells += ["–" if fewest is None else f"{fewest:,}"]
        cells += [_spread(last, "accuracy", 3), _spread(last, "auroc", 3)]
        if task.motifs:
            cells += [_exact(last, task, "ism"), _exact(last, task, "attention")]
        if len(task.motifs) == 2:
            cells += [_kept(last), _shown(last)]
        lines.append(_line(cells))
    return "\n".join(lines) + "\n"


def differences(task: Task, rows: Sequence[Row], folder: Path) -> str:
    """Lay out differences of accuracy at the largest size, over seeds and sequences."""
    at = {row["model"] for row in rows if row["n_train"] == task.sizes[-1]}
    pairs = [(a, b) for a in RELATING for b in OTHERS if {a, b} <= at]
    if not pairs:
        return ""
    labels = task.data().part("test").labels
    scored = {
        name: seed_scores(labels, np.load(folder / logits_file(task.name, task.sizes[-1], name)))
        for name in at
    }
    lines = [_line(["accuracy", "difference", "95 % interval"]), _rule(3)]
    for a, b in pairs:
        found = paired_difference(labels, scored[a], scored[b])["accuracy"]
        ends = f"{found.low:+.3f} to {found.high:+.3f}"
        lines.append(_line([f"`{a}` − `{b}`", f"{found.mean:+.3f}", ends]))
    return "\n".join(lines) + "\n"


def _verdicts(rows: Sequence[Row]) -> str:
    return "".join(f"- `{row['model']}`: {row['verdict']}\n" for row in rows if "verdict" in row)


def _exact(row: Row, task: Task, route: str) -> str:
    """Count the motifs that came out exactly, over all seeds."""
    if not any(route in seed for seed in row["exact"]):
        return "–"
    found = sum(len(seed[route]) for seed in row["exact"])
    return f"{found} of {len(row['exact']) * len(task.motifs)}"


def _kept(row: Row) -> str:
    if "rule" not in row:
        return "–"
    return ", ".join(
        f"{np.mean([one[key] for one in row['rule']]):.2f}" for key in ("logit", "ism")
    )


def _shown(row: Row) -> str:
    if "gaps" not in row:
        return "–"
    return f"{sum(shows_rule(row['task'], one) for one in row['gaps'])} of {len(row['gaps'])}"


def _models(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(row["model"] for row in rows))


def _mean(row: Row, metric: str) -> float:
    return float(np.mean([one[metric] for one in row["scores"]]))


def _spread(row: Row | None, metric: str, digits: int = 2) -> str:
    if row is None:
        return "–"
    values = [one[metric] for one in row["scores"]]
    mean, low, high = (f"{f(values):.{digits}f}" for f in (np.mean, min, max))
    return mean if low == high else f"{mean} ({low}–{high})"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _rule(n: int) -> str:
    return "|" + "---|" * n
