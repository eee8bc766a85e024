"""What a user says about a file of data beside its name."""

from __future__ import annotations

from dataclasses import dataclass, fields
from numbers import Integral, Real
from pathlib import Path

from motiflens.datasets import TASKS
from motiflens.errors import InputError, one_of

#: Options that are numbers, of which kind, and what that is called.
_NUMBERS: tuple[tuple[str, type, str], ...] = (
    ("width", Integral, "whole number"),
    ("signal_column", Integral, "whole number"),
    ("positive_sd", Real, "number"),
)


@dataclass(frozen=True)
class ReadOptions:
    """How DATA becomes labelled sequences.

    Parameters
    ----------
    labels
        File with one label a line, for sequences in FASTA or one a line.
    positive
        The word that is the positive label, where labels are words, such as bound.
    negatives
        DATA holds positives, and these are the negatives: shuffle, matched, a file, or several
        joined by +.
    genome
        FASTA or 2bit, for a BED or narrowPeak file.
    width
        Windows of so many bases around the summits or middles of a BED file.
    peak_name
        Only the rows of a BED file whose name matches, such as 'CTCF_*'.
    exclude
        BED file of regions, such as a blacklist: peaks that overlap one are dropped, and matched
        negatives lie elsewhere.
    signal_column
        Column of the signal of a protein-binding microarray, counted from 1.
    positive_sd
        Probes this many standard deviations above the mean are positives.
    task
        classification, by labels 0 and 1, or regression, by numbers; found by itself where the
        labels decide: numbers that are not all whole, or more than 20 of them, are predicted as
        such. Of a microarray regression predicts the signals.
    """

    labels: Path | None = None
    positive: str | None = None
    negatives: str | None = None
    genome: Path | None = None
    width: int | None = None
    peak_name: str | None = None
    exclude: Path | None = None
    signal_column: int | None = None
    positive_sd: float | None = None
    task: str | None = None

    def __post_init__(self) -> None:
        for name, kind, told in _NUMBERS:
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, kind)):
                remedy = "give the number without quotes" if isinstance(value, str) else ""
                raise InputError(f"{name}={value!r} is no {told}", remedy=remedy, argument=name)
        if self.task is not None:
            one_of("a task", self.task, TASKS, argument="task")

    def given(self) -> dict[str, object]:
        """Return the options that are not left to their default."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


AS_IT_IS = ReadOptions()
"""Nothing said."""
