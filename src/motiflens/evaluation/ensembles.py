"""Held-out scores of the ensemble of a model's seeds, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec import UNSET, UnsetType, convert
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from motiflens.datasets import SequenceDataset, homology_groups
from motiflens.evaluation.folds import OutOfFold, cross_validate
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
    out_of_fold: Mapping[str, OutOfFold] | None = None,
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
    out_of_fold
        Of each model in cross-validation: it chooses the threshold, and is what is scored where no
        test split is apart.

    Raises
    ------
    InputError
        If a class is missing.
    """
    held_out = out_of_fold or {}
    return {
        name: _evaluate(replicas, TestSplit(test, groups, prevalence), seed, held_out.get(name))
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


def _evaluate(
    replicas: Sequence[Trained], test: TestSplit, seed: int, held_out: OutOfFold | None
) -> EnsembleScores:
    labels, valid, groups = _validation(replicas, held_out)
    generator = np.random.default_rng(seed)
    threshold, choice = _choose(labels, valid, groups, np.random.default_rng(seed))
    crossed = None if held_out is None else cross_validate(held_out, seed)
    calibration = calibrate(labels, valid)
    if held_out is not None and crossed is not None and held_out.is_all:
        own = [held_out.of_member(i, one.job.fold or 0) for i, one in enumerate(replicas)]
        joined, scored = held_out.joined, crossed.pooled
        others = held_out.by_others
        probable = others.slope * joined + others.bias
    else:
        own = [(test.dataset.labels, predict_trained(one, test.dataset)) for one in replicas]
        joined = np.mean([logits for _, logits in own], axis=0)
        scored = convert(test.score(joined, threshold, generator), HeldOutScores)
        probable = joined if calibration is None else _line(calibration, joined)
    truth = test.dataset.labels
    return EnsembleScores(
        test=scored,
        threshold=threshold,
        seeds=tuple(_alone(one, *pair, threshold) for one, pair in zip(replicas, own, strict=True)),
        curves=convert(curve_points(truth, joined), Curves),
        calibration=calibration,
        calibrated=None if calibration is None else _calibrated(truth, probable),
        choice=choice,
        at_prevalence=_at_prevalence(test, joined, generator),
        cross_validation=crossed or UNSET,
    )


def _alone(trained: Trained, labels: ArrayLike, logits: Floats, threshold: float) -> SeedHeldOut:
    fold, scores = trained.job.fold, measure(labels, logits, threshold=threshold)
    return SeedHeldOut(seed=trained.seed, fold=UNSET if fold is None else fold, **scores)


def _validation(
    replicas: Sequence[Trained], held_out: OutOfFold | None
) -> tuple[Floats, Floats, Ints | None]:
    """Return labels, mean logits and groups (n,) of what chooses a threshold.

    In cross-validation that is all that is in folds. Else the rows are those of the data's
    validation split, or held out in the same way of all seeds, and logits as before any refit.
    """
    if held_out is not None:
        return np.asarray(held_out.dataset.labels, float), held_out.joined, held_out.groups
    known = [one.valid for one in replicas if one.valid is not None]
    if not known:
        return np.zeros(0), np.zeros(0), None
    return known[0].labels, np.mean([one.logits for one in known], axis=0), None


def _choose(
    labels: Floats, logits: Floats, groups: Ints | None, generator: np.random.Generator
) -> tuple[float, ThresholdChoice | None]:
    """Choose the threshold on validation rows, and say how sure it is; 0 without both classes."""
    if len(np.unique(labels)) < 2:
        return 0.0, None
    threshold = choose_threshold(labels, logits)
    found = assess_threshold(labels, logits, generator, groups)
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


def _line(calibration: Calibration, logits: Floats) -> Floats:
    return calibration.slope * logits + calibration.bias


def _calibrated(labels: ArrayLike, calibrated: Floats) -> CalibratedScores:
    """Score calibrated probabilities, given as logits (N,)."""
    scores = measure(labels, calibrated, threshold=0.0)
    x, y, n = (tuple(column.tolist()) for column in reliability_points(labels, calibrated))
    return CalibratedScores(
        brier=scores["brier"], ece=scores["ece"], reliability=Reliability(x=x, y=y, n=n)
    )
