"""The first screen: what was found and what it is worth, what data, which models, the findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from motiflens.report.confirmed import headline_motif
from motiflens.report.data_audit import lengths_in_words, warnings_in_words
from motiflens.report.findings import findings
from motiflens.report.headline import BASELINES, ensemble, leak, score_sentence, with_interval
from motiflens.report.motif_sections import exact_count, motif_models, routes_of, truths
from motiflens.report.parts import NOTHING, Figure, Finding, Table, finite, interval, listed
from motiflens.report.reading import Run
from motiflens.report.scores import epochs_cell, epochs_name, ordered
from motiflens.report.standing import best_model
from motiflens.report.versions import made_by, older

Cells = Sequence[str]


@dataclass(frozen=True)
class Summary:
    """What the first screen holds; ``headline`` are its first sentences."""

    title: str
    version: str
    facts: Sequence[tuple[str, str]]
    scores: Table | None
    motif: Figure | None
    findings: Sequence[Finding]
    headline: Sequence[str] = ()


def summarise(run: Run) -> Summary:
    """Lay out the first screen."""
    made = run.provenance.get("run", {})
    sentence, motif = headline_motif(run)
    return Summary(
        title=f"Report on {str(made.get('data', 'a run')).rpartition('/')[2]}",
        version=made_by(run),
        facts=_facts(run, made),
        scores=_scores(run),
        motif=motif,
        findings=[*older(run), *findings(run)],
        headline=[*_score_sentences(run), *([sentence] if sentence else [])],
    )


def _score_sentences(run: Run) -> list[str]:
    """Say how good the best model is, what that is worth, and how much of it may be memory."""
    best = best_model(run)
    score = ensemble(run.metrics, best) if best is not None else {}
    if best is None or not score:
        return []
    seen = leak(run.audit)
    baselines, n = run.metrics.get("baselines") or {}, run.metrics.get("test_groups")
    told = score_sentence(best, score, baselines, n)
    return [told, *([f"{seen}."] if seen else [])]


def _facts(run: Run, made: dict[str, Any]) -> list[tuple[str, str]]:
    chosen = run.provenance.get("configuration", {})
    known = [f"{name} ({truth['consensus']})" if name != truth["consensus"] else name
             for name, truth in truths(run).items()]  # fmt: skip
    facts = [
        ("Data", _data_words(run, made)),
        ("Models", listed(run.models) or NOTHING),
        ("Split; strands", "; ".join(str(chosen.get(k) or NOTHING) for k in ("split", "strands"))),
    ]
    if run.audit:
        facts.append(("Audit of the data", warnings_in_words(run)))
    facts.append(("True motif", listed(known) or "not known"))
    notes = [str(note) for note in made.get("notes", [])]
    return [*facts, *([("Notes", "; ".join(notes))] if notes else [])]


def _data_words(run: Run, made: dict[str, Any]) -> str:
    words = str(made.get("data", NOTHING))
    if "n_sequences" in made:
        words += f": {made['n_sequences']:,} sequences"
    words += f" of {lengths}" if (lengths := lengths_in_words(run)) else ""
    return words + (f", {made['n_positives']:,} of them positive" if "n_positives" in made else "")


def _scores(run: Run) -> Table | None:
    """Lay out the ensembles' test scores above those of the trivial baselines."""
    models = run.comparison.get("models", {})
    if not models:
        return None
    rows = [_row(run, name, models[name]) for name in ordered(run, models)]
    baselines = run.metrics.get("baselines") or run.comparison.get("baselines") or {}
    rows += [_baseline_row(name, found) for name, found in baselines.items()]
    head = ["Model", "AUROC", "Accuracy (%)", epochs_name(run), "Motif recovered exactly"]
    caption = (
        "The ensemble of all seeds on the test part, with its 95 % interval over test sequences; "
        "epochs are the mean over seeds. Baselines need no neural net."
    )
    if not run.metrics.get("models"):
        caption = "Mean over seeds on the test part, with its 95 % interval over seeds."
    return Table(head, rows, "Models at a glance", caption)


def _row(run: Run, name: str, model: dict[str, Any]) -> Cells:
    cells = [_score(run, name, model, "auroc", 4), _score(run, name, model, "accuracy", 2, 100)]
    return [name, *cells, epochs_cell(model), _recovered(run, name)]


def _score(
    run: Run, name: str, model: dict[str, Any], metric: str, digits: int, scale: float = 1.0
) -> str:
    """Write a score of the ensemble with its interval, or else the mean over seeds with that."""
    found = ensemble(run.metrics, name, metric)
    if not found:
        return interval(model["summary"].get(metric), digits, scale=scale)
    scaled = {key: scale * value if finite(value := found.get(key)) else None
              for key in ("value", "low", "high")}  # fmt: skip
    return with_interval(scaled, digits)


def _baseline_row(name: str, found: dict[str, Any]) -> Cells:
    auroc, accuracy = found.get("auroc"), found.get("accuracy")
    cells = [f"{auroc:.4f}" if finite(auroc) else NOTHING]
    cells += [f"{100 * accuracy:.2f}" if finite(accuracy) else NOTHING]
    return [f"baseline: {BASELINES.get(name, name)}", *cells, NOTHING, NOTHING]


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
