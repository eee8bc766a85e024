"""Negative sets: trained against one, tested against another.

A model learns whatever tells its positives from its negatives. Whether that is the signal or the
way in which the negatives were made shows when it meets another negative set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from motiflens.cluster import Engine
from motiflens.datasets import SequenceDataset
from motiflens.evaluation.ensembles import Ints, independent_groups
from motiflens.metrics import evaluate
from motiflens.results.crossing import CrossedModel, CrossedTests, Crossing, RankingScores
from motiflens.results.scores import Estimate
from motiflens.training import Job, Trained, predict_trained, train_all


def train_against(
    negative_sets: Mapping[str, SequenceDataset],
    jobs: Sequence[Job],
    own: Mapping[str, Sequence[Trained]],
    *,
    threads: int | None = None,
    device: str = "cpu",
    advance: Callable[[int], None] | None = None,
    checkpoint: Path | None = None,
    engine: Engine | None = None,
) -> dict[str, Mapping[str, Sequence[Trained]]]:
    """Train the same jobs against every negative set but the first.

    Parameters
    ----------
    negative_sets
        Name → data set with a split.
    jobs
        One a model.
    own
        Model → its replicas that were trained against the first set.
    threads, device, advance, checkpoint, engine
        As in :func:`motiflens.training.train_all`; each set has a folder in the checkpoint.

    Returns
    -------
    dict
        Name of the set → model → its replicas, with those of the first set.
    """
    first, *others = negative_sets
    trained = {first: own}
    for number, name in enumerate(others, start=1):
        groups = train_all(
            negative_sets[name],
            jobs,
            threads=threads,
            device=device,
            advance=advance,
            checkpoint=None if checkpoint is None else checkpoint / f"crossing-{number}",
            engine=engine,
        )
        trained[name] = {job.architecture: group for job, group in zip(jobs, groups, strict=True)}
    return trained


def evaluate_negative_sets(
    trained: Mapping[str, Mapping[str, Sequence[Trained]]],
    tests: Mapping[str, SequenceDataset],
    *,
    seed: int,
) -> Crossing:
    """Score the ensembles of seeds, trained against each negative set, on the tests of every one.

    Homologous test sequences count once (see :func:`motiflens.metrics.evaluate`).

    Parameters
    ----------
    trained
        Name of the set → model → its replicas.
    tests
        Name of the set → its test split, of both classes.
    seed
        Of the bootstrap.
    """
    models = next(iter(trained.values()))
    groups = {name: independent_groups(test) for name, test in tests.items()}
    return Crossing(
        kinds=tuple(tests),
        models={
            model: CrossedModel(
                trained_on={
                    name: CrossedTests(
                        tested_on={
                            other: _scores(trained[name][model], test, seed, groups[other])
                            for other, test in tests.items()
                        }
                    )
                    for name in tests
                }
            )
            for model in models
        },
    )


def _scores(
    replicas: Sequence[Trained], test: SequenceDataset, seed: int, groups: Ints | None
) -> RankingScores:
    logits = np.mean([predict_trained(one, test) for one in replicas], axis=0)
    # AUROC and AUPRC do not depend on the threshold.
    generator = np.random.default_rng(seed)
    scores = evaluate(test.labels, logits, threshold=0.0, generator=generator, groups=groups)
    auroc, auprc = (Estimate(**scores[metric]) for metric in ("auroc", "auprc"))
    return RankingScores(auroc=auroc, auprc=auprc)
