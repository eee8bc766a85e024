"""The section on crossed negatives: trained against one kind, tested against another."""

from __future__ import annotations

from typing import Any

from motiflens.report.held_out import cell
from motiflens.report.parts import Block, Section, Table, Text
from motiflens.report.reading import Run
from motiflens.report.scores import ordered

METRICS = {"auroc": "AUROC", "auprc": "AUPRC"}


def crossing_section(run: Run) -> Section:
    """Lay out everything that `crossing.json` holds."""
    models = ordered(run, run.crossing["models"])
    blocks: list[Block] = [Text(_in_words(run, model)) for model in models]
    blocks += [_table(run, models, metric) for metric in METRICS]
    return Section("crossing", "Negatives crossed", blocks)


def _table(run: Run, models: list[str], metric: str) -> Table:
    kinds = run.crossing["kinds"]
    rows = [
        [model, kind, *(cell(_tested(run, model, kind)[other][metric]) for other in kinds)]
        for model in models
        for kind in kinds
    ]
    caption = (
        "The ensemble of seeds, trained against one kind of negatives and tested against another, "
        "with 95 % bootstrap intervals over test sequences. The positives and their parts are the "
        "same in all."
    )
    head = ["Model", "Trained against", *(f"Tested against {kind}" for kind in kinds)]
    return Table(head, rows, f"{METRICS[metric]}, negatives crossed", caption)


def _tested(run: Run, model: str, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = run.crossing["models"][model]["trained_on"][kind]["tested_on"]
    return found


def _in_words(run: Run, model: str) -> str:
    """Say how far the choice of negatives moves the score, and what is lost on another kind."""
    kinds = run.crossing["kinds"]
    auroc = {(a, b): _tested(run, model, a)[b]["auroc"] for a in kinds for b in kinds}
    value = {pair: found["value"] for pair, found in auroc.items()}
    # Of equal kinds the first is the best and the last is the worst: two kinds in any case.
    best = max(kinds, key=lambda kind: value[kind, kind])
    worst = min(reversed(kinds), key=lambda kind: value[kind, kind])
    overlap = auroc[best, best]["low"] <= auroc[worst, worst]["high"]
    choice = (
        f"{model}: the score against {best} exceeds that against {worst} by "
        f"{_points(value[best, best] - value[worst, worst])} of AUROC "
        f"({value[best, best]:.3f} and {value[worst, worst]:.3f}, each trained against its own "
        f"kind; their intervals {'overlap' if overlap else 'do not overlap'}). "
    )
    # What a model loses against the model that was trained against the kind it is tested on.
    lost = {(a, b): value[b, b] - value[a, b] for a, b in value if a != b}
    (a, b), most = max(lost.items(), key=lambda item: item[1])
    if most <= 0:
        return choice + "Trained against any other kind, it scores no lower."
    return choice + (
        f"Trained against {a} and tested against {b}, it reaches {value[a, b]:.3f}: "
        f"{_points(most)} below training against {b} itself."
    )


def _points(difference: float) -> str:
    return f"{100 * difference:.1f} points"
