"""Files of a user made into one data set with its parts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motiflens.datasets import (
    MappedDataset,
    SequenceDataset,
    concatenate,
    mark_sites,
    require_at_least,
    require_two_classes,
    split_at_random,
    split_by_chromosome,
    split_by_homology,
)
from motiflens.datasets.strands import reads_both_strands
from motiflens.errors import InputError
from motiflens.matrices import information, motif_from_string
from motiflens.pipeline.few import require_enough
from motiflens.readers import Reading, Source, read
from motiflens.settings import Settings
from motiflens.training.rows import draw

#: Of a mapped data set with more sequences, audit, baselines and the choice of strands look at
#: ``SAMPLE`` only: they hold sequences as text.
LARGE, SAMPLE = 200_000, 50_000


@dataclass(frozen=True)
class DataFiles:
    """The files of a run.

    Parameters
    ----------
    data
        What is trained on.
    valid, test
        Files of the same kinds, used as they are; without them the parts are cut out of ``data``.
    test_negatives
        The negatives of a ``test`` file, and of a ``valid`` file, that hold positives only.
    """

    data: Source
    valid: Path | str | None = None
    test: Path | str | None = None
    test_negatives: Path | str | None = None


def load_files(files: DataFiles) -> Reading:
    """Read all files of a run into one data set, whose split says which file a row is from.

    Parameters
    ----------
    files
        Without ``valid`` and ``test`` the data set keeps the split that it came with, if any.

    Returns
    -------
    Reading

    Raises
    ------
    InputError
        If a file cannot be read (see :func:`motiflens.readers.read`), or the data have a split of
        their own besides the files.
    """
    main = read(files.data)
    given = {"valid": files.valid, "test": files.test}
    others = {part: path for part, path in given.items() if path is not None}
    if not others:
        return replace(main, notes=(*main.notes, *sample_notes(main.dataset)))
    if isinstance(main.dataset, MappedDataset):
        raise InputError(
            "the parts of a mapped data set are named by a column 'split' of what it is made of",
            got=f"{files.data.path} and --{next(iter(others))}",
            remedy="convert one table with all parts, or drop the option",
        )
    if main.dataset.split is not None:
        raise InputError(
            "the parts come from the column 'split' or from files of their own",
            got=f"a split in {files.data.path} and --{next(iter(others))}",
            remedy="drop the column or the option",
        )
    readings = {"train": main}
    for part, path in others.items():
        source = replace(files.data, path=path, labels=None, negatives=files.test_negatives)
        readings[part] = read(source)
    parts = []
    for part, reading in readings.items():
        dataset = reading.dataset
        parts.append(dataset.with_split(np.full(len(dataset), part)))
    notes = tuple(
        note if part == "train" else f"{part}: {note}"
        for part, reading in readings.items()
        for note in reading.notes
    )
    return Reading(concatenate(parts), main.negatives, notes)


def prepare(dataset: SequenceDataset, settings: Settings) -> tuple[SequenceDataset, Settings]:
    """Make a data set ready for training: both classes, true sites where known, a test part.

    Parameters
    ----------
    dataset
        A split of its own is kept; where it has no test part, one is cut out of its training part.
    settings
        How to split; ``strands`` of ``auto`` is decided here.

    Returns
    -------
    dataset, settings
        With nothing left open.

    Raises
    ------
    InputError
        If a class is missing, a sequence is shorter than the motif, or a part is empty.
    """
    require_two_classes(dataset)
    require_enough(dataset)
    if settings.motif is not None:
        if not information(motif_from_string(settings.motif).ppm).any():
            raise InputError(
                "--motif has a letter other than N",
                got=settings.motif,
                remedy="leave it out where the motif is not known",
            )
        require_at_least(dataset, len(settings.motif), "the motif")
    dataset = _with_test_part(dataset, settings)
    for part in ("train", "test"):
        if not np.any(dataset.split == part):
            raise InputError(
                "a split has train and test sequences",
                got=f"none in {part}",
                remedy="correct the column 'split', or drop it for a random split",
            )
        require_two_classes(dataset, part)
    if settings.strands == "auto":
        both = reads_both_strands(sample(dataset, settings.seed).part("train"))
        settings = replace(settings, strands="both" if both else "forward")
    # In a mapped data set, only the positives that are explained get their sites, later.
    known = dataset.sites is not None or isinstance(dataset, MappedDataset)
    if settings.motif is not None and not known:
        dataset = mark_sites(dataset, settings.motif, settings.strands)
    return dataset, settings


def motif_notes(dataset: SequenceDataset, settings: Settings) -> tuple[str, ...]:
    """Say where ``--motif`` names no true site of the prepared data.

    Of a mapped data set nothing is said: its sites are looked for later.
    """
    if settings.motif is None or dataset.sites is None:
        return ()
    motif = settings.motif.upper()
    named = {site.name for row in dataset.sites for site in row}
    if not named:
        return (
            f"no positive holds --motif {motif}: the motifs that are found are held against it, "
            "but it has no true sites; check its letters and --strands",
        )
    if named != {motif}:
        return (
            f"--motif {motif} is not used: the data name true sites of their own, of "
            f"{', '.join(sorted(named))}",
        )
    return ()


def _with_test_part(dataset: SequenceDataset, settings: Settings) -> SequenceDataset:
    """Cut a test part out of what is there to train on, unless there is one."""
    if dataset.split is not None and (dataset.split == "test").any():
        return dataset
    learning = np.ones(len(dataset), dtype=np.bool_)
    if dataset.split is not None:
        learning = dataset.split == "train"
    if isinstance(dataset, MappedDataset):
        return dataset.with_split(_split_rows(dataset, learning, settings))
    split = np.full(len(dataset), "valid", dtype="<U5")
    split[learning] = cut(dataset.subset(learning), settings).split
    return dataset.with_split(split)


def _split_rows(
    dataset: MappedDataset, learning: NDArray[np.bool_], settings: Settings
) -> NDArray[np.str_]:
    """Hold rows out at random, each class in its share, without reading a sequence."""
    if settings.split != "random":
        raise InputError(
            "a mapped data set is split at random, or by a column 'split' of what it is made of",
            got=f"--split {settings.split}",
            remedy="drop the option, or convert a table with the column",
        )
    rows = np.flatnonzero(learning)
    n_test = round(settings.test_fraction * len(rows))
    split = np.where(learning, "train", "valid")
    split[draw(dataset.labels, rows, n_test, np.random.default_rng(settings.seed))] = "test"
    return split


def sample(dataset: SequenceDataset, seed: int) -> SequenceDataset:
    """Give a data set as it is, or a sample of a large mapped one, each class in its share."""
    if not isinstance(dataset, MappedDataset) or len(dataset) <= LARGE:
        return dataset
    # With the seed alone these would be the very rows that the split holds out.
    generator = np.random.default_rng((seed, SAMPLE))
    return dataset.subset(draw(dataset.labels, np.arange(len(dataset)), SAMPLE, generator))


def sample_notes(dataset: SequenceDataset) -> tuple[str, ...]:
    """Say that a sample is looked at, where it is."""
    if not isinstance(dataset, MappedDataset) or len(dataset) <= LARGE:
        return ()
    return (
        f"audit, baselines and the choice of strands look at {SAMPLE:,} of {len(dataset):,} "
        "sequences, drawn at random",
    )


def cut(dataset: SequenceDataset, settings: Settings) -> SequenceDataset:
    """Cut a test part out of a data set in the way that the settings say."""
    if settings.split == "chromosome":
        return split_by_chromosome(
            dataset, test=settings.test_chromosomes, valid=settings.valid_chromosomes
        )
    split = split_by_homology if settings.split == "homology" else split_at_random
    return split(dataset, test=settings.test_fraction, seed=settings.seed)
