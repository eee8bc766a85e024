"""Motifs of an explanation, or of sequences alone."""

from __future__ import annotations

import numpy as np

from motiflens.attribution import Attributions
from motiflens.datasets import check_strands
from motiflens.discovery.discovered import Direction, DiscoveredMotif, Strands
from motiflens.discovery.drafts import explained_draft, finish, rank
from motiflens.discovery.initial_motifs import MAX_STARTS, seqlet_starts, spread_ranks
from motiflens.discovery.oriented import Floats, Ints, OrientedTracks, orient_attributions
from motiflens.discovery.refinement import Alignment
from motiflens.discovery.search import are_same_motif, assign_sites, search
from motiflens.discovery.seqlets import seqlet_intervals
from motiflens.discovery.sequence_search import discover_in_sequences
from motiflens.discovery.windows import MARGIN, Windows, cut_windows
from motiflens.io.inputs import Sequences, as_codes

DIRECTIONS: tuple[Direction, Direction] = ("positive", "negative")

MAX_WINDOW = 24
"""Positions of a window at most; longer seqlets are cut, so that each may hold several sites."""

MIN_SEQLETS, MIN_SEQLET_NATS = 10, 20.0
"""Sites and evidence of a motif of an explanation. True motifs have a hundred nats and more. A
model that learnt random labels attributes to k-mers of its own, which repeat a little beyond
chance: up to 8 nats in four such models."""


def discover_motifs(
    attributions_or_sequences: Attributions | Sequences,
    background: Sequences | None = None,
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
        An explanation of N sequences by any method; or strings over A, C, G, T and N, a file, a
        data set or one-hot (N, 4, L), of which positives and negatives are searched alike.
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
    codes, _ = as_codes(attributions_or_sequences)
    others, _ = as_codes([] if background is None else background)
    return discover_in_sequences(codes, others, strands == "both")


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
    for draft in rank(drafts):
        counts = draft.ppm * draft.n_sites
        if not any(are_same_motif(counts, k.ppm * k.n_sites, both_strands) for k in kept):
            kept.append(draft)
    return finish(tracks, kept, "motif")


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
