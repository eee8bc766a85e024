"""How far classes differ in composition and length, and whether one is a shuffle of the other."""

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
# Longer words would be too rare to repeat, shorter ones survive a shuffle.
REPEATED_WORD = 6

Floats = NDArray[np.float64]


def composition(
    parts: Mapping[str, SequenceDataset], sequences: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """Compare the classes of every part.

    Parameters
    ----------
    parts, sequences
        Name → data set of N sequences; name → the same (N,) as letters.

    Returns
    -------
    dict
        Name of the part to

        - `n`: sequences of each class, `positives` and `negatives`;
        - `gc`, the share of G and C among known bases, and `length` in bases: the mean of each
          class, the `standardised_difference` (of the means, in the root mean square of both
          standard deviations) and the `auroc`, above 0.5 where positives have more;
        - `n_fraction`: the share of N among the bases of each class;
        - `shuffled_negatives`: for "dinucleotide" and "mononucleotide", how many `negatives` have
          exactly the counts of a positive of any part, and the share of all positives that have
          those of another one, `by_chance`;
        - `repeats`: how much likelier two words of 6 bases are equal in negatives than in
          positives (`ratio`), and the `standard_error` of its logarithm. Shuffling breaks words.

        A figure that has no value, for want of a class or of spread, is None.
    """
    shuffled = {
        kind: _shuffled(parts, sequences, k)
        for kind, k in (("dinucleotide", 2), ("mononucleotide", 1))
    }
    return {
        name: {
            **_contrasts(part),
            "shuffled_negatives": {kind: shuffled[kind][name] for kind in shuffled},
            "repeats": _repeats(part),
        }
        for name, part in parts.items()
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
            name: _share(unknown[mask].sum(), dataset.lengths[mask].sum())
            for name, mask in masks.items()
        },
    }


def _share(part: float, whole: float) -> float | None:
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
    parts: Mapping[str, SequenceDataset], sequences: Mapping[str, Sequence[str]], k: int
) -> dict[str, Any]:
    """Count sequences that have the counts of a positive of any part without being that one."""
    rows = {
        name: list(zip(_letter_counts(part, k), sequences[name], part.labels == 1, strict=True))
        for name, part in parts.items()
    }
    owners: dict[bytes, set[str]] = {}
    for counts, sequence, is_positive in chain.from_iterable(rows.values()):
        if is_positive:
            owners.setdefault(counts, set()).add(sequence)
    alike = {name: [0, 0] for name in parts}
    for name in parts:
        for counts, sequence, is_positive in rows[name]:
            alike[name][int(is_positive)] += bool(owners.get(counts, set()) - {sequence})
    n_positives = sum(int((part.labels == 1).sum()) for part in parts.values())
    by_chance = _share(sum(n for _, n in alike.values()), n_positives)
    return {name: {"negatives": n, "by_chance": by_chance} for name, (n, _) in alike.items()}


def _letter_counts(dataset: SequenceDataset, k: int) -> list[bytes]:
    """Count the words of k letters, N being one, in every sequence: equal counts, equal bytes."""
    letters = PAD + 1
    n_places = max(dataset.codes.shape[1] - k + 1, 0)
    word = np.zeros((len(dataset), n_places), dtype=np.intp)
    for offset in range(k):
        word = letters * word + dataset.codes[:, offset : offset + n_places]
    inside = np.arange(n_places) <= dataset.lengths[:, None] - k
    rows = np.nonzero(inside)[0]
    flat = np.bincount(rows * letters**k + word[inside], minlength=len(dataset) * letters**k)
    return [row.tobytes() for row in flat.astype(np.int32).reshape(len(dataset), letters**k)]


def _repeats(dataset: SequenceDataset) -> dict[str, float | None]:
    pairs = []
    for label in CLASSES.values():
        kmers, known = canonical_kmers(dataset.codes[dataset.labels == label], REPEATED_WORD)
        _, n = np.unique(kmers[known], return_counts=True)
        equal, total = float((n * (n - 1)).sum() / 2), float(n.sum() * (n.sum() - 1) / 2)
        pairs.append((equal, total))
    if not all(equal for equal, _ in pairs):
        return {"ratio": None, "standard_error": None}
    positive, negative = (equal / total for equal, total in pairs)
    error = float(np.sqrt(sum(1 / equal for equal, _ in pairs)))
    return {"ratio": negative / positive, "standard_error": error}
