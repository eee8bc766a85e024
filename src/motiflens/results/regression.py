"""``regression.json``: how well models predict labels that are numbers."""

from __future__ import annotations

from motiflens.results.base import File, Part
from motiflens.results.scores import Estimate, MeanOfSeeds


class RegressionScores(Part, frozen=True, kw_only=True):
    """Scores on the test split, with 95 % intervals over its sequences.

    Parameters
    ----------
    pearson, spearman
        Correlation of labels and predictions, and of their ranks.
    r2
        Fraction of the variance of the labels that is explained.
    """

    pearson: Estimate
    spearman: Estimate
    r2: Estimate


class SeedRegression(Part, frozen=True, kw_only=True):
    """The same scores of one seed; the epoch whose weights are kept, and the number of epochs."""

    seed: int
    pearson: float
    spearman: float
    r2: float
    best_epoch: int
    epochs: int


class RegressionSize(Part, frozen=True, kw_only=True):
    """A point of a learning curve: ``n_train`` sequences, and means over seeds."""

    n_train: int
    pearson: MeanOfSeeds
    spearman: MeanOfSeeds
    r2: MeanOfSeeds


class RegressionModel(Part, frozen=True, kw_only=True):
    """One model.

    Parameters
    ----------
    parameters
        Number of weights that are trained.
    test
        Of the mean prediction of all seeds.
    seeds
        Of each seed alone.
    sizes
        The learning curve, which ends with all training sequences; empty without one.
    predicted
        Of the sequences in ``measured``, the mean of all seeds.
    """

    parameters: int
    test: RegressionScores
    seeds: tuple[SeedRegression, ...]
    sizes: tuple[RegressionSize, ...] = ()
    predicted: tuple[float, ...] = ()


class RegressionDifference(RegressionScores, frozen=True, kw_only=True):
    """Scores of model ``a`` minus those of ``b``, on the same test sequences."""

    a: str
    b: str


class Labels(Part, frozen=True, kw_only=True):
    """Labels of the training split: their least, largest and mean, and standard deviation."""

    least: float
    largest: float
    mean: float
    sd: float


class Regression(File, frozen=True, kw_only=True):
    """``regression.json``, in place of ``metrics.json`` and ``comparison.json``.

    Parameters
    ----------
    n_train, n_test
        Sequences, those that choose the epoch among the first.
    test_groups
        Homology groups of the test split, which count once in all intervals; None where none were
        looked for.
    labels
        What was learnt.
    models, baselines
        By name.
    differences
        Of each pair of models.
    measured
        Labels of some test sequences, spread evenly over the data.
    """

    n_train: int
    n_test: int
    test_groups: int | None
    labels: Labels
    models: dict[str, RegressionModel]
    baselines: dict[str, RegressionScores]
    differences: tuple[RegressionDifference, ...] = ()
    measured: tuple[float, ...] = ()
