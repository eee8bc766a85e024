"""Held-out scores of the ensemble of a model's seeds, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import convert
from numpy.typing import NDArray

from motiflens.datasets import SequenceDataset, homology_groups
from motiflens.metrics import choose_threshold, curve_points, ensemble_logits, evaluate, measure
from motiflens.results.scores import (
    Curves,
    EnsembleScores,
    GroupCounts,
    HeldOutScores,
    SeedHeldOut,
)
from motiflens.training import Trained, predict_trained

#: Test splits of more sequences are not grouped: shared 31-mers take minutes and gigabytes to find.
MAX_GROUPED = 200_000

Ints = NDArray[np.int64]


def independent_groups(test: SequenceDataset) -> Ints | None:
    """Return the homology group (N,) of each test sequence; None of more than 200,000."""
    return homology_groups(test) if len(test) <= MAX_GROUPED else None


def count_groups(test: SequenceDataset, groups: Ints | None) -> GroupCounts | None:
    """Count the groups that hold a positive, those that hold a negative, and all; None for none."""
    if groups is None:
        return None
    positive = test.labels > 0
    return GroupCounts(
        positives=len(np.unique(groups[positive])),
        negatives=len(np.unique(groups[~positive])),
        groups=len(np.unique(groups)),
    )


def evaluate_ensembles(
    trained: Mapping[str, Sequence[Trained]],
    test: SequenceDataset,
    *,
    seed: int,
    groups: Ints | None = None,
) -> dict[str, EnsembleScores]:
    """Score the ensemble of each model's seeds on the test split, and each seed alone.

    Parameters
    ----------
    trained
        Model → its replicas.
    test
        Both classes.
    seed
        Of the bootstrap.
    groups
        Those of the test split that are not independent (see :func:`independent_groups`).

    Raises
    ------
    InputError
        If a class is missing.
    """
    return {name: _evaluate(replicas, test, seed, groups) for name, replicas in trained.items()}


def _evaluate(
    replicas: Sequence[Trained], test: SequenceDataset, seed: int, groups: Ints | None
) -> EnsembleScores:
    threshold = _threshold(replicas)
    logits = [predict_trained(one, test) for one in replicas]
    joined = ensemble_logits(logits)
    generator = np.random.default_rng(seed)
    scores = evaluate(test.labels, joined, threshold=threshold, generator=generator, groups=groups)
    seeds = [
        {"seed": one.seed, **measure(test.labels, alone, threshold=threshold)}
        for one, alone in zip(replicas, logits, strict=True)
    ]
    return EnsembleScores(
        test=convert(scores, HeldOutScores),
        threshold=threshold,
        seeds=convert(seeds, tuple[SeedHeldOut, ...]),
        curves=convert(curve_points(test.labels, joined), Curves),
    )


def _threshold(replicas: Sequence[Trained]) -> float:
    """Choose on the validation split, by the models as they were before any refit."""
    first = replicas[0].valid
    if first is None or len(np.unique(first.labels)) < 2:
        return 0.0
    members = [one.valid.logits for one in replicas if one.valid is not None]
    return choose_threshold(first.labels, ensemble_logits(members))
