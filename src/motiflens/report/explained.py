"""The explained sequences: where they are from, their sites, and what each method says of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from motiflens.plots import contribution_track
from motiflens.report.findings import best_model
from motiflens.report.headline import headline_motif
from motiflens.report.parts import NO_MOTIFS, Figure, held
from motiflens.report.trust import level_of, name_of_method
from motiflens.results import Results
from motiflens.results.tracks import (
    Array,
    Tracks,
    read_data,
    read_found_sites,
    read_sites,
    read_tracks,
)
from motiflens.sequences import Site

#: Methods by which letters are scaled, the most trusted of several equal ones first.
SIGNED = ("deeplift_shap", "ism", "expected_gradients", "integrated_gradients", "input_x_gradient")
#: Bases of a picture.
SHOWN = 60


@dataclass(frozen=True, eq=False)
class Explained:
    """Explained sequences, in one order.

    Parameters
    ----------
    names, places, letters
        Of each; its place on the genome is "" where that is not known.
    n_positives
        The first so many are positives, the others negatives.
    true, found
        Its sites: the true ones, and those of motifs that were found.
    tracks
        Model → method → its tracks, of the same sequences.
    """

    names: Sequence[str]
    places: Sequence[str]
    letters: Sequence[str]
    n_positives: int
    true: Sequence[Sequence[Site]]
    found: Sequence[Sequence[Site]]
    tracks: Mapping[str, Mapping[str, Tracks]]


def read_explained(results: Results) -> Explained | None:
    """Return the explained sequences of a run; None where nothing is explained."""
    tracks = _same(read_tracks(results))
    first = _first(tracks)
    if first is None or not first.names:
        return None
    n_positives = len(first.names)
    tracks = _with_negatives(tracks, _same(read_tracks(results, "negative_attributions")))
    first = _first(tracks) or first
    letters = [first.sequence(index) for index in range(len(first.names))]
    true = read_sites(results)
    loci = _loci(read_data(results), first.names, letters)
    found = _found(read_found_sites(results), first.names, loci)
    return Explained(
        first.names,
        ["" if one is None else f"{one[0]}:{one[1] + 1:,}–{one[2]:,}" for one in loci],
        letters,
        n_positives,
        [true.get(name, []) for name in first.names],
        found,
        tracks,
    )


def _first(tracks: Mapping[str, Mapping[str, Tracks]]) -> Tracks | None:
    return next((one for methods in tracks.values() for one in methods.values()), None)


def _same(tracks: Mapping[str, Mapping[str, Tracks]]) -> Mapping[str, Mapping[str, Tracks]]:
    """Keep the tracks of the sequences that the first of them has."""
    first = _first(tracks)
    return {
        model: {name: one for name, one in methods.items() if first and one.names == first.names}
        for model, methods in tracks.items()
    }


def _with_negatives(
    tracks: Mapping[str, Mapping[str, Tracks]], negatives: Mapping[str, Mapping[str, Tracks]]
) -> Mapping[str, Mapping[str, Tracks]]:
    """Put the negatives after the positives, where every track has them."""
    if any(name not in negatives.get(m, {}) for m, methods in tracks.items() for name in methods):
        return tracks
    return {
        model: {name: one.then(negatives[model][name]) for name, one in methods.items()}
        for model, methods in tracks.items()
    }


Locus = tuple[str, int, int, str]


def _loci(
    data: pd.DataFrame | None, names: Sequence[str], letters: Sequence[str]
) -> list[Locus | None]:
    """Return contig, start, end and strand of each sequence, where the data have them."""
    columns = ["name", "sequence", "chrom", "start", "end", "strand"]
    if data is None or not set(columns) <= set(data.columns):
        return [None] * len(names)
    by_name: dict[tuple[str, str], list[Locus]] = defaultdict(list)
    for name, sequence, *locus in data[columns].itertuples(index=False):
        by_name[str(name), str(sequence).upper().rstrip("N")].append(tuple(locus))
    # Of several windows of one name and sequence each is taken once.
    taken = (by_name.get((n, s), []) for n, s in zip(names, letters, strict=True))
    return [loci.pop(0) if loci else None for loci in taken]


def _found(
    hits: pd.DataFrame | None, names: Sequence[str], loci: Sequence[Locus | None]
) -> list[list[Site]]:
    """Return the sites of found motifs in each sequence, by its name or by its place."""
    if hits is None:
        return [[] for _ in names]
    by_contig: dict[str, set[Site]] = defaultdict(set)
    columns = hits[["#chrom", "start", "end", "strand", "motif_id"]]
    for contig, start, end, strand, motif in columns.itertuples(index=False):
        by_contig[contig].add(Site(motif, start, end, strand))
    return [
        sorted(by_contig[name] if locus is None else _inside(by_contig[locus[0]], locus))
        for name, locus in zip(names, loci, strict=True)
    ]


def _inside(sites: set[Site], locus: Locus) -> list[Site]:
    """Return the sites within a window, in the coordinates and the direction of its letters."""
    _, start, end, strand = locus
    inside = [s for s in sites if start <= s.start and s.end <= end]
    if strand == "-":
        turned = {"+": "-", "-": "+"}
        return [Site(s.name, end - s.end, end - s.start, turned[s.strand]) for s in inside]
    return [Site(s.name, s.start - start, s.end - start, s.strand) for s in inside]


def chosen_method(results: Results, model: str, methods: Mapping[str, Tracks]) -> str | None:
    """Choose the method by which letters are scaled: one that may be claimed, if any may."""
    signed = [name for name in SIGNED if name in methods]
    trusted = results.trust.models.get(model) if results.holds("trust") else None
    claimed = [m for m in signed if trusted and level_of(m, trusted) == "claim"]
    return next(iter([*claimed, *signed, *methods]), None)


def worked_sequence(results: Results, explained: Explained) -> Figure | None:
    """Draw one sequence of the best model: letters as high as their contributions, sites shaded."""
    model = best_model(results)
    methods = explained.tracks.get(model or "", {})
    method = chosen_method(results, model, methods) if model else None
    if model is None or method is None:
        return None
    motif = headline_motif(held(results, NO_MOTIFS).discovery)
    index = _example(explained, methods[method].values, motif.name if motif else None)
    return picture(explained, index, model, method, "One sequence, ")


def _example(explained: Explained, track: Array, motif: str | None) -> int:
    """Choose the sequence of the median contribution among the sites of a motif.

    Without any, the first with a true site, or else the first.
    """
    by_site = sorted(
        (float(track[row, site.start : site.end].sum()), row)
        for row in range(explained.n_positives)
        for site in explained.found[row][:1]
        if site.name == motif
    )
    if by_site:
        return by_site[len(by_site) // 2][1]
    return next((row for row in range(explained.n_positives) if explained.true[row]), 0)


def picture(explained: Explained, index: int, model: str, method: str, lead: str = "") -> Figure:
    """Draw the bases around a sequence's first site, or else around its strongest base."""
    tracks, letters = explained.tracks[model][method], explained.letters[index]
    contributions: Array = (
        tracks.one_hot[index, :, : len(letters)] * tracks.values[index, None, : len(letters)]
    )
    sites = explained.found[index] or explained.true[index]
    strongest = int(np.abs(contributions).sum(axis=0).argmax())
    centre = (sites[0].start + sites[0].end) // 2 if sites else strongest
    first = max(0, min(centre - SHOWN // 2, len(letters) - SHOWN))
    last = min(len(letters), first + SHOWN)
    title = f"{lead}{explained.names[index]}: {name_of_method(method)}, {model}"
    words = f"Bases {first + 1}–{last} of {len(letters)}."
    shaded = [(s.start, s.end, s.name) for s in sites]
    svg = contribution_track(contributions[:, first:last], shaded, title=title, start=first)
    places = " ".join(filter(None, [explained.places[index], words]))
    return Figure(svg, title, places)
