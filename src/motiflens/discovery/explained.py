"""Motifs from an explanation: its seqlets aligned, clustered, and laid out with contributions."""

from __future__ import annotations

import numpy as np

from motiflens.attribution import Attributions
from motiflens.datasets import check_strands
from motiflens.discovery.alignment import Strands
from motiflens.discovery.discovered import Direction, DiscoveredMotif
from motiflens.discovery.frame import Floats, Frame, frame_attributions
from motiflens.discovery.refinement import Alignment
from motiflens.discovery.result import Draft, explained_draft, finished
from motiflens.discovery.search import search
from motiflens.discovery.seqlets import stretches
from motiflens.discovery.sharing import are_one, share_out
from motiflens.discovery.starts import MAX_STARTS, spread, start_matrices
from motiflens.discovery.windows import MARGIN, Windows, cut_windows

MIN_SEQLETS = 10
MIN_EVIDENCE = 20.0
"""Nats; true motifs have a hundred and more. A model that learnt random labels dwells on words of
its own, which repeat a little beyond chance: up to 8 nats in four such models."""

SIGNS: dict[Direction, int] = {"positive": 1, "negative": -1}

PIECE = 24
"""Positions of a window at most; longer seqlets are cut, so that each may hold several sites."""


def discover(
    attributions: Attributions,
    *,
    strands: Strands = "both",
    fdr: float = 0.05,
    seed: int = 0,
    name: str = "motif",
) -> list[DiscoveredMotif]:
    """Find the motifs that the seqlets of an explanation share.

    Seqlets (:func:`motiflens.find_seqlets`) are cut in windows of at most ``PIECE`` positions. The
    search starts at the most important of them, each base weighted by its contribution
    (:func:`start_matrices`), and refines one motif after the other on the windows that are left
    (:func:`search`), reaching into the flanks, so that a motif is not cut at its seqlets. Then all
    motifs share the sites out among them; copies, shifted ones and parts are merged
    (:func:`share_out`).

    A motif is reported if it has ``MIN_SEQLETS`` sites and ``MIN_EVIDENCE`` (:func:`evidence`).
    It is trimmed by information (:func:`informative_span`). One found both for and against the
    target keeps the direction in which it contributes more.

    Neither the order of the sequences nor, with ``strands="both"``, their strand touches the
    result: not even its last digit.

    Parameters
    ----------
    attributions
        Of N sequences, by any method.
    strands
        ``both`` looks for a motif on either strand.
    fdr
        False-discovery rate of the seqlets.
    seed
        Of the null of the seqlets.
    name
        The motifs are called ``name-1``, ``name-2``, ...

    Returns
    -------
    list of DiscoveredMotif
        By the sum of their contributions, strongest first; empty where nothing is shared. A
        motif of both strands is shown on the one whose letters come first in the alphabet.

    Raises
    ------
    InputError
        For other ``strands``, an ``fdr`` outside (0, 1), contributions that are not finite.
    """
    check_strands(strands)
    frame = frame_attributions(attributions, both_strands=strands == "both")
    found: list[Draft] = []
    for direction, sign in SIGNS.items():
        windows, motifs = _of_one_sign(frame, sign, strands == "both", fdr, seed)
        found += [explained_draft(frame, windows, m, direction, sign) for m in motifs]
    found.sort(key=lambda draft: (-draft.strength, draft.ppm.tolist()))
    kept: list[Draft] = []
    for draft in found:
        copies = (are_one(draft.counts, k.counts, strands == "both") for k in kept)
        if draft.strength > 0 and not any(copies):
            kept.append(draft)
    return [finished(frame, draft, f"{name}-{rank}") for rank, draft in enumerate(kept, 1)]


def _of_one_sign(
    frame: Frame, sign: int, both_strands: bool, fdr: float, seed: int
) -> tuple[Windows, list[Alignment]]:
    """Find the motifs of the seqlets that speak for the target (1) or against it (-1)."""
    found = stretches(frame, sign, fdr=fdr, seed=seed)
    windows = cut_windows(frame, found, both_strands=both_strands, most=PIECE)
    if len(windows) < MIN_SEQLETS:
        return windows, []
    importance = np.maximum(sign * lay(frame.track, windows), 0.0)
    order = np.argsort(-windows.inside(importance).sum(axis=1), kind="stable")
    windows, importance = windows.take(order), importance[order]
    chosen = spread(len(windows), MAX_STARTS)
    starts = start_matrices(windows.take(chosen), importance[chosen])
    drafts = search(windows, starts, MIN_SEQLETS, MIN_EVIDENCE)
    return windows, share_out(windows, drafts, MIN_SEQLETS, MIN_EVIDENCE)


def lay(track: Floats, windows: Windows) -> Floats:
    """Lay a track (N, L) under the columns of windows: (M, R), 0 beyond the sequences."""
    place = windows.start[:, None] - MARGIN + np.arange(windows.codes.shape[1])
    inside = (place >= 0) & (place < windows.length[:, None])
    laid: Floats = np.where(inside, track[windows.row[:, None], np.where(inside, place, 0)], 0.0)
    return laid
