"""What a run has found, in sentences: the score with what it is worth, and the confirmed motif.

The page and the terminal say the same. Functions take the contents of the run's JSON files.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from motiflens.report.parts import TO, finite, listed, percent, signed

#: From this share of test sequences that training has seen, a score is said to be partly memory.
MEMORY = 0.01

#: A model of a lower AUROC tells nothing about the data; as in the verdicts of trust.
TELLS_FROM = 0.6

BASELINES = {
    "composition": "base composition and length alone",
    "kmer": "k-mers alone",
    "best-motif": "the best single motif",
}

NOT_CONFIRMED = "No motif is confirmed on held-out sequences"

Content = Mapping[str, Any]


def ensemble(metrics: Content, model: str, metric: str = "auroc") -> dict[str, Any]:
    """Take a test score of a model's ensemble: value, low, high; empty where there is none."""
    tested = (metrics.get("models", {}).get(model) or {}).get("test") or {}
    found: dict[str, Any] = tested.get(metric) or {}
    return found if finite(found.get("value")) else {}


def with_interval(score: Content, digits: int = 3) -> str:
    """Write a score with its interval: "0.571 (0.467 to 0.683)"."""
    text = signed(score["value"], digits)
    if not (finite(score.get("low")) and finite(score.get("high"))):
        return text
    return f"{text} ({signed(score['low'], digits)}{TO}{signed(score['high'], digits)})"


def beyond_chance(score: Content, n: Content | None = None) -> bool:
    """Tell whether the interval of an AUROC lies above 0.5, or the AUROC where it has none.

    With ``n`` independent ``positives`` and ``negatives``, the AUROC also has to be above 1.96
    standard errors of Mann and Whitney's U: an interval of two or three says little.
    """
    if not score:
        return False
    low, by_chance = score.get("low"), 0.0
    if n and n["positives"] and n["negatives"]:
        total, pairs = n["positives"] + n["negatives"], n["positives"] * n["negatives"]
        by_chance = 1.96 * math.sqrt((total + 1) / (12 * pairs))
    return bool((low if finite(low) else score["value"]) > 0.5 and score["value"] > 0.5 + by_chance)


def best_baseline(baselines: Content) -> tuple[str, float] | None:
    """Give the trivial baseline of the highest AUROC, in words, and that AUROC."""
    known = {name: found["auroc"] for name, found in baselines.items()
             if finite(found.get("auroc"))}  # fmt: skip
    if not known:
        return None
    best = max(known, key=lambda name: known[name])
    return BASELINES.get(best, f"the baseline {best}"), known[best]


def leak(audit: Content) -> str | None:
    """Say how many test sequences training has seen, in whole or by 31 bases; None for none."""
    share, words = _seen(audit)
    if not share:
        return None
    sizes = ((audit.get("composition") or {}).get("test") or {}).get("n") or {}
    if (audit.get("overlap") or {}).get("train-test") == sum(sizes.values()):
        return "All test sequences are in training too: the score is memory"
    return words + (": the score is partly memory" if share >= MEMORY else "")


def _seen(audit: Content) -> tuple[float, str]:
    """Give the largest share of a class of the test part that training has seen, and the counts."""
    n = ((audit.get("composition") or {}).get("test") or {}).get("n")
    if not n:
        return 0.0, ""
    sharing = (audit.get("shared_31mers") or {}).get("train-test") or {}
    counts = [f"{sharing[label]:,} of {n[label]:,} test {label}"
              for label in n if sharing.get(label)]  # fmt: skip
    if counts:
        share = max(sharing.get(label, 0) / n[label] for label in n if n[label])
        return share, f"{listed(counts)} share 31 bases with training"
    # Sequences of fewer than 31 bases share none, but can be the same.
    copies, total = (audit.get("overlap") or {}).get("train-test", 0), sum(n.values())
    share = copies / total if total else 0.0
    return share, f"{copies:,} of {total:,} test sequences are in training too"


def score_sentence(model: str, score: Content, baselines: Content, n: Content | None = None) -> str:
    """Say how well a model tells the classes apart, beside the best trivial baseline.

    ``n`` counts the independent positives and negatives of the test part, where known.
    """
    found = f"AUROC {with_interval(score)} on the test part"
    if beyond_chance(score, n):
        words = f"{model} tells positives from negatives with {found}"
    elif finite(score.get("high")) and score["high"] < 0.5:
        words = f"{model} ranks negatives above positives, so labels look swapped: {found}"
    else:
        words = f"{model} does not tell positives from negatives beyond chance: {found}"
    if (trivial := best_baseline(baselines)) is None:
        return words + "."
    name, auroc = trivial
    more = "no less: " if auroc >= score["value"] else ""
    return f"{words}; the best trivial baseline, {name}, reaches {more}{auroc:.3f}."


def headline_entry(entries: Sequence[Content]) -> Content | None:
    """Choose the confirmed motif that is shown first: the first that speaks for positives."""
    for_positives = (entry for entry in entries if entry.get("direction") != "negative")
    return next(for_positives, next(iter(entries), None))


def motif_sentence(motifs: Content, audit: Content) -> str | None:
    """Say which motif held-out sequences confirm, or that they confirm none; None if not tested."""
    if "discovery" not in motifs:
        return None
    entry, by = headline_entry(motifs["discovery"]), motifs.get("discovered_by") or {}
    if entry is None:
        n = len(by.get("not_significant", []))
        looked = f" ({n} {'was' if n == 1 else 'were'} looked at)" if n else ""
        return f"{NOT_CONFIRMED}{looked}."
    match = entry.get("match")
    name = "unlike any known motif" if match is None else f"like {match['name']}"
    whose = "of the negatives " if entry.get("direction") == "negative" else ""
    # Where groups are counted, none that shares 31 bases with training is tested on.
    counted = "groups" in (by.get("tested_on") or {})
    doubt = "" if counted or _seen(audit)[0] < MEMORY else ", some of which training has seen"
    return (
        f"Confirmed motif {whose}{entry['consensus']}, {name}: in "
        f"{percent(entry['positives_with_site'])} of test positives and "
        f"{percent(entry['negatives_with_site'])} of test negatives{doubt}."
    )
