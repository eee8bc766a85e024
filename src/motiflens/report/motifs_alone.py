"""The page on motifs that were discovered in sequences alone, without a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from motiflens.errors import InputError
from motiflens.report.discovery import lay_out_motifs, name_of, small
from motiflens.report.parts import Section, Table, Text, listed
from motiflens.report.reading import Content, read_json, read_with
from motiflens.report.summary import Summary
from motiflens.version import __version__

MOST_SITES = 100


def holds_motifs_alone(directory: Path) -> bool:
    """Tell whether a directory holds motifs and is no run."""
    return (directory / "motifs.json").is_file() and not (directory / "run.toml").is_file()


def motifs_alone(directory: Path) -> tuple[Summary, list[Section]]:
    """Lay out the page of a folder that ``motiflens motifs --no-model`` has written.

    Raises
    ------
    InputError
        If a file of the folder is not of the documented form.
    """
    content = read_json(directory / "motifs.json")
    try:
        summary, found = _summary(content), _motifs(content)
        return summary, [found, _sites(directory / "hits.bed.gz")]
    except InputError:
        raise
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            "motifs.json beside no run.toml is that of `motiflens motifs --no-model`",
            got=f"{type(error).__name__}: {error} in {directory}",
            remedy="make it again with `motiflens motifs --no-model SEQUENCES -o OUT`",
        ) from error


def _summary(content: Content) -> Summary:
    by, entries = content["discovered_by"], content["discovery"]
    n = by["found_in"]["positives"] + (by["tested_on"]["positives"] if by["held_out"] else 0)
    names = [f"{entry['consensus']} ({name_of(entry)})" for entry in entries]
    facts = [
        ("Sequences", f"{by['sequences']}: {n:,}"),
        ("Compared with", _negatives(by)),
        ("Motifs", listed(names) or "none"),
        ("Names from", by["database"]),
    ]
    return Summary(f"Motifs of {by['sequences']}", __version__, facts, None, None, [])


def _negatives(by: dict[str, Any]) -> str:
    shuffled = by["negatives"] == "shuffle"
    return "shuffles that keep their dinucleotides" if shuffled else str(by["negatives"])


def _motifs(content: Content) -> Section:
    by = content["discovered_by"]
    found, tested = by["found_in"], by["tested_on"]
    if by["held_out"]:
        name = "Motifs confirmed on the other half"
        words = (
            f"Found in {found['positives']:,} sequences, without a model; shares, fold, p and q "
            f"are of {tested['positives']:,} others and {tested['negatives']:,} negatives."
        )
        dismissed = [one["consensus"] for one in by["not_significant"]]
        if dismissed:
            words += f" Not confirmed there, and so not counted as found: {listed(dismissed[:5])}."
    else:
        name = "Motifs found"
        words = (
            f"Found in all {found['positives']:,} sequences, without a model, by the evidence of "
            "their alignment. They are too few for a part to test on: shares, fold, p and q are of "
            f"the same sequences and {tested['negatives']:,} negatives, and too good for new ones."
        )
    words += f" A motif that is like none of {by['database']} with a q-value below 0.05 is unknown."
    return lay_out_motifs(content["discovery"], name, [Text(words)])


def _sites(path: Path) -> Section:
    """List the sites of the sequences, as far as there is room."""
    title = "Sites"
    if not path.is_file():
        return Section("sites", title, [Text("No site: no motif was found.")])
    table = read_with(path, lambda p: pd.read_csv(p, sep="\t", dtype={"#chrom": str}))
    own = table[table["label"] == 1]
    columns = ("#chrom", "start", "end", "strand", "motif_id", "log_odds", "p_value")
    rows = [
        [name, f"{start + 1} to {end}", strand, motif, f"{score:.1f}", small(p_value)]
        for name, start, end, strand, motif, score, p_value in zip(
            *(own[column].head(MOST_SITES).tolist() for column in columns), strict=True
        )
    ]
    caption = "Bases are counted from 1; log-odds in bits. All sites, from 0, are in hits.bed.gz."
    if len(own) > MOST_SITES:
        caption = f"The first {MOST_SITES} of {len(own):,}. {caption}"
    head = ["Sequence", "Bases", "Strand", "Motif", "Log-odds", "p"]
    return Section("sites", title, [Table(head, rows, "Sites in the sequences", caption)])
