"""``audit.json``: copies, leaks and biases of the data, and what trivial baselines score."""

from __future__ import annotations

import msgspec

from motiflens.results.base import ClassCounts, File, Part
from motiflens.results.scores import Scores


class Lengths(Part, frozen=True, kw_only=True):
    """Lengths of all sequences, in bases."""

    min: int
    max: int
    mean: float


class Contrast(Part, frozen=True, kw_only=True):
    """Means of the classes, and how far they differ; None where there is nothing to compare.

    Parameters
    ----------
    positives, negatives
        Means.
    standardised_difference
        Of the means, in the root mean square of both standard deviations.
    auroc
        Above 0.5 where positives have more.
    """

    positives: float | None
    negatives: float | None
    standardised_difference: float | None = None
    auroc: float | None = None


class ClassFractions(Part, frozen=True, kw_only=True):
    """A fraction of each class; None of a class without sequences."""

    positives: float | None
    negatives: float | None


class ShuffledNegatives(Part, frozen=True, kw_only=True):
    """Negatives with exactly the counts of a positive.

    Parameters
    ----------
    negatives
        Their number.
    by_chance
        Fraction of all positives that have the counts of another one.
    """

    negatives: int
    by_chance: float | None


class Repeats(Part, frozen=True, kw_only=True):
    """How much likelier two 6-mers are equal in negatives than in positives.

    Parameters
    ----------
    ratio
        None where a class has no equal ones.
    standard_error
        Of its logarithm.
    """

    ratio: float | None
    standard_error: float | None


class Composition(Part, frozen=True, kw_only=True):
    """One split, class against class.

    Parameters
    ----------
    n
        Sequences.
    gc, length
        Fraction of G and C among known bases; bases.
    n_fraction
        Fraction of N among the bases.
    shuffled_negatives
        Of ``dinucleotide`` and ``mononucleotide`` counts.
    repeats
        Of 6-mers.
    """

    n: ClassCounts
    gc: Contrast
    length: Contrast
    n_fraction: ClassFractions
    shuffled_negatives: dict[str, ShuffledNegatives]
    repeats: Repeats


class ConstantStretch(Part, frozen=True, kw_only=True):
    """Bases at one end that nearly every sequence of one class has, and the other has not.

    Parameters
    ----------
    class_
        ``positives`` or ``negatives``.
    end
        ``start`` or ``end``: where positions are counted from.
    bases
        As they are read in the sequences.
    first, last
        Positions from that end, counted from 1.
    """

    class_: str = msgspec.field(name="class")
    end: str
    bases: str
    first: int
    last: int


class Audit(File, frozen=True, kw_only=True):
    """``audit.json``.

    Parameters
    ----------
    lengths
        Of all sequences; None in files of before 0.2.
    duplicates
        Split → rows minus distinct sequences, a reverse complement being the same.
    overlap
        Pair such as ``train-test`` → rows of the later split that are in the earlier.
    shared_31mers
        Pair → rows of the later split that share 31 bases with the earlier.
    constant
        Split → what sets the classes apart by their ends; empty in files of before 0.2.
    composition
        Split → its classes compared.
    baselines
        Baseline → scores on the test split; empty where a class is missing.
    warnings
        Sentences.
    """

    lengths: Lengths | None = None
    duplicates: dict[str, int]
    overlap: dict[str, int]
    shared_31mers: dict[str, ClassCounts]
    constant: dict[str, tuple[ConstantStretch, ...]] = msgspec.field(default_factory=dict)
    composition: dict[str, Composition]
    baselines: dict[str, Scores]
    warnings: tuple[str, ...]
