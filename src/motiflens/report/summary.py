"""The first screen: what was found and what it is worth, what data, which models, the findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from motiflens.report.audit import lengths_in_words, warnings_in_words
from motiflens.report.compare import epochs_cells, epochs_names, mean_and_interval
from motiflens.report.discovery import logo_above_match, name_of, without_model_facts
from motiflens.report.findings import best_model, beyond_chance, findings
from motiflens.report.headline import (
    BASELINES,
    best_baseline,
    ensemble_score,
    headline_motif,
    leak,
    motif_sentence,
    score_in_words,
)
from motiflens.report.motifs import exact_count, logo_above_truth, routes_of
from motiflens.report.parts import (
    MISSING,
    NO_MOTIFS,
    Figure,
    Finding,
    Table,
    held,
    listed,
    percent,
    small,
)
from motiflens.report.provenance import made_by, older
from motiflens.results import Results
from motiflens.results.motifs import ConfirmedMotif, MotifsWithoutModel, TrueMotif
from motiflens.results.scores import Scores
from motiflens.version import __version__

NOT_TESTED = "No motif was tested on held-out sequences: `motiflens motifs` does so."


@dataclass(frozen=True)
class Summary:
    """What the first screen holds; ``headline`` are its first sentences."""

    title: str
    version: str
    facts: Sequence[tuple[str, str]]
    scores: Table | None = None
    motif: Figure | None = None
    findings: Sequence[Finding] = ()
    headline: Sequence[str] = ()


def summarise(results: Results) -> Summary:
    """Lay out the first screen."""
    sentence, motif = _motif(results)
    data = results.provenance.run.data or "a run"
    return Summary(
        title=f"Report on {data.rpartition('/')[2]}",
        version=made_by(results),
        facts=_facts(results),
        scores=_scores(results),
        motif=motif,
        findings=[*older(results), *findings(results)],
        headline=[*score_sentences(results), *([sentence] if sentence else [])],
    )


def summarise_without_model(motifs: MotifsWithoutModel) -> Summary:
    """Lay out the first screen of motifs that were found in sequences alone."""
    title = f"Motifs of {motifs.discovered_by.sequences}"
    return Summary(title, __version__, without_model_facts(motifs))


def score_sentences(results: Results) -> list[str]:
    """Say how good the best model is, what that is worth, and how much of it may be memory."""
    model = best_model(results)
    score = ensemble_score(results, model) if model is not None else None
    if model is None or score is None:
        return []
    words = f"AUROC {score_in_words(score)} on the test split"
    if beyond_chance(score, results.metrics.test_groups):
        words = f"{model} separates positives from negatives with {words}"
    elif score.high < 0.5:
        words = f"{model} ranks negatives above positives, so labels look swapped: {words}"
    else:
        words = f"{model} does not separate positives from negatives beyond chance: {words}"
    if (trivial := best_baseline(results.metrics.baselines)) is not None:
        name, auroc = trivial
        more = "no less: " if auroc >= score.value else ""
        words += f"; the best trivial baseline, {name}, reaches {more}{auroc:.3f}"
    seen = leak(results.audit) if results.holds("audit") else None
    return [f"{words}.", *([f"{seen}."] if seen else [])]


def _facts(results: Results) -> list[tuple[str, str]]:
    run, settings = results.provenance.run, results.settings
    words = run.data or MISSING
    words += "" if run.n_sequences is None else f": {run.n_sequences:,} sequences"
    words += f" of {lengths}" if (lengths := lengths_in_words(results)) else ""
    words += "" if run.n_positives is None else f", {run.n_positives:,} of them positive"
    known = [t.name if t.name == t.consensus else f"{t.name} ({t.consensus})"
             for t in held(results, NO_MOTIFS).truth]  # fmt: skip
    facts = [
        ("Data", words),
        ("Models", listed(settings.models) or MISSING),
        ("Split; strands", f"{settings.split}; {settings.strands}"),
    ]
    if results.holds("audit"):
        facts.append(("Audit of the data", warnings_in_words(results.audit.warnings)))
    facts.append(("True motif", listed(known) or "not known"))
    return [*facts, *([("Notes", "; ".join(run.notes))] if run.notes else [])]


def _scores(results: Results) -> Table | None:
    """Lay out the ensembles' test scores above those of the trivial baselines."""
    if not results.holds("comparison"):
        return None
    comparison = results.comparison
    epochs = epochs_names(comparison)
    head = ["Model", "AUROC", "Accuracy (%)", *epochs, "Motif recovered exactly"]
    rows = [_row(results, name) for name in comparison.models]
    rows += [
        [*_baseline_row(name, scores), *(MISSING for _ in epochs), MISSING]
        for name, scores in comparison.baselines.items()
    ]
    over_seeds = "" if comparison.target is None else "; epochs are the mean over seeds"
    caption = (
        "The ensemble of all seeds on the test split, with its 95 % interval over test "
        f"sequences{over_seeds}. Baselines need no neural network."
    )
    if not results.holds("metrics"):
        caption = "Mean over seeds on the test split, with its 95 % interval over seeds."
    return Table(head, rows, "Models at a glance", caption)


def _row(results: Results, name: str) -> list[str]:
    model = results.comparison.models[name]
    auroc, accuracy = (ensemble_score(results, name, m) for m in ("auroc", "accuracy"))
    return [
        name,
        score_in_words(auroc, 4) if auroc else mean_and_interval(model.summary.auroc, 4),
        score_in_words(accuracy, 2, 100)
        if accuracy
        else mean_and_interval(model.summary.accuracy, 2, scale=100),
        *epochs_cells(results.comparison, model),
        _recovered(results, name),
    ]


def _baseline_row(name: str, scores: Scores) -> list[str]:
    cells = [f"{scores.auroc:.4f}", f"{100 * scores.accuracy:.2f}"]
    return [f"baseline: {BASELINES.get(name, name)}", *cells]


def _recovered(results: Results, name: str) -> str:
    """Name the routes that recover the truth in most seeds."""
    motifs = held(results, NO_MOTIFS)
    model = motifs.models.get(name)
    if model is None or not motifs.truth:
        return MISSING
    counts = {route: exact_count(model, route) for route in routes_of(model)}
    most = max((exact for exact, _ in counts.values()), default=0)
    if not most:
        return "in no seed"
    best = [route for route, (exact, _) in counts.items() if exact == most]
    return f"{most} of {counts[best[0]][1]} seeds ({', '.join(best)})"


def _motif(results: Results) -> tuple[str | None, Figure | None]:
    """Return the sentence on the confirmed motif and its picture; none without motifs."""
    if not results.holds("motifs"):
        return None, None
    motif = headline_motif(results.motifs.discovery)
    figure = None if motif is None else _confirmed(motif, results.motifs.truth)
    return motif_sentence(results) or NOT_TESTED, figure


def _confirmed(motif: ConfirmedMotif, truth: Sequence[TrueMotif]) -> Figure:
    """Draw a confirmed motif, above the true one or else the known one that it matches."""
    title = f"Confirmed motif: {motif.consensus}"
    caption = (
        f"{motif.name}, {name_of(motif)}: sites in "
        f"{percent(motif.positives_with_site)} of test positives and "
        f"{percent(motif.negatives_with_site)} of test negatives, q {small(motif.q_value)}."
    )
    if motif.direction == "negative":
        caption += " It contributes to the negatives."
    if svg := logo_above_truth(motif, truth, title):
        caption += " Below it the true motif"
        caption += f"; similarity {motif.recovery.similarity:.3f}." if motif.recovery else "."
    else:
        svg = logo_above_match(motif, title)
        caption += f" Below it {motif.match.name}." if motif.match else ""
    return Figure(svg, title, caption, "tile")
