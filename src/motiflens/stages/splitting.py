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
from motiflens.stages.defaults import Note, unheard

#: Fraction of a random test split that may be related to training sequences.
MAX_RELATED = 0.01

#: Fraction of a class in one group from which groups cannot be held out.
LARGEST_GROUP = 0.5


def cut(
    dataset: SequenceDataset, settings: Settings, valid_fraction: float = 0.0, note: Note = unheard
) -> tuple[SequenceDataset, str]:
    """Cut the splits that a data set lacks out of its training sequences.

    ``auto`` becomes ``homology`` for windows on a genome, and for other data where more than
    ``MAX_RELATED`` of a random test split would share a 31-mer with training sequences; else, and
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
    note
        Told the reasons.

    Returns
    -------
    dataset, rule
        With ``train`` and ``test``, and ``valid`` where training does not draw it by itself; by
        ``random``, ``homology`` or ``chromosome``, or ``given`` where nothing was cut.

    Raises
    ------
    InputError
        If the rule that the settings name cannot be followed.
    """
    if dataset.is_mapped:
        return _cut_mapped(dataset, settings, note)
    given = np.full(len(dataset), "train") if dataset.split is None else dataset.split
    has_test, has_valid = bool((given == "test").any()), bool((given == "valid").any())
    needs_valid = valid_fraction > 0 and not has_valid
    if has_test and not needs_valid:
        return dataset, "given"
    if not has_test:
        require_not_given(settings)
    learning = np.flatnonzero(given == "train")
    cutting = Cutting.of(dataset.subset(learning).with_split(None), settings, note)
    fraction = valid_fraction if has_test else settings.test_fraction
    rule = cutting.rule(fraction, "validation" if has_test else "test")
    split = given.astype("<U5")
    if not has_test:
        split[learning] = cutting.test_split(rule)
    if needs_valid and not (split == "valid").any():
        rows = np.flatnonzero(split[learning] == "train")
        split[learning[rows[cutting.valid_rows(rows, rule, valid_fraction)]]] = "valid"
    return dataset.with_split(split), rule


def on_genome(dataset: SequenceDataset) -> bool:
    """Return whether the positives are windows on a genome, as far as that is known."""
    loci = dataset.coordinates
    return loci is not None and bool((loci.chrom[dataset.classes > 0] != "").any())


def require_not_given(settings: Settings) -> None:
    """Raise :class:`InputError` where data without a test split are to be split as they are."""
    if settings.split == "given":
        problem = "split='given' takes the test split from a column 'split' or a file of its own"
        raise InputError(problem, "and the data have none", "use another split", "split")


@dataclass(frozen=True, eq=False)
class Cutting:
    """Sequences that splits are cut out of, and their homology groups where a rule needs them."""

    dataset: SequenceDataset
    groups: NDArray[np.int64] | None
    settings: Settings
    note: Note

    @classmethod
    def of(cls, dataset: SequenceDataset, settings: Settings, note: Note) -> Cutting:
        """Look for groups of related sequences, where the rule may need them."""
        grouped = settings.split in ("auto", "homology", "chromosome")
        return cls(dataset, homology_groups(dataset) if grouped else None, settings, note)

    def rule(self, fraction: float, what: str) -> str:
        """Choose the rule where it is ``auto``, and say why."""
        if self.settings.split != "auto":
            return self.settings.split
        assert self.groups is not None
        related = self._related(self.groups, fraction)
        if on_genome(self.dataset):
            reason = "the sequences are windows on a genome"
        elif related > MAX_RELATED:
            reason = f"{related:.1%} of a random {what} split would {_relation(self.dataset)}"
        else:
            self.note(
                f"{what} split drawn at random, as {related:.1%} of it {_relation(self.dataset)}; "
                f"above {MAX_RELATED:.0%} it would be cut by homology"
            )
            return "random"
        obstacle = self._obstacle(self.groups, fraction, what)
        if obstacle:
            self.note(f"{what} split drawn at random although {reason}: {obstacle}")
            return "random"
        self.note(f"{what} split cut by homology, as {reason}; split=random overrides this")
        return "homology"

    def _obstacle(self, groups: NDArray[np.int64], fraction: float, what: str) -> str:
        """Return why a split cannot be cut by homology, or ""."""
        labels = self.dataset.classes
        for label, name in ((1, "positives"), (0, "negatives")):
            sizes = np.bincount(groups[labels == label], minlength=1)
            if sizes.max() > LARGEST_GROUP * sizes.sum():
                return (
                    f"{sizes.max():,} of {sizes.sum():,} {name} are one group of related "
                    "sequences, so scores are partly memory"
                )
        bound = bound_groups(groups, self.dataset.groups)
        try:
            split_by_groups(self.dataset, bound, test=fraction, seed=self.settings.seed)
        except InputError as error:
            return f"{error.problem} fill no {what} split"
        return ""

    def _related(self, groups: NDArray[np.int64], fraction: float) -> float:
        """Return the fraction of a random test split that is related to training sequences."""
        try:
            split = split_at_random(self.dataset, test=fraction, seed=self.settings.seed).split
        except InputError:  # too few sequences of a class: the split itself says so
            return 0.0
        is_test = split == "test"
        return float(np.isin(groups[is_test], groups[~is_test]).mean())

    def test_split(self, rule: str) -> NDArray[np.str_]:
        """Return the split with its test sequences, (N,)."""
        dataset, chosen = self.dataset, self.settings
        if rule == "chromosome":
            made = split_by_chromosome(
                dataset, test=chosen.test_chromosomes, valid=chosen.valid_chromosomes
            )
        else:
            made = self._cut(dataset, self.groups, rule, chosen.test_fraction)
        return np.asarray(made.split)

    def valid_rows(self, rows: NDArray[np.intp], rule: str, fraction: float) -> NDArray[np.intp]:
        """Return which of the training rows become the validation split, maybe none."""
        groups = None if self.groups is None else self.groups[rows]
        by = "homology" if rule == "chromosome" else rule
        if by != "homology" and self.dataset.groups is None:
            return np.empty(0, dtype=np.intp)
        try:
            made = self._cut(self.dataset.subset(rows), groups, by, fraction)
        except InputError:
            self.note(
                "the validation split is drawn at random, related sequences not kept together: "
                "they are too few or too alike"
            )
            return np.empty(0, dtype=np.intp)
        return np.flatnonzero(made.split == "test")

    def _cut(
        self,
        dataset: SequenceDataset,
        groups: NDArray[np.int64] | None,
        rule: str,
        fraction: float,
    ) -> SequenceDataset:
        if rule != "homology":
            return split_at_random(dataset, test=fraction, seed=self.settings.seed)
        assert groups is not None
        bound = bound_groups(groups, dataset.groups)
        return split_by_groups(dataset, bound, test=fraction, seed=self.settings.seed)


def _relation(dataset: SequenceDataset) -> str:
    """Say what relates sequences: of those without 31 bases, only copies are looked for."""
    if dataset.lengths.max() < MAX_K:
        return "copy training sequences on either strand (near copies are not looked for)"
    return f"share {MAX_K} bases with training sequences"


def _cut_mapped(
    dataset: SequenceDataset, settings: Settings, note: Note
) -> tuple[SequenceDataset, str]:
    """Hold rows out at random, each class in its fraction, without reading a sequence."""
    if dataset.split is not None and (dataset.split == "test").any():
        return dataset, "given"
    if settings.split not in ("auto", "random"):
        problem = f"split={settings.split!r} is not possible for mapped data"
        remedy = "use split='random', or convert a table with a column 'split'"
        raise InputError(problem, remedy=remedy, argument="split")
    learning = np.ones(len(dataset), dtype=np.bool_)
    if dataset.split is not None:
        learning = dataset.split == "train"
    rows = np.flatnonzero(learning)
    n_test = round(settings.test_fraction * len(rows))
    split = np.where(learning, "train", "valid")
    split[draw(dataset.classes, rows, n_test, np.random.default_rng(settings.seed))] = "test"
    if settings.split == "auto":
        note("split at random, as the data are mapped; the audit counts what the splits share")
    return dataset.with_split(split), "random"
