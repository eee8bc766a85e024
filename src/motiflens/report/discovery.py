"""The section on discovered motifs: how often, where, how sure, known or new."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from motiflens.plots import logo, logo_pair, position_profile
from motiflens.report.motif_sections import MOTIFS
from motiflens.report.parts import (
    NOTHING,
    Block,
    Figure,
    Heading,
    Section,
    Table,
    Text,
    absent,
    finite,
    percent,
    signed,
)
from motiflens.report.reading import Run

MOST_DRAWN = 10
TITLE, ON_THE_TEST_PART = "Discovered motifs", "Motifs confirmed on the test part"

Entry = dict[str, Any]


def discovery_section(run: Run) -> Section:
    """Lay out the motifs that held-out sequences confirm."""
    if "discovery" not in run.motifs:
        return absent("discovery", TITLE, "discovered motifs", MOTIFS)
    entries, by = run.motifs["discovery"], run.motifs["discovered_by"]
    texts = [Text(_how(by, "Found" if entries else "Looked for"))]
    if entries or by["not_significant"]:
        texts.append(Text(_dismissed(by["not_significant"])))
    return lay_out_motifs(entries, ON_THE_TEST_PART, texts, by.get("note", ""))


def lay_out_motifs(
    entries: list[Entry], name: str, texts: Sequence[Text], note: str = ""
) -> Section:
    """Lay out discovered motifs: a note, a table of that name, what is to be said, pictures."""
    notes = [Text(note)] if note else []
    if not entries:
        return Section("discovery", TITLE, [Text("No motif was found."), *notes, *texts])
    blocks: list[Block] = [*notes, _table(entries, name), *texts]
    for entry in entries[:MOST_DRAWN]:
        blocks += [Heading(f"{entry['name']}: {name_of(entry)}"), *_figures(entry)]
    return Section("discovery", TITLE, blocks)


def _how(by: Entry, found_or_not: str) -> str:
    found, tested, n_seeds = by["found_in"], by["tested_on"], len(by["seeds"])
    return (
        f"{found_or_not} by {by['method']} of {by['model']} "
        f"({n_seeds} seed{'s' * (n_seeds > 1)}) in "
        f"{found['positives']:,} positives and {found['negatives']:,} negatives that are not in "
        f"the test part; shares, fold, p and q are of {tested['positives']:,} positives and "
        f"{tested['negatives']:,} negatives of the test part. Names: {by['database']}; a motif "
        "that is like none of it with a q-value below 0.05 is unknown."
    )


def _dismissed(dismissed: list[Entry]) -> str:
    if not dismissed:
        return "Every motif that explanations showed was confirmed on the test part."
    words = ", ".join(f"{one['consensus']} (q {small(one['q_value'])})" for one in dismissed[:5])
    more = ", ..." if len(dismissed) > 5 else ""
    return f"Not confirmed on the test part, and so not counted as found: {words}{more}."


def _table(entries: list[Entry], name: str) -> Table:
    head = ["Motif", "Name", "Speaks for", "Positives", "Negatives", "Fold", "q"]
    caption = (
        "Positives, negatives: the shares with a site. q: Fisher's exact test, corrected over the "
        "motifs."
    )
    ablated = any(entry["ablation"] for entry in entries)
    if ablated:
        head += ["Logit without it", "Seeds"]
        caption += (
            " Logit without it: the mean change where random bases replace the sites; seeds: how "
            "many change the way the motif speaks, by two standard errors."
        )
    rows = [
        [
            entry["name"],
            name_of(entry),
            "negatives" if entry["direction"] == "negative" else "positives",
            percent(entry["positives_with_site"]),
            percent(entry["negatives_with_site"]),
            f"{entry['fold']:.3g}",
            small(entry["q_value"]),
            *(_ablation(entry["ablation"]) if ablated else []),
            entry["consensus"],
        ]
        for entry in entries
    ]
    return Table([*head, "Consensus"], rows, name, caption)


def name_of(entry: Entry) -> str:
    """Give the name of a motif, with the id of the known one that it is like."""
    match = entry["match"]
    return "unknown" if match is None else f"{match['name']} ({match['id']})"


def _ablation(ablation: Entry | None) -> list[str]:
    if ablation is None:
        return [NOTHING, NOTHING]
    change = signed(ablation["logit_change"], 2, "+")
    return [change, f"{ablation['n_agreeing']} of {ablation['n_seeds']}"]


def small(value: Any) -> str:
    """Write a small probability, with a minus sign at which no cell of a table breaks."""
    if not finite(value):
        return NOTHING
    return ("below 1e-300" if value < 1e-300 else f"{value:.2g}").replace("-", "−")


def _figures(entry: Entry) -> list[Block]:
    ppm, name = np.array(entry["ppm"], dtype=float), entry["name"]
    figures: list[Block] = [_logo(entry, ppm)]
    if entry["cwm"] is not None:
        cwm = np.array(entry["cwm"], dtype=float)
        title = f"{name}, contributions"
        caption = "Mean contribution of each base to the logit, over the seqlets."
        figures.append(Figure(logo(cwm, kind="contribution", title=title), title, caption, "tile"))
    return [*figures, _profile(entry)]


def _logo(entry: Entry, ppm: np.ndarray[Any, Any]) -> Figure:
    match, name = entry["match"], entry["name"]
    words = f"Consensus {entry['consensus']}, {entry['n_seqlets']:,} seqlets."
    if match is None:
        return Figure(logo(ppm, title=name), name, f"{words} Like no known motif.", "tile")
    title = f"{name} above {match['name']}"
    known = np.array(match["ppm"], dtype=float)
    where = {"offset": match["offset"], "strand": match["strand"]}
    svg = logo_pair(ppm, known, **where, title=title, below="known")
    family = f" of the family {match['family']}" if match.get("family") else ""
    others = f"; also like {', '.join(match['others'])}" if match["others"] else ""
    words += f" {match['name']}{family} by Tomtom, q {small(match['q_value'])}{others}."
    return Figure(svg, title, words, "tile")


def _profile(entry: Entry) -> Figure:
    name, central = f"{entry['name']}, places", entry["central"]
    svg = position_profile(entry["profile"], title=name, y_label="positives")
    caption = f"Best sites of the positives, of {entry['n_sites']:,} sites at p up to "
    caption += f"{entry['p_threshold']:g}."
    if central is not None:
        caption += (
            f" {percent(central['sites_inside'], 0)} lie in the middle "
            f"{percent(central['region'], 0)} of the places (p {small(central['p_value'])})."
        )
    return Figure(svg, name, caption, "tile")
