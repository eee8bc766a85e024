"""What a command prints of what it found."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import msgspec

from motiflens.cli.progress import is_first_process
from motiflens.report.headline import (
    at_prevalence,
    best_baseline,
    cross_validation,
    ensemble_score,
    leak,
    motif_sentence,
    score_in_words,
)
from motiflens.report.parts import TO
from motiflens.report.regression import METRICS, best_numbers
from motiflens.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from motiflens.results import Results
    from motiflens.results.motifs import ConfirmedMotif
    from motiflens.results.scores import CrossValidation
    from motiflens.runs import Run


#: What is printed of a model: score → its name.
SCORES = {"mcc": "MCC", "auroc": "AUROC", "accuracy": "accuracy"}


def print_report(made: Run) -> None:
    """Say where the page of a run lies."""
    if is_first_process():
        print(f"report: {made.results.path_of('report')}", file=sys.stderr)


def summarise(made: Run, *, as_json: bool) -> None:
    """Print what a run found: lines for each model, or one JSON object."""
    if not is_first_process():
        return
    results = made.results
    numbers = results.is_regression
    scored = results.regression.models if numbers else results.comparison.models
    models = {name: _of_model(results, name) for name in scored}
    trivial = best_baseline(results.metrics.baselines) if results.holds("metrics") else None
    metric = "AUROC"
    if numbers:
        trivial, metric = best_numbers(results), "Spearman"
    seen = leak(results.audit) if results.holds("audit") else None
    motifs = results.motifs.discovery if results.holds("motifs") else ()
    crossed, discovered = _crossed(results), [in_short(motif) for motif in motifs]
    if as_json:
        found: dict[str, Any] = {"run": str(made.path), "models": models, "motifs": discovered}
        found |= {"crossing": crossed} if crossed else {}
        if results.holds("distillation"):
            found["ensemble"] = msgspec.to_builtins(results.distillation.ensemble.test)
        found["best_baseline"] = trivial and {"name": trivial[0], metric.lower(): trivial[1]}
        print(json.dumps({**found, "leak": seen}))
        return
    for name in models:
        print(f"{name:<20} {_scores(results, name)}")
        if folds := cross_validation(results, name):
            print(f"{name:<20} {_folds_in_words(folds)}")
        if at := at_prevalence(results, name):
            mcc = score_in_words(at.mcc, 4).replace(TO, " to ")
            print(f"{name:<20} MCC {mcc} at the known prevalence {at.prevalence:g}")
    if results.holds("distillation"):
        print(f"{'all of them':<20} {_of_ensemble(results)}")
    if trivial is not None:
        print(f"{'best baseline':<20} {metric} {trivial[1]:.4f}, {trivial[0]}")
    if seen is not None:
        print(f"{'leak':<20} {seen}")
    for name, values in models.items():
        if "verdict" in values:
            print(f"{name:<20} {values['verdict']}{_judged_before(results)}")
    if discovered:
        print_motifs(discovered)
    elif sentence := motif_sentence(results):
        print(f"{'motifs':<20} {sentence}")
    for name, trained_on in crossed.items():
        for kind, tested_on in trained_on.items():
            scores = ", ".join(f"{other} {auroc:.4f}" for other, auroc in tested_on.items())
            print(f"{name:<20} trained against {kind}, AUROC against {scores}")


def _of_model(results: Results, name: str) -> dict[str, Any]:
    """Return a model's scores as means over seeds and of the ensemble, its motifs and verdict."""
    values: dict[str, Any] = {}
    if results.is_regression:
        test = results.regression.models[name].test
        values["ensemble"] = {m: msgspec.to_builtins(getattr(test, m)) for m in METRICS}
    else:
        summary = results.comparison.models[name].summary
        means = ("accuracy", "auroc", "auprc", "mcc")
        values |= {metric: getattr(summary, metric).mean for metric in means}
        values["ensemble"] = {metric: _estimate(results, name, metric) for metric in SCORES}
        values |= _at_prevalence(results, name)
        if folds := cross_validation(results, name):
            values["cross_validation"] = msgspec.to_builtins(folds)
    if results.holds("motifs") and (found := results.motifs.models.get(name)):
        values["motifs"] = {
            route: motifs[0].consensus if motifs else None
            for route, motifs in found.seeds[0].routes.items()
        }
    if results.holds("trust") and (trusted := results.trust.models.get(name)):
        values["verdict"] = trusted.verdict
        if results.trust.version != __version__:
            values["verdict_of_version"] = results.trust.version or None
    return values


def _estimate(results: Results, name: str, metric: str) -> dict[str, float]:
    score = ensemble_score(results, name, metric)
    return {"value": score.value, "low": score.low, "high": score.high} if score else {}


def _at_prevalence(results: Results, name: str) -> dict[str, Any]:
    """Return the scores of calls that use a known prevalence; nothing where none is known."""
    found = at_prevalence(results, name)
    return {"at_prevalence": msgspec.to_builtins(found)} if found else {}


def _folds_in_words(crossed: CrossValidation) -> str:
    """Write what the folds score: their means, and all together where that is no test score."""
    words = {metric: SCORES[metric] for metric in ("mcc", "auroc")}
    pooled = "  ".join(
        f"{title} {score_in_words(getattr(crossed.pooled, metric), 4).replace(TO, ' to ')}"
        for metric, title in words.items()
    )
    means = "  ".join(f"{title} {getattr(crossed.mean, m).mean:.4f}" for m, title in words.items())
    mean = f"mean of {len(crossed.folds)} folds {means}"
    return mean if crossed.is_test else f"out of fold {pooled}; {mean}"


def _judged_before(results: Results) -> str:
    """Say that a verdict is of another version, where it is."""
    version = results.trust.version
    if version == __version__:
        return ""
    judge = f"motiflens {version}" if version else "an older version"
    return f" (judged by {judge}; `motiflens trust {results.path}` judges anew)"


def _scores(results: Results, name: str) -> str:
    """Write the ensemble's scores with their intervals, or the means over seeds without."""
    words = []
    if results.is_regression:
        for metric, title in METRICS.items():
            estimate = getattr(results.regression.models[name].test, metric)
            words.append(f"{title} {score_in_words(estimate, 4)}".replace(TO, " to "))
        return "  ".join(words)
    for metric, title in SCORES.items():
        score = ensemble_score(results, name, metric)
        mean = getattr(results.comparison.models[name].summary, metric).mean
        text = score_in_words(score, 4) if score else f"{mean:.4f}"
        words.append(f"{title} {text}".replace(TO, " to "))
    return "  ".join(words)


def _of_ensemble(results: Results) -> str:
    """Write what the ensemble of all models scores, which the distilled network has learnt from."""
    test, words = results.distillation.ensemble.test, []
    for metric, title in SCORES.items():
        words.append(f"{title} {score_in_words(getattr(test, metric), 4)}".replace(TO, " to "))
    return "  ".join(words)


def in_short(motif: ConfirmedMotif) -> dict[str, Any]:
    """Return what is printed of a discovered motif."""
    return {
        "consensus": motif.consensus,
        "name": motif.match.name if motif.match else None,
        "family": motif.match.family if motif.match else None,
        "direction": motif.direction,
        "positives": motif.positives_with_site,
        "negatives": motif.negatives_with_site,
        "q_value": motif.q_value,
    }


def counted(n: int, what: str) -> str:
    """Write a number of things: "1 motif", "2 motifs"."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def print_motifs(entries: Sequence[dict[str, Any]]) -> None:
    """Print discovered motifs, a line each."""
    for entry in entries:
        fractions = f"{entry['positives']:.1%} of positives, {entry['negatives']:.1%} of negatives"
        name = entry["name"] or "unknown"
        name += f" (family {entry['family']})" if entry["family"] else ""
        print(f"{entry['consensus']:<20} {name}, in {fractions}")


def _crossed(results: Results) -> dict[str, dict[str, dict[str, float]]]:
    """Return the AUROC of each model, trained against a negative set, on every one."""
    return {
        name: {
            kind: {other: scores.auroc.value for other, scores in row.tested_on.items()}
            for kind, row in model.trained_on.items()
        }
        for name, model in (results.crossing.models if results.holds("crossing") else {}).items()
    }
