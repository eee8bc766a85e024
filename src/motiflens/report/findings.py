"""The findings in plain words, claimed only where the run's own figures support them."""

from __future__ import annotations

import re
from typing import Any

from motiflens.report.headline import leak
from motiflens.report.motif_sections import (
    exact_count,
    first_motifs,
    is_exact,
    motif_models,
    truths,
)
from motiflens.report.parts import NOTHING, Finding, finite, listed, percent
from motiflens.report.reading import Run
from motiflens.report.scores import ordered
from motiflens.report.standing import auroc_of, best_model, may_claim

# Order is learnt where the motif's shuffles and the best one-letter run each keep at most this
# share of its effect; the bound of the verdict of `experiments.shortcut_test`.
KEPT_AT_MOST = 1 / 3
#: Words of a verdict that allows a claim base by base.
CLAIMED = "bases may be claimed by"
ORDER = "Order of the letters"
FAILS = "does not tell positives from negatives"
IN_BRACKETS = re.compile(r" \([^()]*\)")


def findings(run: Run) -> list[Finding]:
    """State both findings, or that the figures do not support them; none where data is absent."""
    found = (claims(run), order_is_learnt(run), coordinate_error(run))
    return [finding for finding in found if finding]


def claims(run: Run) -> Finding | None:
    """Repeat the verdict on each model's explanations, without its figures."""
    models = run.trust.get("models") or {}
    if not models:
        return None
    words = {
        name: f"{name}: {IN_BRACKETS.sub('', models[name]['verdict'])}."
        for name in ordered(run, models)
    }
    supported = any(CLAIMED in text and may_claim(run, name) for name, text in words.items())
    texts = list(words.values())
    if seen := leak(run.audit):
        texts.append(f"All of this rests on the test part: {seen[0].lower() + seen[1:]}.")
    return Finding("What may be claimed of the explanations", " ".join(texts), supported=supported)


def order_is_learnt(run: Run) -> Finding | None:
    """State whether the best model learns the order of the motif's letters or their composition.

    Nothing is claimed of a model that hardly tells the classes apart, nor of a motif without an
    effect on it; what other models do comes after, and decides nothing.
    """
    tests, best = run.motifs.get("shortcut") or {}, best_model(run)
    if not tests or best is None:
        return None
    others = [model for model in ordered(run, tests) if model != best]
    text = _of_best(run, tests, best)
    supported = best in tests and may_claim(run, best) and _keeps_little(tests[best])
    for model in others:
        claimed = may_claim(run, model)
        text += f" {model}: {_kept(tests[model]) if claimed else f'{FAILS}.'}"
    return Finding("Not a shortcut" if supported else ORDER, text, supported=supported)


def _of_best(run: Run, tests: dict[str, Any], best: str) -> str:
    """Say what the test shows of the best model, and why nothing where nothing may be claimed."""
    if best not in tests:
        return f"Not tested for {best}, the best model."
    if not may_claim(run, best):
        auroc = auroc_of(run, best)
        figure = f" (test AUROC {auroc:.2f})" if finite(auroc) else ""
        return f"Nothing may be claimed of {best}: it {FAILS}{figure}."
    shown = _keeps_little(tests[best])
    text = "The order of the letters is learnt, not their composition."
    if not shown:
        text = "This run does not show that order is learnt."
    return f"{text} {best}: {_kept(tests[best])}"


def _kept(test: dict[str, Any]) -> str:
    """Say what shuffles and one-letter runs keep of a motif's effect on the logit."""
    if not _has_effect(test):
        return "the motif has no effect on the logit, so that its shuffles say nothing."
    shuffled = _share(test["shuffled_fraction"])
    return (
        f"shuffles of the motif keep {shuffled} of its effect on the logit, the best one-letter "
        f"run {_share(test['homopolymer_fraction'])}."
    )


def _share(share: Any) -> str:
    """Write what is kept of an effect: nothing where the share is below zero."""
    if not finite(share):
        return NOTHING
    return percent(share, 0) if share > 0 else "nothing"


def _has_effect(test: dict[str, Any]) -> bool:
    """Ask for an effect that is more than chance, which the verdict tells."""
    return bool(test["motif_effect"] != 0) and "no effect" not in test["verdict"]


def _sentences(words: dict[str, str], models: list[str]) -> str:
    return "; ".join(words[model] for model in models) + "."


def _keeps_little(test: dict[str, Any]) -> bool:
    """Ask for small shares of an effect that is there."""
    kept = (test["shuffled_fraction"], test["homopolymer_fraction"])
    return _has_effect(test) and all(finite(share) and share <= KEPT_AT_MOST for share in kept)


def coordinate_error(run: Run) -> Finding | None:
    """State whether stretching the weights hides a motif that the same attention has found."""
    if not truths(run):
        return None
    counts = {
        model: (
            exact_count(run, model, "attention-stretched"),
            exact_count(run, model, "attention"),
        )
        for model in motif_models(run)
    }
    counts = {model: both for model, both in counts.items() if both[0][1] and both[1][1]}
    if not counts:
        return None
    supported = [model for model, both in counts.items() if _stretching_hides(*both)]
    words = {
        model: f"{model}: the stretched read-out recovers the motif in {stretched[0]} of "
        f"{stretched[1]} seeds, the same attention tied to its receptive field in {tied[0]} of "
        f"{tied[1]}"
        for model, (stretched, tied) in counts.items()
    }
    if supported:
        text = (
            f"{_sentences(words, supported)} The attention was on the motif; stretching the "
            "weights of units to the length of the sequence puts them on the wrong bases."
            f"{_control(run, supported)}"
        )
        return Finding("A coordinate error", text, supported=True)
    text = "This run does not show that stretching hides the motif. "
    return Finding("Stretched and tied attention", text + _sentences(words, list(counts)), False)


def _control(run: Run, models: list[str]) -> str:
    """Say which models show the motif by tied attention before training as well."""
    shown = []
    for model in models:
        before = first_motifs(run, model, "attention", "untrained")
        exact = sum(map(is_exact, before))
        if exact:
            shown.append(f"{exact} of {len(before)} untrained replicas of {model}")
    if not shown:
        return ""
    return (
        f" The control: {listed(shown)} show the motif too, in fewer positives, so that the motif "
        "alone does not prove that the model has learnt it."
    )


def _stretching_hides(stretched: tuple[int, int], tied: tuple[int, int]) -> bool:
    """Ask for most seeds exact when tied, and fewer than half as many when stretched."""
    share_stretched, share_tied = stretched[0] / stretched[1], tied[0] / tied[1]
    return share_tied > 0.5 and 2 * share_stretched < share_tied
