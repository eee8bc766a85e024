"""A run directory, begun: or resumed, or refused."""

from __future__ import annotations

import platform
import tomllib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import tomli_w
import torch

from motiflens.datasets import SequenceDataset
from motiflens.errors import InputError
from motiflens.results import Results, is_run
from motiflens.results.provenance import Mapped, Origin, Provenance
from motiflens.runs.run import Run
from motiflens.settings import Settings
from motiflens.training import distributed
from motiflens.version import __version__


@dataclass(frozen=True)
class Output:
    """The directory that a run is written to.

    Parameters
    ----------
    path
        Made with its parents.
    overwrite
        Whether an earlier run there may be replaced.
    until
        The stage that the work ends with: a run that has finished it is not resumed.
    """

    path: Path
    overwrite: bool = False
    until: str = "compare"

    def check(self) -> None:
        """Raise :class:`InputError` if a run may not be written here.

        It may into a new or empty directory, over an earlier run with ``overwrite``, and into an
        unfinished run, which is then resumed. Where several processes work on one run, the first
        one looks.
        """
        distributed.in_first(self._check)

    @property
    def resumes(self) -> bool:
        """Whether a run that was begun here is resumed."""
        return not self.overwrite and is_run(self.path)

    def _check(self) -> None:
        path = self.path
        if path.exists() and not path.is_dir():
            raise InputError(f"{path} is a file", remedy="use another name for the run directory")
        if not path.is_dir() or not any(path.iterdir()):
            return
        results = Results(path)
        # A run that was cut off at its beginning has left no more than the file of a moment.
        begun = f".{results.path_of('configuration').name}."
        if not is_run(path) and any(not p.name.startswith(begun) for p in path.iterdir()):
            problem = f"{path} holds other files, and no run"
            raise InputError(problem, remedy="use another directory")
        if not self.overwrite and results.is_finished(self.until):
            remedy = "use another directory, or overwrite=True"
            if results.holds("report"):
                remedy += f"; to see it, open {results.path_of('report')}"
            problem = f"{path} already holds a finished run"
            raise InputError(problem, remedy=remedy, argument="overwrite")


def begin(output: Output, dataset: SequenceDataset, settings: Settings, origin: Origin) -> Run:
    """Begin a run directory, or resume one that is unfinished.

    Where several processes work on one run, the first one writes.

    Parameters
    ----------
    output
        Where to.
    dataset
        As it is trained on, with its split.
    settings
        Of the run, all decided.
    origin
        What is known of the data: ``data``, ``command``, ``negatives`` and ``notes``.

    Returns
    -------
    Run
        With its configuration and its data.

    Raises
    ------
    InputError
        If the directory holds something else, an earlier run without ``overwrite``, or an
        unfinished one of other data or settings.
    """
    output.check()
    run = Run(output.path)
    distributed.in_first(partial(_begin, run, dataset, settings, origin, output))
    return run


def _begin(
    run: Run, dataset: SequenceDataset, settings: Settings, origin: Origin, output: Output
) -> None:
    results, provenance = run.results, _provenance(dataset, settings, origin)
    if output.resumes:
        _require_same(results, provenance)
        results.remove_begun()
    else:
        try:
            results.remove()
            run.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            problem = f"{run.path} cannot be written: {error.strerror}"
            raise InputError(problem, remedy="use another directory") from None
        # First of all, so that whatever else is in the directory is known to be a run's.
        results.write_provenance(provenance)
    run.write_dataset(dataset)


def _provenance(dataset: SequenceDataset, settings: Settings, origin: Origin) -> Provenance:
    known = msgspec.structs.replace(
        origin,
        version=__version__,
        seed=settings.seed,
        sha256=dataset.data_sha256(),
        n_sequences=len(dataset),
        n_positives=None if dataset.is_regression else int((dataset.labels > 0).sum()),
        task=dataset.task or msgspec.UNSET,
        length=int(dataset.lengths.max()),
    )
    versions = {
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
    }
    mapped = dataset.provenance().get("mapped")
    return Provenance(
        run=known,
        versions=versions,
        configuration=settings,
        mapped=None if mapped is None else Mapped(**mapped),
    )


def _require_same(results: Results, provenance: Provenance) -> None:
    """Refuse to resume an unfinished run of other data or settings."""
    begun, now = results.provenance, provenance
    # As they are read again: a list of the file is a tuple of the settings.
    before, after = (
        tomllib.loads(tomli_w.dumps(one.as_table()["configuration"])) for one in (begun, now)
    )
    changed = [name for name in sorted(before | after) if before.get(name) != after.get(name)]
    if begun.run.sha256 != now.run.sha256:
        other = "data"
    elif changed:
        other = f"settings ({', '.join(changed)})"
    else:
        return
    name = results.path_of("configuration").name
    state = "trained" if results.is_trained else "begun"
    raise InputError(
        f"the run in {results.path} was {state} with other {other}",
        remedy=f"repeat the settings of its {name}, or use overwrite=True",
        argument="overwrite",
    )
