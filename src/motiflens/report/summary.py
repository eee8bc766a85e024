"""The first screen: what data, which models, best scores, the motif found, the findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from motiflens.report.data_audit import warnings_in_words
from motiflens.report.findings import findings
from motiflens.report.motif_sections import (
    exact_count,
    first_motifs,
    motif_figure,
    motif_models,
    routes_of,
    truths,
)
from motiflens.report.parts import (
    NOTHING,
    Figure,
    Finding,
    Table,
    interval,
    listed,
    percent,
    triple,
)
from motiflens.report.reading import Run
from motiflens.report.scores import epochs_cell, epochs_name, ordered

BEST_ROUTES = ("ism", "attention", "saliency", "attention-saliency", "filters")


@dataclass(frozen=True)
class Summary:
    """What the first screen holds."""

    title: str
    version: str
    facts: Sequence[tuple[str, str]]
    scores: Table | None
    motif: Figure | None
    findings: Sequence[Finding]


def summarise(run: Run) -> Summary:
    """Lay out the first screen."""
    made = run.provenance.get("run", {})
    return Summary(
        title=f"Report on {str(made.get('data', 'a run')).rpartition('/')[2]}",
        version=str(made.get("version", "")),
        facts=_facts(run, made),
        scores=_scores(run),
        motif=_best_motif(run),
        findings=findings(run),
    )


def _facts(run: Run, made: dict[str, Any]) -> list[tuple[str, str]]:
    facts = [("Data", _data_words(made)), ("Models", listed(run.models) or NOTHING)]
    if run.audit:
        facts.append(("Audit of the data", warnings_in_words(run)))
    models = run.comparison.get("models", {})
    means = {name: triple(models[name]["summary"].get("accuracy") or {})[0] for name in models}
    means = {name: mean for name, mean in means.items() if mean == mean}
    if means:
        most = max(means.values())
        best = [name for name in ordered(run, means) if means[name] == most]
        facts.append(("Best test accuracy", f"{percent(most, 2)}, {listed(best)}"))
    known = [f"{name} ({truth['consensus']})" if name != truth["consensus"] else name
             for name, truth in truths(run).items()]  # fmt: skip
    facts.append(("True motif", listed(known) or "not known"))
    return facts


def _data_words(made: dict[str, Any]) -> str:
    words = str(made.get("data", NOTHING))
    if "n_sequences" in made:
        words += f": {made['n_sequences']:,} sequences"
    if "length" in made:
        length = made["length"]
        span = f"{length[0]}–{length[-1]}" if isinstance(length, list) else str(length)
        words += f" of {span} bp"
    return words + (f", {made['n_positives']:,} of them positive" if "n_positives" in made else "")


def _scores(run: Run) -> Table | None:
    models = run.comparison.get("models", {})
    if not models:
        return None
    rows = [
        [
            name,
            interval(models[name]["summary"].get("accuracy"), 2, scale=100),
            interval(models[name]["summary"].get("auroc"), 4),
            epochs_cell(models[name]),
            _recovered(run, name),
        ]
        for name in ordered(run, models)
    ]
    head = ["Model", "Test accuracy (%)", "AUROC", epochs_name(run), "Motif recovered exactly"]
    return Table(head, rows, "Models at a glance")


def _recovered(run: Run, model: str) -> str:
    """Name the routes that recover the truth in most seeds."""
    if model not in motif_models(run) or not truths(run):
        return NOTHING
    counts = {route: exact_count(run, model, route) for route in routes_of(run, model)}
    most = max((exact for exact, _ in counts.values()), default=0)
    if not most:
        return "in no seed"
    best = [route for route, (exact, _) in counts.items() if exact == most]
    return f"{most} of {counts[best[0]][1]} seeds ({', '.join(best)})"


def _best_motif(run: Run) -> Figure | None:
    """Choose the first seeds' motif most similar to the truth, or else the one of most sites.

    Of equals, the route comes first whose evidence is strongest; the stretched read-out, which is
    there to show an error, is left out.
    """
    found = [
        (model, route, motif)
        for route in BEST_ROUTES
        for model in motif_models(run)
        if route in routes_of(run, model) and (motif := first_motifs(run, model, route)[0])
    ]
    if not found:
        return None
    model, route, motif = max(
        found,
        key=lambda one: ((one[2].get("recovery") or {}).get("similarity", 0.0), one[2]["n_sites"]),
    )
    return motif_figure(run, motif, f"Motif found: {model}, {route}")
