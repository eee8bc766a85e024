"""Sub-commands that make a run: demo, run, train and compare; and open, which shows one."""

from __future__ import annotations

import json
import shlex
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import motiflens
from motiflens.cli.mistakes import as_options
from motiflens.cli.options import (
    Data,
    FurtherNames,
    How,
    Json,
    Model,
    Models,
    Profile,
    Reads,
    RunFolder,
    Sizes,
    SizeSeeds,
    SplitOptions,
    TrainOptions,
    settings_of,
)
from motiflens.cli.progress import ARGUMENTS, is_first_process, on_stderr
from motiflens.cli.summary import print_report, summarise
from motiflens.errors import InputError
from motiflens.files import write_whole
from motiflens.io.options import AS_IT_IS, ReadOptions
from motiflens.io.read import read_files
from motiflens.io.sources import Reading
from motiflens.results import Results, is_run
from motiflens.results.provenance import Origin
from motiflens.settings import DEFAULT_MODELS, TUTORIAL_MODELS, Settings
from motiflens.simulation import tutorial_grammar

if TYPE_CHECKING:
    from collections.abc import Callable

    from motiflens.runs import Run

# What needs PyTorch is imported by the command that needs it, so that its help does not wait.

DEMO_DATA = "simulated: the tutorial's data, seed 0"


def demo(
    *,
    output: RunFolder = Path("runs/demo"),
    seeds: int = 10,
    threads: int | None = None,
    profile: Profile = False,
    as_json: Json = False,
) -> None:
    """Run the tutorial's experiment, end to end, with a report; replaces an earlier demo.

    Parameters
    ----------
    seeds
        Replicas of each model.
    threads
        Threads to compute with; one for each core by default.
    """
    settings = Settings(
        models=TUTORIAL_MODELS,
        seeds=seeds,
        strands="forward",
        sizes=(50, 200, 800),
        size_seeds=3,
        motif="CGACCGAACTCC",
        n_explained=100,
        threads=threads,
    )
    _require_demo(output)
    dataset = motiflens.simulate(tutorial_grammar(), settings.seed)
    origin = origin_of(DEMO_DATA)
    made = motiflens.run(
        dataset, output, settings, overwrite=True, progress=on_stderr(), origin=origin
    )
    _end(made, as_json=as_json, profile=profile)


def run(
    data: Data,
    *,
    output: RunFolder,
    models: Models = DEFAULT_MODELS,
    sizes: Sizes = None,
    size_seeds: SizeSeeds = Settings.size_seeds,
    source: Reads = AS_IT_IS,
    splits: SplitOptions = SplitOptions(),
    training: TrainOptions = TrainOptions(),
    how: How = How(),
) -> None:
    """Audit data, compare models, explain them, find their motifs and write the report."""
    from motiflens.stages import STAGES

    settings = settings_of(models, training, splits, sizes, size_seeds)
    _refuse_early(output, settings, overwrite=how.overwrite, until=STAGES[-1].name)
    reading = _read(data, source, splits, settings)
    _carry_out(motiflens.run, data, reading, output, settings, how, explains=True)


def train(
    data: Data,
    *,
    output: RunFolder,
    model: Model = "attention",
    source: Reads = AS_IT_IS,
    splits: SplitOptions = SplitOptions(),
    training: TrainOptions = TrainOptions(),
    how: How = How(),
) -> None:
    """Train one model and score it on the test split."""
    from motiflens.stages.compare import compare as work

    settings = settings_of((model,), training, splits)
    _refuse_early(output, settings, overwrite=how.overwrite)
    reading = _read(data, source, splits, settings)
    _carry_out(work, data, reading, output, settings, how)


def compare(
    data: Data,
    *,
    output: RunFolder,
    models: Models = DEFAULT_MODELS,
    sizes: Sizes = None,
    size_seeds: SizeSeeds = Settings.size_seeds,
    cross_negatives: FurtherNames = (),
    source: Reads = AS_IT_IS,
    splits: SplitOptions = SplitOptions(),
    training: TrainOptions = TrainOptions(),
    how: How = How(),
) -> None:
    """Compare models x seeds x training sizes on one test split.

    Parameters
    ----------
    cross_negatives
        DATA holds positives: train against each of these kinds of negatives, joined by commas, and
        test against every one, such as shuffle,matched or shuffle,negatives.fa. Without learning
        curves, unless --sizes are given.
    """
    from motiflens.stages.compare import compare as work
    from motiflens.stages.negative_sets import cross_negatives as cross

    if cross_negatives:
        splits.require_one_file("cross_negatives")
        if how.dry_run:
            raise InputError(
                "dry_run=True reckons with one negative set",
                remedy="leave out cross_negatives, or dry_run",
                argument=("dry_run", "cross_negatives"),
            )
        sizes = sizes or ()
    settings = settings_of(models, training, splits, sizes, size_seeds)
    _refuse_early(output, settings, overwrite=how.overwrite)
    if cross_negatives:
        made = cross(
            data,
            cross_negatives,
            output,
            settings,
            overwrite=how.overwrite,
            progress=on_stderr(),
            origin=origin_of(str(data)),
            options=source,
        )
        _end(made, as_json=how.as_json, profile=how.profile)
        return
    reading = _read(data, source, splits, settings)
    _carry_out(work, data, reading, output, settings, how)


def _read(data: Path, source: ReadOptions, splits: SplitOptions, settings: Settings) -> Reading:
    return read_files(
        data,
        source,
        splits.files(),
        test_negatives=splits.test_negatives,
        seed=settings.seed,
    )


def _carry_out(
    work: Callable[..., Run],
    data: Path,
    reading: Reading,
    output: Path,
    settings: Settings,
    how: How,
    *,
    explains: bool = False,
) -> None:
    """Make a run of the data and say what was found, or say only what would be done."""
    origin = origin_of(str(data), reading.negatives, reading.notes)
    if how.dry_run:
        from motiflens.stages.data import plan_run
        from motiflens.stages.estimate import as_json, as_text

        plan = plan_run(reading.dataset, settings, origin, explains=explains)
        if how.as_json:
            print(json.dumps(as_json(plan, explains=explains)))
        else:
            print(as_options(as_text(plan, explains=explains), ARGUMENTS))
        return
    made = work(
        reading.dataset,
        output,
        settings,
        overwrite=how.overwrite,
        progress=on_stderr(),
        origin=origin,
    )
    _end(made, as_json=how.as_json, profile=how.profile)


def _end(made: Run, *, as_json: bool, profile: bool) -> None:
    """Print what a run found, where its page is and, if asked, where the time went."""
    summarise(made, as_json=as_json)
    if made.results.holds("report"):
        print_report(made)
    if profile and is_first_process():
        from motiflens.stages.timing import as_profile

        text = as_profile(made.results.timings)
        write_whole(made.results.path_of("profile"), text.encode())
        print(text, file=sys.stderr, end="")


def _refuse_early(
    output: Path, settings: Settings, *, overwrite: bool, until: str = "compare"
) -> None:
    """Refuse an output, a device and hyperparameters before the data are read."""
    from motiflens.models.calling import require_device
    from motiflens.runs import Output
    from motiflens.stages.hyperparameters import validation_fraction

    Output(output, overwrite, until).check()
    require_device(settings.device)
    validation_fraction(settings)


def _require_demo(output: Path) -> None:
    """Refuse to replace a run that is no demo."""
    if not is_run(output):
        return
    before = Results(output).provenance.run.data
    if before != DEMO_DATA:
        problem = f"{output} holds the run on {before}, which is no demo"
        raise InputError(problem, remedy="use another directory")


def origin_of(data: str, negatives: str = "given", notes: tuple[str, ...] = ()) -> Origin:
    """Say where a run comes from, with the command that is carried out."""
    command = shlex.join(["motiflens", *sys.argv[1:]])
    return Origin(data=data, command=command, negatives=negatives, notes=notes)


def open(run: Path) -> None:
    """Open the report of a run in the browser.

    Parameters
    ----------
    run
        Run directory, or a folder of motifs found without a model.
    """
    path = Results(run).path_of("report")
    if not path.is_file():
        remedy = f"make it with `motiflens report {run}`"
        raise InputError(f"{run} holds no {path.name}", remedy=remedy)
    print(f"report: {path}", file=sys.stderr)
    webbrowser.open(path.resolve().as_uri())
