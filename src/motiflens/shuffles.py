"""Sequences shuffled at random: bases, or dinucleotides with their counts kept."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from motiflens.sequences import PAD, Codes, Lengths


def shuffle(codes: Codes, lengths: Lengths, generator: np.random.Generator) -> Codes:
    """Permute the bases within every sequence.

    Every N and the padding keep their places; the known bases are permuted among the rest.

    Parameters
    ----------
    codes, lengths
        uint8 (N, L), int32 (N,).
    generator
        Source of randomness.

    Returns
    -------
    codes
        uint8 (N, L), each row with the base counts it had.
    """
    known = _known(codes, lengths)
    places = np.argsort(~known, axis=1, kind="stable")
    order = np.argsort(np.where(known, generator.random(codes.shape), 2.0), axis=1, kind="stable")
    shuffled = np.empty_like(codes)
    np.put_along_axis(shuffled, places, np.take_along_axis(codes, order, axis=1), axis=1)
    return shuffled


def dinucleotide_shuffle(
    codes: Codes,
    lengths: Lengths,
    generator: np.random.Generator | Sequence[np.random.Generator],
) -> Codes:
    """Draw uniformly among the sequences with the same dinucleotide counts.

    Every N and the padding keep their places: each run of known bases between them is shuffled
    by itself. As a run keeps its first and its last base, the dinucleotides with an N in them
    keep their counts too.

    Parameters
    ----------
    codes, lengths
        uint8 (N, L), int32 (N,).
    generator
        Source of randomness; or several, each for as many rows in turn as N holds of them, which
        are then shuffled as if they were alone.

    Returns
    -------
    codes
        uint8 (N, L).

    Notes
    -----
    Altschul and Erickson, Mol Biol Evol 2:526 (1985): a random Euler path through the graph
    whose edges are the dinucleotides. Where they draw the last exits of the vertices again until
    these form a tree towards the last base, the 16 possible trees are weighted here, so that
    nothing is drawn twice.
    """
    known = _known(codes, lengths)
    rows, starts, run_lengths = _runs(known)
    shuffled = codes.copy()
    if len(rows) == 0:
        return shuffled
    steps = np.arange(run_lengths.max())
    inside = steps < run_lengths[:, None]
    place = np.where(inside, starts[:, None] + steps, 0)
    runs = np.where(inside, codes[rows[:, None], place], PAD).astype(np.uint8)
    generators = [generator] if isinstance(generator, np.random.Generator) else generator
    bounds = np.searchsorted(rows, np.linspace(0, len(codes), len(generators) + 1))
    trees, keys = _draw(run_lengths, bounds, generators)
    shuffled[known] = _euler_paths(runs, run_lengths, trees, keys)[inside]
    return shuffled


def _draw(
    run_lengths: NDArray[np.intp],
    bounds: NDArray[np.intp],
    generators: Sequence[np.random.Generator],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draw a number for the tree of each run (R,), and one for each of its edges (R, L - 1).

    Runs ``bounds[i]`` to ``bounds[i + 1]`` get theirs from generator i.
    """
    trees = np.zeros(len(run_lengths))
    keys = np.zeros((len(run_lengths), run_lengths.max() - 1))
    for one, bound in zip(generators, itertools.pairwise(bounds), strict=True):
        own = slice(*bound)
        if n_edges := run_lengths[own].max(initial=0):
            trees[own] = one.random(bound[1] - bound[0])
            keys[own, : n_edges - 1] = one.random((bound[1] - bound[0], n_edges - 1))
    return trees, keys


def _known(codes: Codes, lengths: Lengths) -> NDArray[np.bool_]:
    return (codes < PAD) & (np.arange(codes.shape[1]) < lengths[:, None])


def _runs(known: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Row, start and length of every run of True in each row, row by row."""
    edges = np.diff(np.pad(known, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(edges == 1)
    _, ends = np.nonzero(edges == -1)
    return rows, starts, ends - starts


def _trees(root: int) -> list[tuple[int, ...]]:
    """Every way to give the three other bases a next base so that all lead to the root."""

    def leads_to_root(exits: tuple[int, ...], base: int) -> bool:
        return root in (exits[base], exits[exits[base]], exits[exits[exits[base]]])

    choices = [[root] if b == root else [e for e in range(4) if e != b] for b in range(4)]
    return [
        exits
        for exits in itertools.product(*choices)
        if all(leads_to_root(exits, base) for base in range(4))
    ]


_TREES = np.array([_trees(root) for root in range(4)])  # (root, tree, base) -> next base


def _euler_paths(
    runs: Codes,
    run_lengths: NDArray[np.intp],
    trees: NDArray[np.float64],
    keys: NDArray[np.float64],
) -> Codes:
    """Shuffle runs (R, L) without N, padded on the right; see `dinucleotide_shuffle`."""
    index = np.arange(len(runs))
    sources, targets = runs[:, :-1].astype(np.intp), runs[:, 1:].astype(np.intp)
    sources = np.where(targets == PAD, PAD, sources)
    last = runs[index, run_lengths - 1]
    edges = (25 * index[:, None] + 5 * sources + targets).ravel()
    found = np.bincount(edges, minlength=25 * len(runs)).reshape(-1, 5, 5)
    counts = found[:, :4, :4].astype(np.float64)
    exits = _draw_trees(counts, last, trees)
    for base in range(4):
        # Edges with the same two ends are alike, so any of them may be the last exit.
        is_exit = (sources == base) & (targets == exits[:, base, None])
        chosen = np.argmax(is_exit, axis=1) if sources.shape[1] else index[:0]
        found = index[is_exit.any(axis=1) & (last != base)]
        keys[found, chosen[found]] = 2.0
    order = np.argsort(4 * sources + keys, axis=1)  # no two of these are the same
    targets = np.take_along_axis(targets, order, axis=1)
    per_base = counts.sum(axis=2).astype(np.intp)
    return _walk(runs, run_lengths, targets, np.cumsum(per_base, axis=1) - per_base)


def _draw_trees(
    counts: NDArray[np.float64], last: Codes, numbers: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Choose the last exit of every base (R, 4), each tree as often as it can be formed.

    The numbers (R,), drawn evenly from 0 to 1, decide.
    """
    index = np.arange(len(counts))
    ways = counts.copy()
    absent = counts.sum(axis=2) == 0
    ways[index[:, None], np.arange(4), last[:, None]] += absent  # a base not left: any exit
    ways[index, last, last] = 1
    trees = _TREES[last]  # (R, 16, 4)
    weights = ways[index[:, None, None], np.arange(4), trees].prod(axis=2)
    cumulative = np.cumsum(weights, axis=1)
    drawn = numbers * cumulative[:, -1]
    chosen = (cumulative <= drawn[:, None]).sum(axis=1)
    picked: NDArray[np.intp] = trees[index, chosen]
    return picked


def _walk(
    runs: Codes,
    run_lengths: NDArray[np.intp],
    targets: NDArray[np.intp],
    next_edge: NDArray[np.intp],
) -> Codes:
    """Follow each base's edges (sorted by source, starting at ``next_edge``) in their order."""
    walked = runs.copy()
    for step in range(1, runs.shape[1]):
        index = np.flatnonzero(run_lengths > step)
        here = walked[index, step - 1]
        walked[index, step] = targets[index, next_edge[index, here]]
        next_edge[index, here] += 1
    return walked
