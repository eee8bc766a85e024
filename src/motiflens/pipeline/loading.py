"""Files of a user made into one data set with its parts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from motiflens.datasets import (
    SequenceDataset,
    concatenate,
    require_at_least,
    require_two_classes,
)
from motiflens.datasets.strands import BOTH_FROM, strand_share
from motiflens.errors import InputError
from motiflens.io.readers import Reading, Source, read
from motiflens.motifs import information, motif_from_string
from motiflens.pipeline.few import require_enough
from motiflens.pipeline.splitting import cut, on_genome
from motiflens.settings import Settings


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
        If a file cannot be read, see :func:`motiflens.io.readers.read`, or the data have a split of
        their own besides the files.
    """
    main = read(files.data)
    given = {"valid": files.valid, "test": files.test}
    others = {part: path for part, path in given.items() if path is not None}
    if not others:
        return replace(main, notes=(*main.notes, *sample_notes(main.dataset)))
    if main.dataset.is_mapped:
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


def prepare(
    dataset: SequenceDataset, settings: Settings, valid_fraction: float = 0.0
) -> tuple[SequenceDataset, Settings, tuple[str, ...]]:
    """Make a data set ready for training: both classes, true sites where known, a test part.

    Parameters
    ----------
    dataset
        A split of its own is kept; where it has no test part, one is cut out of its training part.
    settings
        How to split; ``split`` and ``strands`` of ``auto`` are decided here.
    valid_fraction
        Of the training part, for validation, where the data have no such part
        (see :func:`motiflens.pipeline.splitting.cut`).

    Returns
    -------
    dataset, settings, notes
        With nothing left open, and the reasons for what was chosen.

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
    made = cut(dataset, settings, valid_fraction)
    dataset, settings = made.dataset, replace(settings, split=made.rule)
    for part in ("train", "test"):
        if not np.any(dataset.split == part):
            raise InputError(
                "a split has train and test sequences",
                got=f"none in {part}",
                remedy="correct the column 'split', or drop it for a random split",
            )
        require_two_classes(dataset, part)
    strands, reasons = _strands(dataset, settings)
    settings = replace(settings, strands=strands)
    if settings.motif is not None:
        dataset = dataset.with_known_sites(settings.motif, settings.strands)
    return dataset, settings, (*made.notes, *reasons)


def _strands(dataset: SequenceDataset, settings: Settings) -> tuple[str, tuple[str, ...]]:
    """Choose the strands where they are ``auto``, and say why."""
    if settings.strands != "auto":
        return settings.strands, ()
    if on_genome(dataset):
        return "both", ("both strands are read, as the sequences are windows on a genome",)
    share = strand_share(dataset.sample(settings.seed).part("train"))
    words = f"reverse complements are {max(share, 0):.0%} as enriched as words of the positives"
    if share >= BOTH_FROM:
        return "both", (f"both strands are read, as {words}",)
    return "forward", (f"the forward strand is read, as {words}; --strands both reads both",)


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


def sample_notes(dataset: SequenceDataset) -> tuple[str, ...]:
    """Say that a sample is looked at, where it is."""
    if dataset.sample_size == len(dataset):
        return ()
    return (
        f"audit, baselines and the choice of strands look at {dataset.sample_size:,} of "
        f"{len(dataset):,} sequences, drawn at random",
    )
