"""Attention put to the test: its heads, what their maps show, and what other weights do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from motiflens.attribution import Attributions, attention_of_heads
from motiflens.attribution.base import known_mask
from motiflens.attribution.result import Floats
from motiflens.evidence.levels import RIGHT_FROM, fraction_by_chance
from motiflens.evidence.replacement import Part, Trial, depends_on, replaced
from motiflens.evidence.softmaxes import Layer, Weights, find_attention, random_one_hot
from motiflens.evidence.tracks import base_scores, fraction_above, peaks
from motiflens.models.base import AttentionMap, SequenceModel
from motiflens.models.calling import as_input, evaluating
from motiflens.results.trust import AttentionTest, HeadTest, MarkingTest
from motiflens.sequences import evenly

N_PERMUTATIONS, N_PERMUTATIONS_OF_HEAD = 5, 2

MAX_BASES_OF_HEADS, MIN_PER_CLASS = 3_000_000, 50
"""Bases of all sequences that replacing heads one by one may cost, and sequences of each class at
least; 24 heads of a model of 200 bases are tested on 104 sequences of each class."""


#: How closely weights agree that are the same: fractions of their size, and of all the weight.
WEIGHTS_RTOL, WEIGHTS_ATOL = 1e-4, 1e-6


def attention_test(
    module: nn.Module,
    positives: Floats,
    negatives: Floats,
    *,
    shown: Mapping[tuple[str, int], HeadEvidence] | None = None,
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
        :func:`motiflens.evidence.softmaxes.find_attention` finds none.
    """
    length = positives.shape[2]
    seen = find_attention(module, length, target)
    if not seen.layers:
        return None
    heads = find_heads(module, seen.layers, length)
    maps = [(shown or {}).get((head.layer, head.number or 0), UNSEEN) for head in heads]
    marking = tuple(head.part for head, of_map in zip(heads, maps, strict=True) if of_map.marks)
    together = [tuple(map(Part, seen.layers))]
    if 0 < len(marking) < len(heads):
        together.append(marking)
    found = _replaced(module, (positives, negatives), together, heads, target, seed)
    whole = found[0]
    return AttentionTest(
        uniform=whole.uniform,
        permuted=whole.permuted,
        depends=whole.depends,
        heads=tuple(map(_head_test, heads, maps, found[len(together) :])),
        # Where all heads mark bases, they are the whole.
        marking=found[len(together) - 1] if marking else None,
        hidden=seen.hidden,
    )


def _replaced(
    module: nn.Module,
    held_out: tuple[Floats, Floats],
    together: Sequence[tuple[Part, ...]],
    heads: Sequence[Head],
    target: int,
    seed: int,
) -> list[MarkingTest]:
    """Replace parts together, then each head alone, on as many sequences as there may be for it."""
    trials = [Trial(parts, N_PERMUTATIONS, n_tests=2) for parts in together]
    alone = [Trial((head.part,), N_PERMUTATIONS_OF_HEAD, 2 * len(heads)) for head in heads]
    passes = len(heads) * (1 + N_PERMUTATIONS_OF_HEAD)
    n = max(MIN_PER_CLASS, MAX_BASES_OF_HEADS // (2 * passes * held_out[0].shape[2]))
    if all(len(of_class) <= n for of_class in held_out):
        found = replaced(module, held_out, [*trials, *alone], target=target, seed=seed)
    else:
        first, second = (of_class[evenly(len(of_class), n)] for of_class in held_out)
        found = replaced(module, held_out, trials, target=target, seed=seed)
        found += replaced(module, (first, second), alone, target=target, seed=seed)
    return [
        MarkingTest(uniform=even, permuted=mixed, depends=depends_on(even, mixed))
        for even, mixed in found
    ]


def _head_test(head: Head, shown: HeadEvidence, found: MarkingTest) -> HeadTest:
    return HeadTest(
        layer=head.layer,
        head=head.number,
        fraction_above_null=shown.fraction_above_null,
        base_auroc=shown.base_auroc,
        marks=shown.marks,
        uniform=found.uniform,
        permuted=found.permuted,
        depends=found.depends,
    )


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
class HeadEvidence:
    """What the map of one head shows, as ``MethodTrust`` says of a method; None without a map."""

    fraction_above_null: float | None
    base_auroc: float | None
    marks: bool


UNSEEN = HeadEvidence(None, None, False)


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
    for head_map in _attention_maps(module, length):
        heads += _heads_of_map(head_map, left)
    names = {part: name for name, part in module.named_modules()}
    for layer in left:
        of = f" of {names[layer.module]}" if names.get(layer.module) else ""
        kind = "bare softmax" if layer.bare else "softmax"
        heads.append(Head(f"{kind} {layer.number + 1}{of}", None, Part(layer)))
    return heads


def _attention_maps(module: nn.Module, length: int) -> list[AttentionMap]:
    if not isinstance(module, SequenceModel):
        return []
    with evaluating(module), torch.inference_mode():
        return module.attention_maps(as_input(module, random_one_hot(length)))


def _heads_of_map(head_map: AttentionMap, left: dict[Layer, list[Weights]]) -> list[Head]:
    """Take the softmaxes that make a map out of those that are left."""
    n_heads = head_map.weights.shape[1]
    for layer, calls in left.items():
        for weights in calls:
            axis = _head_axis(head_map, weights)
            if axis is not None:
                del left[layer]
                parts = [Part(layer, axis, index) for index in range(n_heads)]
                return [Head(head_map.layer, n, part) for n, part in enumerate(parts, start=1)]
    heads = []
    for index in range(n_heads):
        shown = head_map.weights[:, index] if head_map.full is None else head_map.full[:, index]
        for layer, calls in left.items():
            if any(_same(weights.values.movedim(weights.dim, -1), shown) for weights in calls):
                heads.append(Head(head_map.layer, index + 1, Part(layer)))
                del left[layer]
                break
    return heads


def _head_axis(head_map: AttentionMap, weights: Weights) -> int | None:
    """Return the axis of the heads in what a softmax gave, if it gave this map."""
    axes = [axis for axis in range(weights.values.ndim) if axis != weights.dim]
    units_last = weights.values.movedim(weights.dim, -1)
    shown = head_map.weights if head_map.full is None else head_map.full
    for axis in range(1, len(axes)):
        heads_second = units_last.movedim(axis, 1)
        of_queries = heads_second.ndim == 4 and head_map.full is None
        if _same(heads_second.mean(2) if of_queries else heads_second, shown):
            return axes[axis]
    return None


def _same(given: Tensor, shown: Tensor) -> bool:
    return given.shape == shown.shape and torch.allclose(
        given, shown, rtol=WEIGHTS_RTOL, atol=WEIGHTS_ATOL
    )


def judge_heads(
    module: nn.Module, parts: Sequence[Floats], truth: NDArray[np.int8] | None
) -> dict[tuple[str, int], HeadEvidence]:
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
    least = fraction_by_chance(sizes[0], sizes[1:], n_heads)
    return {
        name: _judge_head(tracks, truth, least)
        for name, tracks in _tracks_of_each_head(laid, parts)
    }


def _tracks_of_each_head(
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


def _judge_head(
    tracks: list[Attributions], truth: NDArray[np.int8] | None, least: float
) -> HeadEvidence:
    above = fraction_above(*map(peaks, tracks))
    base_auroc, _ = base_scores(tracks[0].track, truth) or (None, None)
    right = base_auroc is None or base_auroc >= RIGHT_FROM
    return HeadEvidence(above, base_auroc, above >= least and right)
