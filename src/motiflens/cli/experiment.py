"""Sub-commands that make and extend a run, from demo and run to report."""

from __future__ import annotations

import json
import shlex
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

import motiflens
from motiflens.cli.options import (
    Json,
    Names,
    Output,
    Overwrite,
    PartOptions,
    Sizes,
    SourceOptions,
    TrainOptions,
    settings_of,
)
from motiflens.cli.progress import is_first_process, on_stderr
from motiflens.errors import InputError
from motiflens.settings import DEFAULT_MODELS, TUTORIAL_MODELS, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from motiflens.crossing import Crossed
    from motiflens.readers import Reading
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
    _finish(made, as_json=as_json)


def run(
    data: Path,
    *,
    output: Output,
    models: Names = DEFAULT_MODELS,
    sizes: Sizes = None,
    size_seeds: int = Settings.size_seeds,
    source: SourceOptions = SourceOptions(),
    parts: PartOptions = PartOptions(),
    how: TrainOptions = TrainOptions(),
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Compare models on data, explain them, read their motifs and write the report.

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
    read = partial(motiflens.load_files, parts.files(source.source(data, how.seed)))
    last = "report.html"
    made = _make(motiflens.run, read, data, output, settings, overwrite=overwrite, last=last)
    _finish(made, as_json=as_json)


def train(
    data: Path,
    *,
    output: Output,
    model: str = "attention",
    source: SourceOptions = SourceOptions(),
    parts: PartOptions = PartOptions(),
    how: TrainOptions = TrainOptions(),
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Train one model and score it on held-out sequences.

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
    read = partial(motiflens.load_files, parts.files(source.source(data, how.seed)))
    made = _make(motiflens.compare, read, data, output, settings, overwrite=overwrite)
    _summarise(made, as_json=as_json)


def compare(
    data: Path,
    *,
    output: Output,
    models: Names = DEFAULT_MODELS,
    sizes: Sizes = None,
    size_seeds: int = Settings.size_seeds,
    cross_negatives: Names = (),
    source: SourceOptions = SourceOptions(),
    parts: PartOptions = PartOptions(),
    how: TrainOptions = TrainOptions(),
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Compare models x seeds x training sizes on one held-out part.

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
    chosen = source.source(data, how.seed)
    read: Callable[[], Reading | Crossed]
    if cross_negatives:
        parts.require_one_file("--cross-negatives")
        settings = settings_of(models, how, parts, sizes or (), size_seeds)
        read = partial(motiflens.read_crossed, chosen, cross_negatives, settings)
    else:
        settings = settings_of(models, how, parts, sizes, size_seeds)
        read = partial(motiflens.load_files, parts.files(chosen))
    made = _make(motiflens.compare, read, data, output, settings, overwrite=overwrite)
    _summarise(made, as_json=as_json)


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


def motifs(
    run: Path | None = None,
    *,
    no_model: Path | None = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    negatives: Path | None = None,
    strands: str = "both",
    database: Path | None = None,
    as_json: Json = False,
) -> None:
    """Read the motifs of a run's models, confirm them on held-out sequences, and name them.

    Parameters
    ----------
    run
        Run directory.
    no_model
        In place of a run: sequences (FASTA or one a line) to find motifs in without training.
    output
        With --no-model: folder for motifs.json and discovery.meme.
    negatives
        With --no-model: sequences without the motifs; shuffled ones by default.
    strands
        With --no-model: both or forward.
    database
        Known motifs (MEME, JASPAR or TRANSFAC) to name the found ones by; JASPAR CORE vertebrates
        by default.
    as_json
        Print a summary as one JSON object.
    """
    if run is not None and no_model is None and output is None and negatives is None:
        made = motiflens.read_motifs(run, database=database, progress=on_stderr())
        _summarise(made, as_json=as_json)
        return
    if run is not None or no_model is None or output is None:
        raise InputError(
            "motifs are read from a run, or from sequences into a folder",
            got="neither of both, or parts of both",
            remedy="give RUN, or --no-model SEQUENCES -o OUT",
        )
    found = motiflens.discover_without_model(
        no_model, output, negatives=negatives, strands=strands, database=database
    )
    entries = [_in_short(entry) for entry in found["discovery"]]
    if as_json:
        print(json.dumps({"output": str(output), "motifs": entries}))
        return
    _print_motifs(entries)
    print(f"{len(entries)} motifs in {output}", file=sys.stderr)


def experiments(run: Path, *, as_json: Json = False) -> None:
    """Put motifs into sequences and take them out: dose, position, spacing, ablation.

    Parameters
    ----------
    run
        Run directory.
    as_json
        Print a summary as one JSON object.
    """
    _summarise(motiflens.run_experiments(run, progress=on_stderr()), as_json=as_json)


def trust(run: Path, *, as_json: Json = False) -> None:
    """Check how far the explanations of a run's models can be trusted.

    Parameters
    ----------
    run
        Run directory.
    as_json
        Print a summary as one JSON object.
    """
    _summarise(motiflens.trust(run, progress=on_stderr()), as_json=as_json)


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


def _finish(made: Run, *, as_json: bool) -> None:
    if not is_first_process():
        return
    path = motiflens.write_report(made.path)
    _summarise(made, as_json=as_json)
    print(f"report: {path}", file=sys.stderr)


def _summarise(made: Run, *, as_json: bool) -> None:
    """Print what a run found: a line for each model, or one JSON object."""
    if not is_first_process():
        return
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
    if (made.path / "trust.json").is_file():
        for name, found in made.read_json("trust.json")["models"].items():
            models[name]["verdict"] = found["verdict"]
    crossed, discovered = _crossed(made), _discovered(made)
    if as_json:
        found = {"run": str(made.path), "models": models, "motifs": discovered, **crossed}
        print(json.dumps(found))
        return
    for name, values in models.items():
        scores = f"accuracy {values['accuracy']:.4f}  AUROC {values['auroc']:.4f}"
        motif = values.get("motifs", {}).get("ism")
        print(f"{name:<20} {scores}" + (f"  motif {motif}" if motif else ""))
        if "verdict" in values:
            print(f"{name:<20} {values['verdict']}")
    _print_motifs(discovered)
    for name, trained_on in crossed.get("crossing", {}).items():
        for kind, tested_on in trained_on.items():
            scores = ", ".join(f"{other} {auroc:.4f}" for other, auroc in tested_on.items())
            print(f"{name:<20} trained against {kind}, AUROC against {scores}")


def _discovered(made: Run) -> list[dict[str, Any]]:
    """Give the discovered motifs, best first, with their names and shares."""
    if not (made.path / "motifs.json").is_file():
        return []
    return [_in_short(entry) for entry in made.motifs.get("discovery", [])]


def _in_short(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "consensus": entry["consensus"],
        "name": (entry["match"] or {}).get("name"),
        "direction": entry["direction"],
        "positives": entry["positives_with_site"],
        "negatives": entry["negatives_with_site"],
        "q_value": entry["q_value"],
    }


def _print_motifs(entries: Sequence[dict[str, Any]]) -> None:
    for entry in entries:
        shares = f"{entry['positives']:.1%} of positives, {entry['negatives']:.1%} of negatives"
        print(f"{entry['consensus']:<20} {entry['name'] or 'unknown'}, in {shares}")


def _crossed(made: Run) -> dict[str, Any]:
    """Give the AUROC of each model, trained against a kind of negatives, on every kind."""
    if not (made.path / "crossing.json").is_file():
        return {}
    models = made.read_json("crossing.json")["models"]
    return {
        "crossing": {
            name: {
                kind: {
                    other: scores["auroc"]["value"] for other, scores in row["tested_on"].items()
                }
                for kind, row in found["trained_on"].items()
            }
            for name, found in models.items()
        }
    }
