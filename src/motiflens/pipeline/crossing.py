"""A run whose models are trained against one kind of negatives and tested against another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from motiflens.datasets import SequenceDataset
from motiflens.evaluation.negative_sets import Crossed, read_kinds
from motiflens.io.options import ReadOptions
from motiflens.pipeline.comparing import compare
from motiflens.pipeline.hyperparameters import validation_fraction
from motiflens.pipeline.splitting import cut
from motiflens.progress import Progress
from motiflens.runs import Origin, Run
from motiflens.settings import Settings


def read_crossed(
    path: Path | str,
    kinds: Sequence[str],
    settings: Settings | None = None,
    options: ReadOptions | None = None,
) -> Crossed:
    """Read positives with negatives of several kinds; the settings say how to split."""
    chosen = settings or Settings()

    def split(dataset: SequenceDataset) -> tuple[SequenceDataset, str, tuple[str, ...]]:
        made = cut(dataset, chosen, validation_fraction(chosen))
        return made.dataset, made.rule, made.notes

    return read_kinds(path, kinds, split, options or ReadOptions(), chosen.seed)


def cross_negatives(
    path: Path | str,
    kinds: Sequence[str],
    output: Path | str,
    settings: Settings | None = None,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
    origin: Origin | None = None,
    options: ReadOptions | None = None,
) -> Run:
    """Train models against each kind of negatives and test them against every kind.

    The first kind is the run's own data, scored as by :func:`motiflens.compare`; ``crossing.json``
    holds the table of all kinds. Without ``sizes`` there are no learning curves.

    Parameters
    ----------
    path, options
        File of positives, and for instance its genome.
    kinds
        Two or more of ``shuffle``, ``matched``, names of files, and mixtures joined by ``+``.
    output
        Run directory to make.
    settings, overwrite, progress, origin
        As in :func:`motiflens.compare`.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        If the data, the kinds, the settings or the output break a rule.
    """
    settings = settings or Settings()
    settings = replace(settings, sizes=settings.sizes or ())
    return compare(
        read_crossed(path, kinds, settings, options),
        output,
        settings,
        overwrite=overwrite,
        progress=progress,
        origin=origin or Origin(str(path)),
    )
