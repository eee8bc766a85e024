"""Files of any kind, made into a data set.

Sequences come from a FASTA file, from a file with one sequence a line, or from a BED file and a
genome. Their labels come from a second file, from the FASTA headers (``>1``, ``>0``), or the
sequences are positives and negatives are made or read. A table has its labels with it, as have
DeepBind's files and, by their signal, microarrays. Text may be compressed (``.gz``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motiflens.datasets import REGRESSION, SequenceDataset, concatenate
from motiflens.errors import InputError
from motiflens.io.options import AS_IT_IS, ReadOptions
from motiflens.io.sources import Reading, options_beside, read_source
from motiflens.io.tables import read_frame

if TYPE_CHECKING:
    from pandas import DataFrame

    Source = str | PathLike[str] | DataFrame
else:
    Source = Any


def read(
    path: Source,
    *,
    labels: Path | str | None = None,
    positive: str | None = None,
    negatives: Path | str | None = None,
    genome: Path | str | None = None,
    width: int | None = None,
    peak_name: str | None = None,
    exclude: Path | str | None = None,
    signal_column: int | None = None,
    positive_sd: float | None = None,
    task: str | None = None,
    valid: Source | None = None,
    test: Source | None = None,
    test_negatives: Path | str | None = None,
    seed: int = 0,
) -> SequenceDataset:
    """Read a data set from a file of any kind.

    The ending of the name tells what a file is: ``.motiflens`` a folder made by
    :func:`motiflens.io.mapped.convert_streaming`, in which the sequences stay, ``.parquet .tsv
    .csv .xlsx`` a table, ``.fa .fasta .fna`` FASTA, ``.bed .narrowPeak .broadPeak`` BED, ``.seq``
    DeepBind's. Any other file is a microarray when a signal column is named, FASTA when it begins
    with ``>``, a table when its first line names columns, a BED file when a genome is given, and
    else holds one sequence a line.

    Parameters
    ----------
    path
        The file, or a pandas data frame with the columns of a table.
    labels
        One label a line, for the sequences of ``path`` in their order. With two columns, the
        first is 1 for a positive and the second 1 for a negative.
    positive
        The word that is the positive label, where labels are words.
    negatives
        The sequences of ``path`` are positives, and these the negatives: ``shuffle``,
        ``matched``, a file, or several joined by ``+`` (see
        :func:`motiflens.io.negatives.make_negatives`). By default ``matched`` for BED files and
        ``shuffle`` for a ``.seq`` of positives only.
    genome
        FASTA or 2bit, for a BED file.
    width
        Of windows around the summits or middles of a BED file; else intervals as they are.
    peak_name
        Only the rows of a BED file whose name matches, such as ``CTCF_*``.
    exclude
        BED file of regions that no peak and no matched negative may overlap, such as a blacklist.
    signal_column, positive_sd
        For a microarray, see :func:`motiflens.io.binding_arrays.read_microarray`.
    task
        ``"classification"`` by labels 0 and 1, or ``"regression"`` by numbers; None where the
        labels decide (see :class:`SequenceDataset`). Of a microarray regression takes the signals
        (:func:`motiflens.io.binding_arrays.read_signals`).
    valid, test
        Files of the same kinds that are used as these splits, as they are. Options such as
        ``width`` are theirs too, as far as they are for a file of that kind.
    test_negatives
        The negatives of a ``test`` file, and of a ``valid`` file, that hold positives only.
    seed
        Of negatives that are made.

    Returns
    -------
    SequenceDataset

    Raises
    ------
    InputError
        When a file is missing, empty, damaged or not text, for lines, letters and labels that are
        none (with file and line), when sequences and labels differ in number, for an option that
        does not go with the file, and when it cannot be told where the labels are.
    """
    options = ReadOptions(
        labels=None if labels is None else Path(labels),
        positive=positive,
        negatives=None if negatives is None else str(negatives),
        genome=None if genome is None else Path(genome),
        width=width,
        peak_name=peak_name,
        exclude=None if exclude is None else Path(exclude),
        signal_column=signal_column,
        positive_sd=positive_sd,
        task=task,
    )
    others = {"valid": valid, "test": test}
    return read_files(path, options, others, test_negatives=test_negatives, seed=seed).dataset


def read_files(
    path: Source,
    options: ReadOptions = AS_IT_IS,
    others: Mapping[str, Source | None] | None = None,
    *,
    test_negatives: Path | str | None = None,
    seed: int = 0,
) -> Reading:
    """Read all files of a run into one data set, and tell what was done; see `read`.

    Parameters
    ----------
    path, options, test_negatives, seed
        See `read`.
    others
        Split → its file, or None. Without files the data set keeps the split that it came with.

    Raises
    ------
    InputError
        As `read`, and if the data have a split of their own besides the files.
    """
    main = _read_one(path, options, seed)
    path = path if isinstance(path, str | PathLike) else "the data frame"
    files = {split: file for split, file in (others or {}).items() if file is not None}
    if not files:
        if test_negatives is not None:
            problem = f"there is test_negatives={test_negatives}, and no valid or test file"
            raise InputError(problem, remedy="give test=FILE", argument=("test_negatives", "test"))
        return main
    option = next(iter(files))
    if main.dataset.is_mapped or main.dataset.split is not None:
        what = "is a mapped data set" if main.dataset.is_mapped else "names splits of its own"
        raise InputError(
            f"{path} {what}, and there is a file {option}={files[option]}",
            remedy=f"leave {option} out, or drop the column 'split'",
            argument=option,
        )
    negatives = None if test_negatives is None else str(test_negatives)
    if main.dataset.is_regression:
        options = replace(options, task=REGRESSION)
    readings = {"train": main}
    for split, file in files.items():
        readings[split] = _read_beside(split, file, options, negatives, seed)
    dataset = concatenate(
        [one.dataset.with_split([split] * len(one.dataset)) for split, one in readings.items()]
    )
    notes = tuple(
        note if split == "train" else f"{split}: {note}"
        for split, one in readings.items()
        for note in one.notes
    )
    return Reading(dataset, main.negatives, notes)


def _read_beside(
    split: str, file: Source, options: ReadOptions, negatives: str | None, seed: int
) -> Reading:
    """Read the file of a split, by those options of the main one that it can have."""
    try:
        if not isinstance(file, str | PathLike):
            return _read_one(file, ReadOptions(positive=options.positive, task=options.task), seed)
        return read_source(Path(file), options_beside(Path(file), options, negatives), seed)
    except InputError as error:
        if error.arguments != ("labels", "negatives"):
            raise
        raise InputError(
            error.problem,
            error.where,
            f"a file {split}={file} has its labels in it, as a table or in FASTA headers that "
            "begin with 0 or 1, or holds positives, for which test_negatives is given",
            (split, "test_negatives"),
        ) from None


def _read_one(data: Source, options: ReadOptions, seed: int) -> Reading:
    if isinstance(data, str | PathLike):
        return read_source(Path(data), options, seed)
    if not hasattr(data, "iloc"):
        remedy = "give the name of a file, or a pandas data frame"
        raise InputError(f"{type(data).__name__} is no data set", remedy=remedy)
    other = next((name for name in options.given() if name not in ("positive", "task")), None)
    if other is not None:
        problem = f"{other}={options.given()[other]} is not for a data frame"
        raise InputError(problem, remedy="leave it out", argument=other)
    return Reading(read_frame(data, options.positive, options.task))


def read_unlabelled(path: Path | str, options: ReadOptions = AS_IT_IS, *, seed: int = 0) -> Reading:
    """Read data of which labels are not asked: what comes without is positive; see `read`.

    No negatives are made but those that the options name.

    Raises
    ------
    InputError
        As `read`.
    """
    return read_source(path, options, seed, False)
