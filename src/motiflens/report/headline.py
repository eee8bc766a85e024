"""What a run has found, in sentences: the page and the terminal say the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from motiflens.report.parts import NO_METRICS, NO_MOTIFS, TO, held, listed, percent, signed
from motiflens.results import Results
from motiflens.results.audit import Audit
from motiflens.results.motifs import ConfirmedMotif
from motiflens.results.scores import CrossValidation, Estimate, Scores, ScoresAtPrevalence

#: From this fraction of test sequences that training has seen, a score is said to be partly memory.
MEMORY_FROM = 0.01

BASELINES = {
    "composition": "base composition and length alone",
    "kmer": "k-mers alone",
    "best-motif": "the best single motif",
}


def ensemble_score(results: Results, model: str, metric: str = "auroc") -> Estimate | None:
    """Return a test score of a model's ensemble; None where there is none."""
    ensemble = held(results, NO_METRICS).models.get(model)
    score: Estimate | None = getattr(ensemble.test, metric) if ensemble else None
    return score


def regression_score(results: Results, model: str, metric: str = "spearman") -> Estimate | None:
    """Return a test score of a model that predicts numbers; None where there is none."""
    models = results.regression.models if results.holds("regression") else {}
    score: Estimate | None = getattr(models[model].test, metric) if model in models else None
    return score


def at_prevalence(results: Results, model: str) -> ScoresAtPrevalence | None:
    """Return the test scores of calls that use a known prevalence; None where none was given."""
    ensemble = held(results, NO_METRICS).models.get(model)
    found = ensemble.at_prevalence if ensemble else None
    return found or None


def cross_validation(results: Results, model: str) -> CrossValidation | None:
    """Return the scores of a model in cross-validation; None where there was none."""
    ensemble = held(results, NO_METRICS).models.get(model)
    found = ensemble.cross_validation if ensemble else None
    return found or None


def where_scored(results: Results, model: str) -> str:
    """Say on what a model's scores are: on the test split, or on every fold."""
    return "in cross-validation" if scored_in_folds(results, model) else "on the test split"


def scored_in_folds(results: Results, model: str) -> bool:
    """Return whether a model is scored on every fold that it was held out of."""
    crossed = cross_validation(results, model)
    return bool(crossed and crossed.is_test)


def score_in_words(score: Estimate, digits: int = 3, scale: float = 1.0) -> str:
    """Write a score with its interval: "0.571 (0.467 to 0.683)"."""
    value, low, high = (signed(scale * x, digits) for x in (score.value, score.low, score.high))
    return f"{value} ({low}{TO}{high})"


def best_baseline(baselines: Mapping[str, Scores]) -> tuple[str, float] | None:
    """Return the trivial baseline of the highest AUROC, in words, and that AUROC."""
    if not baselines:
        return None
    best = max(baselines, key=lambda name: baselines[name].auroc)
    return BASELINES.get(best, f"the baseline {best}"), baselines[best].auroc


def leak(audit: Audit) -> str | None:
    """Say how many test sequences training has seen, in whole or by 31 bases; None for none."""
    fraction, words = _seen(audit)
    if not fraction:
        return None
    n = audit.composition["test"].n
    if audit.overlap.get("train-test") == n.positives + n.negatives:
        return "All test sequences are in training too: the score is memory"
    return words + (": the score is partly memory" if fraction >= MEMORY_FROM else "")


def leaks_from(audit: Audit, fraction: float) -> bool:
    """Return whether training has seen this fraction of a test class or more."""
    return _seen(audit)[0] >= fraction


def _seen(audit: Audit) -> tuple[float, str]:
    """Return the largest fraction of a test class that training has seen, and the counts."""
    if "test" not in audit.composition:
        return 0.0, ""
    n, shared = audit.composition["test"].n, audit.shared_31mers.get("train-test")
    pairs = (
        ("positives", n.positives, shared.positives if shared else 0),
        ("negatives", n.negatives, shared.negatives if shared else 0),
    )
    counts = [f"{seen:,} of {total:,} test {label}" for label, total, seen in pairs if seen]
    if counts:
        fraction = max(seen / total for _, total, seen in pairs if total)
        return fraction, f"{listed(counts)} share 31 bases with training"
    # Sequences of fewer than 31 bases share none, but can be the same.
    copies, total = audit.overlap.get("train-test", 0), n.positives + n.negatives
    fraction = copies / total if total else 0.0
    return fraction, f"{copies:,} of {total:,} test sequences are in training too"


def headline_motif(motifs: Sequence[ConfirmedMotif]) -> ConfirmedMotif | None:
    """Choose the confirmed motif that is shown first: the first that positives have more often."""
    of_positives = (motif for motif in motifs if motif.direction != "negative")
    return next(of_positives, next(iter(motifs), None))


def motif_sentence(results: Results) -> str | None:
    """Say which motif held-out sequences confirm, or that they confirm none; None if not tested."""
    motifs = held(results, NO_MOTIFS)
    by, motif = motifs.discovered_by, headline_motif(motifs.discovery)
    if by is None:
        return None
    if motif is None:
        n = len(by.not_significant)
        tested = f" ({n} {'was' if n == 1 else 'were'} tested)" if n else ""
        return f"No motif is confirmed on held-out sequences{tested}."
    name = "unlike any known motif" if motif.match is None else f"like {motif.match.name}"
    whose = "of the negatives " if motif.direction == "negative" else ""
    # Where groups are counted, none that shares 31 bases with training is tested on.
    unseen = by.tested_on.groups is not None or not results.holds("audit")
    doubt = ", some of which training has seen"
    if unseen or _seen(results.audit)[0] < MEMORY_FROM:
        doubt = ""
    return (
        f"Confirmed motif {whose}{motif.consensus}, {name}: in "
        f"{percent(motif.positives_with_site)} of test positives and "
        f"{percent(motif.negatives_with_site)} of test negatives{doubt}."
    )
