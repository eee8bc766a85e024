"""One small network that learns what an ensemble says.

Every training sequence is labelled with the probability that the teachers give it, by the mean of
their logits (Hinton, Vinyals & Dean 2015), and so are mutated copies, whose labels nobody knows. Of
DEGU (Zhou, Rizzo, Tang & Koo 2024), which learns the spread of an ensemble as a second output too,
the mean alone is learnt: a model of two classes has one logit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit

from motiflens.datasets import SequenceDataset, default_names
from motiflens.models.calling import choose_device
from motiflens.sequences import ONE_HOT, PAD
from motiflens.training import distributed
from motiflens.training.checkpoint import Checkpoint
from motiflens.training.data import EncodedData, SplitRows
from motiflens.training.group import Group, settings_of, train_group
from motiflens.training.job import MADE_OF_EACH, MAX_DISTILLED, Job, Trained
from motiflens.training.loop import predict_trained
from motiflens.training.machine import single_intra_op_thread

#: Of each copy another part of the bases is mutated, up to this.
MAX_MUTATED = 0.3

Floats = NDArray[np.float64]


def distil(
    dataset: SequenceDataset,
    teachers: Sequence[Trained],
    job: Job,
    *,
    device: str = "cpu",
    advance: Callable[[int], None] | None = None,
    checkpoint: Path | None = None,
) -> Trained:
    """Train one network on what others say of the training sequences, and of mutated copies.

    The validation rows, with their labels, choose the epoch; they and the test rows are no part of
    what it learns from.

    Parameters
    ----------
    dataset
        That the teachers were trained on.
    teachers
        Any models and seeds; each counts once in the mean.
    job
        Of one seed, which draws the copies too.
    device, advance, checkpoint
        As in :func:`motiflens.training.train_all`.

    Returns
    -------
    Trained
        On the CPU, in evaluation mode.
    """
    advance = advance or (lambda epochs: None)
    device = distributed.own_device(choose_device(device))
    group = Group.of(dataset, job, job.seeds)
    (rows,), generator = group.rows, np.random.default_rng(job.seeds[0])
    train = rows.train
    if len(train) > MAX_DISTILLED:
        train = np.sort(generator.choice(train, MAX_DISTILLED, replace=False))
    known = dataset.subset(train)
    parts = [known, mutated_copies(known, generator)]
    judged = [dataset.subset(rows.valid), dataset.subset(rows.test)]
    with single_intra_op_thread():
        said = [expit(mean_logits(teachers, part)) for part in parts]
        labels = np.concatenate([*said, *(part.labels for part in judged)]).astype(np.float32)
        data = _encoded([*parts, *judged], labels, device)
        ends = np.cumsum([sum(map(len, parts)), *map(len, judged)])
        cuts = np.split(np.arange(ends[-1]), ends[:-1])
        kept = Checkpoint(checkpoint, _settings(dataset, job, data, labels) if checkpoint else {})
        (trained,) = train_group(
            data,
            replace(group, rows=[SplitRows(*cuts)]),
            *kept.slots(0),
            advance,
        )
    return replace(trained, n_train=len(train))


def mutated_copies(dataset: SequenceDataset, generator: np.random.Generator) -> SequenceDataset:
    """Return three copies of every sequence, each with up to 30 % of its bases mutated.

    N and padding stay. The labels, which nobody knows, are 0.

    Parameters
    ----------
    dataset
        N sequences.
    generator
        Source of randomness.
    """
    codes = np.tile(dataset.codes, (MADE_OF_EACH, 1))
    rates = generator.uniform(0.0, MAX_MUTATED, (len(codes), 1))
    changed = (generator.random(codes.shape, dtype=np.float32) < rates) & (codes < PAD)
    steps = generator.integers(1, PAD, codes.shape, dtype=np.uint8)
    mutated = np.where(changed, (codes + steps) % PAD, codes).astype(np.uint8)
    n = len(codes)
    lengths = np.tile(dataset.lengths, MADE_OF_EACH)
    return SequenceDataset(mutated, lengths, np.zeros(n, np.float32), default_names(n))


def mean_logits(teachers: Sequence[Trained], sequences: SequenceDataset) -> Floats:
    """Return the mean logit (N,) of models of any kind."""
    logits: Floats = np.mean([predict_trained(one, sequences) for one in teachers], axis=0)
    return logits


def _encoded(
    parts: Sequence[SequenceDataset], labels: NDArray[np.float32], device: str
) -> EncodedData:
    codes, lengths = (np.concatenate([getattr(p, n) for p in parts]) for n in ("codes", "lengths"))
    own, n, said, table = (
        torch.as_tensor(array, device=device) for array in (codes, lengths, labels, ONE_HOT)
    )
    return EncodedData(own, n, said, table)


def _settings(
    dataset: SequenceDataset, job: Job, data: EncodedData, labels: NDArray[np.float32]
) -> dict[str, object]:
    """Return all that decides the outcome; of the teachers, what they say."""
    said = hashlib.sha256(labels.tobytes()).hexdigest()
    return {**settings_of(dataset, [job], [1], data.table), "teachers": said}
