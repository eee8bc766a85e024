"""Which sequences are trained on, and which are held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from motiflens.datasets.dataset import SequenceDataset
from motiflens.datasets.groups import Groups, bound_groups, homology_groups, leaders
from motiflens.datasets.loci import Loci
from motiflens.errors import InputError


def split_at_random(dataset: SequenceDataset, *, test: float, seed: int) -> SequenceDataset:
    """Put a fraction of each class into ``test`` and the rest into ``train``.

    Rows that ``dataset.groups`` binds stay together: a shuffle goes where its positive goes. A
    split that was there before is replaced. Equal data and seed give equal splits.

    Parameters
    ----------
    dataset
        N sequences.
    test
        Fraction, above 0 and below 1; of each class the nearest whole number is taken.
    seed
        Of the random choice.

    Raises
    ------
    InputError
        When the fraction leaves a class without a sequence in one of the two parts.
    """
    _check_fraction(dataset, test)
    leader = leaders(dataset)
    units = np.unique(leader)
    _, held_out = train_test_split(
        units, test_size=test, stratify=dataset.classes[units], random_state=seed
    )
    return _hold_out(dataset, np.isin(leader, held_out))


def split_by_chromosome(
    dataset: SequenceDataset, *, test: Sequence[str] = (), valid: Sequence[str] = ()
) -> SequenceDataset:
    """Put whole chromosomes into ``test`` and ``valid``, and all others into ``train``.

    What has no place of its own, as a shuffle has none, goes with the sequence that
    ``dataset.groups`` binds it to. A split that was there before is replaced.

    Parameters
    ----------
    dataset
        N sequences with coordinates.
    test, valid
        Names of chromosomes, such as ``["chr1", "chr8"]``; ``1`` and ``chr1`` are the same.

    Raises
    ------
    InputError
        When a sequence has no chromosome, no sequence lies on one of those named, one is named
        twice, or none is left to train on.
    """
    where = _chromosomes(dataset)
    chrom = np.array([_plain(name) for name in where.tolist()])
    split = np.full(len(dataset), "train", dtype="<U5")
    for part, names in (("test", test), ("valid", valid)):
        for name in names:
            here = chrom == _plain(name)
            if not here.any() or (split[here] != "train").any():
                what = "is named twice" if here.any() else "has no sequences"
                raise InputError(f"the chromosome {name!r} {what}; the data lie on {_some(where)}")
            split[here] = part
    if not (split == "train").any():
        raise InputError(
            f"no chromosome is left to train on beside {', '.join([*test, *valid])}",
            remedy="hold out fewer",
        )
    return dataset.with_split(split)


def _chromosomes(dataset: SequenceDataset) -> NDArray[np.str_]:
    """Return the chromosome of each row, or of the sequence that it is bound to, (N,)."""
    where = (dataset.coordinates or Loci.unknown(len(dataset))).subset(leaders(dataset))
    if missing := np.flatnonzero(where.chrom == "").tolist():
        raise InputError(
            f"no chromosome is known for {dataset.names[missing[0]]}",
            remedy="read the sequences from a BED file and a genome, or split by homology",
        )
    return where.chrom


def _plain(chrom: str) -> str:
    return chrom.removeprefix("chr")


def _some(chrom: NDArray[np.str_]) -> str:
    names = np.unique(chrom).tolist()
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def split_by_homology(
    dataset: SequenceDataset, *, test: float, seed: int, k: int = 31
) -> SequenceDataset:
    """Put about a fraction of each class into ``test``; what shares a long stretch stays together.

    No two sequences of different splits share an exact k-mer, on either strand, and a shuffle
    stays with the sequence that it is made of. Groups of such sequences (see
    :func:`motiflens.datasets.groups.bound_groups`) come in a random order, each into ``test``
    where that takes no class beyond its fraction: a large group thus ends in ``train``. A split
    that was there before is replaced. Equal data and seed give equal splits.

    Parameters
    ----------
    dataset
        N sequences.
    test
        Fraction, above 0 and below 1.
    seed
        Of the random order.
    k
        Bases of a shared stretch, 1 to 31.

    Raises
    ------
    InputError
        For other k, and when a class is left without a sequence in one of the two parts.
    """
    groups = bound_groups(homology_groups(dataset, k), dataset.groups)
    return split_by_groups(dataset, groups, test=test, seed=seed)


def split_by_groups(
    dataset: SequenceDataset, groups: Groups, *, test: float, seed: int
) -> SequenceDataset:
    """Put about a fraction of each class into ``test``, whole groups at a time.

    The groups come in a random order, each into ``test`` where that takes no class beyond its
    fraction: a large group thus ends in ``train``. They become those of the data set, so that
    training holds out whole groups for validation too.

    Parameters
    ----------
    dataset
        N sequences.
    groups
        int64 (N,), 0 or more.
    test
        Fraction, above 0 and below 1.
    seed
        Of the random order.

    Raises
    ------
    InputError
        When a class is left without a sequence in one of the two splits.
    """
    _check_fraction(dataset, test)
    classes, label = np.unique(dataset.classes, return_inverse=True)
    sizes = np.zeros((int(groups.max(initial=-1)) + 1, len(classes)), dtype=np.int64)
    np.add.at(sizes, (groups, label), 1)
    room = np.array([round(test * n) for n in sizes.sum(axis=0).tolist()])
    chosen = np.zeros(len(sizes), dtype=np.bool_)
    for group in np.random.default_rng(seed).permutation(len(sizes)):
        if (sizes[group] <= room).all():
            chosen[group] = True
            room -= sizes[group]
    held_out = chosen[groups]
    counts = [int(held_out[label == index].sum()) for index in range(len(classes))]
    if not all(counts):
        raise InputError(
            f"{len(sizes)} groups of related sequences, the largest of "
            f"{sizes.sum(axis=1).max()}, do not fill a test split with both classes",
            remedy="choose another fraction, split by chromosome, or drop near duplicates",
        )
    return replace(_hold_out(dataset, held_out), groups=groups)


def divide_by_groups(dataset: SequenceDataset, groups: Groups, *, folds: int, seed: int) -> Groups:
    """Return the fold (N,), from 1, of each row: whole groups at a time, each class evenly.

    The groups come by size, the largest first, those of one size in a random order, each into the
    fold that has least of its classes. Equal data and seed give equal folds.

    Parameters
    ----------
    dataset
        N sequences.
    groups
        int64 (N,), 0 or more.
    folds
        How many, 2 or more.
    seed
        Of the random order.

    Raises
    ------
    InputError
        When a fold is left without a sequence of a class.
    """
    classes, label = np.unique(dataset.labels, return_inverse=True)
    sizes = np.zeros((int(groups.max(initial=-1)) + 1, len(classes)))
    np.add.at(sizes, (groups, label), 1)
    # In fractions of a class, so that a rare one weighs as much as the other.
    sizes /= sizes.sum(axis=0)
    mixed = np.random.default_rng(seed).permutation(len(sizes))
    filled, chosen = np.zeros((folds, len(classes))), np.zeros(len(sizes), dtype=np.int64)
    for group in mixed[np.argsort(-sizes[mixed].sum(axis=1), kind="stable")]:
        fold = int(np.argmin(filled @ sizes[group]))
        chosen[group] = fold + 1
        filled[fold] += sizes[group]
    if not filled.all():
        raise InputError(
            f"{len(sizes):,} groups of sequences that stay together do not fill {folds} folds with "
            "both classes",
            remedy="give fewer folds, or split=random where related sequences may be parted",
            argument=("folds", "split"),
        )
    return chosen[groups]


def chromosome_groups(dataset: SequenceDataset) -> Groups:
    """Return the number of each row's chromosome, (N,); of a shuffle that of its sequence.

    Raises
    ------
    InputError
        When a sequence has no chromosome.
    """
    plain = [_plain(name) for name in _chromosomes(dataset).tolist()]
    return np.unique(plain, return_inverse=True)[1].astype(np.int64)


def _check_fraction(dataset: SequenceDataset, test: float) -> None:
    classes = dataset.classes
    for label in np.unique(classes):
        n = int((classes == label).sum())
        if not (0 < test < 1 and 0 < round(test * n) < n):
            raise InputError(
                f"a test fraction of {test:g} of {n} sequences with label {label:g} leaves a "
                "split empty",
                remedy="choose a fraction between 0 and 1, such as 0.2, or give more sequences",
            )


def _hold_out(dataset: SequenceDataset, held_out: NDArray[np.generic]) -> SequenceDataset:
    split = np.full(len(dataset), "train", dtype="<U5")
    split[held_out] = "test"
    return dataset.with_split(split)


def require_two_classes(dataset: SequenceDataset, part: str | None = None) -> None:
    """Raise an InputError unless both labels occur, in a part or in all data."""
    labels = dataset.labels if part is None else dataset.labels[dataset.split == part]
    found = np.unique(labels)
    if len(found) < 2:
        problem = "there are no sequences"
        if len(found):
            problem = f"all {len(labels)} sequences have label {found[0]:g}"
        remedy = "add sequences of the other class, for instance by a file of negatives"
        raise InputError(
            problem,
            "" if part is None else f"in the split {part}",
            "add sequences of other labels" if dataset.is_regression else remedy,
        )


def require_at_least(dataset: SequenceDataset, width: int, what: str) -> None:
    """Raise an InputError when a sequence is shorter than ``what``, which is ``width`` wide."""
    if len(dataset) and dataset.lengths.min() < width:
        shortest = int(dataset.lengths.argmin())
        raise InputError(
            f"{dataset.names[shortest]} has {dataset.lengths[shortest]} bases, fewer than the "
            f"{width} of {what}",
            remedy=f"drop the shorter sequences, or take a smaller width than {width}",
        )
