"""How the test and the validation split are cut out of the data, and why so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motiflens.datasets import (
    SequenceDataset,
    bound_groups,
    draw,
    homology_groups,
    split_at_random,
    split_by_chromosome,
    split_by_groups,
)
from motiflens.errors import InputError
from motiflens.sequences import MAX_K
from motiflens.settings import Settings

#: Fraction of a random test split that may be related to training sequences.
MOST_RELATED = 0.01

#: Fraction of a class in one group from which groups cannot be held out.
LARGEST_GROUP = 0.5


@dataclass(frozen=True, eq=False)
class Cut:
    """A data set with its splits, the rule they were cut by, and what to say of it.

    Parameters
    ----------
    dataset
        With ``train`` and ``test``, and ``valid`` where training does not draw it by itself.
    rule
        ``random``, ``homology`` or ``chromosome``; ``given`` where nothing was cut.
    notes
        Sentences.
    """

    dataset: SequenceDataset
    rule: str
    notes: tuple[str, ...] = ()


def cut(dataset: SequenceDataset, settings: Settings, valid_fraction: float = 0.0) -> Cut:
    """Cut the splits that a data set lacks out of its training sequences.

    ``auto`` becomes ``homology`` for windows on a genome, and for other data where more than
    ``MOST_RELATED`` of a random test split would share a 31-mer with training sequences; else, and
    where one group of related sequences holds more than half of a class, ``random``.

    The validation split is cut by the same rule as the test split: after a split by chromosome
    without chromosomes for validation, by homology. At random, training draws it, unless
    shuffles have to stay with the sequences that they are made of.

    Parameters
    ----------
    dataset
        A split of its own is kept.
    settings
        How to split.
    valid_fraction
        Fraction of the training sequences that is held out for validation; 0 for none.

    Raises
    ------
    InputError
        If the rule that the settings name cannot be followed.
    """
    if dataset.is_mapped:
        return _cut_mapped(dataset, settings)
    given = np.full(len(dataset), "train") if dataset.split is None else dataset.split
    has_test, has_valid = bool((given == "test").any()), bool((given == "valid").any())
    needs_valid = valid_fraction > 0 and not has_valid
    if has_test and not needs_valid:
        return Cut(dataset, "given")
    if not has_test and settings.split == "given":
        raise InputError(
            "--split given takes the test part from a column 'split' or a file",
            got="data without one",
            remedy="give --test FILE, or drop the option",
        )
    learning = np.flatnonzero(given == "train")
    own = dataset.subset(learning).with_split(None)
    groups = homology_groups(own) if settings.split in ("auto", "homology", "chromosome") else None
    fraction = valid_fraction if has_test else settings.test_fraction
    rule = settings.split
    notes: list[str] = []
    if groups is not None:
        rule, notes = _rule(own, groups, settings, fraction, "validation" if has_test else "test")
    split = given.astype("<U5")
    if not has_test:
        split[learning] = _test_split(own, groups, rule, settings).split
    if needs_valid and not (split == "valid").any():
        rows = np.flatnonzero(split == "train")
        inside = None if groups is None else groups[np.searchsorted(learning, rows)]
        found, more = _valid_rows(dataset.subset(rows), inside, rule, valid_fraction, settings.seed)
        split[rows[found]] = "valid"
        notes += more
    return Cut(dataset.with_split(split), rule, tuple(notes))


def on_genome(dataset: SequenceDataset) -> bool:
    """Tell whether the positives are windows on a genome, as far as that is known."""
    places = dataset.coordinates
    return places is not None and bool((places.chrom[dataset.labels > 0] != "").any())


def _rule(
    dataset: SequenceDataset,
    groups: NDArray[np.int64],
    settings: Settings,
    fraction: float,
    what: str,
) -> tuple[str, list[str]]:
    """Choose the rule where it is ``auto``, and say why."""
    if settings.split != "auto":
        return settings.split, []
    related = _related(dataset, groups, settings, fraction)
    if on_genome(dataset):
        reason = "the sequences are windows on a genome"
    elif related > MOST_RELATED:
        reason = f"{related:.1%} of a random {what} part would {_relation(dataset)}"
    else:
        return "random", [
            f"{what} part drawn at random, as {related:.1%} of it {_relation(dataset)}; above "
            f"{MOST_RELATED:.0%} it would be cut by homology"
        ]
    bound = bound_groups(groups, dataset.groups)
    for label, name in ((1, "positives"), (0, "negatives")):
        sizes = np.bincount(groups[dataset.labels == label], minlength=1)
        if sizes.max() > LARGEST_GROUP * sizes.sum():
            return "random", [
                f"{what} part drawn at random although {reason}: {sizes.max():,} of "
                f"{sizes.sum():,} {name} are one group of related sequences, so scores are partly "
                "memory"
            ]
    try:
        split_by_groups(dataset, bound, test=fraction, seed=settings.seed)
    except InputError as error:
        return "random", [
            f"{what} part drawn at random although {reason}: {error.got} fill no {what} part"
        ]
    return "homology", [f"{what} part cut by homology, as {reason}; --split random overrides this"]


def _relation(dataset: SequenceDataset) -> str:
    """Say what relates sequences: of those without 31 bases, only copies are looked for."""
    if dataset.lengths.max() < MAX_K:
        return "copy training sequences on either strand (near copies are not looked for)"
    return f"share {MAX_K} bases with training sequences"


def _related(
    dataset: SequenceDataset, groups: NDArray[np.int64], settings: Settings, fraction: float
) -> float:
    """Return the fraction of a random test split that is related to training sequences."""
    try:
        split = split_at_random(dataset, test=fraction, seed=settings.seed).split
    except InputError:  # too few sequences of a class: the split itself says so
        return 0.0
    is_test = split == "test"
    return float(np.isin(groups[is_test], groups[~is_test]).mean())


def _test_split(
    dataset: SequenceDataset, groups: NDArray[np.int64] | None, rule: str, settings: Settings
) -> SequenceDataset:
    if rule == "chromosome":
        return split_by_chromosome(
            dataset, test=settings.test_chromosomes, valid=settings.valid_chromosomes
        )
    if rule == "homology":
        assert groups is not None
        bound = bound_groups(groups, dataset.groups)
        return split_by_groups(dataset, bound, test=settings.test_fraction, seed=settings.seed)
    return split_at_random(dataset, test=settings.test_fraction, seed=settings.seed)


def _valid_rows(
    dataset: SequenceDataset,
    groups: NDArray[np.int64] | None,
    rule: str,
    fraction: float,
    seed: int,
) -> tuple[NDArray[np.intp], list[str]]:
    """Return the rows of the training sequences that become the validation split, maybe none."""
    try:
        if rule in ("homology", "chromosome"):
            assert groups is not None
            bound = bound_groups(groups, dataset.groups)
            found = split_by_groups(dataset, bound, test=fraction, seed=seed)
        elif dataset.groups is not None:
            found = split_at_random(dataset, test=fraction, seed=seed)
        else:
            return np.empty(0, dtype=np.intp), []
    except InputError:
        text = "the validation part is drawn at random, related sequences not kept together: {}"
        return np.empty(0, dtype=np.intp), [text.format("they are too few or too alike")]
    return np.flatnonzero(found.split == "test"), []


def _cut_mapped(dataset: SequenceDataset, settings: Settings) -> Cut:
    """Hold rows out at random, each class in its share, without reading a sequence."""
    if dataset.split is not None and (dataset.split == "test").any():
        return Cut(dataset, "given")
    if settings.split not in ("auto", "random"):
        raise InputError(
            "a mapped data set is split at random, or by a column 'split' of what it is made of",
            got=f"--split {settings.split}",
            remedy="drop the option, or convert a table with the column",
        )
    learning = np.ones(len(dataset), dtype=np.bool_)
    if dataset.split is not None:
        learning = dataset.split == "train"
    rows = np.flatnonzero(learning)
    n_test = round(settings.test_fraction * len(rows))
    split = np.where(learning, "train", "valid")
    split[draw(dataset.labels, rows, n_test, np.random.default_rng(settings.seed))] = "test"
    note = "split at random, as the data are mapped; the audit counts what the splits share"
    notes = (note,) if settings.split == "auto" else ()
    return Cut(dataset.with_split(split), "random", notes)
