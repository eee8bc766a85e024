"""Sub-commands that make a data set and look hard at it: simulate, prepare, audit."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

import motiflens
from motiflens.cli.options import Json, Output, Overwrite, Reads, check_new_file
from motiflens.cli.progress import on_stderr
from motiflens.datasets import SequenceDataset, require_two_classes
from motiflens.errors import InputError
from motiflens.io.mapped import (
    convert_streaming,
    dropped_columns,
    require_both_classes,
    stream_entries,
)
from motiflens.io.options import AS_IT_IS
from motiflens.io.read import read_files
from motiflens.io.sniff import MAPPED_NAME
from motiflens.io.tables import write_table
from motiflens.results.loader import write_json
from motiflens.settings import check_seed
from motiflens.simulation import read_grammar, tutorial_grammar


def simulate(
    *,
    output: Output,
    motif: str = "CGACCGAACTCC",
    n: int = 2000,
    length: int = 50,
    mutation_rate: float = 0.0,
    strands: Literal["forward", "both"] = "forward",
    grammar: Path | None = None,
    seed: int | None = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Simulate a labelled data set with known true sites; the tutorial's by default.

    Parameters
    ----------
    output
        Table to write: .parquet, .tsv or .csv, with .gz if wanted.
    motif
        Motif in IUPAC letters, implanted once in each positive.
    n
        Sequences; half of them are positives.
    length
        Bases of a sequence.
    mutation_rate
        Chance that a base of an implanted site is replaced.
    strands
        Implant forward only, or on both strands.
    grammar
        A TOML file that describes richer data; it takes the place of the options above.
    seed
        Same seed, same bytes; 0, or what the grammar says, by default.
    overwrite
        Replace an existing file.
    """
    check_new_file(output, overwrite=overwrite)
    if grammar is not None:
        rules = read_grammar(grammar)
    else:
        rules = tutorial_grammar(
            motif=motif, n=n, length=length, mutation_rate=mutation_rate, strands=strands
        )
    if seed is not None:
        check_seed(seed)
    _write(motiflens.simulate(rules, seed), output, as_json=as_json)


def prepare(
    data: Path,
    *,
    output: Output,
    source: Reads = AS_IT_IS,
    seed: int = 0,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Read sequences and labels of any kind and write them as one table.

    Parameters
    ----------
    data
        A table, FASTA, sequences one a line, BED or narrowPeak, DeepBind .seq, or a microarray.
    output
        Table to write: .parquet, .tsv or .csv, with .gz if wanted; or a folder .motiflens, for a
        table or labelled FASTA larger than memory.
    seed
        Of negatives that are made.
    overwrite
        Replace an existing file.
    """
    check_new_file(output, overwrite=overwrite)
    if output.name.endswith(MAPPED_NAME):
        mapped = _convert(data, output, source, overwrite=overwrite)
        _summarise(mapped, output, as_json=as_json)
        return
    check_seed(seed)
    reading = read_files(data, source, seed=seed)
    require_two_classes(reading.dataset)
    _write(reading.dataset, output, as_json=as_json)
    _print_notes(reading.notes)


def audit(
    train: Path,
    *,
    output: Output,
    source: Reads = AS_IT_IS,
    valid: Path | None = None,
    test: Path | None = None,
    test_negatives: str | None = None,
    overwrite: Overwrite = False,
    as_json: Annotated[Json, Parameter(help="Print the audit as one JSON object.")] = False,
) -> None:
    """Look for copies, leaks, biases and labels that cannot be right.

    Parameters
    ----------
    train
        The training split, or data with a column 'split'.
    output
        JSON file to write.
    valid
        File of the validation split.
    test
        File of the test split.
    test_negatives
        Negatives of a test or validation file that holds positives only.
    overwrite
        Replace an existing file.
    """
    from motiflens.stages.data import audit_splits

    check_new_file(output, overwrite=overwrite)
    splits = {"valid": valid, "test": test}
    reading = read_files(train, source, splits, test_negatives=test_negatives)
    found = audit_splits(reading.dataset)
    output.parent.mkdir(parents=True, exist_ok=True)
    write_json(output, found)
    _print_notes(reading.notes)
    print(output.read_text() if as_json else "\n".join(found.warnings or ["nothing found"]))


def _print_notes(notes: tuple[str, ...]) -> None:
    progress = on_stderr()
    for note in notes:
        progress.note(note)


def _convert(data: Path, output: Path, source: Reads, *, overwrite: bool) -> SequenceDataset:
    """Convert a file into a mapped data set as it streams."""
    other = next((name for name in source.given() if name != "positive"), None)
    if other:
        raise InputError(
            f"{other}={source.given()[other]} is not for a .motiflens folder, which is made of a "
            "table, or of FASTA whose headers are the labels",
            remedy="make a table with `motiflens prepare` first, and the folder of the table",
            argument=other,
        )
    dropped = dropped_columns(data)
    entries = require_both_classes(stream_entries(data, source.positive))
    mapped = convert_streaming(entries, output, overwrite=overwrite)
    if dropped:
        print(f"not carried into {output}: {', '.join(dropped)}", file=sys.stderr)
    return mapped


def _write(dataset: SequenceDataset, output: Path, *, as_json: bool) -> None:
    if output.is_dir():
        raise InputError(f"{output} is a folder", remedy="name a file")
    output.parent.mkdir(parents=True, exist_ok=True)
    write_table(dataset, output)
    _summarise(dataset, output, as_json=as_json)


def _summarise(dataset: SequenceDataset, output: Path, *, as_json: bool) -> None:
    summary: dict[str, object] = {"file": str(output), "sequences": len(dataset)}
    if dataset.is_regression:
        low, high = float(dataset.labels.min()), float(dataset.labels.max())
        summary |= {"lowest": low, "highest": high}
        labels = f"labels from {low:g} to {high:g}"
    else:
        summary["positives"] = int(dataset.labels.sum())
        labels = f"{summary['positives']} positive"
    lengths = {"shortest": int(dataset.lengths.min()), "longest": int(dataset.lengths.max())}
    summary |= lengths
    if as_json:
        print(json.dumps(summary))
    else:
        print(
            f"{output}: {len(dataset)} sequences, {labels}, "
            f"{lengths['shortest']} to {lengths['longest']} bp"
        )
