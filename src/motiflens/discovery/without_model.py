"""Motifs of sequences alone, without a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.stats import fisher_exact

from motiflens.datasets import check_strands
from motiflens.discovery.alignment import Strands
from motiflens.discovery.discovered import DiscoveredMotif
from motiflens.discovery.frame import Frame, Ints, make_frame
from motiflens.discovery.kmers import best_starts
from motiflens.discovery.refinement import Alignment, log_probabilities, place, refine
from motiflens.discovery.result import finished, plain_draft
from motiflens.discovery.sharing import share_out
from motiflens.discovery.windows import Windows, cut_windows
from motiflens.sequences import PAD, Codes, encode

MIN_SITES = 3
MIN_EVIDENCE = float(np.log(1000))
"""Nats: an expected number of as good alignments by chance of at most 1 in 1,000."""

MAX_MOTIFS = 20
MAX_ORDER = 2
BASES_A_WORD = 100
"""Bases of sequence that the background's Markov chain needs for each of its words."""

N_COMPARED = 300
"""Sequences in which starts are tried; a motif is then refined in all."""

LIKELY = 0.9
"""Share of sequences with a site, at most, as far as the limit of a score is concerned."""

MAX_P = 1e-3
"""Of Fisher's test of sequences with a site among positives and negatives."""


def discover_in_sequences(
    sequences: Sequence[str],
    negatives: Sequence[str] | None = None,
    *,
    strands: Strands = "both",
    name: str = "motif",
) -> list[DiscoveredMotif]:
    """Find the motifs that sequences share, without a model.

    Expectation maximisation with one site or none a sequence, as MEME's (Bailey and Elkan, ISMB
    2:28, 1994), by best sites. Its starts are all words of 8, 14 and 20 bases of a few sequences,
    or the most over-represented words of 8 bases of many (:func:`best_starts`); the columns are
    those that pay for themselves (:func:`informative_span`), so that a motif has the width of
    largest worth, to 40 columns. The background is a Markov chain of order 2, or less where the
    sequences are too few for it, fitted to the negatives where there are some.

    A motif is reported if as good an alignment is expected by chance less than once in 1,000
    (:func:`evidence`) and, where there are negatives, if Fisher's one-sided test of sequences
    with a site has p < ``MAX_P``: on the sequences it was found in, so it is no evidence for the
    motif. Sites of a motif found are masked, and the search goes on.

    Parameters
    ----------
    sequences
        Over A, C, G, T and N, in upper or lower case.
    negatives
        Sequences that do not share the motif.
    strands
        ``both`` looks for a motif on either strand.
    name
        The motifs are called ``name-1``, ``name-2``, ...

    Returns
    -------
    list of DiscoveredMotif
        By evidence, strongest first; without contributions. A sequence may hold several sites.

    Raises
    ------
    InputError
        For another letter, and for other ``strands``.
    """
    check_strands(strands)
    both_strands = strands == "both"
    frame = make_frame(encode(sequences)[0], both_strands=both_strands)
    other = make_frame(encode(negatives or [])[0], both_strands=both_strands)
    if len(sequences) < MIN_SITES or frame.codes.shape[1] == 0:
        return []
    background = other.codes if len(other.rows) else frame.codes
    windows = _whole(frame, background, both_strands)
    motifs = share_out(windows, _search(windows), MIN_SITES, MIN_EVIDENCE)
    if len(other.rows):
        beside = _whole(other, background, both_strands)
        motifs = [m for m in motifs if _enriched(windows, beside, m)]
    drafts = [plain_draft(frame, windows, motif) for motif in motifs]
    drafts.sort(key=lambda draft: (-draft.strength, draft.ppm.tolist()))
    return [finished(frame, draft, f"{name}-{rank}") for rank, draft in enumerate(drafts, 1)]


def _whole(frame: Frame, background: Codes, both_strands: bool) -> Windows:
    """Make one window of every sequence."""
    rows = np.flatnonzero(frame.lengths)
    stretches: Ints = np.stack([rows, np.zeros_like(rows), frame.lengths[rows]], axis=1)
    n_bases = int((background < PAD).sum())
    order = max(k for k in range(MAX_ORDER + 1) if k == 0 or n_bases >= BASES_A_WORD * 4 ** (k + 1))
    windows = cut_windows(
        frame, stretches, both_strands=both_strands, order=order, background=background
    )
    return replace(windows, likely=LIKELY)


def _search(windows: Windows) -> list[Alignment]:
    """Find motifs one after the other; the sites of each are masked."""
    found: list[Alignment] = []
    while len(found) < MAX_MOTIFS:
        motif = _strongest(windows)
        if motif is None:
            break
        found.append(motif)
        windows = _masked(windows, motif)
    return found


def _strongest(windows: Windows) -> Alignment | None:
    """Refine the best starts, first in some of the sequences; give the motif of most evidence."""
    some = np.unique(np.linspace(0, len(windows) - 1, N_COMPARED).astype(np.int64))
    compared = windows.take(some)
    refined = [refine(compared, logs, MIN_SITES) for logs in best_starts(compared, MIN_SITES)]
    good = [motif for motif in refined if motif is not None]
    if not good:
        return None
    best = max(good, key=lambda motif: motif.evidence)
    if len(some) < len(windows):
        logs = log_probabilities(best.counts, windows.background)
        wider = refine(windows, logs, MIN_SITES)
        if wider is None:
            return None
        best = wider
    return best if best.evidence >= MIN_EVIDENCE else None


def _masked(windows: Windows, motif: Alignment) -> Windows:
    """Make the bases of the sites of a motif unknown."""
    codes, bits = windows.codes.copy(), np.diff(windows.rarity, axis=1)
    at = windows.column(motif.sites.window, motif.sites.start)[:, None] + np.arange(motif.width)
    codes[motif.sites.window[:, None], at] = PAD
    bits[codes == PAD] = 0.0
    return replace(windows, codes=codes, rarity=np.pad(np.cumsum(bits, axis=1), ((0, 0), (1, 0))))


def _enriched(windows: Windows, negatives: Windows, motif: Alignment) -> bool:
    """Tell whether more of the sequences than of the negatives have a site."""
    logs = log_probabilities(motif.counts, windows.background)
    share = len(np.unique(motif.sites.window)) / len(windows)
    table = []
    for part in (windows, negatives):
        n_found = len(place(part, logs, share))
        table.append([n_found, len(part) - n_found])
    return bool(fisher_exact(table, alternative="greater").pvalue < MAX_P)
