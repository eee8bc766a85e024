"""The findings in plain words, claimed only where the run's own figures support them."""

from __future__ import annotations

from motiflens.report.motif_sections import exact_count, motif_models, truths
from motiflens.report.parts import Finding, finite, listed, percent
from motiflens.report.reading import Run
from motiflens.report.scores import ordered

# Order is learnt where a shuffle of the motif and the best one-letter run each keep at most this
# share of its effect.
KEPT_AT_MOST = 0.25


def findings(run: Run) -> list[Finding]:
    """State both findings, or that the figures do not support them; none where data is absent."""
    return [finding for finding in (order_is_learnt(run), coordinate_error(run)) if finding]


def order_is_learnt(run: Run) -> Finding | None:
    """State whether models learn the order of the motif's letters or only their composition."""
    tests = run.motifs.get("shortcut") or {}
    if not tests:
        return None
    supported = [model for model in ordered(run, tests) if _keeps_little(tests[model])]
    others = [model for model in ordered(run, tests) if model not in supported]
    words = {
        model: f"{model}: shuffles of the motif keep only {percent(test['shuffled_fraction'], 0)} "
        f"and one-letter runs {percent(test['homopolymer_fraction'], 0)} of its effect"
        if model in supported
        else f"{model}: shuffles keep {percent(test['shuffled_fraction'], 0)}, one-letter runs "
        f"{percent(test['homopolymer_fraction'], 0)}"
        for model, test in tests.items()
    }
    if not supported:
        text = "This run does not show that order is learnt. " + _sentences(words, others)
        return Finding("Order of the letters", text, supported=False)
    text = f"Order is learnt by {listed(supported)}. {_sentences(words, supported)}"
    if others:
        text += f" Not shown for {listed(others)}. {_sentences(words, others)}"
    return Finding("Not a shortcut", text, supported=True)


def _sentences(words: dict[str, str], models: list[str]) -> str:
    return "; ".join(words[model] for model in models) + "."


def _keeps_little(test: dict[str, float]) -> bool:
    kept = (test["shuffled_fraction"], test["homopolymer_fraction"])
    return test["motif_effect"] > 0 and all(finite(k) and k <= KEPT_AT_MOST for k in kept)


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
            f"{_sentences(words, supported)} The attention was on the motif; stretching its few "
            "weights to the length of the sequence puts them on the wrong bases."
        )
        return Finding("A coordinate error", text, supported=True)
    text = "This run does not show that stretching hides the motif. "
    return Finding("Stretched and tied attention", text + _sentences(words, list(counts)), False)


def _stretching_hides(stretched: tuple[int, int], tied: tuple[int, int]) -> bool:
    """Ask for most seeds exact when tied, and fewer than half as many when stretched."""
    share_stretched, share_tied = stretched[0] / stretched[1], tied[0] / tied[1]
    return share_tied > 0.5 and 2 * share_stretched < share_tied
