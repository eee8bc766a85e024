"""Sub-commands that score sequences with a trained model, and give it away: predict, export."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from motiflens.cli.options import (
    Chosen,
    DryRun,
    Json,
    Output,
    Overwrite,
    check_new_file,
)
from motiflens.cli.own_module import OwnModule, open_torch
from motiflens.cli.progress import on_stderr
from motiflens.cli.summary import counted
from motiflens.errors import InputError
from motiflens.files import STDOUT
from motiflens.progress import in_words
from motiflens.scoring.onnx_scorer import is_onnx, open_onnx
from motiflens.scoring.prediction_files import check_name, write_predictions
from motiflens.scoring.predictions import at_prevalence, estimate_seconds, in_short
from motiflens.scoring.records import Records, open_records
from motiflens.settings import n_cores

if TYPE_CHECKING:
    from motiflens.scoring.scorer import Scorer

# What needs PyTorch is imported where it is needed: an ONNX file is scored without it.

Sequences = Annotated[
    Path | None,
    Parameter(
        allow_leading_hyphen=True,
        help="FASTA, a table, sequences one a line, DeepBind .seq, BED with --genome, a folder "
        ".motiflens, or - for a pipe.",
    ),
]

Scores = Annotated[Output, Parameter(allow_leading_hyphen=True)]


def predict(
    run: Path,
    sequences: Sequences = None,
    *,
    output: Scores,
    genome: Path | None = None,
    width: int | None = None,
    prevalence: float | None = None,
    chosen: Chosen = Chosen(),
    own: OwnModule = OwnModule(),
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Score sequences with the models of a run.

    Parameters
    ----------
    run
        Run directory, or a file .onnx of `motiflens export`; not with --module.
    output
        Table to write, .tsv, .tsv.gz or .parquet, or - for standard output: name, logit,
        probability, sd over seeds, unusual.
    genome
        FASTA or 2bit, for a BED file.
    width
        Windows of so many bases around the summits or middles of a BED file.
    prevalence
        Fraction of the sequences that is positive, where you know it, such as 0.01: probabilities
        are corrected for it, and the logit above which so many lie is said.
    overwrite
        Replace an existing file.
    """
    path = own.second(run, sequences, "SEQUENCES")
    check_name(output)
    to_stdout = str(output) == STDOUT
    if to_stdout and as_json:
        raise InputError(
            "the table and the JSON object both go to standard output",
            remedy="name a file by output=FILE, or leave out json=True",
            argument=("output", "json"),
        )
    if not to_stdout and not dry_run:
        check_new_file(output, overwrite=overwrite)
    records = open_records(path, genome, width)
    with _opened(run, chosen, own) as (scorer, threads):
        n = None if records.once else records.count()
        if dry_run:
            at_prevalence(scorer, prevalence)
            _tell(scorer, records, n, threads, as_json=as_json)
            return
        tally = write_predictions(
            scorer,
            records,
            output,
            n=n,
            threads=threads,
            prevalence=prevalence,
            progress=on_stderr(),
        )
    counts = dict(tally.unusual)
    if as_json:
        found = {"file": str(output), "model": in_short(scorer), "sequences": tally.n}
        found |= {"scored": tally.n_scored, "calibrated": scorer.calibration is not None}
        if prevalence is not None:
            found |= {"prevalence": prevalence, "threshold": tally.threshold}
        print(json.dumps({**found, "unusual": counts}))
    elif not to_stdout:
        marked = ", ".join(f"{number:,} {word}" for word, number in sorted(counts.items()))
        print(f"{output}: {counted(tally.n, 'sequence')} by {in_short(scorer)}")
        if marked:
            print(f"{'unusual':<20} {marked}")


@contextmanager
def _opened(run: Path, chosen: Chosen, own: OwnModule) -> Iterator[tuple[Scorer, int]]:
    """Open the model of a call, and say how many threads score with it."""
    if chosen.threads is not None and chosen.threads < 1:
        raise InputError(
            f"threads={chosen.threads} are none", remedy="give 1 or more", argument="threads"
        )
    if own.module is None and is_onnx(run):
        yield open_onnx(run), chosen.threads or n_cores()
        return
    from motiflens.training import single_intra_op_thread

    with single_intra_op_thread():
        yield open_torch(run, chosen, own), chosen.threads or n_cores()


def _tell(scorer: Scorer, records: Records, n: int | None, threads: int, *, as_json: bool) -> None:
    """Say what would be done, and about how long it takes."""
    if n is None:
        raise InputError(
            "dry_run=True would read what comes through a pipe only once",
            remedy="give a file",
            argument="dry_run",
        )
    seconds = estimate_seconds(scorer, records, n, threads=threads)
    if as_json:
        plan = {"sequences": n, "model": in_short(scorer), "threads": threads, "seconds": seconds}
        print(json.dumps(plan))
    else:
        print(f"{counted(n, 'sequence')} by {in_short(scorer)}, {in_words(seconds)}")


def export(
    run: Path | None = None,
    *,
    output: Annotated[
        Output, Parameter(help="File to write, .onnx or .pt2; its card, with .md added, beside it.")
    ],
    model: str | None = None,
    own: OwnModule = OwnModule(),
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Write a run's model as ONNX or for torch.export, with a model card.

    Parameters
    ----------
    run
        Run directory; not with --module.
    output
        File to write, .onnx or .pt2; its card, with .md added, beside it.
    model
        One of the run's models; the best on validation data by default.
    overwrite
        Replace existing files.
    """
    from motiflens.scoring.export import export_model

    if (run is None) == (own.module is None):
        raise InputError(
            "export takes a run or module=FILE.py:NAME, one of the two", argument="module"
        )
    scorer = open_torch(run or Path(), Chosen(model), own)
    if dry_run:
        print(f"{in_short(scorer)} would be written to {output}")
        return
    path, card = export_model(scorer, output, overwrite=overwrite)
    found = {"file": str(path), "card": str(card), "model": in_short(scorer)}
    print(json.dumps(found) if as_json else f"{path}, {card}: {in_short(scorer)}")
