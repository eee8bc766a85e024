"""A module of the user's own in place of a run: its options, and the run made around it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from cyclopts import Group, Parameter

import motiflens
from motiflens.cli.options import Chosen, Overwrite
from motiflens.cli.progress import on_stderr
from motiflens.cli.runs import origin_of
from motiflens.cli.summary import print_report, summarise
from motiflens.errors import InputError
from motiflens.io.options import ReadOptions
from motiflens.io.read import read_files
from motiflens.report import write_report
from motiflens.settings import Settings

if TYPE_CHECKING:
    from motiflens.scoring.models import ModuleScorer

Second = TypeVar("Second", Path, str)

RunOrData = Annotated[
    Path, Parameter(help="Run directory; with --module, DATA as `motiflens run` takes it.")
]

#: Heading of the help.
OWN = Group("A module of your own", sort_key=0)


@Parameter(name="*", group=OWN)
@dataclass(frozen=True)
class OwnModule:
    """A module of your own in place of a run.

    Parameters
    ----------
    module
        In place of RUN: FILE.py:FUNCTION that builds a torch.nn.Module from one-hot (N, 4, L) to
        logits (N,) or (N, T). The file is run.
    weights
        Of the module: .safetensors, or the state dict that torch.save wrote.
    length
        Bases that the module was made for; found by trying where it takes any.
    target
        Which of the T logits of the module.
    """

    module: str | None = None
    weights: Path | None = None
    length: int | None = None
    target: int = 0

    def __post_init__(self) -> None:
        given = {"weights": self.weights, "length": self.length, "target": self.target or None}
        require_module(self.module, given)

    @property
    def arguments(self) -> dict[str, Any] | None:
        """What opens the module on any worker, as JSON holds it; None without one."""
        if self.module is None:
            return None
        file, _, name = self.module.rpartition(":")
        weights = self.weights and str(self.weights.absolute())
        spec = f"{Path(file).absolute()}:{name}" if file else self.module
        return {"spec": spec, "weights": weights, "length": self.length, "target": self.target}

    def second(self, run: Path, other: Second | None, name: str) -> Second | Path:
        """Return the second argument of a call, which stands first without a run.

        Parameters
        ----------
        run, other
            The two as they were read.
        name
            Of the second, in capitals.
        """
        if self.module is not None:
            if other is not None:
                raise InputError(
                    f"there is module={self.module} in place of a run, and also {run}",
                    remedy="leave one of them out",
                    argument="module",
                )
            return run
        if other is None:
            raise InputError(
                f"{name} is missing", remedy=f"add it behind {run}, or name a module=FILE.py:NAME",
                argument="module",
            )  # fmt: skip
        return other


@Parameter(name="*", group=OWN)
@dataclass(frozen=True)
class NewRun:
    """The run that is made around a module of your own.

    Parameters
    ----------
    output
        With --module: run directory to make.
    motif
        With --module: the true motif, when known, in IUPAC letters.
    strands
        With --module: auto, forward or both, where motifs may lie.
    overwrite
        With --module: replace an earlier run.
    """

    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None
    motif: str | None = None
    strands: str | None = None
    overwrite: Overwrite = False


def open_torch(run: Path, chosen: Chosen, own: OwnModule) -> ModuleScorer:
    """Open the model of a run, or a module in its place."""
    from motiflens.scoring.modules import open_scorer

    arguments = {"run": run, "model": chosen.model, "device": chosen.device}
    return open_scorer({**arguments, "own": own.arguments})


def require_module(module: str | None, given: dict[str, Any]) -> None:
    """Refuse options that are of a module where there is none."""
    own = next((name for name, value in given.items() if value is not None), None)
    if module is None and own is not None:
        raise InputError(
            f"{own}={given[own]} is for a module, and there is no module=FILE.py:NAME",
            remedy="name it, or leave the other out",
            argument=(own, "module"),
        )


def run_of(
    run: Path, own: OwnModule, new: NewRun, source: ReadOptions, until: str
) -> motiflens.Run | Path:
    """Return the run of a call, made around a module where the call names one and its data."""
    if own.module is None:
        given = {field.name: getattr(new, field.name) or None for field in fields(new)}
        require_module(None, {**given, **source.given()})
        return run
    if new.output is None:
        raise InputError(
            "the run that is made around the module has no name",
            remedy="name its directory, such as output=out",
            argument="output",
        )
    from motiflens.models.foreign import open_foreign
    from motiflens.runs import Output
    from motiflens.stages.adopt import adopt

    place = Output(new.output, new.overwrite, until)
    place.check()
    settings = Settings(motif=new.motif, strands=new.strands or "auto", device="cpu")
    opened = open_foreign(own.module, own.weights, own.length, own.target)
    reading = read_files(run, source, seed=settings.seed)
    origin = origin_of(str(run), reading.negatives, reading.notes)
    return adopt(opened, reading.dataset, place, settings, origin=origin, progress=on_stderr())


def end(made: motiflens.Run, own: OwnModule, *, as_json: bool) -> None:
    """Say what was found; write the page of a run that was made around a module."""
    if own.module is not None:
        write_report(made.path)
    summarise(made, as_json=as_json)
    if own.module is not None:
        print_report(made)
