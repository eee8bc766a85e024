"""The section on the data: warnings first, then the figures they rest on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from motiflens.report.parts import NOTHING, Block, Bullets, Section, Table, Text, absent, finite
from motiflens.report.reading import Run
from motiflens.report.scores import DIGITS, METRICS

CLASSES = ("positives", "negatives")
#: Warnings that the first screen repeats.
SHOWN = 2


def audit_section(run: Run) -> Section:
    """Lay out everything that `audit.json` holds."""
    title = "Audit of the data"
    if not run.audit:
        return absent("audit", title, "audit.json", "motiflens run")
    warnings = run.audit["warnings"]
    blocks: list[Block] = [Bullets(warnings) if warnings else Text("Nothing to warn of.")]
    if lengths := lengths_in_words(run):
        blocks.append(Text(f"Length of the sequences: {lengths}."))
    blocks.append(_parts(run.audit))
    if run.audit["baselines"]:
        blocks.append(_baselines(run.audit["baselines"]))
    return Section("audit", title, blocks)


def warnings_in_words(run: Run) -> str:
    """Count the warnings for the first screen, and give the first ones, which matter most."""
    warnings = run.audit["warnings"]
    counted = f"{len(warnings) or 'no'} warning{'' if len(warnings) == 1 else 's'}"
    shown = " ".join(warnings[:SHOWN])
    more = f" And {len(warnings) - SHOWN} more, below." if len(warnings) > SHOWN else ""
    return f"{counted}: {shown}{more}" if warnings else counted


def lengths_in_words(run: Run) -> str | None:
    """Write how long sequences are: "50 bp", or "50 to 345 bp, mean 204"; None for not known."""
    if found := run.audit.get("lengths") or run.lengths:
        least, most = found["min"], found["max"]
        if least == most:
            return f"{most:,} bp"
        return f"{least:,} to {most:,} bp, mean {found['mean']:,.0f}"
    longest = run.provenance.get("run", {}).get("length")
    return None if longest is None else f"up to {longest:,} bp"


def _parts(audit: dict[str, Any]) -> Table:
    head = ["Part", "Positives", "Negatives", "Copies", "Also in", "Share 31 bases with",
            "GC", "AUROC of GC", "Length", "AUROC of length", "Shuffled negatives"]  # fmt: skip
    rows = [_row(audit, part) for part in audit["composition"]]
    caption = (
        "Copies: rows minus distinct sequences. Also in: rows that an earlier part has from end to "
        "end. Share 31 bases with: positives + negatives that have a word of 31 bases, on either "
        "strand, in common with an earlier part. GC and length: means of positives; negatives, and "
        "how well each alone tells the classes apart. Shuffled negatives: those with exactly the "
        "dinucleotide counts of a positive."
    )
    return Table(head, rows, "Parts", caption)


def _row(audit: dict[str, Any], part: str) -> list[str]:
    found = audit["composition"][part]
    n = [f"{found['n'][label]:,}" for label in CLASSES]
    also_in = _earlier(audit["overlap"], part, "{:,}".format)
    sharing = _earlier(audit["shared_31mers"], part, lambda n: " + ".join(f"{n[c]:,}" for c in n))
    return [
        part,
        *n,
        f"{audit['duplicates'][part]:,}",
        also_in,
        sharing,
        _two(found["gc"], 3),
        _number(found["gc"]["auroc"], 2),
        _two(found["length"], 1),
        _number(found["length"]["auroc"], 2),
        f"{found['shuffled_negatives']['dinucleotide']['negatives']:,} of {n[1]}",
    ]


def _earlier(pairs: dict[str, Any], part: str, written: Any) -> str:
    """Write what a part has in common with each of the parts before it."""
    words = []
    for pair, count in pairs.items():
        earlier, later = pair.split("-")
        if later == part:
            words.append(f"{earlier}: {written(count)}")
    return "; ".join(words) or NOTHING


def _two(by_class: dict[str, Any], digits: int) -> str:
    return "; ".join(_number(by_class[label], digits) for label in CLASSES)


def _number(value: Any, digits: int) -> str:
    return f"{value:.{digits}f}" if finite(value) else NOTHING


def _baselines(baselines: dict[str, dict[str, float]]) -> Table:
    rows: Sequence[Sequence[str]] = [
        [name, *(_number(scores.get(metric), DIGITS[metric]) for metric in METRICS)]
        for name, scores in baselines.items()
    ]
    caption = "What is learnt without a neural net: a model has to do better to be worth a look."
    return Table(["Baseline", *METRICS.values()], rows, "Trivial baselines", caption)
