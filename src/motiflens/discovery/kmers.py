"""Words that a search without a model starts from, and which of them lead furthest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from motiflens.discovery.frame import Floats, Ints
from motiflens.discovery.refinement import column_nats, log_probabilities, ways_to_choose
from motiflens.discovery.windows import MARGIN, Windows
from motiflens.sequences import PAD, Codes

WIDTHS = (8, 14, 20)
MAX_WORDS = 4000
"""Words of one width that are all tried as starts; where there are more, the most
over-represented of the shortest width are."""

MAX_ENRICHED = 400
N_REFINED = 8
CERTAINTY = 0.5
"""Weight of its base against the background in each column of a start."""

CHUNK = 1_000_000
"""Scores that are held at once, about."""


def best_starts(windows: Windows, min_sites: int) -> list[Floats]:
    """Choose starts by one step of expectation maximisation.

    Every start is laid on its best place of every window. Of the best half, quarter, ... of the
    windows, down to ``min_sites``, and of all, the base counts at these places are taken, and
    their evidence; the best of these alignments stands for the start.

    Returns
    -------
    list
        log2 probabilities (4, W) of the ``N_REFINED`` best alignments, different from one another.
    """
    found: list[tuple[float, Floats]] = []
    for words in _starts(windows):
        logs = np.log2(
            CERTAINTY * (words[:, None, :] == np.arange(4)[:, None])
            + (1 - CERTAINTY) * windows.background[:, None]
        )
        n_at_once = max(1, CHUNK // max(1, int(windows.n_places.sum())))
        for low in range(0, len(logs), n_at_once):
            found += _one_step(windows, logs[low : low + n_at_once], min_sites)
    found.sort(key=lambda pair: (-pair[0], pair[1].shape, pair[1].tobytes()))
    chosen: list[Floats] = []
    for _, counts in found:
        if not any(np.array_equal(counts, other) for other in chosen):
            chosen.append(counts)
        if len(chosen) == N_REFINED:
            break
    return [log_probabilities(counts, windows.background) for counts in chosen]


def _starts(windows: Windows) -> list[Codes]:
    """Give the words to start from, one array (K, W) a width."""
    if int(windows.size.sum()) <= MAX_WORDS:
        every = [_words(windows, width)[0] for width in WIDTHS]
        return [np.unique(words, axis=0) for words in every if len(words)]
    words, bits = _words(windows, WIDTHS[0])
    if len(words) == 0:
        return []
    if windows.both_strands:
        words = _canonical(words)
    unique, index, counts = np.unique(words, axis=0, return_index=True, return_counts=True)
    expected = len(words) * np.exp2(-bits[index]) * (2 if windows.both_strands else 1)
    excess = counts * np.log(np.maximum(counts, expected) / expected) - counts + expected
    order = np.argsort(-np.where(counts > expected, excess, 0.0), kind="stable")
    return [unique[order[:MAX_ENRICHED]]]


def _words(windows: Windows, width: int) -> tuple[Codes, Floats]:
    """Give all words of known bases (n, W), and the information of each under the background."""
    inside = windows.codes[:, MARGIN : windows.codes.shape[1] - MARGIN]
    if inside.shape[1] < width:
        return np.zeros((0, width), dtype=np.uint8), np.zeros(0)
    words = np.lib.stride_tricks.sliding_window_view(inside, width, axis=1)
    row, start = np.nonzero((words < PAD).all(axis=2))
    before, after = (windows.rarity[row, MARGIN + start + n] for n in (0, width))
    return words[row, start], after - before


def _canonical(words: Codes) -> Codes:
    """Give, of every word and its reverse complement, the one that comes first."""
    other = 3 - words[:, ::-1]
    powers = 4 ** np.arange(words.shape[1], dtype=np.int64)[::-1]
    first = words.astype(np.int64) @ powers <= other.astype(np.int64) @ powers
    canonical: Codes = np.where(first[:, None], words, other).astype(np.uint8)
    return canonical


def _one_step(windows: Windows, logs: Floats, min_sites: int) -> list[tuple[float, Floats]]:
    """Give the evidence and the base counts (4, W) of each start after one step."""
    bases, rarity, n_found = _ranked_sites(windows, logs)
    best = np.full(len(logs), -np.inf)
    kept = np.zeros((len(logs), 4, logs.shape[2]))
    size = int(n_found.min())
    while size >= min_sites:
        counts = np.stack([(bases[:size] == b).sum(axis=0) for b in range(4)], axis=1).astype(float)
        nats = column_nats(counts, windows.background, rarity[:size].sum(axis=0))
        nats = nats - ways_to_choose(windows, size, size)
        better = nats > best
        best, kept = np.where(better, nats, best), np.where(better[:, None, None], counts, kept)
        size //= 2
    return [(float(n), c) for n, c in zip(best, kept, strict=True) if np.isfinite(n)]


def _ranked_sites(windows: Windows, logs: Floats) -> tuple[Codes, Floats, Ints]:
    """Lay K starts on their best place of every window, the best windows first.

    Returns
    -------
    bases (M, K, W) on the strand of the site, their information (M, K), and how many windows
    have a place for the start (K,).
    """
    width = logs.shape[2]
    scores = windows.scores(logs)
    flat = scores.reshape(len(windows), len(logs), -1)
    best = flat.argmax(axis=2)
    score = np.take_along_axis(flat, best[:, :, None], axis=2)[:, :, 0]
    strand, centre = np.divmod(best, scores.shape[3])
    order = np.argsort(-score, axis=0, kind="stable")
    column = MARGIN + np.take_along_axis(centre, order, axis=0) - width // 2
    minus = np.take_along_axis(strand, order, axis=0) == 1
    bases = windows.codes[order[:, :, None], column[:, :, None] + np.arange(width)]
    turned = np.where(bases < PAD, 3 - bases, bases)[:, :, ::-1]
    bases = np.where(minus[:, :, None], turned, bases).astype(np.uint8)
    rarity: NDArray[np.float64] = windows.rarity[order, column + width]
    rarity = rarity - windows.rarity[order, column]
    return bases, rarity, np.isfinite(score).sum(axis=0)
