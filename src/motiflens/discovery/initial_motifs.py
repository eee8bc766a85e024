"""Where the search for motifs starts: seqlets weighted base by base, or k-mers of sequences."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from motiflens.discovery.oriented import Floats, Ints
from motiflens.discovery.refinement import (
    column_nats,
    log_n_choices,
    log_probabilities,
    site_limit,
)
from motiflens.discovery.windows import MARGIN, Windows
from motiflens.sequences import PAD, Codes

START_WIDTH = 15
MAX_STARTS = 300
MAX_COMPARED = 3000
"""Windows that a start is compared with at most."""

SEQLET_WEIGHT = 0.6
"""Weight against the background that the base of largest contribution has in a start."""

N_AT_ONCE = 512

KMER_WIDTHS = (8, 14, 20)
MAX_ENRICHED = 400
N_REFINED = 8
KMER_WEIGHT = 0.5
"""Weight of its base against the background in each column of a start."""

MAX_SCORES = 1_000_000
"""Scores that are held at once, about."""


def seqlet_starts(windows: Windows, importance: Floats) -> Floats:
    """Make a start of each window: log2 probabilities (M, 4, START_WIDTH).

    Parameters
    ----------
    importance
        At least 0, (M, R), over the columns of ``windows.codes``. A start is centred on the
        largest sum of it, and a base has weight in proportion to it.
    """
    rows, offset = np.arange(len(windows))[:, None], np.arange(START_WIDTH)
    sums = np.cumsum(np.pad(windows.mask_margins(importance), ((0, 0), (1, 0))), axis=1)
    first = (sums[:, START_WIDTH:] - sums[:, :-START_WIDTH]).argmax(axis=1)
    columns = _recentred(importance, first)[:, None] + offset
    weight = importance[rows, columns]
    weight = SEQLET_WEIGHT * weight / np.maximum(weight.max(axis=1, keepdims=True), 1e-300)
    bases = windows.codes[rows, columns]
    observed = bases[:, None, :] == np.arange(4)[:, None]
    weight = np.where(bases < 4, weight, 0.0)[:, None, :]
    logs: Floats = np.log2(weight * observed + (1 - weight) * windows.background[:, None])
    return logs


def _recentred(importance: Floats, first: NDArray[np.intp]) -> Ints:
    """Move a start so that the centre of its importance is its middle."""
    columns = first[:, None] + np.arange(START_WIDTH)
    weight = np.take_along_axis(importance, columns, axis=1)
    centre = (weight * np.arange(START_WIDTH)).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-300)
    moved = first + np.rint(centre).astype(np.int64) - START_WIDTH // 2
    limited: Ints = np.clip(moved, 0, importance.shape[1] - START_WIDTH)
    return limited


def affinities(windows: Windows, starts: Floats) -> NDArray[np.float32]:
    """Return the bits, at least 0, by which each start's best offset exceeds chance: (K, M)."""
    limit = site_limit(windows, 0.5).astype(np.float32)
    excess = np.zeros((len(starts), len(windows)), dtype=np.float32)
    for low in range(0, len(windows), N_AT_ONCE):
        chunk = slice(low, low + N_AT_ONCE)
        scores = windows.take(np.arange(len(windows))[chunk]).scores(starts)
        excess[:, chunk] = scores.max(axis=(2, 3)).T - limit[chunk]
    return np.maximum(excess, 0.0)


def spread_ranks(n: int, limit: int) -> Ints:
    """Choose at most ``limit`` of n ranks: the first half of them, the others evenly spread."""
    if n <= limit:
        return np.arange(n)
    top = limit // 2
    rest = np.unique(np.linspace(top, n - 1, limit - top).astype(np.int64))
    return np.concatenate([np.arange(top), rest])


def kmer_starts(windows: Windows, min_sites: int, max_kmers: int) -> list[Floats]:
    """Choose starts by one step of expectation maximisation.

    Tried are all k-mers of ``KMER_WIDTHS`` bases, or where there are more than ``max_kmers`` of
    one width the ``MAX_ENRICHED`` most over-represented of the shortest.

    Every start is laid on its best offset in every window. Of the best half, quarter, ... of the
    windows, down to ``min_sites``, and of all, the base counts at these sites are taken, and
    their evidence; the best of these alignments stands for the start.

    Returns
    -------
    list
        log2 probabilities (4, W) of the ``N_REFINED`` best alignments, different from one another.
    """
    steps: list[tuple[float, Floats]] = []
    for kmers in _kmers_to_try(windows, max_kmers):
        logs = np.log2(
            KMER_WEIGHT * (kmers[:, None, :] == np.arange(4)[:, None])
            + (1 - KMER_WEIGHT) * windows.background[:, None]
        )
        n_at_once = max(1, MAX_SCORES // max(1, int(windows.n_offsets.sum())))
        for low in range(0, len(logs), n_at_once):
            steps += _one_step(windows, logs[low : low + n_at_once], min_sites)
    steps.sort(key=lambda pair: (-pair[0], pair[1].shape, pair[1].tobytes()))
    chosen: list[Floats] = []
    for _, counts in steps:
        if not any(np.array_equal(counts, other) for other in chosen):
            chosen.append(counts)
        if len(chosen) == N_REFINED:
            break
    return [log_probabilities(counts, windows.background) for counts in chosen]


def _kmers_to_try(windows: Windows, max_kmers: int) -> list[Codes]:
    """Return the k-mers to start from, one array (K, W) a width."""
    if int(windows.size.sum()) <= max_kmers:
        every = [_kmers(windows, width)[0] for width in KMER_WIDTHS]
        return [np.unique(kmers, axis=0) for kmers in every if len(kmers)]
    kmers, bits = _kmers(windows, KMER_WIDTHS[0])
    if len(kmers) == 0:
        return []
    if windows.both_strands:
        kmers = _canonical(kmers)
    unique, index, counts = np.unique(kmers, axis=0, return_index=True, return_counts=True)
    expected = len(kmers) * np.exp2(-bits[index]) * (2 if windows.both_strands else 1)
    excess = counts * np.log(np.maximum(counts, expected) / expected) - counts + expected
    order = np.argsort(-np.where(counts > expected, excess, 0.0), kind="stable")
    return [unique[order[:MAX_ENRICHED]]]


def _kmers(windows: Windows, width: int) -> tuple[Codes, Floats]:
    """Return all k-mers of known bases (n, W), and -log2 of their background probability."""
    bases = windows.codes[:, MARGIN : windows.codes.shape[1] - MARGIN]
    if bases.shape[1] < width:
        return np.zeros((0, width), dtype=np.uint8), np.zeros(0)
    kmers = np.lib.stride_tricks.sliding_window_view(bases, width, axis=1)
    row, start = np.nonzero((kmers < PAD).all(axis=2))
    before, after = (windows.background_bits[row, MARGIN + start + n] for n in (0, width))
    return kmers[row, start], after - before


def _canonical(kmers: Codes) -> Codes:
    """Return, of every k-mer and its reverse complement, the one that comes first."""
    other = 3 - kmers[:, ::-1]
    powers = 4 ** np.arange(kmers.shape[1], dtype=np.int64)[::-1]
    first = kmers.astype(np.int64) @ powers <= other.astype(np.int64) @ powers
    canonical: Codes = np.where(first[:, None], kmers, other).astype(np.uint8)
    return canonical


def _one_step(windows: Windows, logs: Floats, min_sites: int) -> list[tuple[float, Floats]]:
    """Return the evidence and the base counts (4, W) of each start after one step."""
    bases, bits, n_sites = _ranked_sites(windows, logs)
    best = np.full(len(logs), -np.inf)
    kept = np.zeros((len(logs), 4, logs.shape[2]))
    size = int(n_sites.min())
    while size >= min_sites:
        counts = np.stack([(bases[:size] == b).sum(axis=0) for b in range(4)], axis=1).astype(float)
        nats = column_nats(counts, windows.background, bits[:size].sum(axis=0))
        nats = nats - log_n_choices(windows, size, size)
        better = nats > best
        best, kept = np.where(better, nats, best), np.where(better[:, None, None], counts, kept)
        size //= 2
    return [(float(n), c) for n, c in zip(best, kept, strict=True) if np.isfinite(n)]


def _ranked_sites(windows: Windows, logs: Floats) -> tuple[Codes, Floats, Ints]:
    """Lay K starts on their best offset in every window, the best windows first.

    Returns
    -------
    bases (M, K, W) on the strand of the site, -log2 of their background probability (M, K), and
    how many windows have room for the start (K,).
    """
    width = logs.shape[2]
    scores = windows.scores(logs)
    flat = scores.reshape(len(windows), len(logs), -1)
    best = flat.argmax(axis=2)
    score = np.take_along_axis(flat, best[:, :, None], axis=2)[:, :, 0]
    strand, centre = np.divmod(best, scores.shape[3])
    # Adjacent numbers are sorted several times faster.
    order = np.argsort(-score.T.copy(), axis=1, kind="stable").T
    column = MARGIN + np.take_along_axis(centre, order, axis=0) - width // 2
    minus = np.take_along_axis(strand, order, axis=0) == 1
    bases = windows.codes[order[:, :, None], column[:, :, None] + np.arange(width)]
    complements = np.where(bases < PAD, 3 - bases, bases)[:, :, ::-1]
    bases = np.where(minus[:, :, None], complements, bases).astype(np.uint8)
    before, after = (windows.background_bits[order, column + n] for n in (0, width))
    return bases, after - before, np.isfinite(score).sum(axis=0)
