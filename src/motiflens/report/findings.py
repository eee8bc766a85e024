"""The findings in plain words, claimed only where the run's own figures support them."""

from __future__ import annotations

import re
from typing import Any

from motiflens.report.motif_sections import (
    exact_count,
    first_motifs,
    is_exact,
    motif_models,
    truths,
)
from motiflens.report.parts import Finding, finite, listed, percent
from motiflens.report.reading import Run
from motiflens.report.scores import ordered

# Order is learnt where the motif's shuffles and the best one-letter run each keep at most this
# share of its effect; the bound of the verdict of `experiments.shortcut_test`.
KEPT_AT_MOST = 1 / 3
#: Words of a verdict that allows a claim base by base.
CLAIMED = "bases may be claimed by"
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
    words = [
        f"{name}: {IN_BRACKETS.sub('', models[name]['verdict'])}." for name in ordered(run, models)
    ]
    supported = any(CLAIMED in one for one in words)
    return Finding("What may be claimed of the explanations", " ".join(words), supported=supported)


def order_is_learnt(run: Run) -> Finding | None:
    """State whether models learn the order of the motif's letters or only their composition."""
    tests = run.motifs.get("shortcut") or {}
    if not tests:
        return None
    supported = [model for model in ordered(run, tests) if _keeps_little(tests[model])]
    others = [model for model in ordered(run, tests) if model not in supported]
    if not supported:
        text = f"This run does not show that order is learnt. {_kept(tests, others)}"
        return Finding("Order of the letters", text, supported=False)
    text = f"The order of the letters is learnt, not their composition. {_kept(tests, supported)}"
    if others:
        text += f" Not shown for {listed(others)}. {_kept(tests, others)}"
    return Finding("Not a shortcut", text, supported=True)


def _kept(tests: dict[str, Any], models: list[str]) -> str:
    shares = [
        f"{percent(tests[model]['shuffled_fraction'], 0)} in {model} "
        f"(one-letter runs {percent(tests[model]['homopolymer_fraction'], 0)})"
        for model in models
    ]
    only = "only " if all(_keeps_little(tests[model]) for model in models) else ""
    return f"Shuffles of the motif keep {only}{listed(shares)} of its effect on the logit."


def _sentences(words: dict[str, str], models: list[str]) -> str:
    return "; ".join(words[model] for model in models) + "."


def _keeps_little(test: dict[str, Any]) -> bool:
    """Ask for small shares of an effect that is more than chance, which the verdict tells."""
    kept = (test["shuffled_fraction"], test["homopolymer_fraction"])
    has_effect = test["motif_effect"] != 0 and "no effect" not in test["verdict"]
    return has_effect and all(finite(share) and share <= KEPT_AT_MOST for share in kept)


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
