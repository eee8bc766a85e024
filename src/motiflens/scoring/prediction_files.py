"""Files of predictions, written block by block: whole or not at all."""

from __future__ import annotations

import gzip
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from scipy.special import expit

from motiflens.errors import InputError
from motiflens.files import STDOUT, make_folder, whole_file
from motiflens.progress import Progress, listener
from motiflens.scoring.predictions import (
    COLUMNS,
    TOO_LONG,
    Predictions,
    Tally,
    at_prevalence,
    columns_of,
    longest_scored,
    predict_records,
)
from motiflens.scoring.records import Records
from motiflens.scoring.scorer import Scorer

Write = Callable[[Predictions], object]
Columns = Sequence[str]

_TEXTS = ("name", "unusual")
#: How numbers are written as text.
_DIGITS = {"logit": ".6f", "probability": ".6g", "sd": ".6f"}
#: Of a regression, whose unit may be any.
_SIGNIFICANT = {"value": ".6g", "sd": ".6g"}


def write_predictions(
    scorer: Scorer,
    records: Records,
    path: Path | str,
    *,
    n: int | None = None,
    threads: int = 1,
    prevalence: float | None = None,
    progress: Progress | None = None,
) -> Tally:
    """Score sequences into a table, whole or not at all; see `predict_records`.

    Parameters
    ----------
    scorer, records, threads
        The model, the sequences, blocks at once.
    path
        ``.tsv``, ``.tsv.gz`` or ``.parquet``, or ``-`` for standard output.
    n
        Sequences, where their number is known.
    prevalence
        The share of positives among them, where it is known: see `at_prevalence`.
    progress
        Told how far the work has come, and what the table lacks.

    Raises
    ------
    InputError
        For another ending, a path that cannot be written, and what cannot be read.
    """
    told, tally, known = listener(progress), Tally(prevalence), scorer.calibration
    scorer = at_prevalence(scorer, prevalence)
    # Of a pipe nobody knows how much is to come.
    stage = nullcontext(lambda n: None) if n is None else told.stage("predict", n, "sequences")
    with open_predictions(path, columns_of(scorer)) as write, stage as advance:
        for block in predict_records(scorer, records, threads=threads, advance=advance):
            write(block)
            tally.add(block)
    if known is not None and tally.threshold is not None:
        told.note(_note_on_share(tally.threshold, scorer, tally, known.prevalence))
    for note in notes_on(scorer, tally):
        told.note(note)
    return tally


def _note_on_share(threshold: float, scorer: Scorer, tally: Tally, before: float) -> str:
    """Say which probabilities a table holds at a known share of positives, and where to cut it."""
    fitted, share = scorer.calibration, tally.prevalence
    assert fitted is not None
    probability = expit(fitted.slope * threshold + fitted.bias)
    return (
        f"probabilities are those where {share:g} of the sequences are positive, and not "
        f"{before:.3g} as in validation; so many of the {tally.n_scored:,} scored lie above "
        f"the logit {threshold:.6g}, which is probability {probability:.3g}"
    )


def notes_on(scorer: Scorer, tally: Tally) -> list[str]:
    """Say what the table lacks, and why."""
    notes = []
    if scorer.is_regression:
        pass
    elif scorer.calibration is None and scorer.trained_on is None:
        notes.append("probability is empty: a module of your own has logits alone")
    elif scorer.calibration is None:
        notes.append(
            "probability is empty: no calibration was fitted, as it takes 20 validation sequences "
            "of each class, and a run of this version"
        )
    if scorer.n_seeds == 1:
        notes.append("sd is empty: there is one seed")
    missing = tally.n - tally.n_scored
    if missing:
        words = {"longer", "shorter", "composition"}
        counts = {word: n for word, n in tally.unusual.items() if word not in words}
        told = ", ".join(f"{n:,} {word}" for word, n in counts.items())
        notes.append(f"{missing:,} of {tally.n:,} sequences have no score: {told}")
        if TOO_LONG in counts:
            notes.append(
                f"too long is above {longest_scored(scorer):,} bases; score windows of such "
                "sequences, by a BED file or `motiflens scan`"
            )
    return notes


def check_name(path: Path | str) -> None:
    """Raise :class:`InputError` for a name that says no kind of table."""
    if str(path) != STDOUT and not str(path).endswith((".tsv", ".tsv.gz", ".parquet")):
        raise InputError(
            f"{path} is not the name of a table",
            remedy="let it end in .tsv, .tsv.gz or .parquet, or give - for standard output",
            argument="output",
        )


@contextmanager
def open_predictions(path: Path | str, columns: Columns = COLUMNS) -> Iterator[Write]:
    """Open a table to write; it gives what writes a block of it."""
    check_name(path)
    if str(path) == STDOUT:
        sys.stdout.write("\t".join(columns) + "\n")
        yield lambda block: sys.stdout.write(as_rows(block, columns))
        sys.stdout.flush()
        return
    make_folder(Path(path).parent)
    with whole_file(path) as file:
        if str(path).endswith(".parquet"):
            with pq.ParquetWriter(file, _schema(columns)) as table:
                yield lambda block: table.write_table(_as_columns(block, columns))
            return
        if str(path).endswith(".gz"):
            with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
                packed.write(("\t".join(columns) + "\n").encode())
                yield lambda block: packed.write(as_rows(block, columns).encode())
            return
        file.write(("\t".join(columns) + "\n").encode())
        yield lambda block: file.write(as_rows(block, columns).encode())


def as_rows(block: Predictions, columns: Columns = COLUMNS) -> str:
    """Write predictions as lines of text; what is not a number is empty."""
    digits = _DIGITS if "logit" in columns else _SIGNIFICANT
    texts = [
        [name.replace("\t", " ") for name in getattr(block, column)]
        if column in _TEXTS
        else [_text(value, digits[column]) for value in getattr(block, column).tolist()]
        for column in columns
    ]
    return "".join("\t".join(row) + "\n" for row in zip(*texts, strict=True))


def _text(value: float, digits: str) -> str:
    return "" if math.isnan(value) else format(value, digits)


def _schema(columns: Columns) -> pa.Schema:
    return pa.schema([(c, pa.string() if c in _TEXTS else pa.float64()) for c in columns])


def _as_columns(block: Predictions, columns: Columns) -> pa.Table:
    schema = _schema(columns)
    arrays = [pa.array(getattr(block, c.name), c.type, from_pandas=True) for c in schema]
    return pa.table(arrays, schema=schema)
