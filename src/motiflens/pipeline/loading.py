"""A data set made ready for training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from motiflens.datasets import (
    SequenceDataset,
    require_at_least,
    require_two_classes,
)
from motiflens.datasets.strands import BOTH_FROM, strand_share
from motiflens.errors import InputError
from motiflens.motifs import information, motif_from_string
from motiflens.pipeline.few import require_enough
from motiflens.pipeline.splitting import cut, on_genome
from motiflens.settings import Settings


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
