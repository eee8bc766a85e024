"""Positives crossed with kinds of negatives: trained against one kind, tested against another.

A model learns whatever tells its positives from its negatives. Whether that is the signal or the
way in which the negatives were made shows when it meets negatives of another kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from motiflens.datasets import SequenceDataset, concatenate
from motiflens.errors import InputError
from motiflens.evaluation.ensembles import Ints, independent_groups
from motiflens.io.negatives import split_kind
from motiflens.io.options import ReadOptions
from motiflens.io.read import Reading, read_files
from motiflens.metrics import ensemble_logits, evaluate
from motiflens.training import Job, Trained, predict_trained, train_all

METRICS = ("auroc", "auprc")


@dataclass(frozen=True, eq=False)
class Crossed:
    """The same positives with negatives of several kinds.

    Parameters
    ----------
    kinds
        Kind → data set with a split. The positives and their parts are the same in all.
    notes
        What was counted, dropped and assumed in reading and splitting, for a log.
    rule
        How the splits were cut, as in :class:`motiflens.settings.Settings`.
    """

    kinds: dict[str, SequenceDataset]
    notes: tuple[str, ...] = ()
    rule: str = "given"

    @property
    def first(self) -> Reading:
        """The first kind, which is a run's own data."""
        kind, dataset = next(iter(self.kinds.items()))
        return Reading(dataset, kind, self.notes)

    @property
    def others(self) -> dict[str, SequenceDataset]:
        """All kinds but the first."""
        return dict(list(self.kinds.items())[1:])


def read_kinds(
    path: Path | str,
    kinds: Sequence[str],
    cut: Callable[[SequenceDataset], tuple[SequenceDataset, str, tuple[str, ...]]],
    options: ReadOptions,
    seed: int,
) -> Crossed:
    """Read positives, and give them negatives of each kind and one split.

    Parameters
    ----------
    path, options, seed
        Positives, without labels or negatives; see :func:`motiflens.io.read.read_files`.
    kinds
        Two or more, each as in :func:`motiflens.io.negatives.make_negatives`.
    cut
        Splits a data set; returns it, the rule and notes. Positives and negatives are cut at
        once, so that a split by homology holds between all kinds; shuffles follow the positive
        that they are made of.

    Raises
    ------
    InputError
        If kinds are fewer than two or named twice, if the source comes with labels or negatives,
        and where `read_files` or the split does.
    """
    _check(path, options, kinds)
    names = dict.fromkeys(name for kind in kinds for name in split_kind(kind))
    readings = {
        name: read_files(path, replace(options, negatives=name), seed=seed) for name in names
    }
    negatives = {name: reading.dataset.negatives() for name, reading in readings.items()}
    # Only positives that were read with their shuffles are bound to them.
    reading = readings.get("shuffle", next(iter(readings.values())))
    positives = reading.dataset.positives()
    free = [name for name in names if name != "shuffle"]
    whole, rule, reasons = cut(concatenate([positives, *(negatives[name] for name in free)]))
    assert whole.split is not None
    ends = np.cumsum([len(positives), *(len(negatives[name]) for name in free)])
    positives = positives.with_split(whole.split[: ends[0]])
    splits = dict(zip(free, np.split(whole.split, ends[:-1])[1:], strict=True))
    splits["shuffle"] = whole.split[: ends[0]]
    parts = {name: negatives[name].with_split(splits[name]) for name in names}
    return Crossed(
        {
            kind: concatenate([positives, *(parts[name] for name in split_kind(kind))])
            for kind in kinds
        },
        (*dict.fromkeys(note for one in readings.values() for note in one.notes), *reasons),
        rule,
    )


def _check(path: Path | str, options: ReadOptions, kinds: Sequence[str]) -> None:
    if len(set(kinds)) < max(len(kinds), 2):
        raise InputError(
            f"there are {len(set(kinds))} different negative sets to cross: "
            f"{', '.join(kinds) or 'none'}",
            remedy="name two or more, each once, such as shuffle,negatives.fa",
        )
    for name in ("labels", "negatives"):
        if name in options.given():
            raise InputError(
                f"{path} holds positives where negative sets are crossed, and there is "
                f"{name}={options.given()[name]}",
                remedy="leave it out",
                argument=name,
            )


def train_against(
    kinds: Mapping[str, SequenceDataset],
    jobs: Sequence[Job],
    own: Mapping[str, Sequence[Trained]],
    *,
    threads: int | None = None,
    device: str = "cpu",
    advance: Callable[[int], None] | None = None,
    checkpoint: Path | None = None,
) -> dict[str, Mapping[str, Sequence[Trained]]]:
    """Train the same jobs against every kind of negatives but the first.

    Parameters
    ----------
    kinds
        Kind → data set with a split.
    jobs
        One a model.
    own
        Model → its replicas that were trained against the first kind.
    threads, device, advance, checkpoint
        As in :func:`motiflens.training.train_all`; each kind has a folder in the checkpoint.

    Returns
    -------
    dict
        Kind → model → its replicas, with those of the first kind.
    """
    first, *others = kinds
    trained = {first: own}
    for number, kind in enumerate(others, start=1):
        groups = train_all(
            kinds[kind],
            jobs,
            threads=threads,
            device=device,
            advance=advance,
            checkpoint=None if checkpoint is None else checkpoint / f"crossing-{number}",
        )
        trained[kind] = {job.architecture: group for job, group in zip(jobs, groups, strict=True)}
    return trained


def evaluate_crossing(
    trained: Mapping[str, Mapping[str, Sequence[Trained]]],
    tests: Mapping[str, SequenceDataset],
    *,
    seed: int,
) -> dict[str, Any]:
    """Score the ensembles of seeds, trained against each kind, on the test part of every kind.

    Parameters
    ----------
    trained
        Kind → model → its replicas.
    tests
        Kind → its test part, of both classes.
    seed
        Of the bootstrap.

    Returns
    -------
    dict
        The content of ``crossing.json``: ``kinds``; and ``models``, each with ``trained_on`` a
        kind, ``tested_on`` a kind, and there AUROC and AUPRC with their 95 % intervals over test
        sequences, homologous ones counted once (see :func:`motiflens.metrics.evaluate`).
    """
    models = next(iter(trained.values()))
    groups = {kind: independent_groups(test) for kind, test in tests.items()}
    return {
        "kinds": list(tests),
        "models": {
            model: {
                "trained_on": {
                    kind: {
                        "tested_on": {
                            other: _scores(trained[kind][model], test, seed, groups[other])
                            for other, test in tests.items()
                        }
                    }
                    for kind in tests
                }
            }
            for model in models
        },
    }


def _scores(
    replicas: Sequence[Trained], test: SequenceDataset, seed: int, groups: Ints | None
) -> dict[str, Any]:
    logits = ensemble_logits([predict_trained(one, test) for one in replicas])
    # AUROC and AUPRC do not depend on the threshold.
    generator = np.random.default_rng(seed)
    found = evaluate(test.labels, logits, threshold=0.0, generator=generator, groups=groups)
    return {metric: found[metric] for metric in METRICS}
