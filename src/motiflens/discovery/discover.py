"""Motifs of an explanation, of sequences alone, and of windows that something points at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.stats import binom, fisher_exact

from motiflens.attribution import Attributions
from motiflens.datasets import SequenceDataset, check_strands
from motiflens.discovery.discovered import Direction, DiscoveredMotif, Strands
from motiflens.discovery.drafts import explained_draft, finish, sequence_draft
from motiflens.discovery.initial_motifs import MAX_STARTS, kmer_starts, seqlet_starts, spread_ranks
from motiflens.discovery.oriented import (
    Floats,
    Ints,
    OrientedTracks,
    marked_intervals,
    orient,
    orient_attributions,
)
from motiflens.discovery.refinement import (
    MIN_SITE_FRACTION,
    Alignment,
    log_probabilities,
    place_sites,
    refine,
)
from motiflens.discovery.search import are_same_motif, assign_sites, search
from motiflens.discovery.seqlets import seqlet_intervals
from motiflens.discovery.windows import MARGIN, Windows, cut_windows
from motiflens.sequences import PAD, Codes, encode

DIRECTIONS: tuple[Direction, Direction] = ("positive", "negative")

MAX_WINDOW = 24
"""Positions of a window at most; longer seqlets are cut, so that each may hold several sites."""

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

MIN_SEQLETS, MIN_SEQLET_NATS = 10, 20.0
"""Sites and evidence of a motif of an explanation. True motifs have a hundred nats and more. A
model that learnt random labels attributes to k-mers of its own, which repeat a little beyond
chance: up to 8 nats in four such models."""

MIN_SITES, MAX_MOTIFS, MAX_KMERS = 3, 20, 4000
"""Of sequences alone: sites of a motif, motifs that are looked for, and k-mers of one width that
are all tried as starts; where there are more, the most over-represented 8-mers are."""

MIN_WINDOWS, MAX_WINDOW_MOTIFS, MAX_WINDOW_KMERS = 5, 5, 1000
"""The same of windows, which share more, so that fewer starts do."""


def discover_motifs(
    attributions_or_sequences: Attributions | SequenceDataset | Sequence[str],
    background: SequenceDataset | Sequence[str] | None = None,
    *,
    strands: Strands = "both",
    fdr: float = 0.05,
    seed: int = 0,
) -> list[DiscoveredMotif]:
    """Find the motifs that an explanation points at, or that sequences share.

    Of an explanation, seqlets (:func:`find_seqlets`) are cut in windows of at most ``MAX_WINDOW``
    positions. The search starts at the most important of them, each base weighted by its
    contribution, and refines one motif after the other on the windows that are left, reaching into
    the flanks, so that a motif is not cut at its seqlets. Then every site is assigned to its best
    motif; copies, shifted ones and parts are merged. A motif is reported if it has 10 sites and 20
    nats of evidence. One found both for and against the target keeps the direction in which it
    contributes more. Neither the order of the sequences nor, with ``strands="both"``, their strand
    touches the result: not even its last digit.

    Of sequences, motifs are found by expectation maximisation with one site or none a sequence, as
    MEME's (Bailey and Elkan, ISMB 2:28, 1994), by best sites. Starts are all k-mers of 8, 14 and 20
    bases of a few sequences, or the most over-represented 8-mers of many; the columns are those
    that gain more than they cost, so that a motif has the width of largest gain, to 40 columns. The
    model of chance is a Markov chain of order 2, or less where the sequences are too few for it,
    fitted to ``background`` where there is some. A motif is reported if as good an alignment is
    expected by chance less than once in 1,000 and, beside a background, if Fisher's one-sided test
    of sequences with a site has p < ``MAX_P``: on the sequences it was found in, so it is no
    evidence for the motif. Sites of a motif found are masked, and the search goes on.

    Parameters
    ----------
    attributions_or_sequences
        An explanation of N sequences by any method; or sequences over A, C, G, T and N, or a data
        set, of which positives and negatives are searched alike.
    background
        Sequences that do not share the motif, such as negatives; not for an explanation.
    strands
        ``both`` looks for a motif on either strand.
    fdr, seed
        Of the seqlets of an explanation: false-discovery rate, and seed of its null.

    Returns
    -------
    list of DiscoveredMotif
        ``motif-1``, ``motif-2``, ... by the sum of their contributions or by evidence, strongest
        first; empty where nothing is shared. A motif of both strands is shown on the one whose
        letters come first in the alphabet. Without an explanation a motif has no contributions.

    Raises
    ------
    InputError
        For other ``strands``, an ``fdr`` outside (0, 1), contributions that are not finite, and
        letters other than ACGTN.
    """
    check_strands(strands)
    if isinstance(attributions_or_sequences, Attributions):
        return _of_explanation(attributions_or_sequences, strands == "both", fdr, seed)
    codes = _codes(attributions_or_sequences)
    return _of_sequences(codes, _codes(background or []), strands == "both")


def _codes(sequences: SequenceDataset | Sequence[str]) -> Codes:
    return sequences.codes if isinstance(sequences, SequenceDataset) else encode(sequences)[0]


def align_windows(
    codes: Codes, windows: Ints, *, strands: Strands = "forward", name: str = "motif"
) -> list[DiscoveredMotif]:
    """Find the motifs that windows on sequences share, wherever they lie in the windows.

    As sequences alone are searched (:func:`discover_motifs`), with the windows as sequences whose
    flanks may hold more of a motif. Where the windows cover half of the sequences or less, sites
    must be more than ``MIN_DENSITY_RATIO`` times as dense in them as in the rest (a binomial test
    with p < ``MAX_P``): windows laid at random over sequences that do hold a motif do not show it.

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
    motifs = _search(aligned, MIN_WINDOWS, MAX_WINDOW_MOTIFS, MAX_WINDOW_KMERS)
    if motifs and outside.sum() >= inside.sum():
        size = int(np.median(intervals[:, 2] - intervals[:, 1]))
        rest = _cut(tracks, marked_intervals(outside), tracks.codes, both_strands, max_size=size)
        motifs = _denser(aligned, rest, motifs)
    drafts = [(motif.evidence, sequence_draft(tracks, aligned, motif)) for motif in motifs]
    return _named(tracks, _ranked(drafts), name)


def _of_explanation(
    attributions: Attributions, both_strands: bool, fdr: float, seed: int
) -> list[DiscoveredMotif]:
    tracks = orient_attributions(attributions, both_strands=both_strands)
    drafts: list[tuple[float, DiscoveredMotif]] = []
    for direction in DIRECTIONS:
        sign = 1 if direction == "positive" else -1
        intervals = seqlet_intervals(tracks, sign, fdr=fdr, seed=seed)
        windows, motifs = _of_seqlets(tracks, intervals, sign, both_strands)
        for motif in motifs:
            draft = explained_draft(tracks, windows, motif, direction)
            if draft is not None:
                strength = sign * float(np.sum([site.score for site in draft.sites]))
                drafts.append((strength, draft))
    kept: list[DiscoveredMotif] = []
    for draft in _ranked(drafts):
        counts = draft.ppm * draft.n_sites
        if not any(are_same_motif(counts, k.ppm * k.n_sites, both_strands) for k in kept):
            kept.append(draft)
    return _named(tracks, kept, "motif")


def _of_seqlets(
    tracks: OrientedTracks, intervals: Ints, sign: int, both_strands: bool
) -> tuple[Windows, list[Alignment]]:
    """Find the motifs of the seqlets that contribute to the target (1) or against it (-1)."""
    windows = cut_windows(tracks, intervals, both_strands=both_strands, max_size=MAX_WINDOW)
    if len(windows) < MIN_SEQLETS:
        return windows, []
    importance = np.maximum(sign * _project(tracks.track, windows), 0.0)
    order = np.argsort(-windows.mask_margins(importance).sum(axis=1), kind="stable")
    windows, importance = windows.take(order), importance[order]
    chosen = spread_ranks(len(windows), MAX_STARTS)
    starts = seqlet_starts(windows.take(chosen), importance[chosen])
    drafts = search(windows, starts, MIN_SEQLETS, MIN_SEQLET_NATS)
    return windows, assign_sites(windows, drafts, MIN_SEQLETS, MIN_SEQLET_NATS)


def _project(track: Floats, windows: Windows) -> Floats:
    """Project a track (N, L) on the columns of windows: (M, R), 0 beyond the sequences."""
    position = windows.start[:, None] - MARGIN + np.arange(windows.codes.shape[1])
    inside = (position >= 0) & (position < windows.length[:, None])
    source = np.where(inside, position, 0)
    projected: Floats = np.where(inside, track[windows.row[:, None], source], 0.0)
    return projected


def _of_sequences(codes: Codes, negatives: Codes, both_strands: bool) -> list[DiscoveredMotif]:
    tracks = orient(codes, both_strands=both_strands)
    other = orient(negatives, both_strands=both_strands)
    background = other.codes if len(other.rows) else tracks.codes
    windows = _cut(tracks, _whole(tracks), background, both_strands)
    motifs = _search(windows, MIN_SITES, MAX_MOTIFS, MAX_KMERS)
    if len(other.rows):
        beside = _cut(other, _whole(other), background, both_strands)
        motifs = [motif for motif in motifs if _are_enriched(windows, beside, motif)]
    drafts = [(motif.evidence, sequence_draft(tracks, windows, motif)) for motif in motifs]
    return _named(tracks, _ranked(drafts), "motif")


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


def _search(windows: Windows, min_sites: int, max_motifs: int, max_kmers: int) -> list[Alignment]:
    """Find motifs one after the other, each with the sites of others masked; then assign sites."""
    motifs: list[Alignment] = []
    left = windows
    while len(windows) >= min_sites and len(motifs) < max_motifs:
        motif = _strongest(left, min_sites, max_kmers)
        if motif is None:
            break
        motifs.append(motif)
        left = _masked(left, motif)
    return assign_sites(windows, motifs, min_sites, MIN_NATS)


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


def _ranked(drafts: list[tuple[float, DiscoveredMotif]]) -> list[DiscoveredMotif]:
    ordered = sorted(drafts, key=lambda pair: (-pair[0], pair[1].ppm.tolist()))
    return [draft for _, draft in ordered]


def _named(
    tracks: OrientedTracks, drafts: Sequence[DiscoveredMotif], name: str
) -> list[DiscoveredMotif]:
    return [finish(tracks, draft, f"{name}-{rank}") for rank, draft in enumerate(drafts, 1)]
