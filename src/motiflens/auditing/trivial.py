"""What models without a neural net make of the parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from motiflens.auditing.baselines import BASELINES, Logits
from motiflens.datasets import SequenceDataset, concatenate, split_at_random
from motiflens.metrics import score

HELD_OUT = 0.25
# Of one class, a quarter and the rest hold a sequence each.
ENOUGH = 3
SEED = 0


@dataclass(frozen=True)
class Trivial:
    """Scores of the baselines.

    Attributes
    ----------
    scores
        Baseline → metric → value, on `scored_on`; empty where a class is missing.
    scored_on
        "test", "valid" or "a held-out quarter of train".
    kmer_aurocs
        AUROC of the k-mer baseline on every held-out part, with its positives and negatives.
    """

    scores: dict[str, dict[str, float]]
    scored_on: str
    kmer_aurocs: dict[str, tuple[float, int, int]]


def trivial_scores(parts: Mapping[str, SequenceDataset], strands: str | None = None) -> Trivial:
    """Fit the baselines on train and score them on what is held out (see `audit`)."""
    train = parts["train"]
    held_out = {name: part for name, part in parts.items() if name != "train" and _counts(part)[0]}
    if not _counts(train)[0]:
        return Trivial({}, "", {})
    if not held_out and min(_counts(train)) >= ENOUGH:
        split = split_at_random(train, test=HELD_OUT, seed=SEED)
        train, held_out = split.part("train"), {"a held-out quarter of train": split.part("test")}
    if not held_out:
        return Trivial({}, "", {})
    # As a model is trained again on its validation part before it is tested, so is a baseline.
    *earlier, last = held_out
    before = concatenate([train, *(held_out[name] for name in earlier)])
    scores = {
        name: score(held_out[last].labels, _fitted(name, before, strands)(held_out[last]))
        for name in BASELINES
    }
    # Labels that are swapped in train show best to what has seen no others.
    kmer = _fitted("kmer", train, strands)
    aurocs = {
        part: (score(data.labels, kmer(data))["auroc"], *_counts(data))
        for part, data in held_out.items()
    }
    return Trivial(scores, last, aurocs)


def _fitted(name: str, data: SequenceDataset, strands: str | None) -> Logits:
    return BASELINES[name](data, np.random.default_rng(SEED), strands)


def _counts(part: SequenceDataset) -> tuple[int, int]:
    """Count positives and negatives; (0, 0) where a class is missing."""
    n = int((part.labels == 1).sum())
    return (n, len(part) - n) if 0 < n < len(part) else (0, 0)
