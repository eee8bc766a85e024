"""Drawing the sequences of a grammar."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from motiflens.datasets import SequenceDataset, default_names, exact_matches
from motiflens.errors import InputError, one_of
from motiflens.motifs import Motif, information
from motiflens.sequences import (
    PAD,
    Codes,
    Lengths,
    Site,
    reverse_complement_codes,
    reverse_complement_string,
)
from motiflens.simulation.grammar import AS_POSITIVES, Grammar, MotifUse, Spacing, tutorial_grammar
from motiflens.simulation.grammar_files import read_grammar

# From so many bits on (eight fixed bases) a chance match is rare enough to be drawn anew.
_RARE_BITS = 16.0
_ATTEMPTS = 1000
_TUTORIAL = ("n", "motif", "length", "mutation_rate", "strands")


def simulate(
    grammar: Grammar | Path | str | None = None, seed: int | None = None, **changes: Any
) -> SequenceDataset:
    """Draw labelled sequences whose true sites are known: those of the tutorial by default.

    Positives and negatives come in random order. The starts of sites are uniform over all
    ways in which the sites of a sequence lie within their start ranges without overlap.

    A sequence is drawn anew while it holds an exact match of a motif that is no recorded
    site, provided that the motif has 16 bits or more (eight fixed bases): so no negative holds
    the motif, and no positive has a site that is not recorded. The match is that of the IUPAC
    string, and for a matrix that of its most likely bases; matches on the other strand count when
    the motif is used on both.

    Parameters
    ----------
    grammar
        What to draw: a :class:`~motiflens.Grammar`, or a TOML file of one; None for the tutorial's.
    seed
        In place of ``grammar.seed``. Equal grammar and seed give equal data.
    **changes
        Without a grammar, what differs from the tutorial's, as :func:`tutorial_grammar` takes it:
        ``n`` sequences (2,000), half of them with ``motif`` (IUPAC letters, CGACCGAACTCC), of
        ``length`` bases (50), ``mutation_rate`` (0) and ``strands`` ("forward").

    Returns
    -------
    dataset
        With the true sites of every sequence. Flipping a label (``label_noise``) leaves the
        sites as they are, so that a positive called negative still has its sites. Decoys and
        shuffled motifs are no true sites; the motifs that "subset", "swapped" and "moved" negatives
        hold are.

    Raises
    ------
    InputError
        For a grammar that is none, when the sites of a sequence do not fit in 1000 attempts, a
        shuffled site always stays the motif, or a motif always occurs by chance.
    """
    if grammar is None:
        for name in changes:
            one_of("an argument of simulate", name, _TUTORIAL, argument=name)
        grammar = tutorial_grammar(**changes)
    elif changes:
        raise InputError(
            f"{', '.join(changes)} were given beside a grammar",
            remedy="change the grammar: dataclasses.replace(grammar, n=500)",
            argument=tuple(changes),
        )
    if not isinstance(grammar, Grammar):
        grammar = read_grammar(grammar)
    generator = np.random.default_rng(grammar.seed if seed is None else seed)
    positive = _exactly(grammar.positive_fraction, grammar.n, generator)
    low, high = grammar.length_range
    lengths = generator.integers(low, high + 1, size=grammar.n, dtype=np.int32)
    codes = np.full((grammar.n, high), PAD, dtype=np.uint8)
    sites: list[list[Site]] = [[] for _ in range(grammar.n)]
    rows = np.arange(grammar.n)
    for _ in range(_ATTEMPTS):
        codes[rows] = _draw_background(grammar, lengths[rows], high, generator)
        for row in rows.tolist():
            bases = codes[row, : lengths[row]]
            sites[row] = _fill(bases, grammar, bool(positive[row]), generator)
        rows = rows[_has_chance_match(grammar, codes[rows], [sites[row] for row in rows])]
        if not rows.size:
            break
    else:
        raise InputError(
            f"a motif of 16 bits or more matched by chance in each of {_ATTEMPTS} attempts",
            remedy="choose another background, or decoys that do not hold the motif",
        )
    flipped = _exactly(grammar.label_noise, grammar.n, generator)
    return SequenceDataset(
        codes,
        lengths,
        (positive ^ flipped).astype(np.float32),
        default_names(grammar.n),
        sites=tuple(tuple(row) for row in sites),
    )


def _exactly(fraction: float, n: int, generator: np.random.Generator) -> NDArray[np.bool_]:
    """Choose ``fraction * n``, rounded, of n places at random: a mask (n,)."""
    chosen: NDArray[np.bool_] = generator.permutation(n) < round(fraction * n)
    return chosen


def _draw_background(
    grammar: Grammar, lengths: Lengths, width: int, generator: np.random.Generator
) -> Codes:
    codes = _draw_bases(
        np.tile(np.array(grammar.background)[:, None], width), generator, len(lengths)
    )
    codes[np.arange(width) >= lengths[:, None]] = PAD
    return codes


def _draw_bases(ppm: NDArray[np.float64], generator: np.random.Generator, n: int = 1) -> Codes:
    """Draw n sequences (n, W) from the columns of (4, W)."""
    edges = np.cumsum(ppm / ppm.sum(axis=0), axis=0)[:3]
    # The last base with a probability above 0 takes what rounding leaves over.
    edges[np.cumsum(ppm[::-1], axis=0)[::-1][1:] == 0] = 1.0
    drawn = generator.random((n, ppm.shape[1]))
    codes: Codes = (drawn[:, None, :] >= edges).sum(axis=1, dtype=np.uint8)
    return codes


class _Part(NamedTuple):
    """One site to be placed: its offset in the block that moves as a whole, and its strand."""

    use: MotifUse
    offset: int
    strand: str


class _Block(NamedTuple):
    """Sites that keep their distance, and the starts that the block may have (inclusive)."""

    parts: tuple[_Part, ...]
    width: int
    low: int
    high: int


def _fill(
    bases: Codes, grammar: Grammar, positive: bool, generator: np.random.Generator
) -> list[Site]:
    """Put the sites of one sequence into its bases (L,), in place; give the true ones."""
    held = grammar.uses(positive)
    subset = not positive and grammar.negatives == "subset"
    if subset:
        held = _strict_subset(grammar.motifs, generator) + grammar.decoys
    uses = [
        use
        for use in held
        for _ in range(use.copies)
        if use.probability == 1 or generator.random() < use.probability
    ]
    broken = not positive and grammar.negatives in AS_POSITIVES
    spacing = _broken(grammar, len(bases), generator) if broken else grammar.spacing
    true_names = {use.name for use in grammar.motifs if positive or subset or broken}
    sites = []
    for part, start in _place(uses, spacing, len(bases), generator):
        site = _draw_site(part.use, generator)
        if not positive and grammar.negatives == "shuffled":
            site = _shuffle_site(site, part.use.motif, generator)
        if part.strand == "-":
            site = reverse_complement_codes(site[None], np.array([len(site)], dtype=np.int32))[0]
        bases[start : start + len(site)] = site
        if part.use.name in true_names:
            sites.append(Site(part.use.name, start, start + len(site), part.strand))
    return sorted(sites, key=lambda site: site.start)


def _strict_subset(
    uses: tuple[MotifUse, ...], generator: np.random.Generator
) -> tuple[MotifUse, ...]:
    """Choose some of the motifs but not all, each such choice as likely as the next."""
    while (chosen := generator.random(len(uses)) < 0.5).all():
        pass
    return tuple(itertools.compress(uses, chosen.tolist()))


def _broken(grammar: Grammar, length: int, generator: np.random.Generator) -> tuple[Spacing, ...]:
    """Return the spacings that a negative keeps in place of the grammar's own."""
    if grammar.negatives == "swapped":
        return tuple(replace(p, first=p.second, second=p.first) for p in grammar.spacing)
    drawn = [int(generator.choice(grammar.other_gaps(p, length))) for p in grammar.spacing]
    pairs = zip(grammar.spacing, drawn, strict=True)
    return tuple(replace(pair, min_gap=gap, max_gap=gap) for pair, gap in pairs)


def _draw_site(use: MotifUse, generator: np.random.Generator) -> Codes:
    site: Codes = _draw_bases(use.motif.ppm, generator)[0]
    if use.mutation_rate > 0:
        mutated = generator.random(len(site)) < use.mutation_rate
        site[mutated] += generator.integers(1, 4, size=mutated.sum(), dtype=np.uint8)
        site %= 4
    return site


def _shuffle_site(site: Codes, motif: Motif, generator: np.random.Generator) -> Codes:
    pattern = _pattern(motif)
    patterns = {pattern, reverse_complement_string(pattern)}
    for _ in range(_ATTEMPTS):
        shuffled: Codes = generator.permutation(site)
        if not any(exact_matches(shuffled[None], text).any() for text in patterns):
            return shuffled
    raise InputError(
        f"{_ATTEMPTS} shuffles of {motif.name} left it as it is",
        remedy="use random negatives or decoys for this motif",
    )


def _pattern(motif: Motif) -> str:
    """Give the IUPAC string that a motif was made of, or the most likely bases of a matrix."""
    text = motif.consensus
    if np.allclose(Motif.from_string(text).ppm, motif.ppm):
        return text
    return motif.likeliest


def _place(
    uses: list[MotifUse],
    spacing: tuple[Spacing, ...],
    length: int,
    generator: np.random.Generator,
) -> list[tuple[_Part, int]]:
    """Give every site a start, uniformly over all ways without overlap."""
    for _ in range(_ATTEMPTS):
        blocks = _make_blocks(uses, spacing, length, generator)
        # Both draws aim at the same uniform distribution: the first one succeeds where start
        # ranges are narrow, the second where sites are dense.
        for draw in (_draw_starts, _draw_gaps):
            starts = draw(blocks, length, generator)
            if starts is not None:
                return [
                    (part, start + part.offset)
                    for block, start in zip(blocks, starts, strict=True)
                    for part in block.parts
                ]
    raise InputError(
        f"{', '.join(use.name for use in uses)} did not fit into {length} bases without overlap in "
        f"{_ATTEMPTS} attempts",
        remedy="use longer sequences, wider start ranges, smaller gaps or fewer copies",
    )


def _make_blocks(
    uses: list[MotifUse],
    spacing: tuple[Spacing, ...],
    length: int,
    generator: np.random.Generator,
) -> list[_Block]:
    by_name = {use.name: use for use in uses}
    blocks = []
    paired: set[str] = set()
    for pair in spacing:
        if pair.first in by_name and pair.second in by_name:
            paired |= {pair.first, pair.second}
            parts = _draw_pair(pair, by_name[pair.first], by_name[pair.second], generator)
            blocks.append(_make_block(parts, length))
    blocks.extend(
        _make_block((_Part(use, 0, _draw_strand(use, generator)),), length)
        for use in uses
        if use.name not in paired
    )
    return blocks


def _draw_pair(
    pair: Spacing, first: MotifUse, second: MotifUse, generator: np.random.Generator
) -> tuple[_Part, ...]:
    gap = int(generator.integers(pair.min_gap, pair.max_gap + 1))
    strand, other = _draw_strand(first, generator), _draw_strand(second, generator)
    if pair.orientation != "any":
        other = strand if pair.orientation == "same" else {"+": "-", "-": "+"}[strand]
    return _Part(first, 0, strand), _Part(second, first.motif.width + gap, other)


def _make_block(parts: tuple[_Part, ...], length: int) -> _Block:
    width = parts[-1].offset + parts[-1].use.motif.width
    low = max(p.use.start_min - p.offset for p in parts)
    high = min(
        [length - width]
        + [p.use.start_max - p.offset for p in parts if p.use.start_max is not None]
    )
    return _Block(parts, width, low, high)


def _draw_strand(use: MotifUse, generator: np.random.Generator) -> str:
    return "-" if use.strands == "both" and generator.random() < 0.5 else "+"


def _draw_starts(
    blocks: list[_Block], length: int, generator: np.random.Generator
) -> list[int] | None:
    """Draw each start from its range; None when a range is empty or blocks overlap."""
    if any(block.low > block.high for block in blocks):
        return None
    starts = [int(generator.integers(block.low, block.high + 1)) for block in blocks]
    spans = sorted((start, start + b.width) for start, b in zip(starts, blocks, strict=True))
    overlap = any(end > start for (_, end), (start, _) in itertools.pairwise(spans))
    return None if overlap else starts


def _draw_gaps(
    blocks: list[_Block], length: int, generator: np.random.Generator
) -> list[int] | None:
    """Draw order and free bases between blocks; None when a start is out of its range."""
    free = length - sum(block.width for block in blocks)
    if free < 0:
        return None
    # Bars among stars: the i-th of the sorted choices, less i, is the free bases before block i.
    bars = np.sort(generator.choice(free + len(blocks), size=len(blocks), replace=False))
    starts = [0] * len(blocks)
    used = 0
    for rank, index in enumerate(generator.permutation(len(blocks)).tolist()):
        starts[index] = int(bars[rank]) - rank + used
        used += blocks[index].width
    fits = all(b.low <= start <= b.high for start, b in zip(starts, blocks, strict=True))
    return starts if fits else None


def _has_chance_match(grammar: Grammar, codes: Codes, sites: list[list[Site]]) -> NDArray[np.bool_]:
    """Tell which rows of codes (N, L) hold a rare motif outside their recorded sites."""
    found = np.zeros(len(codes), dtype=np.bool_)
    for use in grammar.motifs:
        pattern = _pattern(use.motif)
        if information(Motif.from_string(pattern).ppm).sum() < _RARE_BITS:
            continue
        matches = exact_matches(codes, pattern)
        if use.strands == "both":
            matches |= exact_matches(codes, reverse_complement_string(pattern))
        for row, start in np.argwhere(matches).tolist():
            inside = any(s.start <= start and start + use.motif.width <= s.end for s in sites[row])
            found[row] |= not inside
    return found
