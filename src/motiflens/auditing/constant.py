"""Bases at either end that nearly every sequence of one class has, and the other class has not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from motiflens.datasets import SequenceDataset
from motiflens.sequences import PAD

#: Fraction of a class from which it has a base at a place, and up to which the other has it not.
MOST, OTHERS = 0.9, 0.6
#: Neighbouring places that make a constant stretch, and sequences of each class to look at.
LEAST, ENOUGH = 6, 10
#: Bases of an end within which it begins: elsewhere it may be a motif at a fixed place.
NEAR = 3

CLASSES = {"positives": 1, "negatives": 0}


def constant_stretches(part: SequenceDataset) -> list[dict[str, str | int]]:
    """Find stretches at either end that set the classes apart.

    A primer, an adapter or a tag that was left on the sequences of one class looks so; a model
    scores by it without any biology.

    Returns
    -------
    list of dict
        For each: the `class` that has it, the `end` it is counted from ("start" or "end"), its
        `bases`, and the places `first` to `last` from that end, counted from 1. The longest of
        each class and end.
    """
    sizes = {name: int((part.labels == label).sum()) for name, label in CLASSES.items()}
    if min(sizes.values()) < ENOUGH:
        return []
    found: list[dict[str, str | int]] = []
    width = int(part.lengths.min())
    for end, codes in (("start", part.codes[:, :width]), ("end", _from_end(part, width))):
        held = {name: _held(codes[part.labels == label]) for name, label in CLASSES.items()}
        for name, other in (("positives", "negatives"), ("negatives", "positives")):
            base = held[name].argmax(axis=1)
            places = np.arange(width)
            constant = (held[name][places, base] >= MOST) & (held[other][places, base] <= OTHERS)
            first, n = _longest(constant)
            if n >= LEAST and first < NEAR:
                bases = "".join("ACGT"[code] for code in base[first : first + n])
                if end == "end":
                    bases = bases[::-1]
                found.append(
                    {
                        "class": name,
                        "end": end,
                        "bases": bases,
                        "first": first + 1,
                        "last": first + n,
                    }
                )
    return found


def _from_end(part: SequenceDataset, width: int) -> NDArray[np.uint8]:
    """Read the last bases, the last one first: (N, width)."""
    places = part.lengths[:, None] - 1 - np.arange(width)
    return np.take_along_axis(part.codes, places.astype(np.intp), axis=1)


def _held(codes: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the fraction of sequences with each base at each place, (width, 4)."""
    return np.stack([(codes == base).mean(axis=0) for base in range(PAD)], axis=1)


def _longest(mask: NDArray[np.bool_]) -> tuple[int, int]:
    """Return the start and the length of the longest run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    starts, ends = edges[::2], edges[1::2]
    if not len(starts):
        return 0, 0
    best = int((ends - starts).argmax())
    return int(starts[best]), int(ends[best] - starts[best])
