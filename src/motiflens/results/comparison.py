"""``comparison.json``: models x seeds x training sizes, and how far models differ."""

from __future__ import annotations

import msgspec

from motiflens.results.base import File, Part
from motiflens.results.scores import MeanOfSeeds, Scores


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
    fold
        In cross-validation the fold that it was held out of, which is also what it is scored on
        where no test split is apart; else absent.
    """

    seed: int
    test: Scores
    epochs_to_target: int | None
    best_epoch: int
    epochs: int | None = None
    fold: int | msgspec.UnsetType = msgspec.UNSET


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
