"""Motifs that sequences share, or windows on them that something points at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.stats import binom, fisher_exact

from motiflens.discovery.discovered import DiscoveredMotif, Strands
from motiflens.discovery.drafts import finish, rank, sequence_draft
from motiflens.discovery.initial_motifs import kmer_starts
from motiflens.discovery.oriented import Ints, OrientedTracks, marked_intervals, orient
from motiflens.discovery.refinement import (
    MIN_SITE_FRACTION,
    Alignment,
    log_probabilities,
    place_sites,
    refine,
)
from motiflens.discovery.search import assign_sites, merge_copies
from motiflens.discovery.windows import Windows, cut_windows
from motiflens.sequences import PAD, Codes

MAX_ORDER, BASES_PER_KMER = 2, 100
"""Of the background's Markov chain, and the bases of sequence that it needs for each k-mer."""

N_COMPARED = 300
"""Sequences in which starts are tried; a motif is then refined in all."""

MAX_SITE_FRACTION = 0.9
"""Fraction of sequences with a site, at most, as far as the limit of a score is concerned."""

MIN_DENSITY_RATIO = 2.0
"""Times that sites must be denser in windows than in the rest of the sequences."""

MAX_P = 1e-3
"""Of the test of sequences, or windows, with a site against the negatives, or the rest."""

MIN_NATS = float(np.log(1000))
"""Evidence of a motif: an expected number of as good alignments by chance of at most 1 in 1,000."""

MIN_SITES, MAX_MOTIFS, MAX_KMERS = 3, 20, 4000
"""Of sequences alone: sites of a motif, motifs that are looked for, and k-mers of one width that
are all tried as starts; where there are more, the most over-represented 8-mers are."""

MIN_WINDOWS, MAX_WINDOW_MOTIFS, MAX_WINDOW_KMERS = 5, 5, 1000
"""The same of windows, which share more, so that fewer starts do."""


def discover_in_sequences(
    codes: Codes, negatives: Codes, both_strands: bool
) -> list[DiscoveredMotif]:
    """Find the motifs of sequences, and not of the negatives: see :func:`discover_motifs`."""
    tracks = orient(codes, both_strands=both_strands)
    other = orient(negatives, both_strands=both_strands)
    background = other.codes if len(other.rows) else tracks.codes
    windows = _cut(tracks, _whole(tracks), background, both_strands)
    motifs = _search_sequences(windows)
    if len(other.rows):
        beside = _cut(other, _whole(other), background, both_strands)
        motifs = [motif for motif in motifs if _are_enriched(windows, beside, motif)]
    drafts = [(motif.evidence, sequence_draft(tracks, windows, motif)) for motif in motifs]
    return finish(tracks, rank(drafts), "motif")


def align_windows(
    codes: Codes, windows: Ints, *, strands: Strands = "forward", name: str = "motif"
) -> list[DiscoveredMotif]:
    """Find the motifs that windows on sequences share, wherever they lie in the windows.

    As sequences alone are searched (:func:`discover_motifs`), with the windows as sequences whose
    flanks may hold more of a motif; but a window points at one motif, so that each is looked for in
    the windows without a site of a stronger one. Where the windows cover half of the sequences or
    less, sites must be more than ``MIN_DENSITY_RATIO`` times as dense in them as in the rest (a
    binomial test with p < ``MAX_P``): windows laid at random over sequences that do hold a motif do
    not show it.

    Parameters
    ----------
    codes
        uint8 (N, L), padded on the right.
    windows
        Integers (M, 3): sequence, start, end. The order is of no consequence; those that overlap
        or touch are joined, since they are not independent.
    strands
        ``both`` looks for the motif on either strand.
    name
        The motifs are called ``name-1``, ``name-2``, ...

    Returns
    -------
    list of DiscoveredMotif
        By evidence, strongest first; empty where the windows share nothing.
    """
    both_strands = strands == "both"
    tracks = orient(codes, both_strands=both_strands)
    inside = tracks.mark(np.asarray(windows, dtype=np.int64).reshape(-1, 3))
    outside = ~inside & (np.arange(inside.shape[1]) < tracks.lengths[:, None])
    intervals = marked_intervals(inside)
    aligned = _cut(tracks, intervals, tracks.codes, both_strands)
    motifs = _search_windows(aligned)
    if motifs and outside.sum() >= inside.sum():
        size = int(np.median(intervals[:, 2] - intervals[:, 1]))
        rest = _cut(tracks, marked_intervals(outside), tracks.codes, both_strands, max_size=size)
        motifs = _denser(aligned, rest, motifs)
    drafts = [(motif.evidence, sequence_draft(tracks, aligned, motif)) for motif in motifs]
    return finish(tracks, rank(drafts), name)


def _whole(tracks: OrientedTracks) -> Ints:
    """Return one interval (M, 3) of every sequence."""
    rows = np.flatnonzero(tracks.lengths)
    intervals: Ints = np.stack([rows, np.zeros_like(rows), tracks.lengths[rows]], axis=1)
    return intervals


def _cut(
    tracks: OrientedTracks,
    intervals: Ints,
    background: Codes,
    both_strands: bool,
    max_size: int | None = None,
) -> Windows:
    """Cut windows against a Markov chain of the highest order that its sequences suffice for."""
    n_bases = int((background < PAD).sum())
    orders = range(1, MAX_ORDER + 1)
    order = max((k for k in orders if n_bases >= BASES_PER_KMER * 4 ** (k + 1)), default=0)
    windows = cut_windows(
        tracks,
        intervals,
        both_strands=both_strands,
        max_size=max_size,
        order=order,
        background=background,
    )
    return replace(windows, max_site_fraction=MAX_SITE_FRACTION)


def _search_sequences(windows: Windows) -> list[Alignment]:
    """Find motifs one after the other, each with the sites of others masked; then assign sites."""
    motifs: list[Alignment] = []
    left = windows
    while len(windows) >= MIN_SITES and len(motifs) < MAX_MOTIFS:
        motif = _strongest(left, MIN_SITES, MAX_KMERS)
        if motif is None:
            break
        motifs.append(motif)
        left = _masked(left, motif)
    return assign_sites(windows, motifs, MIN_SITES, MIN_NATS)


def _search_windows(windows: Windows) -> list[Alignment]:
    """Find motifs one after the other, each on the windows without a site of another."""
    motifs: list[Alignment] = []
    left = np.arange(len(windows))
    while len(left) >= MIN_WINDOWS and len(motifs) < MAX_WINDOW_MOTIFS:
        motif = _strongest(windows.take(left), MIN_WINDOWS, MAX_WINDOW_KMERS)
        if motif is None:
            break
        motifs.append(motif.of_windows(left))
        left = np.setdiff1d(left, motifs[-1].sites.window)
    return merge_copies(motifs, windows.both_strands)


def _strongest(windows: Windows, min_sites: int, max_kmers: int) -> Alignment | None:
    """Refine the best starts, first in some of the sequences; return the motif of most evidence."""
    some = np.unique(np.linspace(0, len(windows) - 1, N_COMPARED).astype(np.int64))
    compared = windows.take(some)
    starts = kmer_starts(compared, min_sites, max_kmers)
    refined = [motif for logs in starts if (motif := refine(compared, logs, min_sites))]
    if not refined:
        return None
    best: Alignment | None = max(refined, key=lambda motif: motif.evidence)
    if best and len(some) < len(windows):
        best = refine(windows, log_probabilities(best.counts, windows.background), min_sites)
    return best if best and best.evidence >= MIN_NATS else None


def _masked(windows: Windows, motif: Alignment) -> Windows:
    """Make the bases of the sites of a motif unknown."""
    codes, bits = windows.codes.copy(), np.diff(windows.background_bits, axis=1)
    at = windows.column(motif.sites.window, motif.sites.start)[:, None] + np.arange(motif.width)
    codes[motif.sites.window[:, None], at] = PAD
    bits[codes == PAD] = 0.0
    total = np.pad(np.cumsum(bits, axis=1), ((0, 0), (1, 0)))
    return replace(windows, codes=codes, background_bits=total)


def _are_enriched(windows: Windows, negatives: Windows, motif: Alignment) -> bool:
    """Return whether more of the sequences than of the negatives have a site."""
    logs = log_probabilities(motif.counts, windows.background)
    site_fraction = len(np.unique(motif.sites.window)) / len(windows)
    table = []
    for group in (windows, negatives):
        n_with = len(place_sites(group, logs, site_fraction))
        table.append([n_with, len(group) - n_with])
    return bool(fisher_exact(table, alternative="greater").pvalue < MAX_P)


def _denser(windows: Windows, rest: Windows, motifs: Sequence[Alignment]) -> list[Alignment]:
    """Return the motifs that are denser in windows without a stronger one than in the rest."""
    kept: list[Alignment] = []
    free = np.ones(len(windows), dtype=np.bool_)
    for motif in motifs:
        logs = log_probabilities(motif.counts, windows.background)
        left = windows.take(free)
        n_inside, n_outside = (len(place_sites(w, logs, MIN_SITE_FRACTION)) for w in (left, rest))
        weight = MIN_DENSITY_RATIO * int(left.size.sum())
        chance = weight / (weight + int(rest.size.sum()))
        if binom.sf(n_inside - 1, n_inside + n_outside, chance) < MAX_P:
            kept.append(motif)
            free[motif.sites.window] = False
    return kept
