"""Hits called from contributions: the motifs of a model compete for what its sequences contribute.

A window of a sequence is a candidate of a motif if its contributions c, and the contributions e
that the motif's CWM expects of its bases, point the same way. Subtracting a e from c, with the best
coefficient a = c·e / e·e, lowers the squared error by (c·e)² / e·e. The evidence is the log-odds of
the bases, and minus the logarithm of a probability: how rarely windows of shuffled sequences reach
the root of that (c·e / |e|, the projection), and how rarely they reach the cosine of c and e. Both
are of the same contributions, so that the geometric mean of the two counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import nn

from motiflens.attribution import attribute
from motiflens.attribution.references import shuffled_references
from motiflens.attribution.result import AGAINST_REFERENCES
from motiflens.hits.scores import PSEUDOCOUNT, UNKNOWN_SITES
from motiflens.motifs import Matrix, Motif, pwm
from motiflens.sequences import PAD, Codes, one_hot

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Shuffles that a method with references compares each sequence with; as in discovery, few of each.
N_REFERENCES = 5
#: Largest fraction of the narrower of two hits that lies in the other.
MAX_OVERLAP = 0.25
#: Decimals of what is compared with the null: ties have to stay ties whatever rounds them.
DIGITS = 4
#: Seed of the shuffles that the evidence is measured on; other ones than a method's references.
SURPRISE_SEED = 1


class Calls(NamedTuple):
    """H windows that motifs are called in, by sequence, start, motif and strand.

    Parameters
    ----------
    sequence, start, motif
        int64 (H,).
    reverse
        bool (H,), whether the site is on the strand -.
    log_odds
        (H,), of the bases, in bits.
    similarity
        (H,), the cosine of the contributions and those that the CWM expects of these bases.
    contribution
        (H,), the sum of the contributions.
    evidence
        (H,), in nats.
    """

    sequence: Ints
    start: Ints
    motif: Ints
    reverse: NDArray[np.bool_]
    log_odds: Floats
    similarity: Floats
    contribution: Floats
    evidence: Floats

    def take(self, rows: NDArray[np.generic]) -> Calls:
        """Return some of them, by an index or a mask."""
        return Calls(*(column[rows] for column in self))


def join_calls(parts: Iterable[Calls]) -> Calls:
    """Put calls one after the other."""
    none, number = np.zeros(0), np.zeros(0, dtype=np.int64)
    empty = Calls(number, number, number, number.astype(bool), none, none, none, none)
    return Calls(*(np.concatenate(columns) for columns in zip(empty, *parts, strict=True)))


class _Oriented(NamedTuple):
    """A motif as it lies on the strand +, a column of zeros or minus infinity for N: (5, W)."""

    motif: int
    reverse: bool
    log_odds: Matrix
    cwm: Matrix

    @property
    def width(self) -> int:
        """Bases of a window."""
        return self.cwm.shape[1]


class _Windows(NamedTuple):
    """What the windows (N, P) of a motif show on one strand; projections in units of the CWM's."""

    log_odds: Floats
    projection: Floats
    similarity: Floats
    contribution: Floats


@dataclass(frozen=True, eq=False)
class ContributionCaller:
    """A model and its motifs, ready to call hits; several threads may do so at once.

    Parameters
    ----------
    members
        Seeds of a model, whose mean is explained.
    motifs
        With a CWM each.
    method
        Of attribution.
    length
        Bases that are explained together; longer sequences are explained in windows of this size,
        half over each other, and each base is taken from the window in whose middle it lies most.
    background
        Probabilities of A C G T.
    both_strands
        Whether motifs may lie on the strand -.
    only_length
        Whether the members take no other length; shorter sequences are padded to it.
    null
        Of each motif the projections and the cosines of windows of shuffled sequences, sorted; see
        :func:`prepare_caller`.
    """

    members: tuple[nn.Module, ...]
    motifs: tuple[Motif, ...]
    method: str
    length: int
    background: tuple[float, ...]
    both_strands: bool = True
    only_length: bool = False
    null: tuple[tuple[Floats, Floats], ...] = ()

    @property
    def least_evidence(self) -> float:
        """Nats of a call at least: as many as choose one of the windows explained together."""
        return float(np.log((1 + self.both_strands) * self.length))

    def call(self, codes: Codes) -> Calls:
        """Call hits in sequences of one length, uint8 (N, L)."""
        track = self.explain(codes)
        evidence, shown = [], []
        for one in self._oriented:
            windows = _measure(one, codes, track)
            shown.append(windows)
            evidence.append(self._weigh(one.motif, windows))
        return self._compete(evidence, shown)

    def explain(self, codes: Codes) -> Floats:
        """Return the contribution of each base, (N, L), the mean over the members."""
        n, length = codes.shape
        if length <= self.length:
            return self._explain_whole(codes)
        starts = np.arange(0, length - self.length, max(self.length // 2, 1))
        starts = np.append(starts, length - self.length)
        middle = starts + (self.length - 1) / 2
        nearest = np.abs(np.arange(length)[:, None] - middle).argmin(axis=1)
        windows = codes[:, starts[:, None] + np.arange(self.length)]
        tracks = self._explain_whole(windows.reshape(-1, self.length)).reshape(windows.shape)
        position = np.arange(length)
        return np.asarray(tracks[np.arange(n)[:, None], nearest, position - starts[nearest]])

    def _explain_whole(self, codes: Codes) -> Floats:
        options: dict[str, Any] = (
            {"n_references": N_REFERENCES} if self.method in AGAINST_REFERENCES else {}
        )
        missing = self.length - codes.shape[1] if self.only_length else 0
        x = one_hot(np.pad(codes, ((0, 0), (0, missing)), constant_values=PAD))
        tracks = [
            attribute(member, x, self.method, checks=False, **options).for_motifs().track
            for member in self.members
        ]
        mean = np.asarray(np.mean(tracks, axis=0, dtype=np.float64))
        return mean[:, : codes.shape[1]]

    def compare(self, codes: Codes) -> tuple[list[Floats], list[Floats]]:
        """Return for each motif the projections and the cosines of all windows of (N, L)."""
        track = self.explain(codes)
        found: list[list[list[Floats]]] = [[[], []] for _ in self.motifs]
        for one in self._oriented:
            windows = _measure(one, codes, track)
            known = np.isfinite(windows.log_odds)
            found[one.motif][0].append(windows.projection[known])
            found[one.motif][1].append(windows.similarity[known])
        projections, similarities = zip(*found, strict=True)
        return list(map(np.concatenate, projections)), list(map(np.concatenate, similarities))

    def n_windows(self, codes: Codes) -> Ints:
        """Count the windows of each motif in sequences (N, L), on all strands: (M,)."""
        known = np.cumsum(np.pad(codes >= PAD, ((0, 0), (1, 0))), axis=1)
        whole = [int((known[:, w:] == known[:, :-w]).sum()) for w in (m.width for m in self.motifs)]
        return np.array(whole, dtype=np.int64) * (1 + self.both_strands)

    @cached_property
    def _oriented(self) -> tuple[_Oriented, ...]:
        made = []
        for index, motif in enumerate(self.motifs):
            pseudocount = PSEUDOCOUNT / (motif.n_sites or UNKNOWN_SITES)
            log_odds, cwm = pwm(motif.ppm, self.background, pseudocount), motif.cwm
            assert cwm is not None
            for reverse in (False, True)[: 1 + self.both_strands]:
                turn = (slice(None, None, -1),) * 2 if reverse else (slice(None),) * 2
                rows = (
                    np.pad(matrix[turn], ((0, 1), (0, 0)), constant_values=unknown)
                    for matrix, unknown in ((log_odds, -np.inf), (cwm, 0.0))
                )
                made.append(_Oriented(index, reverse, *rows))
        return tuple(made)

    def _weigh(self, motif: int, windows: _Windows) -> Floats:
        """Return the evidence of windows (N, P); minus infinity where it is too little."""
        observed = (windows.projection, windows.similarity)
        logs = map(_log_tail, self.null[motif], observed)
        surprise = -np.mean(list(logs), axis=0)
        evidence = windows.log_odds * np.log(2) + surprise
        good = (windows.projection > 0) & (evidence > self.least_evidence)
        return np.where(good, evidence, -np.inf)

    def _compete(self, evidence: Sequence[Floats], shown: Sequence[_Windows]) -> Calls:
        """Choose the window with most evidence, then the next that it leaves room for, and on."""
        n = len(evidence[0])
        left = np.concatenate(evidence, axis=1)
        sizes = [values.shape[1] for values in evidence]
        kind = np.repeat(np.arange(len(sizes)), sizes)
        start = np.concatenate([np.arange(size) for size in sizes])
        width = np.array([one.width for one in self._oriented])[kind]
        rows, chosen = np.arange(n), list[tuple[Ints, Ints]]()
        while left.shape[1] and rows.size:
            best = left[rows].argmax(axis=1)
            good = left[rows, best] > -np.inf
            rows, best = rows[good], best[good]
            chosen.append((rows, best))
            first, size = start[best, None], width[best, None]
            shared = np.minimum(first + size, start + width) - np.maximum(first, start)
            taken = shared > MAX_OVERLAP * np.minimum(size, width)
            left[rows] = np.where(taken, -np.inf, left[rows])
        return self._calls(chosen, kind, start, evidence, shown)

    def _calls(
        self,
        chosen: Sequence[tuple[Ints, Ints]],
        kind: Ints,
        start: Ints,
        evidence: Sequence[Floats],
        shown: Sequence[_Windows],
    ) -> Calls:
        row, at = (
            np.concatenate([pair[i] for pair in chosen] or [np.zeros(0, int)]) for i in (0, 1)
        )
        motif = np.array([one.motif for one in self._oriented])[kind[at]]
        reverse = np.array([one.reverse for one in self._oriented])[kind[at]]
        order = np.lexsort((reverse, motif, start[at], row))
        row, at, motif, reverse = row[order], at[order], motif[order], reverse[order]

        def of(name: str) -> Floats:
            table = np.concatenate([getattr(windows, name) for windows in shown], axis=1)
            return np.asarray(table[row, at])

        found = np.concatenate(evidence, axis=1)[row, at]
        values = (of("log_odds"), of("similarity"), of("contribution"), found)
        return Calls(row, start[at], motif, reverse, *values)


def _measure(one: _Oriented, codes: Codes, track: Floats) -> _Windows:
    """Compare every window of sequences (N, L) and their contributions with a motif."""
    n_starts = max(codes.shape[1] - one.width + 1, 0)
    log_odds, product, expected, observed, total = np.zeros((5, len(codes), n_starts))
    for column in range(one.width):
        at = slice(column, column + n_starts)
        bases, values = codes[:, at], track[:, at]
        wanted = one.cwm[:, column][bases]
        log_odds += one.log_odds[:, column][bases]
        product += wanted * values
        expected += wanted**2
        observed += values**2
        total += values
    size, scale, length = (
        np.sqrt(np.maximum(squares, np.finfo(np.float64).tiny))
        for squares in (expected, np.sum(one.cwm**2), observed)
    )
    projection, similarity = product / size / scale, product / size / length
    return _Windows(log_odds, projection.round(DIGITS), similarity.round(DIGITS), total)


def prepare_caller(caller: ContributionCaller, sequences: Iterable[Codes]) -> ContributionCaller:
    """Measure what the contributions of chance look like, on shuffles of sequences.

    Parameters
    ----------
    caller
        Without a null.
    sequences
        uint8 (N, L), of one length each.

    Returns
    -------
    ContributionCaller
        Whose evidence is measured against dinucleotide shuffles of them.
    """
    found = [caller.compare(shuffled(codes, 1, SURPRISE_SEED)[:, 0]) for codes in sequences]
    kinds = zip(*found, strict=True)
    sorts = [[np.sort(np.concatenate(v)) for v in zip(*parts, strict=True)] for parts in kinds]
    null = tuple(zip(*sorts, strict=True))
    return replace(caller, null=null)


def shuffled(codes: Codes, n: int, seed: int) -> Codes:
    """Shuffle sequences (N, L), dinucleotides kept, n times each: (N, n, L).

    The shuffles of a sequence depend on it and the seed alone, and those of its reverse complement
    are their reverse complements.
    """
    shuffles = shuffled_references(one_hot(codes), n, seed)
    known = shuffles.any(axis=2)
    return np.where(known, shuffles.argmax(axis=2), PAD).astype(np.uint8)


def _log_tail(null: Floats, values: Floats) -> Floats:
    """Return the logarithm of the fraction of a null, sorted, that is as large as each value."""
    n_as_large = len(null) - np.searchsorted(null, values)
    return np.asarray(np.log((n_as_large + 1) / (len(null) + 1)))
