"""Sub-commands that make a run: demo, run, train and compare."""

from __future__ import annotations

import shlex
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import motiflens
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
from motiflens.cli.summary import finish, summarise
from motiflens.errors import InputError
from motiflens.io.options import AS_IT_IS, ReadOptions
from motiflens.io.read import read_files
from motiflens.settings import DEFAULT_MODELS, TUTORIAL_MODELS, Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from motiflens.evaluation.negative_sets import Crossed
    from motiflens.io.read import Reading
    from motiflens.runs import Origin, Run


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
    dataset = motiflens.simulate(motiflens.tutorial_grammar(), settings.seed)
    origin = _origin(DEMO_DATA)
    made = motiflens.run(
        dataset, output, settings, overwrite=True, progress=on_stderr(), origin=origin
    )
    finish(made, as_json=as_json)


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
    last = "report.html"
    made = _make(motiflens.run, read, data, output, settings, overwrite=overwrite, last=last)
    finish(made, as_json=as_json)


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
    made = _make(motiflens.compare, read, data, output, settings, overwrite=overwrite)
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
    read: Callable[[], Reading | Crossed]
    if cross_negatives:
        parts.require_one_file("--cross-negatives")
        settings = settings_of(models, how, parts, sizes or (), size_seeds)
        read = partial(motiflens.read_crossed, data, cross_negatives, settings, source)
    else:
        settings = settings_of(models, how, parts, sizes, size_seeds)
        read = partial(_read, data, source, parts, how.seed)
    made = _make(motiflens.compare, read, data, output, settings, overwrite=overwrite)
    summarise(made, as_json=as_json)


def _read(data: Path, source: ReadOptions, parts: PartOptions, seed: int) -> Reading:
    return read_files(data, source, parts.files(), test_negatives=parts.test_negatives, seed=seed)


def _make(
    stages: Callable[..., Run],
    read: Callable[[], Reading | Crossed],
    data: Path,
    output: Path,
    settings: Settings,
    *,
    overwrite: bool,
    last: str = "comparison.json",
) -> Run:
    """Read the data, and make a run of them that ends with the file ``last``."""
    motiflens.check_output(output, overwrite=overwrite, last=last)
    return stages(
        read(),
        output,
        settings,
        overwrite=overwrite,
        progress=on_stderr(),
        origin=_origin(str(data)),
        last=last,
    )


def _require_demo(output: Path) -> None:
    """Refuse to replace a run that is no demo."""
    if not (output / "run.toml").is_file():
        return
    before = motiflens.load(output).configuration["run"]["data"]
    if before != DEMO_DATA:
        raise InputError(
            "a demo replaces nothing but an earlier demo",
            got=f"the run on {before} in {output}",
            remedy="choose another path",
        )


def _origin(data: str) -> Origin:
    return motiflens.Origin(data, shlex.join(["motiflens", *sys.argv[1:]]))
