"""Attention put to the test: replaced as a whole, head by head, and where it marks bases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import nn

from motiflens.attribution.result import Floats
from motiflens.evidence.heads import Head, Shown, find_heads
from motiflens.evidence.replacement import Bench, Depends, Part, Replacement, depends_on
from motiflens.evidence.softmaxes import attention_layers
from motiflens.sequences import evenly

N_PERMUTATIONS, N_PERMUTATIONS_OF_HEAD = 5, 2

MOST_OF_HEADS, LEAST = 3_000_000, 50
"""Bases of all sequences that replacing heads one by one may cost, and sequences of each class at
least; 24 heads of a model of 200 bases are tested on 104 sequences of each class."""


@dataclass(frozen=True)
class HeadTest:
    """One head: what its map shows, and what other weights in its place do.

    Parameters
    ----------
    layer, head
        Name of the map and number of the head, from 1; of a layer without a map the name of its
        softmax, and None.
    fraction_above_null, base_auroc
        Of the head's map, as of the method ``attention``; None without a map, or a truth.
    marks
        Whether the map marks bases, by the thresholds of the verdict.
    uniform, permuted
        This head alone replaced; intervals hold for all heads together.
    depends
        ``ranking``, ``logits`` or ``no``: what of the prediction depends on this head.
    """

    layer: str
    head: int | None
    fraction_above_null: float | None
    base_auroc: float | None
    marks: bool
    uniform: Replacement
    permuted: Replacement
    depends: Depends


@dataclass(frozen=True)
class MarkingTest:
    """The heads that mark, replaced together."""

    uniform: Replacement
    permuted: Replacement
    depends: Depends


@dataclass(frozen=True)
class AttentionTest:
    """Attention replaced by equal weights, and by a permutation of itself.

    Parameters
    ----------
    uniform, permuted
        All attention of the model together.
    depends
        ``ranking``, ``logits`` or ``no``.
    heads
        Each head, or layer, alone.
    marking
        The heads that mark bases together; None where none does.
    hidden
        Whether the model has other attention, whose weights cannot be replaced.
    """

    uniform: Replacement
    permuted: Replacement
    depends: Depends
    heads: tuple[HeadTest, ...] = ()
    marking: MarkingTest | None = None
    hidden: bool = False


def attention_test(
    module: nn.Module,
    positives: Floats,
    negatives: Floats,
    *,
    shown: Mapping[tuple[str, int], Shown] | None = None,
    target: int = 0,
    seed: int = 0,
) -> AttentionTest | None:
    """Replace a model's attention and score it on held-out sequences.

    Parameters
    ----------
    module
        Any module from (N, 4, L) to logits; left as it was found.
    positives, negatives
        Held-out sequences, (N, 4, L) and (M, 4, L).
    shown
        What the map of each head shows, by layer and number.
    target
        Column of the logits.
    seed
        Of the permutations, whose results are averaged.

    Returns
    -------
    AttentionTest or None
        None for a module in which
        :func:`motiflens.evidence.softmaxes.attention_layers` finds none.
    """
    length = positives.shape[2]
    seen = attention_layers(module, length, target)
    if not seen.layers:
        return None
    bench = Bench(module, (positives, negatives), target, seed)
    own = bench.logits()

    def together(parts: Sequence[Part]) -> tuple[Replacement, Replacement, Depends]:
        both = bench.replace(parts, own, n_permutations=N_PERMUTATIONS, n_tests=2)
        return (*both, depends_on(*both))

    heads = find_heads(module, seen.layers, length)
    tested = _each(bench, heads, shown or {})
    marking = [head.part for head, test in zip(heads, tested, strict=True) if test.marks]
    return AttentionTest(
        *together([Part(layer) for layer in seen.layers]),
        heads=tested,
        marking=MarkingTest(*together(marking)) if marking else None,
        hidden=seen.hidden,
    )


def _each(
    bench: Bench, heads: Sequence[Head], shown: Mapping[tuple[str, int], Shown]
) -> tuple[HeadTest, ...]:
    """Replace each head alone, on as many sequences as its number and their length allow."""
    passes = len(heads) * (1 + N_PERMUTATIONS_OF_HEAD)
    n = max(LEAST, MOST_OF_HEADS // (2 * passes * bench.held_out[0].shape[2]))
    first, second = (part[evenly(len(part), n)] for part in bench.held_out)
    few = Bench(bench.module, (first, second), bench.target, bench.seed)
    own = few.logits()
    tested = []
    for head in heads:
        both = few.replace(
            [head.part],
            own,
            n_permutations=N_PERMUTATIONS_OF_HEAD,
            n_tests=2 * len(heads),
        )
        found = None if head.number is None else shown.get((head.layer, head.number))
        tested.append(
            HeadTest(
                head.layer,
                head.number,
                None if found is None else found.fraction_above_null,
                None if found is None else found.base_auroc,
                found is not None and found.marks,
                *both,
                depends_on(*both),
            )
        )
    return tuple(tested)
