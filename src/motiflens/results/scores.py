"""``metrics.json``: what models score."""

from __future__ import annotations

import msgspec

from motiflens.results.base import File, Part


class Scores(Part, frozen=True, kw_only=True):
    """Scores on the test split."""

    accuracy: float
    auroc: float
    auprc: float
    mcc: float


class MeanOfSeeds(Part, frozen=True, kw_only=True):
    """A mean over ``n`` seeds with its 95 % interval; None where there is no mean, or one seed."""

    mean: float | None
    low: float | None
    high: float | None
    n: int


class Estimate(Part, frozen=True, kw_only=True):
    """A score with its 95 % interval over test sequences."""

    value: float
    low: float
    high: float


class HeldOutScores(Part, frozen=True, kw_only=True):
    """What the ensemble of a model's seeds scores on the test split.

    ``ece`` is the expected calibration error, ``recall_at_fdr10`` the recall at a false discovery
    rate of 10 %.
    """

    auroc: Estimate
    auprc: Estimate
    mcc: Estimate
    accuracy: Estimate
    brier: Estimate
    ece: Estimate
    recall_at_fdr10: Estimate


class SeedHeldOut(Part, frozen=True, kw_only=True):
    """The same scores of one seed; ``fold`` as of `SeedScores`."""

    seed: int
    auroc: float
    auprc: float
    mcc: float
    accuracy: float
    brier: float
    ece: float
    recall_at_fdr10: float
    fold: int | msgspec.UnsetType = msgspec.UNSET


class Curve(Part, frozen=True, kw_only=True):
    """Points of a curve."""

    x: tuple[float, ...]
    y: tuple[float, ...]


class Reliability(Curve, frozen=True, kw_only=True):
    """Mean probability ``x`` and fraction of positives ``y`` in bins of ``n`` sequences."""

    n: tuple[int, ...]


class Curves(Part, frozen=True, kw_only=True):
    """``roc``: false-positive rate and recall; ``pr``: recall and precision; ``reliability``."""

    roc: Curve
    pr: Curve
    reliability: Reliability


class Calibration(Part, frozen=True, kw_only=True):
    """From a mean logit z of seeds to a probability, the logistic function of slope · z + bias.

    Parameters
    ----------
    slope, bias
        Fitted to validation sequences, which trained none of the seeds that score them (Platt,
        Advances in Large Margin Classifiers, 1999, with his prior on the labels).
    n_positives, n_negatives
        Those sequences.
    """

    slope: float
    bias: float
    n_positives: int
    n_negatives: int

    @property
    def prevalence(self) -> float:
        """The fraction of those sequences that is positive."""
        return self.n_positives / (self.n_positives + self.n_negatives)


class CalibratedScores(Part, frozen=True, kw_only=True):
    """What calibrated probabilities score on the test split, as those of ``test`` do."""

    brier: float
    ece: float
    reliability: Reliability


class ThresholdChoice(Part, frozen=True, kw_only=True):
    """How a threshold was chosen on validation sequences, and how sure that is.

    Parameters
    ----------
    probability
        Calibrated, at the threshold.
    low, high
        The 95 % interval of the threshold (logit) over validation sequences; None at an end that so
        few sequences leave open.
    expected_mcc
        Of validation sequences; the interval tries thresholds on sequences that did not choose
        them.
    n_positives, n_negatives
        Those sequences.
    """

    probability: float
    low: float | None
    high: float | None
    expected_mcc: Estimate
    n_positives: int
    n_negatives: int


class ScoresAtPrevalence(Part, frozen=True, kw_only=True):
    """Calls that use the known fraction of positives of what is scored (``--prevalence``).

    Parameters
    ----------
    prevalence
        That fraction.
    threshold
        Logit above which that fraction of the test sequences lies, their labels unseen.
    mcc, accuracy
        Of these calls.
    """

    prevalence: float
    threshold: float
    mcc: Estimate
    accuracy: Estimate


class FoldScores(Part, frozen=True, kw_only=True):
    """What the seeds that were held out of a fold score on it together."""

    fold: int
    n_positives: int
    n_negatives: int
    test: HeldOutScores


class MeanOfFolds(Part, frozen=True, kw_only=True):
    """Means over the scores of the folds; their ``n`` is the number of folds."""

    mcc: MeanOfSeeds
    auroc: MeanOfSeeds
    auprc: MeanOfSeeds
    accuracy: MeanOfSeeds


class CrossValidation(Part, frozen=True, kw_only=True):
    """Scores of ``--folds``: every sequence by the models that were trained without its fold.

    Parameters
    ----------
    pooled
        The out-of-fold logits of all folds ranked together.
    mean
        Each fold scored by itself, and the mean taken.
    folds
        Each of them.
    is_test
        Whether ``pooled`` is what ``test`` of the model is, as no test split is apart.

    Notes
    -----
    Calls in a fold, pooled or not, are those above the threshold that the other folds choose.
    """

    pooled: HeldOutScores
    mean: MeanOfFolds
    folds: tuple[FoldScores, ...]
    is_test: bool


class EnsembleScores(Part, frozen=True, kw_only=True):
    """The mean logit of a model's seeds on the test split.

    Parameters
    ----------
    test, seeds
        Of the ensemble, and of each seed alone.
    threshold
        Logit above which a sequence is called positive, chosen on the validation split; 0 without.
    curves
        Of the ensemble.
    calibration
        None where too few validation sequences could fit one; absent in older runs.
    calibrated
        None and absent where ``calibration`` is.
    choice
        How the threshold was chosen; None where there are no validation sequences of both classes,
        absent in older runs.
    at_prevalence
        Absent where no prevalence was given.
    cross_validation
        Absent without ``--folds``. Where it is there, the threshold and the calibration are of the
        out-of-fold logits of all sequences in folds; and where no test split is apart from them,
        ``test``, ``curves`` and ``calibrated`` are out-of-fold, the latter by the other folds.
    """

    test: HeldOutScores
    threshold: float
    seeds: tuple[SeedHeldOut, ...]
    curves: Curves
    calibration: Calibration | msgspec.UnsetType | None = msgspec.UNSET
    calibrated: CalibratedScores | msgspec.UnsetType | None = msgspec.UNSET
    choice: ThresholdChoice | msgspec.UnsetType | None = msgspec.UNSET
    at_prevalence: ScoresAtPrevalence | msgspec.UnsetType = msgspec.UNSET
    cross_validation: CrossValidation | msgspec.UnsetType = msgspec.UNSET


class GroupCounts(Part, frozen=True, kw_only=True):
    """Homology groups of the test split with a positive, with a negative, and all."""

    positives: int
    negatives: int
    groups: int


class Metrics(File, frozen=True, kw_only=True):
    """``metrics.json``.

    Parameters
    ----------
    models
        By name.
    baselines
        Baseline → scores.
    negatives
        The negative set: ``given``, ``shuffle``, ``matched`` or a file.
    test_groups
        Groups that count once in all intervals; None where none were looked for.
    """

    models: dict[str, EnsembleScores]
    baselines: dict[str, Scores]
    negatives: str
    test_groups: GroupCounts | None = None
