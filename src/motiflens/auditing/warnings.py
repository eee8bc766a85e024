"""The figures of an audit that matter, in words."""

from __future__ import annotations

import math
from typing import Any

from motiflens.auditing.baselines import BaselineScores
from motiflens.metrics import auroc_standard_error

# An AUROC this far from 0.5 is worth a warning, where it is also beyond three standard errors.
FAR_FROM_CHANCE = 0.1
# A fraction of negatives, beyond chance, that have the dinucleotide counts of a positive; base
# counts coincide by far more ways of choosing sequences.
SHUFFLES_FROM = {"dinucleotide": 0.05, "mononucleotide": 0.5}
SMALLER_CLASS = 0.25
# Peaks of six factors repeat 6-mers 6 to 22 % more often than their shuffles do.
REPEATED_MORE = 1.03
N_DIFFERENCE = 0.01


def warnings_of(
    audit: dict[str, Any], n_both_labels: int, n_related: int, baselines: BaselineScores | None
) -> list[str]:
    """Say in words what of an audit matters: what costs a held-out score its meaning comes first.

    Parameters
    ----------
    audit
        The content of ``audit.json`` without its warnings.
    n_both_labels
        Distinct sequences that are a positive here and a negative there.
    n_related
        Of a data set without splits, sequences that share 31 bases with another one.
    baselines
        Scores of the baselines; None where labels are numbers: classes are then not compared in
        their sizes, nor looked at for shuffles.
    """
    sizes = {name: sum(part["n"].values()) for name, part in audit["composition"].items()}
    texts = _leaks(audit, sizes)
    if n_related:
        texts.append(
            f"Sequences that share 31 bases with another one, on either strand: {n_related:,} of "
            f"{sizes['train']:,}; only a split by homology keeps them out of both train and test."
        )
    if n_both_labels:
        texts.append(
            "Sequences that are a positive and a negative at once, on either strand: "
            f"{n_both_labels:,}."
        )
    texts += _constant(audit["constant"])
    if baselines is None:
        for name, part in audit["composition"].items():
            texts += _contrasts(name, part)
        return texts
    texts += _swapped(baselines)
    for name, part in audit["composition"].items():
        texts += [*_classes(name, part["n"]), *_shuffles(name, part), *_contrasts(name, part)]
    return texts + _on_baselines(baselines)


def _leaks(found: dict[str, Any], sizes: dict[str, int]) -> list[str]:
    texts = [
        f"Copies of another sequence of {part}, on either strand: {n:,} of {sizes[part]:,}."
        for part, n in found["duplicates"].items()
        if n
    ]
    for pair, n in found["overlap"].items():
        earlier, later = pair.split("-")
        if n:
            texts.append(
                f"Sequences of {later} that are also in {earlier}, on either strand: {n:,} of "
                f"{sizes[later]:,}; their score is memory."
            )
    for pair, n_of in found["shared_31mers"].items():
        earlier, later = pair.split("-")
        if sum(n_of.values()):
            texts.append(
                f"Sequences of {later} that share 31 bases with {earlier}, on either strand: "
                f"{sum(n_of.values()):,} of {sizes[later]:,} (positives {n_of['positives']:,}, "
                f"negatives {n_of['negatives']:,}); a split by homology keeps such pairs together."
            )
    return texts


def _constant(found: dict[str, list[dict[str, Any]]]) -> list[str]:
    return [
        f"Nearly all {one['class']} of {part} have {one['bases']} at bases {one['first']} to "
        f"{one['last']} from their {one['end']}, and the other class has not: a primer, an adapter "
        "or a tag? A model scores by it; cut it off."
        for part, stretches in found.items()
        for one in stretches
    ]


def _swapped(baselines: BaselineScores) -> list[str]:
    return [
        f"The labels of train or of {name} look swapped: k-mers learnt on train have AUROC "
        f"{check.auroc:.2f} ({check.low:.2f} to {check.high:.2f}) on {name}."
        for name, check in baselines.kmer.items()
        if check.auroc < 0.5 and _is_far(check.auroc, check.n_positives, check.n_negatives)
    ]


def _is_far(auroc: float | None, n_positives: float, n_negatives: float) -> bool:
    """Return whether an AUROC is far from 0.5."""
    if auroc is None:
        return False
    error = auroc_standard_error(n_positives, n_negatives)
    return abs(auroc - 0.5) >= max(FAR_FROM_CHANCE, 3 * error)


def _classes(name: str, n: dict[str, int]) -> list[str]:
    total = sum(n.values())
    smaller = min(n, key=lambda label: n[label])
    if n[smaller] == 0:
        return [f"All {total:,} sequences of {name} are of one class; there are no {smaller}."]
    if n[smaller] / total >= SMALLER_CLASS:
        return []
    return [
        f"The classes of {name} differ in size: {n[smaller]:,} {smaller} of {total:,} sequences. "
        "Judge by AUPRC and Matthews' correlation, not by accuracy."
    ]


def _shuffles(name: str, part: dict[str, Any]) -> list[str]:
    for kind, least in SHUFFLES_FROM.items():
        n, by_chance = part["shuffled_negatives"][kind].values()
        total = part["n"]["negatives"]
        if not total or by_chance is None or by_chance == 1:
            continue
        if (n / total - by_chance) / (1 - by_chance) < least:
            continue
        text = (
            f"Negatives of {name} that have the exact {kind} counts of a positive: {n:,} of "
            f"{total:,}. They look like shuffles of the positives, against which models "
            "often score higher than against genomic sequences."
        )
        return [text, *_shuffled_the_other_way(name, part)]
    return []


def _shuffled_the_other_way(name: str, part: dict[str, Any]) -> list[str]:
    ratio, error = part["repeats"].values()
    if ratio is None or math.log(ratio) < max(math.log(REPEATED_MORE), 4 * error):
        return []
    return [
        f"The labels of {name} look swapped: its negatives repeat 6-mers {ratio:.2f} "
        "times as often as its positives, and it is shuffling that breaks k-mers up."
    ]


def _contrasts(name: str, part: dict[str, Any]) -> list[str]:
    texts = []
    for what, words, unit in (("gc", "GC content", ".3f"), ("length", "Length", ".1f")):
        found = part[what]
        if _is_far(found["auroc"], *part["n"].values()):
            texts.append(
                f"{words} alone tells the classes of {name} apart with AUROC "
                f"{found['auroc']:.2f}: mean {found['positives']:{unit}} in positives, "
                f"{found['negatives']:{unit}} in negatives."
            )
    unknown = part["n_fraction"]
    if None not in unknown.values():
        positives, negatives = unknown["positives"], unknown["negatives"]
        if abs(positives - negatives) >= N_DIFFERENCE:
            texts.append(
                f"N make up {100 * positives:.1f} % of the bases of the positives and "
                f"{100 * negatives:.1f} % of the negatives of {name}."
            )
    return texts


def _on_baselines(baselines: BaselineScores) -> list[str]:
    if not baselines.scores:
        return ["No baseline was scored: train and what is held out need both classes."]
    texts = []
    auroc, n = baselines.scores["composition"]["auroc"], baselines.kmer[baselines.scored_on][1:3]
    if _is_far(auroc, *n):
        texts.append(
            f"Base composition and length alone reach AUROC {auroc:.2f} on {baselines.scored_on}: "
            "a model may score by them without having found a motif."
        )
    if baselines.scored_on != "test":
        texts.append(
            f"Baselines were scored on {baselines.scored_on}, for want of a test split with both "
            "classes."
        )
    return texts
