"""A run whose models are trained against one negative set and tested against others too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np

from motiflens.datasets import SequenceDataset, concatenate
from motiflens.errors import InputError
from motiflens.io.negatives import split_kind
from motiflens.io.options import AS_IT_IS, ReadOptions
from motiflens.io.read import read_files
from motiflens.progress import Progress
from motiflens.results.provenance import Origin
from motiflens.runs import Run
from motiflens.settings import Settings
from motiflens.stages.compare import compare
from motiflens.stages.hyperparameters import validation_fraction
from motiflens.stages.splitting import cut


@dataclass(frozen=True, eq=False)
class NegativeSets:
    """The same positives with several negative sets.

    Parameters
    ----------
    datasets
        Name of the set → data with a split. Positives and their splits are the same in all.
    rule
        How the splits were cut, as in :class:`motiflens.settings.Settings`.
    notes
        What was counted, dropped and assumed in reading and splitting, for a log.
    """

    datasets: dict[str, SequenceDataset]
    rule: str = "given"
    notes: tuple[str, ...] = ()


def read_negative_sets(
    path: Path | str,
    names: Sequence[str],
    settings: Settings | None = None,
    options: ReadOptions = AS_IT_IS,
) -> NegativeSets:
    """Read positives, and give them negatives of each set and one split.

    Positives and negatives are split at once, so that a split by homology holds between all sets;
    shuffles follow the positive that they are made of.

    Parameters
    ----------
    path, options
        File of positives, read without labels or negatives.
    names
        Two or more of ``shuffle``, ``matched``, names of files, and mixtures joined by ``+``.
    settings
        How to split.

    Raises
    ------
    InputError
        If sets are fewer than two or named twice, if the source comes with labels or negatives,
        and where `read_files` or the split does.
    """
    settings = settings or Settings()
    _check_sets(path, options, names)
    single = dict.fromkeys(part for name in names for part in split_kind(name))
    readings = {
        name: read_files(path, replace(options, negatives=name), seed=settings.seed)
        for name in single
    }
    negatives = {name: reading.dataset.negatives() for name, reading in readings.items()}
    # Only positives that were read with their shuffles are bound to them.
    reading = readings.get("shuffle", next(iter(readings.values())))
    positives = reading.dataset.positives()
    free = [name for name in single if name != "shuffle"]
    notes = list(dict.fromkeys(note for one in readings.values() for note in one.notes))
    together = concatenate([positives, *(negatives[name] for name in free)])
    whole, rule = cut(together, settings, validation_fraction(settings), notes.append)
    assert whole.split is not None
    ends = np.cumsum([len(positives), *(len(negatives[name]) for name in free)])
    positives = positives.with_split(whole.split[: ends[0]])
    splits = dict(zip(free, np.split(whole.split, ends[:-1])[1:], strict=True))
    splits["shuffle"] = whole.split[: ends[0]]
    made = {name: negatives[name].with_split(splits[name]) for name in single}
    datasets = {
        name: concatenate([positives, *(made[part] for part in split_kind(name))]) for name in names
    }
    return NegativeSets(datasets, rule, tuple(notes))


def _check_sets(path: Path | str, options: ReadOptions, names: Sequence[str]) -> None:
    if len(set(names)) < max(len(names), 2):
        problem = f"{', '.join(names) or 'nothing'} names fewer than two different negative sets"
        remedy = "name each once, such as cross_negatives=shuffle,negatives.fa"
        raise InputError(problem, remedy=remedy, argument="cross_negatives")
    for what in ("labels", "negatives"):
        if (value := getattr(options, what)) is not None:
            problem = f"{what}={value} is given beside several negative sets"
            remedy = f"leave {what} out: the data are positives, and the sets all negatives"
            raise InputError(problem, f"for {path}", remedy, what)


def cross_negatives(
    path: Path | str,
    names: Sequence[str],
    output: Path | str,
    settings: Settings | None = None,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
    origin: Origin | None = None,
    scheduler: str | None = None,
    options: ReadOptions = AS_IT_IS,
) -> Run:
    """Train models against each negative set and test them against every one.

    The first set is the run's own data, scored as by :func:`motiflens.compare`; ``crossing`` of the
    results holds the table of all sets. Without ``sizes`` there are no learning curves.

    Parameters
    ----------
    path, options
        File of positives and, for instance, its genome.
    names
        Two or more of ``shuffle``, ``matched``, names of files, and mixtures joined by ``+``.
    output
        Run directory to make.
    settings, overwrite, progress, origin, scheduler
        As in :func:`motiflens.compare`.

    Raises
    ------
    InputError
        If the data, the negative sets, the settings or the output break a rule.
    """
    settings = settings or Settings()
    sets = read_negative_sets(path, names, settings, options)
    own, *_ = sets.datasets
    origin = origin or Origin(data=str(path))
    return compare(
        sets.datasets[own],
        output,
        replace(settings, sizes=settings.sizes or (), split=sets.rule),
        negative_sets={name: sets.datasets[name] for name in sets.datasets if name != own},
        overwrite=overwrite,
        origin=msgspec.structs.replace(origin, negatives=own, notes=sets.notes),
        scheduler=scheduler,
        progress=progress,
    )
