"""Sections on motifs by route: heat maps, logos beside the truth, recovery, the shortcut test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from motiflens.plots import base_track, logo, logo_pair, ppm_heatmap
from motiflens.plots.logo import top_bases
from motiflens.report.parts import (
    MISSING,
    NO_MOTIFS,
    Absent,
    Block,
    Figure,
    Heading,
    Part,
    Section,
    Table,
    Text,
    held,
    percent,
    signed,
)
from motiflens.results import Results
from motiflens.results.motifs import (
    ConfirmedMotif,
    ModelMotifs,
    Motifs,
    RouteMotif,
    Shortcut,
    TrueMotif,
)

MOTIFS, WITH_TRUTH = "motiflens motifs", "motiflens run --motif MOTIF"
UNKNOWN_TRUTH = "The true motif is not known"
ROUTES = ("filters", "attention", "attention-stretched", "saliency", "attention-saliency", "ism")
READ_OUTS = {
    "attention-stretched": "as in the tutorial: weights stretched to the length",
    "attention": "the same weights tied to the bases each unit sees",
}
RECOVERY = "Exact in k of n seeds, mean similarity, sites as a fraction of positives"


def route_parts(results: Results) -> list[Part]:
    """Lay out what `motifs.json` holds of routes, recovery and the shortcut test."""
    motifs = held(results, NO_MOTIFS)
    parts = (_shortcut(motifs), _recovery(motifs), _logos(motifs), _reconstructed(motifs))
    return [part for part in parts if part]


def _first_motifs(model: ModelMotifs | None, route: str) -> list[RouteMotif | None]:
    """Return a route's first motif in every seed that has the route; None where none was found."""
    seeds = [seed for seed in model.seeds if route in seed.routes] if model else []
    return [next(iter(seed.routes[route]), None) for seed in seeds]


def routes_of(model: ModelMotifs) -> list[str]:
    """Name the routes of a model's first seed, known ones first."""
    routes = model.seeds[0].routes if model.seeds else {}
    return [r for r in ROUTES if r in routes] + [r for r in routes if r not in ROUTES]


def exact_count(model: ModelMotifs | None, route: str) -> tuple[int, int]:
    """Count the seeds whose first motif on a route is exact, and the seeds that have the route.

    Exact: it recovers the whole truth and nothing else.
    """
    motifs = _first_motifs(model, route)
    return sum(bool(m and m.recovery and m.recovery.exact) for m in motifs), len(motifs)


def _reconstructed(motifs: Motifs) -> Part | None:
    """Draw the PPMs read from attention maxima as annotated heat maps."""
    title = "Reconstructed Motif PWM from Attention Maxima"
    if not motifs.models:
        return Absent(title, MOTIFS)
    blocks: list[Block] = []
    for name, model in motifs.models.items():
        for route, words in READ_OUTS.items():
            motif = next(iter(_first_motifs(model, route)), None)
            if motif:
                ppm, heading = np.array(motif.ppm), f"{title}: {name}, {route}"
                likely = f"Most likely bases {top_bases(ppm)}."
                caption = f"First seed; {words}. {likely} {_motif_words(motif)}"
                svg = ppm_heatmap(ppm, title=heading)
                blocks.append(Figure(svg, heading, caption, "paper"))
    return Section("reconstructed", title, blocks) if blocks else None


def _motif_words(motif: RouteMotif) -> str:
    words, recovery = f"Consensus {motif.consensus}, {motif.n_sites:,} sites", motif.recovery
    if recovery is None:
        return words + "."
    exact = "exact" if recovery.exact else "not exact"
    return f"{words}; similarity to {recovery.truth} {recovery.similarity:.3f}, {exact}."


def _logos(motifs: Motifs) -> Part:
    """Draw each route's first motif as a logo, above the true one where it is known."""
    title = "Motifs by route, beside the truth"
    if not motifs.models:
        return Absent(title, MOTIFS)
    blocks: list[Block] = [
        Text("First motif of the first seed on each route. Below each: the true motif, if known.")
    ]
    for name, model in motifs.models.items():
        blocks.append(Heading(name))
        for route in routes_of(model):
            motif = _first_motifs(model, route)[0]
            blocks.append(
                _motif_figure(motif, motifs.truth, f"{name}, {route}")
                if motif
                else Text(f"{route}: no motif found.")
            )
    return Section("routes", title, blocks)


def _motif_figure(motif: RouteMotif, truth: Sequence[TrueMotif], name: str) -> Figure:
    """Draw one motif, above the truth that it recovers if there is one."""
    svg = logo_above_truth(motif, truth, name) or logo(np.array(motif.ppm, float), title=name)
    return Figure(svg, name, _motif_words(motif), kind="tile")


def logo_above_truth(
    motif: RouteMotif | ConfirmedMotif, truth: Sequence[TrueMotif], title: str
) -> str | None:
    """Draw a motif above the true one that it recovers; None where there is none."""
    recovery = motif.recovery
    true = next((t for t in truth if recovery and t.name == recovery.truth), None)
    if recovery is None or true is None:
        return None
    ppms = np.array(motif.ppm, float), np.array(true.ppm, float)
    return logo_pair(*ppms, offset=recovery.offset, strand=recovery.strand, title=title)


def _recovery(motifs: Motifs) -> Part:
    """Lay out, for every route and model, how many seeds recover the truth."""
    title, models = "Recovery of the true motif", motifs.models
    if not models or not motifs.truth:
        return Absent(title, WITH_TRUTH, UNKNOWN_TRUTH)
    read = {route for model in models.values() for route in routes_of(model)}
    routes = [r for r in ROUTES if r in read] + sorted(read - set(ROUTES))
    caption = (
        "Exact: the consensus of a route's first motif holds the whole true motif and nothing else "
        "above 1 bit. Beside it, over the seeds that found a motif, the mean similarity (1 is the "
        "truth itself) and the number of sites as a fraction of the explained positives; it passes "
        "100 % where a route finds several in one."
    )
    tables = [_recovery_table(models, routes, motifs.n_positives, RECOVERY, caption)]
    if motifs.untrained:
        # A control: the same routes on the same models before training.
        before = {name: motifs.untrained.get(name) for name in models}
        caption = (
            "A control. The positives all hold the motif, so that aligning windows of them can "
            "show it though the model knows nothing; then there are fewer sites, or no more than "
            "after training. Only what is clearly above this table shows what a model has learnt."
        )
        name = "The same routes before training"
        tables.append(_recovery_table(before, routes, motifs.n_positives, name, caption))
    return Section("recovery", title, tables)


def _recovery_table(
    models: Mapping[str, ModelMotifs | None],
    routes: Sequence[str],
    n_positives: int | None,
    name: str,
    caption: str,
) -> Table:
    rows = [
        [route, *(_recovery_cell(model, route, n_positives) for model in models.values())]
        for route in routes
    ]
    return Table(["Route", *models], rows, name, caption)


def _recovery_cell(model: ModelMotifs | None, route: str, n_positives: int | None) -> str:
    motifs = [motif for motif in _first_motifs(model, route) if motif]
    similarities = [motif.recovery.similarity for motif in motifs if motif.recovery]
    exact, n = exact_count(model, route)
    if not n:
        return MISSING
    if not similarities:
        return f"{exact} of {n}, no motif"
    cell = f"{exact} of {n}, {sum(similarities) / len(similarities):.3f}"
    if not n_positives:
        return cell
    return f"{cell}, {percent(sum(m.n_sites for m in motifs) / len(motifs) / n_positives, 0)}"


def _shortcut(motifs: Motifs) -> Part:
    """Lay out the shortcut test with the loss of every mismatch."""
    title = "Shortcut test"
    tests = motifs.shortcut
    if not tests:
        return Absent(title, WITH_TRUTH, UNKNOWN_TRUTH)
    rows = [
        [
            model,
            signed(test.motif_effect, 2, "+"),
            percent(test.shuffled_fraction),
            percent(test.homopolymer_fraction),
            test.verdict,
        ]
        for model, test in tests.items()
    ]
    head = ["Model", "Effect of the motif (logit)", "Kept by shuffles", "Kept by one-letter runs"]
    caption = (
        "The motif, its shuffles and runs of one letter are put into the same random backgrounds. "
        "A model that counts letters keeps most of the effect when the order is lost."
    )
    table = Table([*head, "Verdict"], rows, "What the order of the letters is worth", caption)
    profiles = [_mismatch_profile(model, test, motifs.truth) for model, test in tests.items()]
    return Section("shortcut", title, [table, *profiles])


def _mismatch_profile(model: str, test: Shortcut, truth: Sequence[TrueMotif]) -> Figure:
    losses = test.mismatch_loss
    consensus = test.motif or next((true.consensus for true in truth), "")
    letters = consensus if len(consensus) == len(losses) else "N" * len(losses)
    name = f"Loss by single mismatch: {model}"
    svg = base_track(letters, [100 * x for x in losses], title=name, y_label="effect lost (%)")
    return Figure(svg, name, "Mean over the three other bases at each position.", kind="tile")
