"""Held-out scores of models that predict numbers, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import convert

from motiflens.datasets import SequenceDataset
from motiflens.evaluation.ensembles import Floats, Ints
from motiflens.evaluation.models import Sized, mean_of_seeds
from motiflens.metrics import evaluate_numbers, measure_numbers
from motiflens.metrics.regression import REGRESSION_METRICS
from motiflens.results.regression import (
    Labels,
    Regression,
    RegressionDifference,
    RegressionModel,
    RegressionScores,
    RegressionSize,
    SeedRegression,
)
from motiflens.results.scores import MeanOfSeeds
from motiflens.sequences import evenly
from motiflens.training import Trained, predict_trained

#: Test sequences whose labels and predictions are kept, to be drawn.
N_DRAWN = 500


def evaluate_regression(
    trained: Mapping[str, Sequence[Trained]],
    dataset: SequenceDataset,
    *,
    seed: int,
    baselines: Mapping[str, Floats],
    groups: Ints | None = None,
    at_sizes: Sequence[Sized] = (),
) -> Regression:
    """Score models that predict numbers on the test split of a data set, beside baselines.

    Parameters
    ----------
    trained
        Model → its replicas.
    dataset
        With a test split.
    seed
        Of the bootstrap.
    baselines
        Baseline → what it predicts for the test split, (N,).
    groups
        Those of the test split that are not independent (see
        :func:`motiflens.evaluation.ensembles.independent_groups`).
    at_sizes
        Points of the learning curves.

    Raises
    ------
    InputError
        If all test labels are equal.
    """
    test = dataset.part("test")
    alone = {name: [predict_trained(r, test) for r in own] for name, own in trained.items()}
    joined: dict[str, Floats] = {name: np.mean(own, axis=0) for name, own in alone.items()}
    # A baseline may have the name of a model.
    named = {**joined, **{f"baseline {name}": values for name, values in baselines.items()}}
    scores, differences = evaluate_numbers(
        test.labels, named, generator=np.random.default_rng(seed), groups=groups
    )
    drawn = evenly(len(test), N_DRAWN)
    models = {
        name: RegressionModel(
            parameters=replicas[0].n_parameters,
            test=convert(scores[name], RegressionScores),
            seeds=tuple(_seed(r, test, v) for r, v in zip(replicas, alone[name], strict=True)),
            sizes=_curve(replicas, test, [s for s in at_sizes if s.model == name], alone[name]),
            predicted=tuple(joined[name][drawn].tolist()),
        )
        for name, replicas in trained.items()
    }
    return Regression(
        n_train=len(dataset) - len(test),
        n_test=len(test),
        test_groups=None if groups is None else len(np.unique(groups)),
        labels=_labels(dataset.part("train")),
        models=models,
        baselines={b: convert(scores[f"baseline {b}"], RegressionScores) for b in baselines},
        differences=tuple(
            convert({"a": a, "b": b, **found}, RegressionDifference)
            for (a, b), found in differences.items()
            if a in trained and b in trained
        ),
        measured=tuple(test.labels[drawn].tolist()),
    )


def _labels(train: SequenceDataset) -> Labels:
    y = train.labels.astype(np.float64)
    return Labels(
        least=float(y.min()), largest=float(y.max()), mean=float(y.mean()), sd=float(y.std())
    )


def _seed(replica: Trained, test: SequenceDataset, predicted: Floats) -> SeedRegression:
    return SeedRegression(
        seed=replica.seed,
        best_epoch=replica.best_epoch,
        epochs=len(replica.history),
        **measure_numbers(test.labels, predicted),
    )


def _curve(
    full: Sequence[Trained], test: SequenceDataset, points: Sequence[Sized], alone: list[Floats]
) -> tuple[RegressionSize, ...]:
    """Return the learning curve of a model, which ends with all data; empty without points."""
    if not points:
        return ()
    values = [(p.n_train, [predict_trained(r, test) for r in p.replicas]) for p in points]
    values.append((full[0].n_train + full[0].n_valid, alone))
    return tuple(_size(n_train, test, predicted) for n_train, predicted in values)


def _size(n_train: int, test: SequenceDataset, predicted: Sequence[Floats]) -> RegressionSize:
    scores = [measure_numbers(test.labels, values) for values in predicted]
    bounds = {"pearson": (-1.0, 1.0), "spearman": (-1.0, 1.0), "r2": (-np.inf, 1.0)}
    means = {
        metric: MeanOfSeeds(**mean_of_seeds([one[metric] for one in scores], bounds[metric]))
        for metric in REGRESSION_METRICS
    }
    return RegressionSize(n_train=n_train, **means)
