"""The motif of the first screen: the one that held-out sequences confirm, or that none is."""

from __future__ import annotations

from typing import Any

import numpy as np

from motiflens.plots import logo, logo_pair
from motiflens.report.discovery import name_of, small
from motiflens.report.headline import headline_entry, motif_sentence
from motiflens.report.motif_sections import (
    first_motifs,
    motif_figure,
    motif_models,
    routes_of,
    truths,
)
from motiflens.report.parts import Figure, percent
from motiflens.report.reading import Run

#: Of equals the route comes first whose evidence is strongest. The stretched read-out, which is
#: there to show an error, is left out.
BEST_ROUTES = ("ism", "attention", "saliency", "attention-saliency", "filters")

NOT_TESTED = "No motif was tested on held-out sequences: `motiflens motifs` does so."


def headline_motif(run: Run) -> tuple[str | None, Figure | None]:
    """Give the sentence on the motif and its picture; none for a run without motifs.

    A motif that the truth has chosen is shown only where none was tested, and says so.
    """
    if not motif_models(run) and "discovery" not in run.motifs:
        return None, None
    sentence = motif_sentence(run.motifs, run.audit)
    if sentence is None:
        return NOT_TESTED, _nearest_to_the_truth(run)
    entry = headline_entry(run.motifs["discovery"])
    return sentence, None if entry is None else _confirmed(run, dict(entry))


def _confirmed(run: Run, entry: dict[str, Any]) -> Figure:
    """Draw a confirmed motif, above the true one or else the known one that it is like."""
    ppm, match = np.array(entry["ppm"], dtype=float), entry.get("match")
    title = f"Confirmed motif: {entry['consensus']}"
    caption = (
        f"{entry['name']}, {name_of(dict(entry))}: sites in "
        f"{percent(entry['positives_with_site'])} of test positives and "
        f"{percent(entry['negatives_with_site'])} of test negatives, q {small(entry['q_value'])}."
    )
    if entry.get("direction") == "negative":
        caption += " It speaks for the negatives."
    recovery = entry.get("recovery") or {}
    truth = truths(run).get(recovery.get("truth", ""))
    if truth is not None:
        where = {"offset": recovery["offset"], "strand": recovery["strand"]}
        svg = logo_pair(ppm, np.array(truth["ppm"], dtype=float), **where, title=title)
        caption += f" Below it the true motif; similarity {recovery['similarity']:.3f}."
    elif match is not None:
        where = {"offset": match["offset"], "strand": match["strand"]}
        known = np.array(match["ppm"], dtype=float)
        svg = logo_pair(ppm, known, **where, title=title, below="known")
        caption += f" Below it {match['name']}."
    else:
        svg = logo(ppm, title=title)
    return Figure(svg, title, caption, "tile")


def _nearest_to_the_truth(run: Run) -> Figure | None:
    """Draw the first seeds' motif most similar to the truth, which chooses it; none without one."""
    found = [
        (model, route, motif)
        for route in BEST_ROUTES
        for model in motif_models(run)
        if route in routes_of(run, model)
        and (motif := first_motifs(run, model, route)[0])
        and motif.get("recovery")
    ]
    if not found:
        return None
    model, route, motif = max(found, key=lambda one: float(one[2]["recovery"]["similarity"]))
    shown = motif_figure(run, motif, f"Motif of {model}, {route}")
    chosen = (
        f" The truth chose it: of {len(found)} read-outs of models and routes this one is most "
        "similar to the true motif."
    )
    return Figure(shown.svg, shown.name, shown.caption + chosen, shown.kind)
