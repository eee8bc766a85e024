"""Compare models honestly: the same split for all, every score with its spread over seeds."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from motiflens.datasets import SequenceDataset
from motiflens.evaluation.ensembles import Ints, independent_groups
from motiflens.metrics import (
    METRICS,
    Interval,
    SeedScores,
    epochs_to_target,
    mean_interval,
    paired_difference,
    score,
    seed_scores,
)
from motiflens.training import Job, Trained, predict_trained, single_intra_op_thread, train_all

#: Ranges of the scores, which an interval cannot leave.
BOUNDS = {"accuracy": (0.0, 1.0), "auroc": (0.0, 1.0), "auprc": (0.0, 1.0), "mcc": (-1.0, 1.0)}


@dataclass(frozen=True)
class Comparison:
    """What a comparison found.

    Parameters
    ----------
    results
        The content of ``comparison.json`` without the baselines; the same for the same seed.
    timings
        Seconds: the content of ``timings.json``.
    trained
        The models trained on all training sequences, by name, in the order of the seeds.
    test_groups
        (N,) the test sequences that are not independent have one number, see
        :func:`motiflens.evaluation.ensembles.independent_groups`; None where none were looked for.
    """

    results: dict[str, Any]
    timings: dict[str, Any]
    trained: dict[str, list[Trained]]
    test_groups: Ints | None = None


def compare(
    dataset: SequenceDataset,
    jobs: Sequence[Job],
    *,
    sizes: Sequence[int] = (),
    size_seeds: int | None = None,
    target: float = 0.95,
    threads: int | None = None,
    device: str = "cpu",
    advance: Callable[[int], None] | None = None,
    checkpoint: Path | None = None,
) -> Comparison:
    """Train models with several seeds and training sizes and score them on one test part.

    Parameters
    ----------
    dataset
        With a split that holds a test part of both classes.
    jobs
        One an architecture, all with the same seeds; the test part is the same for all.
    sizes
        Training sizes of the learning curves; the whole training part is added as the last.
    size_seeds
        Use only the first seeds for the learning curves; None for all.
    target
        Test accuracy whose first epoch is reported.
    threads, device, advance, checkpoint
        As in :func:`motiflens.training.train_all`.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        If a model is unknown, a size is too large, or a class is missing from the test part.
    """
    curves = [
        replace(job, seeds=job.seeds[:size_seeds], n_train=size, watch_test=False)
        for job in jobs
        for size in sizes
    ]
    test = dataset.part("test")
    started = time.perf_counter()
    trained = train_all(
        dataset,
        [*jobs, *curves],
        threads=threads,
        device=device,
        advance=advance,
        checkpoint=checkpoint,
    )
    training_seconds = time.perf_counter() - started
    groups = independent_groups(test)
    own, later = trained[: len(jobs)], trained[len(jobs) :]
    full_runs = {job.architecture: group for job, group in zip(jobs, own, strict=True)}
    with single_intra_op_thread():
        scores = {name: _score_seeds(group, test) for name, group in full_runs.items()}
        at_sizes = [
            (job, _score_curve(group, test)) for job, group in zip(curves, later, strict=True)
        ]
    by_model = {
        name: _model_results(
            group[0],
            [_row(one, scores[name].of_seed(i), target) for i, one in enumerate(group)],
            [(job.n_train, rows) for job, rows in at_sizes if job.architecture == name],
        )
        for name, group in full_runs.items()
    }
    results = {
        "schema_version": 1,
        "target": target,
        "n_train": len(dataset) - len(test),
        "n_test": len(test),
        "models": by_model,
        "differences": _differences(scores, test, groups),
        "differences_cover": ["seeds"] * (len(jobs[0].seeds) > 1) + ["test sequences"],
    }
    timings = {
        "training": {name: _timing(group, target) for name, group in full_runs.items()},
        "stages": {"train": training_seconds},
    }
    return Comparison(results, timings, full_runs, groups)


def _model_results(
    replica: Trained, full: list[dict[str, Any]], curve: Sequence[tuple[int | None, Any]]
) -> dict[str, Any]:
    """Give the scores of a model's seeds, and its learning curve, which ends with all data."""
    whole = replica.n_train + replica.n_valid
    points = [*curve, (whole, full)] if curve else []
    return {
        "parameters": sum(p.numel() for p in replica.model.parameters()),
        "seeds": full,
        "summary": _summary(full),
        "sizes": [
            {"n_train": n_train, "seeds": scores, "summary": _summary(scores)}
            for n_train, scores in points
        ],
    }


def _score_seeds(group: Sequence[Trained], test: SequenceDataset) -> SeedScores:
    return seed_scores(test.labels, [predict_trained(one, test) for one in group])


def _score_curve(group: Sequence[Trained], test: SequenceDataset) -> list[dict[str, Any]]:
    """Give the rows of a smaller training size, whose epochs did not look at the test part."""
    return [
        _row(one, score(test.labels, predict_trained(one, test)), float("inf")) for one in group
    ]


def _row(trained: Trained, scores: dict[str, float], target: float) -> dict[str, Any]:
    accuracies = [epoch.test_accuracy or 0.0 for epoch in trained.history]
    return {
        "seed": trained.seed,
        "test": scores,
        "epochs_to_target": epochs_to_target(accuracies, target),
        "best_epoch": trained.best_epoch,
        "epochs": len(trained.history),
    }


def _as_json(interval: Interval) -> dict[str, float | None]:
    """Give a mean with its interval; None for the ends where one seed shows no spread."""
    ends = {"low": None, "high": None} if interval.n == 1 else {}
    return {**interval._asdict(), **ends}


def _summary(scores: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Summarise seeds: 95 % t-intervals of the means; epochs over the seeds that got there.

    The replicas of a learning curve do not watch the test part, and have no such epochs.
    """
    summary: dict[str, Any] = {
        metric: _as_json(
            mean_interval([one["test"][metric] for one in scores], bounds=BOUNDS[metric])
        )
        for metric in METRICS
    }
    reached = [one["epochs_to_target"] for one in scores if one["epochs_to_target"] is not None]
    summary["epochs_to_target"] = (
        {
            **_as_json(mean_interval(reached, bounds=(1.0, float("inf")))),
            "median": float(np.median(reached)),
        }
        if reached
        else {"mean": None, "low": None, "high": None, "n": 0, "median": None}
    )
    return summary


def _differences(
    scores: dict[str, SeedScores], test: SequenceDataset, groups: Ints | None
) -> list[dict[str, Any]]:
    """Compare each pair of models, a minus b, over the same seeds and test sequences."""
    rows = []
    for a, b in combinations(scores, 2):
        found = paired_difference(test.labels, scores[a], scores[b], groups)
        rows.append({"a": a, "b": b, **{metric: found[metric]._asdict() for metric in METRICS}})
    return rows


def _timing(group: Sequence[Trained], target: float) -> dict[str, Any]:
    seconds = sum(one.seconds for one in group)
    epochs = sum(len(one.history) for one in group)
    to_target = {}
    for one in group:
        reached = (e.seconds for e in one.history if (e.test_accuracy or 0.0) >= target)
        to_target[str(one.seed)] = next(reached, None)
    return {
        "seconds": seconds,
        "seeds": len(group),
        "epochs": epochs,
        "seconds_per_epoch_and_seed": seconds / epochs,
        "seconds_to_target": to_target,
    }
