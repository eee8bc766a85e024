"""``comparison.json``, ``metrics.json``, ``crossing.json``: what models score."""

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


class EpochsToTarget(MeanOfSeeds, frozen=True, kw_only=True):
    """Epochs, counted from 1, over the ``n`` seeds that reached the target."""

    median: float | None = None


class SeedScores(Part, frozen=True, kw_only=True):
    """One seed of a model.

    Parameters
    ----------
    seed, test
        Its number and its scores.
    epochs_to_target
        First epoch, from 1, with the target accuracy on the test split; None where it has none.
    best_epoch, epochs
        The epoch whose weights are kept, and the number of epochs.
    """

    seed: int
    test: Scores
    epochs_to_target: int | None
    best_epoch: int
    epochs: int | None = None


class ScoreSummary(Part, frozen=True, kw_only=True):
    """Means over seeds."""

    accuracy: MeanOfSeeds
    auroc: MeanOfSeeds
    auprc: MeanOfSeeds
    mcc: MeanOfSeeds
    epochs_to_target: EpochsToTarget


class TrainingSize(Part, frozen=True, kw_only=True):
    """A point of a learning curve: ``n_train`` sequences to learn from."""

    n_train: int
    seeds: tuple[SeedScores, ...]
    summary: ScoreSummary


class ModelScores(Part, frozen=True, kw_only=True):
    """One model.

    Parameters
    ----------
    parameters
        Number of weights that are trained.
    seeds, summary
        Each seed, and their means.
    sizes
        The learning curve, which ends with all training sequences; empty without one.
    """

    parameters: int
    seeds: tuple[SeedScores, ...]
    summary: ScoreSummary
    sizes: tuple[TrainingSize, ...]


class Difference(Part, frozen=True, kw_only=True):
    """Scores of model ``a`` minus those of ``b``, over the same seeds and test sequences."""

    a: str
    b: str
    accuracy: MeanOfSeeds
    auroc: MeanOfSeeds
    auprc: MeanOfSeeds
    mcc: MeanOfSeeds


class Comparison(File, frozen=True, kw_only=True):
    """``comparison.json``.

    Parameters
    ----------
    target
        Test accuracy whose first epoch is reported; None where no epoch looked at the test split.
    n_train, n_test
        Sequences, those that choose the epoch among the first.
    models, differences
        By name; of each pair.
    differences_cover
        What their intervals are over: ``seeds``, ``test sequences``; empty before 0.2.
    baselines
        Baseline → scores.
    """

    target: float | None
    n_train: int
    n_test: int
    models: dict[str, ModelScores]
    differences: tuple[Difference, ...]
    differences_cover: tuple[str, ...] = ()
    baselines: dict[str, Scores]


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
    """The same scores of one seed."""

    seed: int
    auroc: float
    auprc: float
    mcc: float
    accuracy: float
    brier: float
    ece: float
    recall_at_fdr10: float


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
    """

    test: HeldOutScores
    threshold: float
    seeds: tuple[SeedHeldOut, ...]
    curves: Curves
    calibration: Calibration | msgspec.UnsetType | None = msgspec.UNSET
    calibrated: CalibratedScores | msgspec.UnsetType | None = msgspec.UNSET
    choice: ThresholdChoice | msgspec.UnsetType | None = msgspec.UNSET
    at_prevalence: ScoresAtPrevalence | msgspec.UnsetType = msgspec.UNSET


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


class RankingScores(Part, frozen=True, kw_only=True):
    """Scores that need no threshold."""

    auroc: Estimate
    auprc: Estimate


class CrossedTests(Part, frozen=True, kw_only=True):
    """Negative set that was tested on → scores."""

    tested_on: dict[str, RankingScores]


class CrossedModel(Part, frozen=True, kw_only=True):
    """Negative set that was trained against → scores."""

    trained_on: dict[str, CrossedTests]


class Crossing(File, frozen=True, kw_only=True):
    """``crossing.json``: models trained against each of the negative sets, tested on every one."""

    kinds: tuple[str, ...]
    models: dict[str, CrossedModel]
