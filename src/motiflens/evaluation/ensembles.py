"""Held-out scores of the ensemble of a model's seeds, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import convert
from numpy.typing import ArrayLike, NDArray

from motiflens.datasets import SequenceDataset, homology_groups
from motiflens.metrics import (
    choose_threshold,
    curve_points,
    ensemble_logits,
    evaluate,
    fit_platt,
    measure,
    reliability_points,
)
from motiflens.results.scores import (
    CalibratedScores,
    Calibration,
    Curves,
    EnsembleScores,
    GroupCounts,
    HeldOutScores,
    Reliability,
    SeedHeldOut,
)
from motiflens.training import Trained, predict_trained

#: Test splits of more sequences are not grouped: shared 31-mers take minutes and gigabytes to find.
MAX_GROUPED = 200_000

#: Fewer validation sequences of a class fit no calibration: a line through them says little.
MIN_CALIBRATING = 20

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


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
    valid = _validation(replicas)
    threshold = _threshold(*valid)
    calibration = calibrate(*valid)
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
        calibration=calibration,
        calibrated=_calibrated(calibration, test.labels, np.mean(logits, axis=0)),
    )


def _validation(replicas: Sequence[Trained]) -> tuple[Floats, list[Floats]]:
    """Return labels (n,) and the logits (n,) of every seed, as they were before any refit.

    The rows are those of the data's validation split, or held out in the same way of all seeds.
    """
    known = [one.valid for one in replicas if one.valid is not None]
    return (known[0].labels if known else np.zeros(0)), [one.logits for one in known]


def _threshold(labels: Floats, logits: Sequence[Floats]) -> float:
    if len(np.unique(labels)) < 2:
        return 0.0
    return choose_threshold(labels, ensemble_logits(logits))


def calibrate(labels: Floats, logits: Sequence[Floats]) -> Calibration | None:
    """Fit probabilities to the mean logit of seeds; None for fewer than 20 rows of a class.

    Parameters
    ----------
    labels
        (n,) of 0 and 1, of validation rows.
    logits
        Those (n,) of every seed.
    """
    n_positives = int((labels > 0).sum())
    n_negatives = len(labels) - n_positives
    if min(n_positives, n_negatives) < MIN_CALIBRATING:
        return None
    slope, bias = fit_platt(labels, np.mean(logits, axis=0))
    return Calibration(slope=slope, bias=bias, n_positives=n_positives, n_negatives=n_negatives)


def _calibrated(
    calibration: Calibration | None, labels: ArrayLike, logits: Floats
) -> CalibratedScores | None:
    if calibration is None:
        return None
    calibrated = calibration.slope * logits + calibration.bias
    scores = measure(labels, calibrated, threshold=0.0)
    x, y, n = (tuple(column.tolist()) for column in reliability_points(labels, calibrated))
    return CalibratedScores(
        brier=scores["brier"], ece=scores["ece"], reliability=Reliability(x=x, y=y, n=n)
    )
