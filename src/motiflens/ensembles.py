"""Held-out scores of the ensemble of a model's seeds, with intervals: ``metrics.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from motiflens.datasets import SequenceDataset
from motiflens.metrics import choose_threshold, curve_points, ensemble_logits, evaluate, measure
from motiflens.training import Trained
from motiflens.training.predict import predict_trained


def evaluate_ensembles(
    trained: Mapping[str, Sequence[Trained]], test: SequenceDataset, *, seed: int
) -> dict[str, Any]:
    """Score the ensemble of each model's seeds on the test part, and each seed alone.

    Parameters
    ----------
    trained
        Model → its replicas.
    test
        Both classes.
    seed
        Of the bootstrap.

    Returns
    -------
    dict
        The ``models`` of ``metrics.json``: ``test`` (metric → value, low, high), ``threshold``
        (chosen on the validation part; 0, an even chance, for models without one), ``seeds`` and
        ``curves``.

    Raises
    ------
    InputError
        If a class is missing.
    """
    return {name: _evaluate(replicas, test, seed) for name, replicas in trained.items()}


def _evaluate(replicas: Sequence[Trained], test: SequenceDataset, seed: int) -> dict[str, Any]:
    threshold = _threshold(replicas)
    logits = [predict_trained(one, test) for one in replicas]
    joined = ensemble_logits(logits)
    generator = np.random.default_rng(seed)
    return {
        "test": evaluate(test.labels, joined, threshold=threshold, generator=generator),
        "threshold": threshold,
        "seeds": [
            {"seed": one.seed, **measure(test.labels, alone, threshold=threshold)}
            for one, alone in zip(replicas, logits, strict=True)
        ],
        "curves": curve_points(test.labels, joined),
    }


def _threshold(replicas: Sequence[Trained]) -> float:
    """Choose on the validation part, by the models as they were before any refit."""
    first = replicas[0].valid
    if first is None or len(np.unique(first.labels)) < 2:
        return 0.0
    members = [one.valid.logits for one in replicas if one.valid is not None]
    return choose_threshold(first.labels, ensemble_logits(members))
