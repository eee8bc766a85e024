"""Negatives that a model takes for positives, explained for the page beside the positives."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from torch import nn

from motiflens.attribution import attribute
from motiflens.datasets import SequenceDataset
from motiflens.models.calling import evaluating, logits_in_batches
from motiflens.progress import Advance, Within
from motiflens.results.tracks import best_validated
from motiflens.runs import Run
from motiflens.stages.stage import of_test

#: Explained negatives, as a fraction of the explained positives.
NEGATIVES = 1 / 8
#: Negatives of the test split that they are chosen from, at most, and how many are scored at once.
MAX_SCORED, AT_ONCE = 10_000, 1000


def highest_negatives(run: Run, n_positives: int) -> SequenceDataset:
    """Return the negatives of the test split that the best model takes most for positives.

    They have the highest logits by its first seed, of at most ``MAX_SCORED`` spread evenly over the
    data; the highest first, an eighth as many as the positives.
    """
    negatives, best = of_test(run.in_classes, 0, MAX_SCORED), best_validated(run.results)
    if best is None or not len(negatives):
        return negatives.subset([])
    order = np.argsort(-_logits(run.model(best), negatives), kind="stable")
    return negatives.subset(order[: math.ceil(NEGATIVES * n_positives)])


def explain_negatives(
    run: Run,
    name: str,
    negatives: SequenceDataset,
    methods: Iterable[str],
    advance: Advance,
) -> tuple[float, ...] | None:
    """Write what methods say of the negatives; return their logits, None where there are none."""
    if not len(negatives):
        return None
    model = run.model(name)
    for method in methods:
        found = attribute(model, negatives.one_hot(), method, progress=Within(advance))
        path = run.results.path_of("negative_attributions", model=name, method=method)
        path.parent.mkdir(exist_ok=True)
        found.save(path, negatives.names.tolist())
    return rounded_logits(model, negatives)


def rounded_logits(model: nn.Module, sequences: SequenceDataset) -> tuple[float, ...]:
    """Return the logits of sequences, to the six digits that ``checks.json`` keeps."""
    return tuple(float(f"{z:.6g}") for z in _logits(model, sequences))


def _logits(model: nn.Module, sequences: SequenceDataset) -> NDArray[np.float64]:
    """Return the logits (N,) of the first target, of ``AT_ONCE`` sequences at once."""
    rows = np.arange(len(sequences))
    blocks = [rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE)]
    with evaluating(model):
        logits = [logits_in_batches(model, sequences.subset(b).one_hot(), 0) for b in blocks]
    return np.concatenate(logits)
