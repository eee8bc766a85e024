"""Three signs of the first screen: what is to be thought of data, score and explanations."""

from __future__ import annotations

from dataclasses import dataclass

from motiflens.report.findings import best_model, beyond_chance, may_claim
from motiflens.report.headline import (
    MEMORY_FROM,
    best_baseline,
    ensemble_score,
    leak,
    leaks_from,
    regression_score,
    score_in_words,
)
from motiflens.report.parts import listed
from motiflens.report.regression import best_numbers
from motiflens.report.trust import level_of, name_of_method
from motiflens.results import Results
from motiflens.results.scores import Estimate

#: Fraction of a test class that training has seen from which a leak is more than small.
LEAK_FROM = 0.1
LOOKED_FOR = "Copies, leaks and biases were looked for."
SEPARATED = "Related sequences are kept in one split; a random split could leak."


@dataclass(frozen=True)
class Sign:
    """A judgement: of what, in a word, how good (``good``, ``fair``, ``bad``), and why."""

    name: str
    word: str
    level: str
    text: str


def signs(results: Results) -> list[Sign]:
    """Judge what the run holds; nothing where it holds nothing to judge."""
    return [sign for sign in (_data(results), _score(results), _explanation(results)) if sign]


def _data(results: Results) -> Sign | None:
    if not results.holds("audit"):
        return None
    audit = results.audit
    if (seen := leak(audit)) and leaks_from(audit, MEMORY_FROM):
        if leaks_from(audit, LEAK_FROM):
            return Sign("Data", "Leak", "bad", f"{seen}.")
        return Sign("Data", "Small leak", "fair", f"{seen}.")
    kept = SEPARATED if results.settings.split == "homology" else ""
    if not audit.warnings:
        return Sign("Data", "No problems found", "good", kept or LOOKED_FOR)
    n = len(audit.warnings)
    word = "1 warning" if n == 1 else f"{n} warnings"
    return Sign("Data", word, "fair", " ".join(filter(None, [audit.warnings[0], kept])))


def _score(results: Results) -> Sign | None:
    model = best_model(results)
    if model is not None and results.is_regression:
        return _of_numbers(results, model)
    score = ensemble_score(results, model) if model is not None else None
    if score is None:
        return None
    text = f"AUROC {score_in_words(score)}"
    if not beyond_chance(score, results.metrics.test_groups):
        return Sign("Score", "No better than chance", "bad", f"{text}; 0.5 is chance.")
    if (trivial := best_baseline(results.metrics.baselines)) is None:
        return Sign("Score", "Better than chance", "good", f"{text}; 0.5 is chance.")
    name, auroc = trivial
    return _beside_baseline(score, auroc, f"{text}; {name}: {auroc:.3f}.")


def _beside_baseline(score: Estimate, baseline: float, text: str) -> Sign:
    if score.low > baseline:
        return Sign("Score", "Better than the baseline", "good", text)
    if score.value > baseline:
        return Sign("Score", "Little better than the baseline", "fair", text)
    return Sign("Score", "No better than the baseline", "fair", text)


def _of_numbers(results: Results, model: str) -> Sign | None:
    """Judge the score of labels that are numbers."""
    score, trivial = regression_score(results, model), best_numbers(results)
    if score is None:
        return None
    text = f"Spearman {score_in_words(score)}"
    if score.low <= 0:
        return Sign("Score", "No better than chance", "bad", f"{text}; 0 is chance.")
    if trivial is None:
        return Sign("Score", "Better than chance", "good", f"{text}; 0 is chance.")
    name, value = trivial
    return _beside_baseline(score, value, f"{text}; {name}: {value:.3f}.")


def _explanation(results: Results) -> Sign | None:
    model = best_model(results)
    trusted = results.trust.models.get(model) if model and results.holds("trust") else None
    if model is None or trusted is None:
        return None
    by_level: dict[str, list[str]] = {}
    for method in trusted.methods:
        by_level.setdefault(level_of(method, trusted), []).append(name_of_method(method))
    if not may_claim(results, model):
        text = f"{model} does not separate the classes well enough."
        return Sign("Explanation", "Nothing may be claimed", "bad", text)
    if claimed := by_level.get("claim"):
        text = f"Of {model}, base by base, by {listed(claimed)}."
        return Sign("Explanation", "Bases may be claimed", "good", text)
    if some := by_level.get("some"):
        text = f"Of {model}, in some positives only, by {listed(some)}."
        return Sign("Explanation", "Bases in some positives", "fair", text)
    if order := by_level.get("order"):
        text = f"Of {model}, only which bases matter more, by {listed(order)}."
        return Sign("Explanation", "Order only", "fair", text)
    return Sign("Explanation", "No method may be claimed", "bad", f"None passed for {model}.")
