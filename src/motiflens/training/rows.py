"""Which rows of a data set a replica trains on, chooses by, and is tested on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motiflens.datasets import SequenceDataset, bound_groups, draw, split_by_groups
from motiflens.errors import InputError

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Parts:
    """Row numbers of one replica: ``train``, ``valid`` (may be empty) and ``test``."""

    train: Rows
    valid: Rows
    test: Rows


def take_parts(
    dataset: SequenceDataset, *, validation_fraction: float, n_train: int | None, seed: int
) -> Parts:
    """Take the rows of one replica from the split of a data set.

    Parameters
    ----------
    dataset
        With a split; its ``valid`` part is used where it has one: all of it, or with ``n_train``
        as many of its rows as would be held out, drawn by the seed.
    validation_fraction
        Otherwise, the fraction of the training rows that is held out to choose the epoch: the
        same rows for every model and seed, and whole groups of a data set that has some.
    n_train
        Use only this many training rows, drawn by the seed, validation rows included unless the
        data set has a ``valid`` part; None for all.
    seed
        Of the replica.

    Returns
    -------
    Parts

    Raises
    ------
    InputError
        If the data set has no split, or fewer training rows than ``n_train``.
    """
    if dataset.split is None:
        raise InputError(
            "a model is trained on a data set with a split",
            got="none",
            remedy="split it first, for example with split_at_random(dataset, test=0.2, seed=0)",
        )
    rows = {part: np.flatnonzero(dataset.split == part) for part in ("train", "valid", "test")}
    train, valid = rows["train"], rows["valid"]
    if n_train is not None:
        if not 2 <= n_train <= len(train):
            raise InputError(
                f"a training size is between 2 and the {len(train)} training sequences",
                got=str(n_train),
                remedy="choose a size inside",
            )
        train = draw(dataset.labels, train, n_train, np.random.default_rng(seed))
    if validation_fraction == 0.0:
        return Parts(train, np.empty(0, dtype=np.int64), rows["test"])
    size = max(2, round(validation_fraction * len(train)))
    if n_train is not None and len(valid) > size:
        valid = draw(dataset.labels, valid, size, np.random.default_rng(seed))
    if len(valid) == 0:
        valid = _validation(dataset, train, size)
        train = np.setdiff1d(train, valid)
    return Parts(train, valid, rows["test"])


def _validation(dataset: SequenceDataset, train: Rows, size: int) -> Rows:
    """Hold out training rows: whole groups where the data set has some that fit."""
    if dataset.groups is not None:
        groups = bound_groups(np.arange(len(train)), dataset.groups[train])
        try:
            parts = split_by_groups(dataset.subset(train), groups, test=size / len(train), seed=0)
            return np.asarray(train[parts.split == "test"])
        except InputError:  # groups too large, or a class too small
            pass
    return draw(dataset.labels, train, size, np.random.default_rng(0))
