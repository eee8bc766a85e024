"""How classes differ: composition, length, constant ends, shuffles of one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motiflens.datasets import SequenceDataset
from motiflens.metrics import rank_auroc
from motiflens.sequences import PAD, canonical_kmers

CLASSES = {"positives": 1, "negatives": 0}
# Longer k-mers would be too rare to repeat, shorter ones survive a shuffle.
REPEATED_K = 6
#: Fraction of a class from which it has a base at a position, and up to which the other has it not.
CONSTANT_FROM, OTHER_CLASS_TO = 0.9, 0.6
#: Neighbouring positions that make a constant stretch, and sequences of each class to look at.
MIN_STRETCH, MIN_PER_CLASS = 6, 10
#: Bases of an end within which it begins: elsewhere it may be a motif at a fixed position.
NEAR_END = 3

Floats = NDArray[np.float64]


def composition(
    splits: Mapping[str, SequenceDataset], sequences: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """Compare the classes of every split.

    Parameters
    ----------
    splits, sequences
        Name → data set of N sequences; name → the same (N,) as letters.

    Returns
    -------
    dict
        Name of the split to

        - `n`: sequences of each class, `positives` and `negatives`;
        - `gc`, the fraction of G and C among known bases, and `length` in bases: the mean of each
          class, the `standardised_difference` (of the means, in the root mean square of both
          standard deviations) and the `auroc`, above 0.5 where positives have more;
        - `n_fraction`: the fraction of N among the bases of each class;
        - `shuffled_negatives`: for "dinucleotide" and "mononucleotide", how many `negatives` have
          exactly the counts of a positive of any split, and the fraction of all positives that have
          those of another one, `by_chance`;
        - `repeats`: how much likelier two 6-mers are equal in negatives than in
          positives (`ratio`), and the `standard_error` of its logarithm. Shuffling breaks them up.

        A figure that has no value, for want of a class or of spread, is None.
    """
    shuffled = {
        kind: _shuffled(splits, sequences, k)
        for kind, k in (("dinucleotide", 2), ("mononucleotide", 1))
    }
    return {
        name: {
            **_contrasts(dataset),
            "shuffled_negatives": {kind: shuffled[kind][name] for kind in shuffled},
            "repeats": _repeats(dataset),
        }
        for name, dataset in splits.items()
    }


def _contrasts(dataset: SequenceDataset) -> dict[str, Any]:
    known = (dataset.codes < PAD).sum(axis=1)
    strong = ((dataset.codes == 1) | (dataset.codes == 2)).sum(axis=1)
    gc = np.where(known > 0, strong / np.maximum(known, 1), np.nan)
    unknown = dataset.lengths - known
    masks = {name: dataset.labels == label for name, label in CLASSES.items()}
    return {
        "n": {name: int(mask.sum()) for name, mask in masks.items()},
        "gc": _contrast(gc, dataset.labels),
        "length": _contrast(dataset.lengths.astype(np.float64), dataset.labels),
        "n_fraction": {
            name: _fraction(unknown[mask].sum(), dataset.lengths[mask].sum())
            for name, mask in masks.items()
        },
    }


def _fraction(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None


def _contrast(values: Floats, labels: NDArray[np.float32]) -> dict[str, float | None]:
    """Compare values (N,) of the two classes; those that are NaN are left out."""
    labels, values = labels[~np.isnan(values)], values[~np.isnan(values)]
    groups = [values[labels == label] for label in CLASSES.values()]
    means = [float(group.mean()) if len(group) else None for group in groups]
    found: dict[str, float | None] = dict(zip(CLASSES, means, strict=True))
    if means[0] is None or means[1] is None:
        return {**found, "standardised_difference": None, "auroc": None}
    difference = means[0] - means[1]
    spread = float(np.sqrt((groups[0].var() + groups[1].var()) / 2))
    standardised = difference / spread if spread > 0 else (None if difference else 0.0)
    auroc = float(rank_auroc(labels[None], values[None])[0])
    return {**found, "standardised_difference": standardised, "auroc": auroc}


def _shuffled(
    splits: Mapping[str, SequenceDataset], sequences: Mapping[str, Sequence[str]], k: int
) -> dict[str, Any]:
    """Count sequences that have the counts of a positive of any split without being that one."""
    rows = {
        name: list(
            zip(_letter_counts(dataset, k), sequences[name], dataset.labels == 1, strict=True)
        )
        for name, dataset in splits.items()
    }
    owners: dict[bytes, set[str]] = {}
    for counts, sequence, is_positive in chain.from_iterable(rows.values()):
        if is_positive:
            owners.setdefault(counts, set()).add(sequence)
    alike = {name: [0, 0] for name in splits}
    for name in splits:
        for counts, sequence, is_positive in rows[name]:
            alike[name][int(is_positive)] += bool(owners.get(counts, set()) - {sequence})
    n_positives = sum(int((dataset.labels == 1).sum()) for dataset in splits.values())
    by_chance = _fraction(sum(n for _, n in alike.values()), n_positives)
    return {name: {"negatives": n, "by_chance": by_chance} for name, (n, _) in alike.items()}


def _letter_counts(dataset: SequenceDataset, k: int) -> list[bytes]:
    """Count the k-mers, N being one, in every sequence: equal counts, equal bytes."""
    letters = PAD + 1
    n_positions = max(dataset.codes.shape[1] - k + 1, 0)
    kmer = np.zeros((len(dataset), n_positions), dtype=np.intp)
    for offset in range(k):
        kmer = letters * kmer + dataset.codes[:, offset : offset + n_positions]
    inside = np.arange(n_positions) <= dataset.lengths[:, None] - k
    rows = np.nonzero(inside)[0]
    flat = np.bincount(rows * letters**k + kmer[inside], minlength=len(dataset) * letters**k)
    return [row.tobytes() for row in flat.astype(np.int32).reshape(len(dataset), letters**k)]


def _repeats(dataset: SequenceDataset) -> dict[str, float | None]:
    pairs = []
    for label in CLASSES.values():
        kmers, known = canonical_kmers(dataset.codes[dataset.labels == label], REPEATED_K)
        _, n = np.unique(kmers[known], return_counts=True)
        equal, total = float((n * (n - 1)).sum() / 2), float(n.sum() * (n.sum() - 1) / 2)
        pairs.append((equal, total))
    if not all(equal for equal, _ in pairs):
        return {"ratio": None, "standard_error": None}
    positive, negative = (equal / total for equal, total in pairs)
    error = float(np.sqrt(sum(1 / equal for equal, _ in pairs)))
    return {"ratio": negative / positive, "standard_error": error}


def constant_stretches(dataset: SequenceDataset) -> list[dict[str, str | int]]:
    """Find stretches at either end that set the classes adataset.

    A primer, an adapter or a tag that was left on the sequences of one class looks so; a model
    scores by it without any biology.

    Returns
    -------
    list of dict
        For each: the `class` that has it, the `end` it is counted from ("start" or "end"), its
        `bases`, and the positions `first` to `last` from that end, counted from 1. The longest of
        each class and end.
    """
    sizes = {name: int((dataset.labels == label).sum()) for name, label in CLASSES.items()}
    if min(sizes.values()) < MIN_PER_CLASS:
        return []
    stretches: list[dict[str, str | int]] = []
    width = int(dataset.lengths.min())
    for end, codes in (("start", dataset.codes[:, :width]), ("end", _from_end(dataset, width))):
        fractions = {
            name: _base_fractions(codes[dataset.labels == label]) for name, label in CLASSES.items()
        }
        for name, other in (("positives", "negatives"), ("negatives", "positives")):
            base = fractions[name].argmax(axis=1)
            positions = np.arange(width)
            constant = (fractions[name][positions, base] >= CONSTANT_FROM) & (
                fractions[other][positions, base] <= OTHER_CLASS_TO
            )
            first, n = _longest(constant)
            if n >= MIN_STRETCH and first < NEAR_END:
                bases = "".join("ACGT"[code] for code in base[first : first + n])
                if end == "end":
                    bases = bases[::-1]
                stretch = {"class": name, "end": end, "bases": bases}
                stretches.append({**stretch, "first": first + 1, "last": first + n})
    return stretches


def _from_end(dataset: SequenceDataset, width: int) -> NDArray[np.uint8]:
    """Read the last bases, the last one first: (N, width)."""
    positions = dataset.lengths[:, None] - 1 - np.arange(width)
    return np.take_along_axis(dataset.codes, positions.astype(np.intp), axis=1)


def _base_fractions(codes: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the fraction of sequences with each base at each position, (width, 4)."""
    return np.stack([(codes == base).mean(axis=0) for base in range(PAD)], axis=1)


def _longest(mask: NDArray[np.bool_]) -> tuple[int, int]:
    """Return the start and the length of the longest run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    starts, ends = edges[::2], edges[1::2]
    if not len(starts):
        return 0, 0
    best = int((ends - starts).argmax())
    return int(starts[best]), int(ends[best] - starts[best])
