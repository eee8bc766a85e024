"""The page on motifs that were discovered in sequences alone, without a run."""

from __future__ import annotations

import csv
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
    given = by.get("given", {"positives": n, "groups": n})  # older folders count no groups
    sequences = f"{by['sequences']}: {given['positives']:,}"
    if given["groups"] < given["positives"]:
        sequences += f", {given['groups']:,} independent"
    names = [f"{entry['consensus']} ({name_of(entry)})" for entry in entries]
    facts = [
        ("Sequences", sequences),
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
    name = "Motifs confirmed on the other half" if by["held_out"] else "Motifs found"
    words = _tested_on_others(content) if by["held_out"] else _tested_on_the_same(content)
    if content["discovery"]:
        words += f" A motif that is like none of {by['database']} with a q-value below 0.05 is "
        words += "unknown."
    return lay_out_motifs(content["discovery"], name, [Text(words)], by.get("note", ""))


def _tested_on_others(content: Content) -> str:
    by, found = content["discovered_by"], "Found" if content["discovery"] else "Looked for"
    tested, dismissed = by["tested_on"], [one["consensus"] for one in by["not_significant"]]
    words = (
        f"{found} in {by['found_in']['positives']:,} sequences, without a model; shares, fold, p "
        f"and q are of {tested['positives']:,} others and {tested['negatives']:,} negatives."
    )
    if dismissed:
        words += f" Not confirmed there, and so not counted as found: {listed(dismissed[:5])}."
    return words


def _tested_on_the_same(content: Content) -> str:
    by = content["discovered_by"]
    n, n_negatives = by["found_in"]["positives"], by["tested_on"]["negatives"]
    if not content["discovery"]:
        return f"Sequences searched, without a model: {n:,}, all of them."
    return (
        f"Found in all {n:,} sequences, without a model, by the evidence of their alignment. They "
        "are too few for a part to test on: shares, fold, p and q are of the same sequences and "
        f"{n_negatives:,} negatives, and too good for new ones."
    )


def _sites(path: Path) -> Section:
    """List the sites of the sequences, as far as there is room."""
    title = "Sites"
    if not path.is_file():
        return Section("sites", title, [Text("No site: no motif was found.")])
    table = read_with(path, _table_of_sites)
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


def _table_of_sites(path: Path) -> pd.DataFrame:
    """Read sites; a sequence may be called NA, or have quotes in its name."""
    texts = {"#chrom": str, "motif_id": str}
    return pd.read_csv(path, sep="\t", dtype=texts, na_filter=False, quoting=csv.QUOTE_NONE)
