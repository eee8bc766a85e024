"""Sub-commands that make and extend a run: demo, run, train, compare, explain, motifs, report."""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

import motiflens
from motiflens.cli.options import Json, Output, Overwrite, comma_separated, whole_numbers
from motiflens.cli.progress import on_stderr
from motiflens.settings import DEFAULT_MODELS, Settings

if TYPE_CHECKING:
    from motiflens.runs import Origin, Run

Models = Annotated[tuple[str, ...], Parameter(converter=comma_separated, n_tokens=1, negative=())]
Sizes = Annotated[
    tuple[int, ...] | None, Parameter(converter=whole_numbers, n_tokens=1, negative=())
]


@Parameter(name="*")
@dataclass(frozen=True)
class DataOptions:
    """Where labels come from when DATA has none.

    Parameters
    ----------
    labels
        File with one label a line.
    negatives
        FASTA with the negatives, when DATA holds the positives.
    """

    labels: Path | None = None
    negatives: Path | None = None


@Parameter(name="*")
@dataclass(frozen=True)
class TrainOptions:
    """How models are trained and explained.

    Parameters
    ----------
    seeds
        Replicas of each model.
    seed
        Decides everything random: split, initial weights, data order.
    test
        Fraction held out for testing, unless the data come with a split.
    motif
        The true motif, when known, in IUPAC letters.
    target
        Test accuracy whose first epoch is reported.
    n_explained
        Positives of the test part to explain at most.
    threads
        Threads to compute with; one for each core by default.
    device
        cpu, cuda or cuda:1.
    """

    seeds: int = Settings.seeds
    seed: int = Settings.seed
    test: float = Settings.test
    motif: str | None = None
    target: float = Settings.target
    n_explained: int = Settings.n_explained
    threads: int | None = None
    device: str = Settings.device

    def settings(self, models: tuple[str, ...], **values: Any) -> Settings:
        """Give the settings of a run."""
        return Settings(models=models, **vars(self), **values)


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
        seeds=seeds,
        sizes=(50, 200, 800),
        motif="CGACCGAACTCC",
        n_explained=200,
        threads=threads,
    )
    dataset = motiflens.simulate(motiflens.tutorial_grammar(), settings.seed)
    origin = _origin("simulated: the tutorial's data, seed 0")
    made = motiflens.run(
        dataset, output, settings, overwrite=True, progress=on_stderr(), origin=origin
    )
    _finish(made, as_json=as_json)


def run(
    data: Path,
    *,
    output: Output,
    models: Models = DEFAULT_MODELS,
    sizes: Sizes = None,
    size_seeds: int = Settings.size_seeds,
    where: DataOptions = DataOptions(),
    how: TrainOptions = TrainOptions(),
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Compare models on data, explain them, read their motifs and write the report.

    Parameters
    ----------
    data
        A table (sequence, label), FASTA, or a file with one sequence a line.
    output
        Run directory to make.
    models
        Names joined by commas: tutorial-cnn, tutorial-attention, cnn, attention.
    sizes
        Training sizes of the learning curves, joined by commas, or none; 50, 100, 200, ... by
        default.
    size_seeds
        Replicas for the learning curves.
    overwrite
        Replace an earlier run.
    as_json
        Print a summary as one JSON object.
    """
    settings = how.settings(models, sizes=sizes, size_seeds=size_seeds)
    made = _compare(data, output, settings, where, overwrite=overwrite)
    motiflens.explain(made, progress=on_stderr())
    motiflens.read_motifs(made, progress=on_stderr())
    _finish(made, as_json=as_json)


def train(
    data: Path,
    *,
    output: Output,
    model: str = "attention",
    where: DataOptions = DataOptions(),
    how: TrainOptions = TrainOptions(),
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Train one model and score it on held-out sequences.

    Parameters
    ----------
    data
        A table (sequence, label), FASTA, or a file with one sequence a line.
    output
        Run directory to make.
    model
        tutorial-cnn, tutorial-attention, cnn or attention.
    overwrite
        Replace an earlier run.
    as_json
        Print a summary as one JSON object.
    """
    settings = how.settings((model,), sizes=())
    _summarise(_compare(data, output, settings, where, overwrite=overwrite), as_json=as_json)


def compare(
    data: Path,
    *,
    output: Output,
    models: Models = DEFAULT_MODELS,
    sizes: Sizes = None,
    size_seeds: int = Settings.size_seeds,
    where: DataOptions = DataOptions(),
    how: TrainOptions = TrainOptions(),
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Compare models x seeds x training sizes on one held-out part.

    Parameters
    ----------
    data
        A table (sequence, label), FASTA, or a file with one sequence a line.
    output
        Run directory to make.
    models
        Names joined by commas: tutorial-cnn, tutorial-attention, cnn, attention.
    sizes
        Training sizes of the learning curves, joined by commas, or none; 50, 100, 200, ... by
        default.
    size_seeds
        Replicas for the learning curves.
    overwrite
        Replace an earlier run.
    as_json
        Print a summary as one JSON object.
    """
    settings = how.settings(models, sizes=sizes, size_seeds=size_seeds)
    _summarise(_compare(data, output, settings, where, overwrite=overwrite), as_json=as_json)


def explain(run: Path, *, as_json: Json = False) -> None:
    """Explain the models of a run, base by base.

    Parameters
    ----------
    run
        Run directory.
    as_json
        Print a summary as one JSON object.
    """
    _summarise(motiflens.explain(run, progress=on_stderr()), as_json=as_json)


def motifs(run: Path, *, as_json: Json = False) -> None:
    """Read the motifs of a run's models by every route, and test them for shortcuts.

    Parameters
    ----------
    run
        Run directory.
    as_json
        Print a summary as one JSON object.
    """
    _summarise(motiflens.read_motifs(run, progress=on_stderr()), as_json=as_json)


def report(run: Path, *, as_json: Json = False) -> None:
    """Write a run's report.html from its directory alone.

    Parameters
    ----------
    run
        Run directory.
    as_json
        Print a summary as one JSON object.
    """
    _finish(motiflens.load(run), as_json=as_json)


def _compare(
    data: Path, output: Path, settings: Settings, where: DataOptions, *, overwrite: bool
) -> Run:
    motiflens.check_output(output, overwrite=overwrite)
    dataset = motiflens.read_dataset(data, labels=where.labels, negatives=where.negatives)
    return motiflens.compare(
        dataset,
        output,
        settings,
        overwrite=overwrite,
        progress=on_stderr(),
        origin=_origin(str(data)),
    )


def _origin(data: str) -> Origin:
    return motiflens.Origin(data, shlex.join(["motiflens", *sys.argv[1:]]))


def _finish(made: Run, *, as_json: bool) -> None:
    with on_stderr().stage("writing report", 1) as advance:
        path = motiflens.write_report(made.path)
        advance(1)
    _summarise(made, as_json=as_json)
    print(f"report: {path}", file=sys.stderr)


def _summarise(made: Run, *, as_json: bool) -> None:
    """Print what a run found: a line for each model, or one JSON object."""
    models: dict[str, Any] = {}
    for name, found in made.comparison["models"].items():
        metrics = ("accuracy", "auroc", "auprc", "mcc")
        models[name] = {metric: found["summary"][metric]["mean"] for metric in metrics}
    if (made.path / "motifs.json").is_file():
        for name, found in made.motifs["models"].items():
            routes = found["seeds"][0]["routes"]
            models[name]["motifs"] = {
                route: motifs[0]["consensus"] if motifs else None
                for route, motifs in routes.items()
            }
    if as_json:
        print(json.dumps({"run": str(made.path), "models": models}))
        return
    for name, values in models.items():
        scores = f"accuracy {values['accuracy']:.4f}  AUROC {values['auroc']:.4f}"
        motif = values.get("motifs", {}).get("ism")
        print(f"{name:<20} {scores}" + (f"  motif {motif}" if motif else ""))
