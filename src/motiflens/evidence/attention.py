"""Attention put to the test: its heads, what their maps show, and what other weights do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from motiflens.attribution import Attributions, attention_of_heads
from motiflens.attribution.base import Floats, as_input, evaluating, known_mask
from motiflens.evidence.levels import RIGHT_FROM, standing_out
from motiflens.evidence.replacement import Bench, Depends, Part, Replacement, depends_on
from motiflens.evidence.softmaxes import Layer, Weights, attention_layers, tried
from motiflens.evidence.tracks import base_scores, fraction_above, peaks
from motiflens.models.base import AttentionMap, SequenceModel
from motiflens.sequences import evenly

N_PERMUTATIONS, N_PERMUTATIONS_OF_HEAD = 5, 2

MOST_OF_HEADS, LEAST = 3_000_000, 50
"""Bases of all sequences that replacing heads one by one may cost, and sequences of each class at
least; 24 heads of a model of 200 bases are tested on 104 sequences of each class."""


#: How closely weights agree that are the same: shares of their size, and of all the weight.
RELATIVE, ABSOLUTE = 1e-4, 1e-6


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


@dataclass(frozen=True)
class Head:
    """A head of attention, or a layer whose heads cannot be told apart.

    Parameters
    ----------
    layer
        Name of its map, or of the softmax that makes it.
    number
        Which head of that map, from 1; None for all of a layer.
    part
        What is replaced to take it away.
    """

    layer: str
    number: int | None
    part: Part


@dataclass(frozen=True)
class Shown:
    """What the map of one head shows: as ``MethodEvidence`` says of a method."""

    fraction_above_null: float
    base_auroc: float | None
    marks: bool


def find_heads(module: nn.Module, layers: Mapping[Layer, list[Weights]], length: int) -> list[Head]:
    """Tell the heads of a module's attention apart.

    Which softmax makes a head's map, and in which of its axes the heads lie, is known from the
    weights themselves: the map says of some sequences what the softmax gave. A softmax that
    no map shows, as in a user's module, stays whole.

    Parameters
    ----------
    module
        Any module.
    layers
        What its softmaxes gave for the sequences of :func:`motiflens.evidence.softmaxes.tried`.
    length
        L of those.
    """
    left = dict(layers)
    heads: list[Head] = []
    for found in _maps(module, length):
        heads += _of_map(found, left)
    names = {part: name for name, part in module.named_modules()}
    for layer in left:
        of = f" of {names[layer.module]}" if names.get(layer.module) else ""
        kind = "bare softmax" if layer.bare else "softmax"
        heads.append(Head(f"{kind} {layer.number + 1}{of}", None, Part(layer)))
    return heads


def _maps(module: nn.Module, length: int) -> list[AttentionMap]:
    if not isinstance(module, SequenceModel):
        return []
    with evaluating(module), torch.inference_mode():
        return module.attention_maps(as_input(module, tried(length)))


def _of_map(found: AttentionMap, left: dict[Layer, list[Weights]]) -> list[Head]:
    """Take the softmaxes that make a map out of those that are left."""
    n_heads = found.weights.shape[1]
    for layer, calls in left.items():
        for weights in calls:
            axis = _head_axis(found, weights)
            if axis is not None:
                del left[layer]
                parts = [Part(layer, axis, index) for index in range(n_heads)]
                return [Head(found.layer, n, part) for n, part in enumerate(parts, start=1)]
    heads = []
    for index in range(n_heads):
        shown = found.weights[:, index] if found.full is None else found.full[:, index]
        for layer, calls in left.items():
            if any(_same(weights.values.movedim(weights.dim, -1), shown) for weights in calls):
                heads.append(Head(found.layer, index + 1, Part(layer)))
                del left[layer]
                break
    return heads


def _head_axis(found: AttentionMap, weights: Weights) -> int | None:
    """Give the axis of the heads in what a softmax gave, if it gave this map."""
    axes = [axis for axis in range(weights.values.ndim) if axis != weights.dim]
    units_last = weights.values.movedim(weights.dim, -1)
    shown = found.weights if found.full is None else found.full
    for place in range(1, len(axes)):
        heads_second = units_last.movedim(place, 1)
        of_queries = heads_second.ndim == 4 and found.full is None
        if _same(heads_second.mean(2) if of_queries else heads_second, shown):
            return axes[place]
    return None


def _same(given: Tensor, shown: Tensor) -> bool:
    return given.shape == shown.shape and torch.allclose(given, shown, rtol=RELATIVE, atol=ABSOLUTE)


def shown_by_heads(
    module: nn.Module, parts: Sequence[Floats], truth: NDArray[np.int8] | None
) -> dict[tuple[str, int], Shown]:
    """Judge the map of every head as the mean of all is judged.

    Parameters
    ----------
    module
        A model with attention maps.
    parts
        Positives, negatives and shuffled positives.
    truth
        (N, L), of the positives.

    Returns
    -------
    dict
        By layer and number from 1. A head marks where chance, with so many heads, seldom shows as
        much.
    """
    laid = [attention_of_heads(module, part) for part in parts]
    n_heads = sum(weights.shape[1] for weights in laid[0].values())
    sizes = [len(part) for part in parts]
    least = standing_out(sizes[0], sizes[1:], n_heads)
    return {name: _shown(tracks, truth, least) for name, tracks in _each_head(laid, parts)}


def _each_head(
    laid: Sequence[Mapping[str, Floats]], parts: Sequence[Floats]
) -> Iterator[tuple[tuple[str, int], list[Attributions]]]:
    for layer, weights in laid[0].items():
        for index in range(weights.shape[1]):
            yield (
                (layer, index + 1),
                [
                    Attributions("attention", x, x * one[layer][:, index, None] * known_mask(x))
                    for x, one in zip(parts, laid, strict=True)
                ],
            )


def _shown(tracks: list[Attributions], truth: NDArray[np.int8] | None, least: float) -> Shown:
    above = fraction_above(*map(peaks, tracks))
    scores = None if truth is None else base_scores(tracks[0].track, truth)
    right = scores is None or scores[0] >= RIGHT_FROM
    return Shown(above, None if scores is None else scores[0], above >= least and right)
