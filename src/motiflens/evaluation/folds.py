"""Cross-validation: every sequence scored by models that were trained without its fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from msgspec import convert
from numpy.typing import NDArray

from motiflens.datasets import SequenceDataset
from motiflens.metrics import choose_threshold, evaluate, fit_platt
from motiflens.metrics.intervals import mean_interval
from motiflens.results.scores import (
    CrossValidation,
    FoldScores,
    HeldOutScores,
    MeanOfFolds,
    MeanOfSeeds,
)
from motiflens.training import Job, Trained, predict_trained

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Ranges of the scores that are averaged over folds.
BOUNDS = {"mcc": (-1.0, 1.0), "auroc": (0.0, 1.0), "auprc": (0.0, 1.0), "accuracy": (0.0, 1.0)}


def fold_jobs(jobs: Sequence[Job], folds: int) -> list[Job]:
    """Return a job for every fold of each of ``jobs``; seeds are counted on from fold to fold.

    So a seed names one model of an architecture, and the first ones are held out of fold 1.
    """
    return [
        replace(job, seeds=tuple(seed + done * len(job.seeds) for seed in job.seeds), fold=done + 1)
        for job in jobs
        for done in range(folds)
    ]


@dataclass(frozen=True, eq=False)
class ByOthers:
    """What the other folds choose for each sequence: (N,) each."""

    threshold: Floats
    slope: Floats
    bias: Floats


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """What one model gives for sequences that are held out.

    Parameters
    ----------
    dataset
        N sequences, each in a fold.
    groups
        (N,) those that are not independent; None where none were looked for.
    logits
        (S, N), of the S seeds that were trained without the fold of a sequence.
    is_all
        Whether no test split is apart from them.
    """

    dataset: SequenceDataset
    groups: Ints | None
    logits: Floats
    is_all: bool

    @property
    def folds(self) -> Ints:
        """The fold of each sequence (N,), from 1."""
        assert self.dataset.folds is not None
        return self.dataset.folds

    @property
    def joined(self) -> Floats:
        """The mean logit of the seeds (N,)."""
        return np.asarray(self.logits.mean(axis=0))

    @cached_property
    def by_others(self) -> ByOthers:
        """What the out-of-fold logits of the other folds choose for each."""
        labels, joined, folds = self.dataset.labels, self.joined, self.folds
        columns = np.zeros((3, len(folds)))
        for fold in np.unique(folds):
            others = folds != fold
            known = labels[others], joined[others]
            chosen = (choose_threshold(*known), *fit_platt(*known))
            columns[:, ~others] = np.array(chosen)[:, None]
        return ByOthers(*columns)

    def of_member(self, index: int, fold: int) -> tuple[NDArray[np.float32], Floats]:
        """Return labels and logits (n,) of what a model was held out of.

        Parameters
        ----------
        index
            Of the model among all of its architecture, fold after fold.
        fold
            Its own.
        """
        rows = self.folds == fold
        return self.dataset.labels[rows], self.logits[index % len(self.logits), rows]


def out_of_fold(
    dataset: SequenceDataset, trained: Mapping[str, Sequence[Trained]], groups: Ints | None
) -> dict[str, OutOfFold]:
    """Score every sequence that is in a fold by the models that were trained without it.

    Parameters
    ----------
    dataset
        With folds.
    trained
        Name → the models of all folds, those of one fold after each other, as many of each.
    groups
        (N,), as of `OutOfFold`, of all sequences.
    """
    assert dataset.folds is not None
    inside = dataset.folds > 0
    held_out = dataset.subset(inside)
    own_groups = None if groups is None else groups[inside]
    assert held_out.folds is not None
    parts = {fold: held_out.subset(held_out.folds == fold) for fold in np.unique(held_out.folds)}
    found = {}
    for name, members in trained.items():
        logits = np.zeros((len(members) // len(parts), len(held_out)))
        for index, one in enumerate(members):
            rows = held_out.folds == one.job.fold
            logits[index % len(logits), rows] = predict_trained(one, parts[one.job.fold])
        found[name] = OutOfFold(held_out, own_groups, logits, bool(inside.all()))
    return found


def cross_validate(held_out: OutOfFold, seed: int) -> CrossValidation:
    """Score out-of-fold logits: all together, and each fold by itself.

    Parameters
    ----------
    held_out
        Both classes in every fold.
    seed
        Of the bootstrap.
    """
    threshold = held_out.by_others.threshold
    folds = []
    for fold in np.unique(held_out.folds).tolist():
        rows = held_out.folds == fold
        n_positives = int((held_out.dataset.labels[rows] > 0).sum())
        folds.append(
            FoldScores(
                fold=fold,
                n_positives=n_positives,
                n_negatives=int(rows.sum()) - n_positives,
                test=_score(held_out, threshold, rows, np.random.default_rng((seed, fold))),
            )
        )
    means = {
        metric: MeanOfSeeds(
            **mean_interval([getattr(one.test, metric).value for one in folds], bounds)._asdict()
        )
        for metric, bounds in BOUNDS.items()
    }
    every = np.ones(len(threshold), dtype=np.bool_)
    return CrossValidation(
        pooled=_score(held_out, threshold, every, np.random.default_rng(seed)),
        mean=MeanOfFolds(**means),
        folds=tuple(folds),
        is_test=held_out.is_all,
    )


def _score(
    held_out: OutOfFold, threshold: Floats, rows: NDArray[np.bool_], generator: np.random.Generator
) -> HeldOutScores:
    """Score some rows (N,), each called by its own threshold (N,)."""
    labels, logits = held_out.dataset.labels[rows], held_out.joined[rows]
    groups = None if held_out.groups is None else held_out.groups[rows]
    scores, calls = (
        evaluate(labels, shifted, threshold=0.0, generator=generator, groups=groups)
        for shifted in (logits, logits - threshold[rows])
    )
    return convert(scores | {name: calls[name] for name in ("mcc", "accuracy")}, HeldOutScores)


def as_table(held_out: Mapping[str, OutOfFold]) -> str:
    """Write name, fold, label and the mean logit by each model of every sequence as lines."""
    first = next(iter(held_out.values()))
    names = (name.replace("\t", " ") for name in first.dataset.names.tolist())
    labels = first.dataset.labels.astype(int).tolist()
    logits = [one.joined.tolist() for one in held_out.values()]
    lines = ["\t".join(["name", "fold", "label", *held_out])]
    for name, fold, label, *own in zip(names, first.folds.tolist(), labels, *logits, strict=True):
        lines.append("\t".join([name, str(fold), str(label), *(f"{z:.6f}" for z in own)]))
    return "\n".join([*lines, ""])
