"""Sections on motifs by route: heat maps, logos beside the truth, recovery, the shortcut test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from motiflens.plots import base_track, logo, logo_pair, ppm_heatmap
from motiflens.plots.logo import top_bases
from motiflens.report.parts import (
    MISSING,
    Block,
    Figure,
    Heading,
    Section,
    Table,
    Text,
    absent,
    in_order,
    percent,
    signed,
)
from motiflens.results import Results
from motiflens.results.motifs import ModelMotifs, RouteMotif, Shortcut, TrueMotif

MOTIFS, WITH_TRUTH = "motiflens motifs", "motiflens run --motif MOTIF"
UNKNOWN_TRUTH = "The true motif is not known"
ROUTES = ("filters", "attention", "attention-stretched", "saliency", "attention-saliency", "ism")
READ_OUTS = {
    "attention-stretched": "as in the tutorial: weights stretched to the length",
    "attention": "the same weights tied to the bases each unit sees",
}
RECOVERY = "Exact in k of n seeds, mean similarity, sites as a fraction of positives"


def motif_sections(results: Results) -> list[Section]:
    """Lay out what `motifs.json` holds of routes, recovery and the shortcut test."""
    return [_reconstructed(results), _logos(results), _recovery(results), _shortcut(results)]


def motifs_by_model(results: Results) -> dict[str, ModelMotifs]:
    """Return the models that have motifs, in the order of the configuration."""
    return in_order(
        results.settings.models, results.motifs.models if results.holds("motifs") else {}
    )


def true_motifs(results: Results) -> dict[str, TrueMotif]:
    """Return the true motifs by name; none where the truth is not known."""
    return {t.name: t for t in results.motifs.truth} if results.holds("motifs") else {}


def shortcut_tests(results: Results) -> dict[str, Shortcut]:
    """Return the shortcut test of each model, in the order of the configuration."""
    return in_order(
        results.settings.models, results.motifs.shortcut if results.holds("motifs") else {}
    )


def first_motifs(model: ModelMotifs | None, route: str) -> list[RouteMotif | None]:
    """Return a route's first motif in every seed that has the route; None where none was found."""
    found = [seed.routes[route] for seed in model.seeds if route in seed.routes] if model else []
    return [motifs[0] if motifs else None for motifs in found]


def routes_of(model: ModelMotifs) -> list[str]:
    """Name the routes of a model's first seed, known ones first."""
    return [*in_order(ROUTES, model.seeds[0].routes)] if model.seeds else []


def exact_count(model: ModelMotifs | None, route: str) -> tuple[int, int]:
    """Count the seeds whose first motif on a route is exact, and the seeds that have the route.

    Exact: it recovers the whole truth and nothing else.
    """
    motifs = first_motifs(model, route)
    return sum(bool(m and m.recovery and m.recovery.exact) for m in motifs), len(motifs)


def _reconstructed(results: Results) -> Section:
    """Draw the PPMs read from attention maxima as annotated heat maps."""
    title = "Reconstructed Motif PWM from Attention Maxima"
    if not results.holds("motifs"):
        return absent("reconstructed", title, MOTIFS)
    blocks: list[Block] = []
    for name, model in motifs_by_model(results).items():
        for route, words in READ_OUTS.items():
            motif = next(iter(first_motifs(model, route)), None)
            if motif:
                ppm, heading = np.array(motif.ppm), f"{title}: {name}, {route}"
                likely = f"Most likely bases {top_bases(ppm)}."
                caption = f"First seed; {words}. {likely} {_motif_words(motif)}"
                blocks.append(Figure(ppm_heatmap(ppm, title=heading), heading, caption))
    nothing: list[Block] = [Text("No motif was read from attention.")]
    return Section("reconstructed", title, blocks or nothing)


def _motif_words(motif: RouteMotif) -> str:
    words, recovery = f"Consensus {motif.consensus}, {motif.n_sites:,} sites", motif.recovery
    if recovery is None:
        return words + "."
    exact = "exact" if recovery.exact else "not exact"
    return f"{words}; similarity to {recovery.truth} {recovery.similarity:.3f}, {exact}."


def _logos(results: Results) -> Section:
    """Draw each route's first motif as a logo, above the true one where it is known."""
    title, models = "Motifs by route, beside the truth", motifs_by_model(results)
    if not models:
        return absent("motifs", title, MOTIFS)
    blocks: list[Block] = [
        Text("First motif of the first seed on each route. Below each: the true motif, if known.")
    ]
    for name, model in models.items():
        blocks.append(Heading(name))
        for route in routes_of(model):
            motif = first_motifs(model, route)[0]
            blocks.append(
                _motif_figure(results, motif, f"{name}, {route}")
                if motif
                else Text(f"{route}: no motif found.")
            )
    return Section("motifs", title, blocks)


def _motif_figure(results: Results, motif: RouteMotif, name: str) -> Figure:
    """Draw one motif, above the truth that it recovers if there is one."""
    ppm, recovery = np.array(motif.ppm, dtype=float), motif.recovery
    truth = true_motifs(results).get(recovery.truth) if recovery else None
    if recovery is None or truth is None:
        return Figure(logo(ppm, title=name), name, _motif_words(motif), kind="tile")
    svg = logo_pair(
        ppm, np.array(truth.ppm), offset=recovery.offset, strand=recovery.strand, title=name
    )
    return Figure(svg, name, _motif_words(motif), kind="tile")


def _recovery(results: Results) -> Section:
    """Lay out, for every route and model, how many seeds recover the truth."""
    title, models = "Recovery of the true motif", motifs_by_model(results)
    if not models or not true_motifs(results):
        return absent("recovery", title, WITH_TRUTH, UNKNOWN_TRUTH)
    found = {route for model in models.values() for route in routes_of(model)}
    routes = [r for r in ROUTES if r in found] + sorted(found - set(ROUTES))
    n_positives, untrained = results.motifs.n_positives, results.motifs.untrained
    caption = (
        "Exact: the consensus of a route's first motif holds the whole true motif and nothing else "
        "above 1 bit. Beside it, over the seeds that found a motif, the mean similarity (1 is the "
        "truth itself) and the number of sites as a fraction of the explained positives; it passes "
        "100 % where a route finds several in one."
    )
    tables = [_recovery_table(models, routes, n_positives, RECOVERY, caption)]
    if untrained:
        # A control: the same routes on the same models before training.
        before = {name: untrained.get(name) for name in models}
        caption = (
            "A control. The positives all hold the motif, so that aligning windows of them can "
            "show it though the model knows nothing; then there are fewer sites, or no more than "
            "after training. Only what is clearly above this table shows what a model has learnt."
        )
        name = "The same routes before training"
        tables.append(_recovery_table(before, routes, n_positives, name, caption))
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
    motifs = [motif for motif in first_motifs(model, route) if motif]
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


def _shortcut(results: Results) -> Section:
    """Lay out the shortcut test with the loss of every mismatch."""
    title = "Shortcut test"
    tests = shortcut_tests(results)
    if not tests:
        return absent("shortcut", title, WITH_TRUTH, UNKNOWN_TRUTH)
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
    profiles = [_mismatch_profile(results, model, test) for model, test in tests.items()]
    return Section("shortcut", title, [table, *profiles])


def _mismatch_profile(results: Results, model: str, test: Shortcut) -> Figure:
    losses = test.mismatch_loss
    consensus = next((truth.consensus for truth in true_motifs(results).values()), "")
    consensus = test.motif or consensus
    letters = consensus if len(consensus) == len(losses) else "N" * len(losses)
    name = f"Loss by single mismatch: {model}"
    svg = base_track(letters, [100 * x for x in losses], title=name, y_label="effect lost (%)")
    return Figure(svg, name, "Mean over the three other bases at each position.", kind="tile")
