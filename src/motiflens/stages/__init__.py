"""From data to a run directory: one file a stage, and a run is all of them in turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from motiflens.cluster import engine_of
from motiflens.datasets import SequenceDataset
from motiflens.io.read import Source, read_files
from motiflens.progress import Numbered, Progress, listener, listens
from motiflens.results.provenance import Origin
from motiflens.runs import Output, Run
from motiflens.settings import Settings
from motiflens.stages import compare, experiments, explain, motifs, report, trust
from motiflens.stages.data import plan_run
from motiflens.stages.estimate import in_short
from motiflens.stages.hyperparameters import validation_fraction
from motiflens.training import distributed


@dataclass(frozen=True)
class Stage:
    """A stage of a run, of the same name as its command.

    Parameters
    ----------
    name
        In ``ARTIFACTS``.
    work
        From a run, ``threads`` and ``progress`` to the run.
    divided
        Whether it takes ``scheduler`` too.
    """

    name: str
    work: Callable[..., Run]
    divided: bool = False

    def __call__(self, run: Run, progress: Progress, scheduler: str | None) -> None:
        """Do the work, unless it is done; the page may be of an unfinished run, so it is made."""
        options = {"scheduler": scheduler} if self.divided else {}
        if self.work is report.report or not run.results.is_finished(self.name):
            self.work(run, progress=progress, **options)


#: What progress calls the parts of a run, in order.
PARTS = (
    "auditing",
    "training",
    "scoring",
    "explaining",
    "reading motifs",
    "discovering",
    "experimenting",
    "checking trust",
    "writing the page",
)

#: What follows on training, in order.
STAGES = (
    Stage("explain", explain.explain, divided=True),
    Stage("motifs", motifs.motifs),
    Stage("experiments", experiments.experiments),
    Stage("trust", trust.trust),
    Stage("report", report.report),
)


def run(
    dataset: SequenceDataset | Source,
    output: Path | str,
    settings: Settings | None = None,
    *,
    overwrite: bool = False,
    origin: Origin | None = None,
    scheduler: str | None = None,
    progress: Progress | bool | None = None,
) -> Run:
    """Compare models, explain them, read and try their motifs, check how far to trust all that.

    A call that was killed is resumed when it comes again. The last stage writes the page.

    Parameters
    ----------
    dataset
        Labelled sequences, or a file or data frame of them. A split of its own is kept;
        without one, it is split as the settings say.
    output
        Run directory to make.
    settings
        None for the defaults.
    overwrite
        Replace an earlier run in ``output``.
    origin
        What ``run.toml`` says of the data and the command.
    scheduler
        Workers of Dask that train and explain the models: the address of a scheduler, its file, or
        ``local[4]`` for processes of this machine; None for threads here. It changes no bit of the
        run.
    progress
        Told how far the work has come; True for a line a stage on stderr.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        If the data, the settings or the output break a rule; nothing is written then.
    """
    settings, shown = settings or Settings(), Numbered(listener(progress), PARTS)
    validation_fraction(settings)  # so that a mistake in them is told before data are read
    with compare.processes(settings.device), engine_of(scheduler) as engine:
        place = Output(Path(output), overwrite, until=STAGES[-1].name)
        place.check()
        if not isinstance(dataset, SequenceDataset):
            reading = read_files(dataset, seed=settings.seed)
            origin = origin or Origin(
                data=str(dataset) if isinstance(dataset, Path | str) else "a data frame",
                negatives=reading.negatives,
                notes=reading.notes,
            )
            dataset = reading.dataset
        origin = origin or Origin(data="Python")
        plan = plan_run(dataset, settings, origin, explains=True)
        is_first = distributed.process() == 0
        # The steps that are timed belong to one process.
        if distributed.n_processes() == 1 and listens(progress) and not place.resumes:
            shown.note(in_short(plan))
        made = compare.train_planned(plan, place, shown, engine)
    for stage in STAGES if is_first else ():
        stage(made, shown, scheduler)
    return made
