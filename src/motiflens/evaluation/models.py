"""Compare models honestly: the same split for all, every score with its spread over seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import UNSET

from motiflens.cluster import Engine
from motiflens.datasets import SequenceDataset
from motiflens.evaluation.ensembles import Ints, independent_groups
from motiflens.evaluation.folds import BOUNDS, OutOfFold, out_of_fold
from motiflens.metrics import intervals
from motiflens.metrics.scores import epochs_to_target, score
from motiflens.results.comparison import (
    Comparison,
    Difference,
    EpochsToTarget,
    ModelScores,
    ScoreSummary,
    SeedScores,
    TrainingSize,
)
from motiflens.results.scores import MeanOfSeeds, Scores
from motiflens.results.timings import TrainingTime
from motiflens.training import Job, Trained, predict_trained, single_intra_op_thread, train_all
from motiflens.training.distillation import distil


@dataclass(frozen=True)
class Sized:
    """A point of a model's learning curve: how many training sequences, and the trained seeds."""

    n_train: int
    model: str
    replicas: Sequence[Trained]


@dataclass(frozen=True)
class Compared:
    """What a comparison found.

    Parameters
    ----------
    comparison
        Without baselines; the same for the same seed.
    training
        What the training of each model took.
    trained
        The models trained on all training sequences, by name, in the order of the seeds; of folds,
        fold after fold.
    test_groups
        (N,) the test sequences that are not independent have one number, see
        :func:`motiflens.evaluation.ensembles.independent_groups`; None where none were looked for.
    out_of_fold
        Of each model in cross-validation; else empty.
    """

    comparison: Comparison
    training: dict[str, TrainingTime]
    trained: dict[str, list[Trained]]
    test_groups: Ints | None = None
    out_of_fold: Mapping[str, OutOfFold] = field(default_factory=dict)


def compare(
    dataset: SequenceDataset,
    jobs: Sequence[Job],
    *,
    sizes: Sequence[int] = (),
    size_seeds: int | None = None,
    target: float | None = 0.95,
    threads: int | None = None,
    device: str = "cpu",
    advance: Callable[[int], None] | None = None,
    checkpoint: Path | None = None,
    engine: Engine | None = None,
) -> Compared:
    """Train models with several seeds and training sizes and score them on one test split.

    Parameters
    ----------
    dataset
        With a split that holds a test split of both classes.
    jobs
        One an architecture, all with the same seeds; the test split is the same for all. Or those
        of :func:`motiflens.evaluation.folds.fold_jobs`. The distilled network, with one seed,
        learns what all the others say together.
    sizes
        Training sizes of the learning curves; the whole training split is added as the last.
    size_seeds
        Use only the first seeds for the learning curves; None for all.
    target
        Test accuracy whose first epoch is reported; None where no epoch looks at the test split.
    threads, device, advance, checkpoint, engine
        As in :func:`motiflens.training.train_all`.

    Raises
    ------
    InputError
        If a model is unknown, a size is too large, or a class is missing from the test split.
    """
    alone = [job for job in jobs if not job.is_distilled]
    full_runs, points = train_models(
        dataset,
        alone,
        curve_jobs(alone, sizes, size_seeds),
        threads=threads,
        device=device,
        advance=advance,
        checkpoint=checkpoint,
        engine=engine,
    )
    for job in jobs:
        if job.is_distilled:
            student = distil(
                dataset,
                [one for group in full_runs.values() for one in group],
                job,
                device=device,
                advance=advance,
                checkpoint=checkpoint and checkpoint / job.architecture,
            )
            full_runs[job.architecture] = [student]
    test = dataset.part("test")
    with single_intra_op_thread():
        at_sizes = [(p.n_train, p.model, _score_curve(p.replicas, test)) for p in points]
    compared = compare_trained(dataset, full_runs, at_sizes, target)
    return replace(compared, training={m: timing_of(g, target) for m, g in full_runs.items()})


def train_models(
    dataset: SequenceDataset, jobs: Sequence[Job], curves: Sequence[Job], **options: Any
) -> tuple[dict[str, list[Trained]], list[Sized]]:
    """Train models, by name, and the points of their learning curves, all at once.

    The options are those of :func:`motiflens.training.train_all`.
    """
    trained = train_all(dataset, [*jobs, *curves], **options)
    own, later = trained[: len(jobs)], trained[len(jobs) :]
    full_runs: dict[str, list[Trained]] = {}
    for job, group in zip(jobs, own, strict=True):
        full_runs.setdefault(job.architecture, []).extend(group)
    points = [
        Sized(job.n_train or 0, job.architecture, group)
        for job, group in zip(curves, later, strict=True)
    ]
    return full_runs, points


def compare_trained(
    dataset: SequenceDataset,
    full_runs: Mapping[str, list[Trained]],
    at_sizes: Sequence[tuple[int, str, tuple[SeedScores, ...]]] = (),
    target: float | None = None,
) -> Compared:
    """Score models that are there on the test split of a data set.

    Parameters
    ----------
    dataset
        As of :func:`compare`.
    full_runs
        Name → seeds, trained on all training sequences, or elsewhere.
    at_sizes
        Points of the learning curves: training sequences, name of the model, scores of its seeds.
    target
        As of :func:`compare`.
    """
    test, held_out = dataset.part("test"), dict[str, OutOfFold]()
    with single_intra_op_thread():
        if dataset.folds is not None:
            held_out = out_of_fold(dataset, full_runs, independent_groups(dataset))
        if held_out and (first := next(iter(held_out.values()))).is_all:
            test, groups = first.dataset, first.groups
            scores = {
                name: intervals.seed_scores(test.labels, list(one.logits))
                for name, one in held_out.items()
            }
            values = {name: _own_folds(held_out[name], group) for name, group in full_runs.items()}
        else:
            groups = independent_groups(test)
            scores = {name: _score_seeds(group, test) for name, group in full_runs.items()}
            values = {
                name: [scores[name].of_seed(i) for i in range(len(group))]
                for name, group in full_runs.items()
            }
    by_model = {
        name: _model_results(
            group[0],
            tuple(_row(*pair, target) for pair in zip(group, values[name], strict=True)),
            [(size, rows) for size, name_, rows in at_sizes if name_ == name],
        )
        for name, group in full_runs.items()
    }
    over_seeds = ("seeds",) if max(map(len, full_runs.values())) > 1 else ()
    comparison = Comparison(
        target=target,
        n_train=len(dataset) - int(np.count_nonzero(dataset.split == "test")),
        n_test=len(test),
        models=by_model,
        differences=_differences(scores, test, groups),
        differences_cover=(*over_seeds, "test sequences"),
        baselines={},
    )
    return Compared(comparison, {}, dict(full_runs), groups, held_out)


def _own_folds(held_out: OutOfFold, group: Sequence[Trained]) -> list[dict[str, float]]:
    """Score each model on the fold that it was held out of."""
    return [score(*held_out.of_member(index, one.job.fold or 0)) for index, one in enumerate(group)]


def curve_jobs(
    jobs: Sequence[Job], sizes: Sequence[int], size_seeds: int | None = None
) -> list[Job]:
    """Return the jobs of the learning curves, of the first seeds of each of ``jobs``."""
    return [
        replace(job, seeds=job.seeds[:size_seeds], n_train=size, watch_test=False)
        for job in jobs
        for size in sizes
    ]


def _model_results(
    replica: Trained,
    full: tuple[SeedScores, ...],
    curve: Sequence[tuple[int, tuple[SeedScores, ...]]],
) -> ModelScores:
    """Return the scores of a model's seeds, and its learning curve, which ends with all data."""
    points = [*curve, (replica.n_train + replica.n_valid, full)] if curve else []
    return ModelScores(
        parameters=replica.n_parameters,
        seeds=full,
        summary=_summary(full),
        sizes=tuple(
            TrainingSize(n_train=n_train, seeds=scores, summary=_summary(scores))
            for n_train, scores in points
        ),
    )


def _score_seeds(group: Sequence[Trained], test: SequenceDataset) -> intervals.SeedScores:
    return intervals.seed_scores(test.labels, [predict_trained(one, test) for one in group])


def _score_curve(group: Sequence[Trained], test: SequenceDataset) -> tuple[SeedScores, ...]:
    """Return the rows of a smaller training size, whose epochs did not look at the test split."""
    return tuple(_row(one, score(test.labels, predict_trained(one, test)), None) for one in group)


def _row(trained: Trained, scores: dict[str, float], target: float | None) -> SeedScores:
    accuracies = [epoch.test_accuracy or 0.0 for epoch in trained.history]
    reached = None if target is None else epochs_to_target(accuracies, target)
    return SeedScores(
        seed=trained.seed,
        test=Scores(**scores),
        epochs_to_target=reached,
        best_epoch=trained.best_epoch,
        epochs=len(trained.history),
        fold=UNSET if trained.job.fold is None else trained.job.fold,
    )


def mean_of_seeds(values: Sequence[float], bounds: tuple[float, float]) -> dict[str, Any]:
    """Return a mean with its 95 % t-interval; None for the ends where one seed shows no spread."""
    interval = intervals.mean_interval(values, bounds=bounds)._asdict()
    return interval if len(values) > 1 else {**interval, "low": None, "high": None}


def _summary(seeds: Sequence[SeedScores]) -> ScoreSummary:
    """Summarise seeds; epochs over those that reached the target.

    The replicas of a learning curve do not watch the test split, and have no such epochs.
    """
    means = {
        metric: MeanOfSeeds(**mean_of_seeds([getattr(s.test, metric) for s in seeds], bounds))
        for metric, bounds in BOUNDS.items()
    }
    reached = [s.epochs_to_target for s in seeds if s.epochs_to_target is not None]
    epochs = EpochsToTarget(mean=None, low=None, high=None, n=0)
    if reached:
        mean = mean_of_seeds(reached, (1.0, float("inf")))
        epochs = EpochsToTarget(**mean, median=float(np.median(reached)))
    return ScoreSummary(**means, epochs_to_target=epochs)


def _differences(
    scores: dict[str, intervals.SeedScores], test: SequenceDataset, groups: Ints | None
) -> tuple[Difference, ...]:
    """Compare each pair of models, a minus b, over the same seeds and test sequences."""
    rows = []
    for a, b in combinations(scores, 2):
        if scores[a].n_seeds != scores[b].n_seeds:  # the distilled one has one
            continue
        differences = intervals.paired_difference(test.labels, scores[a], scores[b], groups)
        means = {metric: MeanOfSeeds(**differences[metric]._asdict()) for metric in BOUNDS}
        rows.append(Difference(a=a, b=b, **means))
    return tuple(rows)


def timing_of(group: Sequence[Trained], target: float | None = None) -> TrainingTime:
    """Say what the training of a model's seeds took."""
    seconds = sum(one.seconds for one in group)
    epochs = sum(len(one.history) for one in group)
    to_target = {}
    for one in group:
        reached = (
            epoch.seconds
            for epoch in one.history
            if target is not None and (epoch.test_accuracy or 0.0) >= target
        )
        to_target[str(one.seed)] = next(reached, None)
    return TrainingTime(
        seconds=seconds,
        seeds=len(group),
        epochs=epochs,
        seconds_per_epoch_and_seed=seconds / epochs,
        seconds_to_target=to_target,
    )
