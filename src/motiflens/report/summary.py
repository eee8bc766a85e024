"""The first screen: what was found and what it is worth, in words, three signs and two pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from motiflens.report.audit import lengths_in_words
from motiflens.report.discovery import logo_above_match, name_of, without_model_facts
from motiflens.report.explained import Explained, worked_sequence
from motiflens.report.findings import best_model, beyond_chance
from motiflens.report.headline import (
    best_baseline,
    ensemble_score,
    headline_motif,
    leak,
    motif_sentence,
    score_in_words,
    where_scored,
)
from motiflens.report.motifs import logo_above_truth
from motiflens.report.parts import MISSING, NO_MOTIFS, Figure, Finding, held, listed, percent, small
from motiflens.report.provenance import made_by, older
from motiflens.report.regression import IN_CLASSES, regression_sentence
from motiflens.report.signs import Sign, signs
from motiflens.results import Results
from motiflens.results.motifs import ConfirmedMotif, MotifsWithoutModel, TrueMotif
from motiflens.version import __version__

NOT_TESTED = "No motif was tested on held-out sequences: `motiflens motifs` does so."


@dataclass(frozen=True)
class Summary:
    """What the first screen holds.

    Parameters
    ----------
    title, version, facts
        The data, the versions, and what else is to be known first: name of a fact, and fact.
    headline
        The answer in sentences, the first of them the largest.
    signs
        What is to be thought of data, score and explanations.
    motif, sequence
        The confirmed motif beside its like, and one worked sequence.
    notices
        What a reader has to know of the page itself.
    """

    title: str
    version: str
    facts: Sequence[tuple[str, str]]
    headline: Sequence[str] = ()
    signs: Sequence[Sign] = ()
    motif: Figure | None = None
    sequence: Figure | None = None
    notices: Sequence[Finding] = ()


def summarise(results: Results, explained: Explained | None = None) -> Summary:
    """Lay out the first screen."""
    sentence, motif = _motif(results)
    data = results.provenance.run.data or "a run"
    return Summary(
        title=f"Report on {data.rpartition('/')[2]}",
        version=made_by(results),
        facts=_facts(results),
        headline=[*([sentence] if sentence else []), *score_sentences(results)],
        signs=signs(results),
        motif=motif,
        sequence=worked_sequence(results, explained) if explained else None,
        notices=older(results),
    )


def summarise_without_model(motifs: MotifsWithoutModel) -> Summary:
    """Lay out the first screen of motifs that were found in sequences alone."""
    title = f"Motifs of {motifs.discovered_by.sequences}"
    return Summary(title, __version__, without_model_facts(motifs))


def score_sentences(results: Results) -> list[str]:
    """Say how good the best model is, what that is worth, and how much of it may be memory."""
    model = best_model(results)
    if model is not None and results.is_regression:
        sentences = [regression_sentence(results, model)]
        seen = leak(results.audit) if results.holds("audit") else None
        return [*filter(None, sentences), *([f"{seen}."] if seen else [])]
    score = ensemble_score(results, model) if model is not None else None
    if model is None or score is None:
        return []
    words = f"AUROC {score_in_words(score)} {where_scored(results, model)}"
    if mcc := ensemble_score(results, model, "mcc"):
        words = f"MCC {score_in_words(mcc)} and {words}"
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
    split = f"{settings.folds} folds, {settings.split}" if settings.folds else settings.split
    facts = [("Data", words), ("Split; strands", f"{split}; {settings.strands}")]
    if results.is_regression:
        facts.append(("Labels", IN_CLASSES))
    return [*facts, *([("True motif", listed(known))] if known else [])]


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
