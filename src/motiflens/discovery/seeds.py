"""The word that windows share beyond chance: where the alignment of windows starts."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from motiflens.sequences import PAD, Codes

WORD = 6
"""Bases of a word; long enough to be rare, short enough to survive in a degenerate motif."""

MIN_EVIDENCE = float(np.log(1000))
"""Nats that a word needs: an expected number of chance words of at most 1 in 1,000."""

DENSER = 2.0
"""Times that a word must be denser in the windows than in the rest of the sequences."""

N_WORDS = 4**WORD
_POWERS = 4 ** np.arange(WORD)[::-1]

Windows = NDArray[np.int64]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def shared_word(codes: Codes, windows: Windows, both_strands: bool) -> Codes | None:
    """Find the word most over-represented in windows, alone or with its one-mismatch neighbours.

    Two questions are asked of every word, each answered in nats by a Chernoff bound on the tail
    probability: does it occur in more windows than a first-order Markov chain fitted to the
    sequences predicts (Poisson; less the log of the number of words tried), and is it more than
    ``DENSER`` times as dense in the windows as in the rest of the sequences (binomial)? Its
    evidence is the smaller answer. The second question is what keeps windows laid at random over
    sequences that do hold a motif from showing it; it is left out where the windows cover more
    than half of the sequences.

    Parameters
    ----------
    codes
        uint8 (N, L).
    windows
        int64 (M, 3): sequence, start, end; disjoint.
    both_strands
        Whether a word and its reverse complement are one.

    Returns
    -------
    word
        uint8 (WORD,), or None where no word has ``MIN_EVIDENCE``.
    """
    if codes.shape[1] < WORD:
        return None
    words = _words(codes)
    row, place = _places_inside(windows)
    inside = words[windows[row, 0], place]
    row, inside = row[inside < N_WORDS], inside[inside < N_WORDS]
    if inside.size == 0:
        return None
    outside = words[_outside(windows, words.shape)]
    outside = outside[outside < N_WORDS]
    chance = _markov(codes, both_strands)
    rest = np.bincount(outside, minlength=N_WORDS).astype(np.float64)
    if both_strands:
        row = np.concatenate([row, row])
        inside = np.concatenate([inside, _reverse_complements()[inside]])
        rest += rest[_reverse_complements()]
    evidence = []
    for group in (np.arange(N_WORDS)[:, None], _neighbours()):
        counts = _windows_with(group[inside], row, len(windows))
        expected = len(inside) * chance[group].sum(axis=1)
        answer = _poisson_nats(counts, expected) - np.log(2 * N_WORDS)
        if rest.sum() >= len(inside):
            share = DENSER * len(inside) / (DENSER * len(inside) + rest.sum())
            answer = np.minimum(answer, _binomial_nats(counts, rest[group].sum(axis=1), share))
        evidence.append(answer)
    best = int(np.argmax(np.maximum(*evidence)))
    if max(nats[best] for nats in evidence) < MIN_EVIDENCE:
        return None
    word: Codes = _letters()[best]
    return word


def _words(codes: Codes) -> Ints:
    """Give the word at every place, (N, L - WORD + 1), as a number; from N_WORDS on it has an N."""
    n_places = codes.shape[1] - WORD + 1
    words = np.zeros((len(codes), n_places), dtype=np.int64)
    for offset, power in enumerate(_POWERS):
        column = codes[:, offset : offset + n_places].astype(np.int64)
        words += np.where(column == PAD, N_WORDS, column * power)
    return words


def _places_inside(windows: Windows) -> tuple[Ints, Ints]:
    """Every place of a whole word in a window: the window's row, and the place."""
    n_places = np.maximum(windows[:, 2] - windows[:, 1] - WORD + 1, 0)
    row = np.repeat(np.arange(len(windows)), n_places)
    first = np.repeat(np.cumsum(n_places) - n_places, n_places)
    return row, windows[row, 1] + np.arange(len(row)) - first


def _outside(windows: Windows, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Mark the places of words that touch no window, (N, L - WORD + 1)."""
    edges = np.zeros((shape[0], shape[1] + 1), dtype=np.int64)
    first = np.clip(windows[:, 1] - WORD + 1, 0, shape[1])
    np.add.at(edges, (windows[:, 0], first), 1)
    np.add.at(edges, (windows[:, 0], np.minimum(windows[:, 2], shape[1])), -1)
    outside: NDArray[np.bool_] = np.cumsum(edges[:, :-1], axis=1) == 0
    return outside


def _windows_with(groups: Ints, row: Ints, n_windows: int) -> Floats:
    """Count the windows that hold each word; a word repeated in a window counts once."""
    present = np.zeros((n_windows, N_WORDS), dtype=np.bool_)
    present[row[:, None], groups] = True
    counts: Floats = np.count_nonzero(present, axis=0).astype(np.float64)
    return counts


def _markov(codes: Codes, both_strands: bool) -> Floats:
    """Probability of every word under a first-order Markov chain fitted to the sequences."""
    pairs = 4 * codes[:, :-1].astype(np.int64) + codes[:, 1:]
    known = (codes[:, :-1] < PAD) & (codes[:, 1:] < PAD)
    counts = np.bincount(pairs[known], minlength=16).reshape(4, 4) + 1.0
    if both_strands:
        counts = counts + counts[::-1, ::-1].T
    transitions = counts / counts.sum(axis=1, keepdims=True)
    letters = _letters()
    chance: Floats = (counts.sum(axis=1) / counts.sum())[letters[:, 0]]
    for left, right in zip(letters.T, letters.T[1:], strict=False):
        chance = chance * transitions[left, right]
    return chance


def _poisson_nats(counts: Floats, expected: Floats) -> Floats:
    """-log of Chernoff's bound on P(X >= count), X Poisson; 0 up to the expectation."""
    excess = np.maximum(counts, expected)
    return excess * np.log(excess / expected) - excess + expected


def _binomial_nats(inside: Floats, outside: Floats, share: float) -> Floats:
    """-log of Chernoff's bound on P(X >= inside), X binomial; 0 up to the expectation."""
    total = np.maximum(inside + outside, 1.0)
    fraction = np.clip(inside / total, share, 1.0)
    rest = 1.0 - fraction
    nats = fraction * np.log(fraction / share)
    nats += rest * np.log(np.maximum(rest, 1e-300) / (1.0 - share))
    return total * nats


@cache
def _letters() -> Codes:
    """Codes of every word, (N_WORDS, WORD)."""
    return (np.arange(N_WORDS)[:, None] // _POWERS % 4).astype(np.uint8)


@cache
def _reverse_complements() -> Ints:
    """Give the number of the reverse complement of every word."""
    numbers: Ints = (3 - _letters()[:, ::-1].astype(np.int64)) @ _POWERS
    return numbers


@cache
def _neighbours() -> Ints:
    """Every word with the words one mismatch away, (N_WORDS, 1 + 3 WORD)."""
    letters = _letters().astype(np.int64)
    shifts = (np.arange(1, 4)[:, None, None] + letters) % 4 - letters
    others = np.arange(N_WORDS)[:, None] + (shifts * _POWERS).transpose(1, 0, 2).reshape(
        N_WORDS, -1
    )
    return np.concatenate([np.arange(N_WORDS)[:, None], others], axis=1)
