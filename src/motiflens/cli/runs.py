"""Sub-commands that make a run: demo, run, train and compare."""

from __future__ import annotations

import shlex
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import motiflens
from motiflens import stages
from motiflens.cli.options import (
    FurtherNames,
    Json,
    Names,
    Output,
    Overwrite,
    PartOptions,
    Reads,
    Sizes,
    TrainOptions,
    settings_of,
)
from motiflens.cli.progress import on_stderr
from motiflens.cli.summary import print_report, summarise
from motiflens.errors import InputError
from motiflens.io.options import AS_IT_IS, ReadOptions
from motiflens.io.read import read_files
from motiflens.results import Results, is_run
from motiflens.runs import Origin
from motiflens.settings import DEFAULT_MODELS, TUTORIAL_MODELS, Settings
from motiflens.simulation import tutorial_grammar
from motiflens.stages import negative_sets

if TYPE_CHECKING:
    from collections.abc import Callable

    from motiflens.io.sources import Reading
    from motiflens.results.provenance import Origin
    from motiflens.runs import Run


DEMO_DATA = "simulated: the tutorial's data, seed 0"


def demo(
    *,
    output: Output = Path("runs/demo"),
    seeds: int = 10,
    threads: int | None = None,
    as_json: Json = False,
) -> None:
    """Run the tutorial's experiment, end to end, with a report; replaces an earlier demo.

    Parameters
    ----------
    output
        Run directory to make.
    seeds
        Replicas of each model.
    threads
        Threads to compute with; one for each core by default.
    as_json
        Print a summary as one JSON object.
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
    origin = _origin(DEMO_DATA)
    made = motiflens.run(
        dataset, output, settings, overwrite=True, progress=on_stderr(), origin=origin
    )
    summarise(made, as_json=as_json)
    print_report(made)


def run(
    data: Path,
    *,
    output: Output,
    models: Names = DEFAULT_MODELS,
    sizes: Sizes = None,
    size_seeds: int = Settings.size_seeds,
    source: Reads = AS_IT_IS,
    parts: PartOptions = PartOptions(),
    how: TrainOptions = TrainOptions(),
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Audit data, compare models, explain them, find their motifs and write the report.

    Parameters
    ----------
    data
        A table, FASTA, sequences one a line, BED or narrowPeak, DeepBind .seq, a microarray,
        or a folder .motiflens.
    output
        Run directory to make.
    models
        Names joined by commas: cnn, attention, hybrid, transformer, tutorial-cnn,
        tutorial-attention.
    sizes
        Training sizes of the learning curves, joined by commas, or none; by default 50,200,800 up
        to 2,000 training sequences of up to 120 bases, and none beyond.
    size_seeds
        Replicas for the learning curves.
    overwrite
        Replace an earlier run.
    as_json
        Print a summary as one JSON object.
    """
    settings = settings_of(models, how, parts, sizes, size_seeds)
    read = partial(_read, data, source, parts, how.seed)
    made = _make(motiflens.run, read, data, output, settings, overwrite=overwrite, until="report")
    summarise(made, as_json=as_json)
    print_report(made)


def train(
    data: Path,
    *,
    output: Output,
    model: str = "attention",
    source: Reads = AS_IT_IS,
    parts: PartOptions = PartOptions(),
    how: TrainOptions = TrainOptions(),
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Train one model and score it on the test split.

    Parameters
    ----------
    data
        A table, FASTA, sequences one a line, BED or narrowPeak, DeepBind .seq, a microarray,
        or a folder .motiflens.
    output
        Run directory to make.
    model
        cnn, attention, hybrid, transformer, tutorial-cnn or tutorial-attention.
    overwrite
        Replace an earlier run.
    as_json
        Print a summary as one JSON object.
    """
    settings = settings_of((model,), how, parts)
    read = partial(_read, data, source, parts, how.seed)
    made = _make(stages.compare.compare, read, data, output, settings, overwrite=overwrite)
    summarise(made, as_json=as_json)


def compare(
    data: Path,
    *,
    output: Output,
    models: Names = DEFAULT_MODELS,
    sizes: Sizes = None,
    size_seeds: int = Settings.size_seeds,
    cross_negatives: FurtherNames = (),
    source: Reads = AS_IT_IS,
    parts: PartOptions = PartOptions(),
    how: TrainOptions = TrainOptions(),
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Compare models x seeds x training sizes on one test split.

    Parameters
    ----------
    data
        A table, FASTA, sequences one a line, BED or narrowPeak, DeepBind .seq, a microarray,
        or a folder .motiflens.
    output
        Run directory to make.
    models
        Names joined by commas: cnn, attention, hybrid, transformer, tutorial-cnn,
        tutorial-attention.
    sizes
        Training sizes of the learning curves, joined by commas, or none; by default 50,200,800 up
        to 2,000 training sequences of up to 120 bases, and none beyond.
    size_seeds
        Replicas for the learning curves.
    cross_negatives
        DATA holds positives: train against each of these kinds of negatives, joined by commas, and
        test against every one, such as shuffle,matched or shuffle,negatives.fa. Without learning
        curves, unless --sizes are given.
    overwrite
        Replace an earlier run.
    as_json
        Print a summary as one JSON object.
    """
    if cross_negatives:
        parts.require_one_file("--cross-negatives")
        settings = settings_of(models, how, parts, sizes or (), size_seeds)
        _check(output, overwrite=overwrite)
        made = negative_sets.cross_negatives(
            data,
            cross_negatives,
            output,
            settings,
            overwrite=overwrite,
            progress=on_stderr(),
            origin=_origin(str(data)),
            options=source,
        )
    else:
        settings = settings_of(models, how, parts, sizes, size_seeds)
        read = partial(_read, data, source, parts, how.seed)
        made = _make(stages.compare.compare, read, data, output, settings, overwrite=overwrite)
    summarise(made, as_json=as_json)


def _read(data: Path, source: ReadOptions, parts: PartOptions, seed: int) -> Reading:
    return read_files(data, source, parts.files(), test_negatives=parts.test_negatives, seed=seed)


def _make(
    stages: Callable[..., Run],
    read: Callable[[], Reading],
    data: Path,
    output: Path,
    settings: Settings,
    *,
    overwrite: bool,
    until: str = "compare",
) -> Run:
    """Read the data, and make a run of them that ends with a stage."""
    _check(output, overwrite=overwrite, until=until)
    reading = read()
    origin = _origin(str(data), reading.negatives, reading.notes)
    return stages(
        reading.dataset,
        output,
        settings,
        overwrite=overwrite,
        progress=on_stderr(),
        origin=origin,
    )


def _check(output: Path, *, overwrite: bool, until: str = "compare") -> None:
    """Refuse an output before the data are read."""
    from motiflens.runs import Output as RunOutput

    RunOutput(output, overwrite, until).check()


def _require_demo(output: Path) -> None:
    """Refuse to replace a run that is no demo."""
    if not is_run(output):
        return
    before = Results(output).provenance.run.data
    if before != DEMO_DATA:
        problem = f"{output} holds the run on {before}, which is no demo"
        raise InputError(problem, remedy="use another directory")


def _origin(data: str, negatives: str = "given", notes: tuple[str, ...] = ()) -> Origin:
    command = shlex.join(["motiflens", *sys.argv[1:]])
    return Origin(data=data, command=command, negatives=negatives, notes=notes)
