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

from motiflens.datasets import SequenceDataset, concatenate
from motiflens.errors import InputError
from motiflens.io.options import AS_IT_IS, ReadOptions
from motiflens.io.sources import Reading, read_source


def read(
    path: str | PathLike[str],
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
    valid: Path | str | None = None,
    test: Path | str | None = None,
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
        The file.
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
    valid, test
        Files of the same kinds that are used as these splits, as they are.
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
    )
    others = {"valid": valid, "test": test}
    given = Path(path)
    return read_files(given, options, others, test_negatives=test_negatives, seed=seed).dataset


def read_files(
    path: Path | str,
    options: ReadOptions = AS_IT_IS,
    others: Mapping[str, Path | str | None] | None = None,
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
    main = read_source(path, options, seed)
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
    beside = replace(options, labels=None, negatives=negatives)
    readings = {"train": main}
    for split, file in files.items():
        readings[split] = read_source(file, beside, seed)
    dataset = concatenate(
        [one.dataset.with_split([split] * len(one.dataset)) for split, one in readings.items()]
    )
    notes = tuple(
        note if split == "train" else f"{split}: {note}"
        for split, one in readings.items()
        for note in one.notes
    )
    return Reading(dataset, main.negatives, notes)


def read_unlabelled(path: Path | str, options: ReadOptions = AS_IT_IS, *, seed: int = 0) -> Reading:
    """Read data of which labels are not asked: what comes without is positive; see `read`.

    No negatives are made but those that the options name.

    Raises
    ------
    InputError
        As `read`.
    """
    return read_source(path, options, seed, False)
