"""Data in which every motif is needed, and what the true matrices say of each base of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from motiflens.datasets import SequenceDataset, split_at_random
from motiflens.errors import InputError
from motiflens.motifs import Motif, information, pwm
from motiflens.simulation import Grammar, MotifUse, Spacing, simulate

LENGTH, N_DECOYS, TEST = 200, 3, 0.1
#: Of data whose rule relates two motifs: bases, and the bases that may lie between the two.
RULE_LENGTH, ANY_GAP, ONE_GAP = 100, (5, 40), (10, 10)
#: Rule → the negatives that break it, and nothing else.
BREAKING = {"and": "subset", "order": "swapped", "spacing": "moved"}
#: Motifs to draw from: rare enough in 200 bases that the label can be told.
MIN_BITS, MIN_WIDTH, MAX_WIDTH = 12.0, 8, 18
#: Largest correlation, at any offset on either strand, of two matrices of one grammar.
MAX_CORRELATION = 0.6


def draw_motifs(pool: Sequence[Motif], n: int, generator: np.random.Generator) -> list[Motif]:
    """Draw n motifs of the pool that are not alike."""
    chosen: list[Motif] = []
    for index in generator.permutation(len(pool)).tolist():
        if all(correlation(pool[index], other) <= MAX_CORRELATION for other in chosen):
            chosen.append(pool[index])
        if len(chosen) == n:
            return chosen
    raise InputError(
        f"the pool holds {n} motifs that are not alike",
        got=f"{len(chosen)} of {len(pool)}",
        remedy="ask for fewer motifs",
    )


def usable(motifs: Sequence[Motif]) -> list[Motif]:
    """Give the motifs that a grammar may hold."""
    return [
        motif
        for motif in motifs
        if MIN_WIDTH <= motif.width <= MAX_WIDTH and information(motif.ppm).sum() >= MIN_BITS
    ]


def correlation(one: Motif, other: Motif) -> float:
    """Give the largest cosine of two matrices less 1/4, over all offsets and both strands."""
    a, b = one.ppm - 0.25, other.ppm - 0.25
    scale = np.linalg.norm(a) * np.linalg.norm(b)
    shifted = [
        sum(np.correlate(row, against, "full") for row, against in zip(a, strand, strict=True))
        for strand in (b, b[::-1, ::-1])
    ]
    return float(np.max(np.stack(shifted)) / scale)


def make_data(
    pool: Sequence[Motif], n_motifs: int, draw: int, n: int
) -> tuple[SequenceDataset, list[Motif]]:
    """Simulate n sequences of one draw of motifs; give the data, split, and the true motifs."""
    generator = np.random.default_rng([n_motifs, draw])
    motifs = draw_motifs(pool, n_motifs + N_DECOYS, generator)
    uses = tuple(MotifUse(motif, strands="both") for motif in motifs)
    grammar = Grammar(
        uses[:n_motifs],
        n=n,
        length=LENGTH,
        negatives="subset",
        decoys=uses[n_motifs:],
        decoys_in_positives=True,
    )
    data = split_at_random(simulate(grammar, draw), test=TEST, seed=draw)
    return data, motifs[:n_motifs]


def make_rule_data(pool: Sequence[Motif], rule: str, draw: int, n: int) -> SequenceDataset:
    """Simulate n sequences of two motifs whose relation alone tells the classes apart.

    Sites are the likeliest bases of their matrix, on the forward strand, so that no site is weak.
    """
    generator = np.random.default_rng([2, draw])
    first, second = (
        MotifUse(Motif.from_string(motif.likeliest, motif.name))
        for motif in draw_motifs(pool, 2, generator)
    )
    gaps = ONE_GAP if rule == "spacing" else ANY_GAP
    spacing = () if rule == "and" else (Spacing(first.name, second.name, *gaps),)
    grammar = Grammar(
        (first, second), n=n, length=RULE_LENGTH, negatives=BREAKING[rule], spacing=spacing
    )
    return split_at_random(simulate(grammar, draw), test=TEST, seed=draw)


def true_log_odds(data: SequenceDataset, motifs: Sequence[Motif]) -> NDArray[np.float64]:
    """Give what each base would add by the true matrices, less the mean of the four, (N, 4, L).

    It is 0 outside the sites: the answer of somebody who knows matrices and sites.
    """
    matrices = {motif.name: pwm(motif.ppm) for motif in motifs}
    assert data.sites is not None
    values = np.zeros((len(data), 4, data.codes.shape[1]))
    for row, sites in zip(values, data.sites, strict=True):
        for site in sites:
            if site.name in matrices:
                matrix = matrices[site.name]
                row[:, site.start : site.end] = matrix if site.strand == "+" else matrix[::-1, ::-1]
    centred: NDArray[np.float64] = values - values.mean(axis=1, keepdims=True)
    return centred
