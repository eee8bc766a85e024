"""Held-out scores of the ensemble of a model's seeds, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec import UNSET, UnsetType, convert
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from motiflens.datasets import SequenceDataset, homology_groups
from motiflens.metrics import (
    assess_threshold,
    choose_threshold,
    curve_points,
    evaluate,
    fit_platt,
    measure,
    reliability_points,
    threshold_of_share,
)
from motiflens.results.scores import (
    CalibratedScores,
    Calibration,
    Curves,
    EnsembleScores,
    Estimate,
    GroupCounts,
    HeldOutScores,
    Reliability,
    ScoresAtPrevalence,
    SeedHeldOut,
    ThresholdChoice,
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
    prevalence: float | None = None,
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
    prevalence
        The fraction of test sequences that is positive, where it is known beforehand: calls that
        use it are scored apart.

    Raises
    ------
    InputError
        If a class is missing.
    """
    return {
        name: _evaluate(replicas, TestSplit(test, groups, prevalence), seed)
        for name, replicas in trained.items()
    }


@dataclass(frozen=True, eq=False)
class TestSplit:
    """The sequences that models are tested on, and what is known of them."""

    dataset: SequenceDataset
    groups: Ints | None
    prevalence: float | None

    def score(
        self, logits: Floats, threshold: float, generator: np.random.Generator
    ) -> dict[str, dict[str, float]]:
        """Score logits (N,) with intervals over groups."""
        labels = self.dataset.labels
        return evaluate(
            labels, logits, threshold=threshold, generator=generator, groups=self.groups
        )


def _evaluate(replicas: Sequence[Trained], test: TestSplit, seed: int) -> EnsembleScores:
    labels, valid = _validation(replicas)
    generator = np.random.default_rng(seed)
    threshold, choice = _choose(labels, valid, np.random.default_rng(seed))
    logits = [predict_trained(one, test.dataset) for one in replicas]
    joined = np.mean(logits, axis=0)
    truth, calibration = test.dataset.labels, calibrate(labels, valid)
    seeds = [
        {"seed": one.seed, **measure(truth, alone, threshold=threshold)}
        for one, alone in zip(replicas, logits, strict=True)
    ]
    return EnsembleScores(
        test=convert(test.score(joined, threshold, generator), HeldOutScores),
        threshold=threshold,
        seeds=convert(seeds, tuple[SeedHeldOut, ...]),
        curves=convert(curve_points(truth, joined), Curves),
        calibration=calibration,
        calibrated=_calibrated(calibration, truth, joined),
        choice=choice,
        at_prevalence=_at_prevalence(test, joined, generator),
    )


def _validation(replicas: Sequence[Trained]) -> tuple[Floats, Floats]:
    """Return labels (n,) and mean logits (n,) of all seeds, as they were before any refit.

    The rows are those of the data's validation split, or held out in the same way of all seeds.
    """
    known = [one.valid for one in replicas if one.valid is not None]
    if not known:
        return np.zeros(0), np.zeros(0)
    return known[0].labels, np.mean([one.logits for one in known], axis=0)


def _choose(
    labels: Floats, logits: Floats, generator: np.random.Generator
) -> tuple[float, ThresholdChoice | None]:
    """Choose the threshold on validation rows, and say how sure it is; 0 without both classes."""
    if len(np.unique(labels)) < 2:
        return 0.0, None
    threshold = choose_threshold(labels, logits)
    found = assess_threshold(labels, logits, generator)
    slope, bias = fit_platt(labels, logits)
    n_positives = int((labels > 0).sum())
    return threshold, ThresholdChoice(
        probability=float(expit(slope * threshold + bias)),
        low=found.low,
        high=found.high,
        expected_mcc=Estimate(value=found.mcc, low=found.mcc_low, high=found.mcc_high),
        n_positives=n_positives,
        n_negatives=len(labels) - n_positives,
    )


def _at_prevalence(
    test: TestSplit, logits: Floats, generator: np.random.Generator
) -> ScoresAtPrevalence | UnsetType:
    if test.prevalence is None:
        return UNSET
    threshold = threshold_of_share(logits, test.prevalence)
    scores = test.score(logits, threshold, generator)
    return ScoresAtPrevalence(
        prevalence=test.prevalence,
        threshold=threshold,
        mcc=Estimate(**scores["mcc"]),
        accuracy=Estimate(**scores["accuracy"]),
    )


def calibrate(labels: Floats, logits: Floats) -> Calibration | None:
    """Fit probabilities to the mean logit of seeds; None for fewer than 20 rows of a class.

    Parameters
    ----------
    labels, logits
        (n,) of 0 and 1, and (n,), of validation rows.
    """
    n_positives = int((labels > 0).sum())
    n_negatives = len(labels) - n_positives
    if min(n_positives, n_negatives) < MIN_CALIBRATING:
        return None
    slope, bias = fit_platt(labels, logits)
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
