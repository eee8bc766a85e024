"""The findings in plain words, claimed only where the run's own figures support them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from motiflens.metrics import auroc_standard_error
from motiflens.report.headline import ensemble_score, regression_score
from motiflens.report.motifs import exact_count
from motiflens.report.parts import (
    NO_COMPARISON,
    NO_MOTIFS,
    NO_TRUST,
    Finding,
    held,
    listed,
    percent,
)
from motiflens.results import Results
from motiflens.results.motifs import ModelMotifs, Shortcut
from motiflens.results.scores import Estimate, GroupCounts
from motiflens.results.tracks import best_validated

#: Order is learnt where the motif's shuffles and the best one-letter run each keep at most this
#: fraction of its effect; the bound of the verdict of ``shortcut_test``.
MAX_KEPT = 1 / 3
#: AUROC from which a model separates the classes; as in the verdicts of trust.
SEPARATES_FROM = 0.6
FAILS = "does not separate positives from negatives"


def best_model(results: Results) -> str | None:
    """Name the model that motifs are discovered with, or else that of the best validation.

    The first of the configuration where no model is there; None where none is named.
    """
    if by := held(results, NO_MOTIFS).discovered_by:
        return by.model
    return best_validated(results) or next(iter(results.settings.models), None)


def beyond_chance(score: Estimate, n: GroupCounts | None) -> bool:
    """Return whether an AUROC and its interval lie above 0.5.

    With ``n`` independent positives and negatives the AUROC also has to be above 1.96 standard
    errors of one by chance: an interval of two or three says little.
    """
    by_chance = 0.0
    if n and n.positives and n.negatives:
        by_chance = 1.96 * auroc_standard_error(n.positives, n.negatives)
    return score.low > 0.5 and score.value > 0.5 + by_chance


def may_claim(results: Results, model: str) -> bool:
    """Return whether a model separates the classes, so that its logits say something of the data.

    Asked are the verdict of trust and the interval of the ensemble's AUROC, as far as they are
    there; without both, the mean over seeds. Of labels that are numbers, the verdict and the
    interval of Spearman's correlation.
    """
    trusted = held(results, NO_TRUST).models.get(model)
    if results.is_regression:
        spearman = regression_score(results, model)
        predicts = spearman is not None and spearman.low > 0
        return predicts and (trusted is None or trusted.may_claim is not False)
    score = ensemble_score(results, model)
    if score is not None and not beyond_chance(score, results.metrics.test_groups):
        return False
    if trusted is not None and trusted.may_claim is not None:
        return trusted.may_claim
    auroc = trusted.auroc if trusted is not None else None
    auroc = auroc_of(results, model) if auroc is None else auroc
    return auroc is not None and auroc >= SEPARATES_FROM


def auroc_of(results: Results, model: str) -> float | None:
    """Return the test AUROC of a model's ensemble, or else the mean over seeds."""
    if (score := ensemble_score(results, model)) is not None:
        return score.value
    compared = held(results, NO_COMPARISON).models.get(model)
    return compared.summary.auroc.mean if compared else None


def order_is_learnt(results: Results) -> Finding | None:
    """State whether the best model learns the order of the motif's letters or their composition.

    Nothing is claimed of a model that hardly separates the classes, nor of a motif without an
    effect on it; what other models do comes after, and decides nothing.
    """
    tests, best = held(results, NO_MOTIFS).shortcut, best_model(results)
    if not tests or best is None:
        return None
    text = _of_best(results, tests, best)
    supported = best in tests and may_claim(results, best) and _keeps_little(tests[best])
    for model, test in tests.items():
        if model != best:
            text += f" {model}: {_kept(test) if may_claim(results, model) else f'{FAILS}.'}"
    title = "Not a shortcut" if supported else "Order of the letters"
    return Finding(title, text, supported)


def _of_best(results: Results, tests: Mapping[str, Shortcut], best: str) -> str:
    """Say what the test shows of the best model, and why nothing where nothing may be claimed."""
    if best not in tests:
        return f"Not tested for {best}, the best model."
    if not may_claim(results, best):
        auroc = auroc_of(results, best)
        figure = "" if auroc is None else f" (test AUROC {auroc:.2f})"
        return f"Nothing may be claimed of {best}: it {FAILS}{figure}."
    text = "This run does not show that order is learnt."
    if _keeps_little(tests[best]):
        text = "The order of the letters is learnt, not their composition."
    return f"{text} {best}: {_kept(tests[best])}"


def _kept(test: Shortcut) -> str:
    """Say what shuffles and one-letter runs keep of a motif's effect on the logit."""
    if not test.has_effect:
        return "the motif has no effect on the logit, so that its shuffles say nothing."
    shuffled, run = (
        percent(fraction, 0) if fraction > 0 else "nothing"
        for fraction in (test.shuffled_fraction, test.homopolymer_fraction)
    )
    return (
        f"shuffles of the motif keep {shuffled} of its effect on the logit, the best one-letter "
        f"run {run}."
    )


def _keeps_little(test: Shortcut) -> bool:
    return test.has_effect and max(test.shuffled_fraction, test.homopolymer_fraction) <= MAX_KEPT


def coordinate_error(results: Results) -> Finding | None:
    """State whether stretching the weights hides a motif that the same attention has found."""
    motifs = held(results, NO_MOTIFS)
    if not motifs.truth:
        return None
    models = {
        name: (exact_count(model, "attention-stretched"), exact_count(model, "attention"))
        for name, model in motifs.models.items()
    }
    counts = {name: both for name, both in models.items() if both[0][1] and both[1][1]}
    if not counts:
        return None
    supported = [name for name, both in counts.items() if _stretching_hides(*both)]
    words = "; ".join(
        f"{name}: stretched attention recovers the motif in {stretched[0]} of {stretched[1]} "
        f"seeds, the same attention tied to its receptive field in {tied[0]} of {tied[1]}"
        for name, (stretched, tied) in counts.items()
        if name in supported or not supported
    )
    if not supported:
        text = f"This run does not show that stretching hides the motif. {words}."
        return Finding("Stretched and tied attention", text, supported=False)
    text = (
        f"{words}. The attention was on the motif; stretching the weights of units to the length "
        f"of the sequence puts them on the wrong bases.{_control(motifs.untrained, supported)}"
    )
    return Finding("A coordinate error", text, supported=True)


def _control(untrained: Mapping[str, ModelMotifs], models: Sequence[str]) -> str:
    """Say which models show the motif by tied attention before training as well."""
    before = {m: exact_count(untrained.get(m), "attention") for m in models}
    shown = [
        f"{exact} of {n} untrained replicas of {model}"
        for model, (exact, n) in before.items()
        if exact
    ]
    if not shown:
        return ""
    return (
        f" The control: {listed(shown)} show the motif too, in fewer positives, so that the motif "
        "alone does not prove that the model has learnt it."
    )


def _stretching_hides(stretched: tuple[int, int], tied: tuple[int, int]) -> bool:
    """Ask for most seeds exact when tied, and fewer than half as many when stretched."""
    fraction_stretched, fraction_tied = stretched[0] / stretched[1], tied[0] / tied[1]
    return fraction_tied > 0.5 and 2 * fraction_stretched < fraction_tied
