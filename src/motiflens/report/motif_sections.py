"""Sections on motifs: heat maps, logos beside the truth, recovery, the shortcut test."""

from __future__ import annotations

from typing import Any

import numpy as np

from motiflens.plots import base_track, logo, logo_pair, ppm_heatmap
from motiflens.plots.logo import top_bases
from motiflens.report.parts import (
    NOTHING,
    Block,
    Figure,
    Heading,
    Section,
    Table,
    Text,
    absent,
    percent,
    signed,
)
from motiflens.report.reading import Run
from motiflens.report.scores import ordered

MOTIFS = "motiflens motifs"
ROUTES = ("filters", "attention", "attention-stretched", "saliency", "attention-saliency", "ism")
READ_OUTS = {
    "attention-stretched": "the tutorial's read-out: weights stretched to the length",
    "attention": "the same weights tied to the bases each unit sees",
}

NAMES = "Exact in k of n seeds, mean similarity, sites as a share of positives"

Motif = dict[str, Any]


def motif_sections(run: Run) -> list[Section]:
    """Lay out everything that `motifs.json` holds."""
    return [reconstructed(run), motif_logos(run), recovery(run), shortcut(run)]


def seeds_of(run: Run, model: str, part: str = "models") -> list[dict[str, list[Motif]]]:
    """Take the routes of every seed of a model; `part` is ``models`` or ``untrained``."""
    found = run.motifs.get(part, {}).get(model, {})
    return [seed["routes"] for seed in found.get("seeds", [])]


def first_motifs(run: Run, model: str, route: str, part: str = "models") -> list[Motif | None]:
    """Take a route's first motif in every seed that has the route; None where none was found."""
    seeds = [routes[route] for routes in seeds_of(run, model, part) if route in routes]
    return [motifs[0] if motifs else None for motifs in seeds]


def motif_models(run: Run) -> list[str]:
    """Name the models that have motifs, in the order of the configuration."""
    return ordered(run, run.motifs.get("models", {}))


def truths(run: Run) -> dict[str, Motif]:
    """Map the names of the true motifs to them; empty where the truth is not known."""
    return {truth["name"]: truth for truth in run.motifs.get("truth") or []}


def routes_of(run: Run, model: str) -> list[str]:
    """Name the routes of a model's first seed, known ones first."""
    found = next(iter(seeds_of(run, model)), {})
    return [r for r in ROUTES if r in found] + [r for r in found if r not in ROUTES]


def is_exact(motif: Motif | None) -> bool:
    """Tell whether a motif recovers the whole truth and nothing else."""
    return bool(((motif or {}).get("recovery") or {}).get("exact"))


def reconstructed(run: Run) -> Section:
    """Draw the PPMs read from attention maxima as annotated heat maps."""
    title = "Reconstructed Motif PWM from Attention Maxima"
    blocks: list[Block] = []
    for model in motif_models(run):
        for route, words in READ_OUTS.items():
            motif = next(iter(first_motifs(run, model, route)), None)
            if motif:
                name = f"{title}: {model}, {route}"
                svg = ppm_heatmap(np.array(motif["ppm"]), title=name)
                likely = f"Most likely bases {top_bases(motif['ppm'])}."
                caption = f"First seed; {words}. {likely} {_motif_words(motif)}"
                blocks.append(Figure(svg, name, caption))
    if not blocks:
        return absent("reconstructed", title, "motifs read from attention", MOTIFS)
    return Section("reconstructed", title, blocks)


def _motif_words(motif: Motif) -> str:
    words = f"Consensus {motif['consensus']}, {motif['n_sites']:,} sites"
    recovery = motif.get("recovery")
    if not recovery:
        return words + "."
    exact = "exact" if recovery["exact"] else "not exact"
    return f"{words}; similarity to {recovery['truth']} {recovery['similarity']:.3f}, {exact}."


def motif_logos(run: Run) -> Section:
    """Draw each route's first motif as a logo, above the true one where it is known."""
    title = "Motifs by route, beside the truth"
    if not motif_models(run):
        return absent("motifs", title, "motifs.json", MOTIFS)
    blocks: list[Block] = [
        Text("First motif of the first seed on each route. Below each: the true motif, if known.")
    ]
    for model in motif_models(run):
        blocks.append(Heading(model))
        for route in routes_of(run, model):
            motif = first_motifs(run, model, route)[0]
            blocks.append(motif_figure(run, motif, f"{model}, {route}") if motif
                          else Text(f"{route}: no motif found."))  # fmt: skip
    return Section("motifs", title, blocks)


def motif_figure(run: Run, motif: Motif, name: str) -> Figure:
    """Draw one motif, above the truth that it recovers if there is one."""
    ppm, found = np.array(motif["ppm"], dtype=float), motif.get("recovery") or {}
    truth = truths(run).get(found.get("truth", ""))
    if truth is None:
        return Figure(logo(ppm, title=name), name, _motif_words(motif), kind="tile")
    svg = logo_pair(
        ppm, np.array(truth["ppm"]), offset=found["offset"], strand=found["strand"], title=name
    )
    return Figure(svg, name, _motif_words(motif), kind="tile")


def recovery(run: Run) -> Section:
    """Lay out, for every route and model, how many seeds recover the truth."""
    title = "Recovery of the true motif"
    models = motif_models(run)
    if not models or not truths(run):
        return absent("recovery", title, "the true motif", "motiflens run --motif MOTIF")
    found = {route for model in models for route in routes_of(run, model)}
    routes = [r for r in ROUTES if r in found] + sorted(found - set(ROUTES))
    rows = [[route, *(_recovery_cell(run, model, route) for model in models)] for route in routes]
    caption = (
        "Exact: the consensus of a route's first motif holds the whole true motif and nothing else "
        "above 1 bit. Beside it, over the seeds that found a motif, the mean similarity (1 is the "
        "truth itself) and the number of sites as a share of the explained positives; it passes "
        "100 % where a route finds several in one."
    )
    table = Table(["Route", *models], rows, NAMES, caption)
    return Section("recovery", title, [table, *_untrained(run, models, routes)])


def _untrained(run: Run, models: list[str], routes: list[str]) -> list[Block]:
    """Lay out the control: the same routes on the same models before training."""
    rows = [
        [route, *(_recovery_cell(run, model, route, "untrained") for model in models)]
        for route in routes
    ]
    if not run.motifs.get("untrained"):
        return []
    caption = (
        "A control. The positives all hold the motif, so that aligning windows of them can show "
        "it though the model knows nothing; then there are fewer sites, or no more than after "
        "training. Only what is clearly above this table speaks for what a model has learnt."
    )
    return [Table(["Route", *models], rows, "The same routes before training", caption)]


def exact_count(run: Run, model: str, route: str) -> tuple[int, int]:
    """Count the seeds whose first motif on a route is exact, and the seeds that have the route."""
    motifs = first_motifs(run, model, route)
    return sum(map(is_exact, motifs)), len(motifs)


def _recovery_cell(run: Run, model: str, route: str, part: str = "models") -> str:
    motifs = first_motifs(run, model, route, part)
    exact, n = sum(map(is_exact, motifs)), len(motifs)
    found = [motif["recovery"] for motif in motifs if motif and motif.get("recovery")]
    if not n:
        return NOTHING
    if not found:
        return f"{exact} of {n}, no motif"
    similarity = sum(one["similarity"] for one in found) / len(found)
    cell = f"{exact} of {n}, {similarity:.3f}"
    positives = run.motifs.get("n_positives")
    if not positives:
        return cell
    sites = [motif["n_sites"] for motif in motifs if motif]
    return f"{cell}, {percent(sum(sites) / len(sites) / positives, 0)}"


def shortcut(run: Run) -> Section:
    """Lay out the shortcut test with the loss of every mismatch."""
    title = "Shortcut test"
    tests = run.motifs.get("shortcut") or {}
    if not tests:
        return absent("shortcut", title, "the shortcut test", "motiflens run --motif MOTIF")
    models = ordered(run, tests)
    rows = [
        [
            model,
            signed(tests[model]["motif_effect"], 2, "+"),
            percent(tests[model]["shuffled_fraction"]),
            percent(tests[model]["homopolymer_fraction"]),
            tests[model]["verdict"],
        ]
        for model in models
    ]
    head = ["Model", "Effect of the motif (logit)", "Kept by shuffles", "Kept by one-letter runs"]
    caption = (
        "The motif, its shuffles and runs of one letter are put into the same random backgrounds. "
        "A model that counts letters keeps most of the effect when the order is lost."
    )
    table = Table([*head, "Verdict"], rows, "What the order of the letters is worth", caption)
    profiles = [_mismatch_profile(run, model, tests[model]) for model in models]
    return Section("shortcut", title, [table, *profiles])


def _mismatch_profile(run: Run, model: str, test: dict[str, Any]) -> Figure:
    losses = test["mismatch_loss"]
    consensus = next((truth["consensus"] for truth in truths(run).values()), "")
    consensus = test.get("motif", consensus)
    letters = consensus if len(consensus) == len(losses) else "N" * len(losses)
    name = f"Loss by single mismatch: {model}"
    values = [100 * loss for loss in losses]
    svg = base_track(letters, values, title=name, y_label="effect lost (%)")
    return Figure(svg, name, "Mean over the three other bases at each position.", kind="tile")
