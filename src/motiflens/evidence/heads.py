"""The heads of a model's attention: which softmax makes each, and what its map shows."""

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
from motiflens.evidence.levels import RIGHT_FROM, standing_out
from motiflens.evidence.null import fraction_above, peaks
from motiflens.evidence.replacement import Part
from motiflens.evidence.softmaxes import Layer, Weights, tried
from motiflens.evidence.truth import base_scores
from motiflens.models.base import AttentionMap, SequenceModel
from motiflens.models.calling import as_input, evaluating

#: How closely weights agree that are the same: shares of their size, and of all the weight.
RELATIVE, ABSOLUTE = 1e-4, 1e-6


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
