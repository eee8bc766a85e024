"""The section on the data: warnings first, then the figures they rest on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from motiflens.report.parts import (
    MISSING,
    Absent,
    Block,
    Bullets,
    Part,
    Section,
    Table,
    Text,
    number,
)
from motiflens.results import Results
from motiflens.results.audit import Audit, Composition
from motiflens.results.scores import Scores
from motiflens.results.tracks import read_lengths

METRICS = {"accuracy": "Accuracy", "auroc": "AUROC", "auprc": "AUPRC", "mcc": "MCC"}
DIGITS = {"accuracy": 3, "auroc": 4, "auprc": 4, "mcc": 3}
#: Warnings that the first screen repeats.
MAX_REPEATED = 2

Counted = TypeVar("Counted")


def audit_section(results: Results) -> Part:
    """Lay out everything that `audit.json` holds."""
    title = "Audit of the data"
    if not results.holds("audit"):
        return Absent(title, "motiflens run")
    audit = results.audit
    blocks: list[Block] = [
        Bullets(audit.warnings) if audit.warnings else Text("No problems found.")
    ]
    if lengths := lengths_in_words(results):
        blocks.append(Text(f"Length of the sequences: {lengths}."))
    blocks.append(_splits(audit))
    if audit.baselines:
        blocks.append(_baselines(audit.baselines))
    return Section("audit", title, blocks)


def warnings_in_words(warnings: Sequence[str]) -> str:
    """Count the warnings for the first screen, and repeat the first ones, which matter most."""
    counted = f"{len(warnings) or 'no'} warning{'' if len(warnings) == 1 else 's'}"
    shown = " ".join(warnings[:MAX_REPEATED])
    rest = len(warnings) - MAX_REPEATED
    more = f" And {rest} more, below." if rest > 0 else ""
    return f"{counted}: {shown}{more}" if warnings else counted


def lengths_in_words(results: Results) -> str | None:
    """Write how long sequences are: "50 bp", or "50 to 345 bp, mean 204"; None for not known."""
    audited = results.audit.lengths if results.holds("audit") else None
    if (lengths := audited or read_lengths(results)) is not None:
        if lengths.min == lengths.max:
            return f"{lengths.max:,} bp"
        return f"{lengths.min:,} to {lengths.max:,} bp, mean {lengths.mean:,.0f}"
    longest = results.provenance.run.length
    return None if longest is None else f"up to {longest:,} bp"


def _splits(audit: Audit) -> Table:
    head = ["Split", "Positives", "Negatives", "Copies", "Also in", "Share 31 bases with",
            "GC", "AUROC of GC", "Length", "AUROC of length", "Shuffled negatives"]  # fmt: skip
    rows = [_row(audit, split, composition) for split, composition in audit.composition.items()]
    caption = (
        "Copies: rows minus distinct sequences. Also in: rows whose whole sequence is also in an "
        "earlier split. Share 31 bases with: positives + negatives that have a 31-mer, on either "
        "strand, in common with an earlier split. GC and length: means of positives; negatives, "
        "and how well each alone separates the classes. Shuffled negatives: those with exactly "
        "the dinucleotide counts of a positive."
    )
    return Table(head, rows, "Splits", caption)


def _row(audit: Audit, split: str, composition: Composition) -> list[str]:
    gc, length = composition.gc, composition.length
    negatives = f"{composition.n.negatives:,}"
    shuffled = composition.shuffled_negatives["dinucleotide"].negatives
    return [
        split,
        f"{composition.n.positives:,}",
        negatives,
        f"{audit.duplicates[split]:,}",
        _earlier(audit.overlap, split, "{:,}".format),
        _earlier(audit.shared_31mers, split, lambda n: f"{n.positives:,} + {n.negatives:,}"),
        f"{number(gc.positives, 3)}; {number(gc.negatives, 3)}",
        number(gc.auroc, 2),
        f"{number(length.positives, 1)}; {number(length.negatives, 1)}",
        number(length.auroc, 2),
        f"{shuffled:,} of {negatives}",
    ]


def _earlier(pairs: Mapping[str, Counted], split: str, write: Callable[[Counted], str]) -> str:
    """Write what a split has in common with each of the splits before it."""
    named = ((pair.split("-"), count) for pair, count in pairs.items())
    return "; ".join(f"{a}: {write(count)}" for (a, b), count in named if b == split) or MISSING


def _baselines(baselines: Mapping[str, Scores]) -> Table:
    rows = [
        [name, *(number(getattr(scores, metric), DIGITS[metric]) for metric in METRICS)]
        for name, scores in baselines.items()
    ]
    caption = "What can be learnt without a neural network: a useful model has to do better."
    return Table(["Baseline", *METRICS.values()], rows, "Trivial baselines", caption)
