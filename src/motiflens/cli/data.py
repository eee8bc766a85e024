"""Sub-commands that make a data set: simulate, prepare."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import motiflens
from motiflens.cli.options import Json, Output, Overwrite, check_new_file
from motiflens.datasets import SequenceDataset, require_two_classes, write_table
from motiflens.errors import InputError


def simulate(
    *,
    output: Output,
    motif: str = "CGACCGAACTCC",
    n: int = 2000,
    length: int = 50,
    mutation_rate: float = 0.0,
    strands: Literal["forward", "both"] = "forward",
    grammar: Path | None = None,
    seed: int = 0,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Make a labelled data set whose true sites are known; the tutorial's by default.

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
        Same seed, same bytes.
    overwrite
        Replace an existing file.
    as_json
        Print a summary as one JSON object.
    """
    check_new_file(output, overwrite=overwrite)
    if grammar is not None:
        rules = motiflens.read_grammar(grammar)
    else:
        rules = motiflens.tutorial_grammar(
            motif=motif, n=n, length=length, mutation_rate=mutation_rate, strands=strands
        )
    _write(motiflens.simulate(rules, seed), output, as_json=as_json)


def prepare(
    data: Path,
    *,
    output: Output,
    labels: Path | None = None,
    negatives: Path | None = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Read sequences and labels from files of other kinds and write them as one table.

    Parameters
    ----------
    data
        A table (sequence, label), FASTA, or a file with one sequence a line.
    output
        Table to write: .parquet, .tsv or .csv, with .gz if wanted.
    labels
        File with one label a line.
    negatives
        FASTA with the negatives, when DATA holds the positives.
    overwrite
        Replace an existing file.
    as_json
        Print a summary as one JSON object.
    """
    check_new_file(output, overwrite=overwrite)
    dataset = motiflens.read_dataset(data, labels=labels, negatives=negatives)
    require_two_classes(dataset)
    _write(dataset, output, as_json=as_json)


def _write(dataset: SequenceDataset, output: Path, *, as_json: bool) -> None:
    if output.is_dir():
        raise InputError("the output is a file", got=f"the folder {output}", remedy="name a file")
    write_table(dataset, output)
    summary = {
        "file": str(output),
        "sequences": len(dataset),
        "positives": int(dataset.labels.sum()),
        "shortest": int(dataset.lengths.min()),
        "longest": int(dataset.lengths.max()),
    }
    if as_json:
        print(json.dumps(summary))
    else:
        print(
            f"{output}: {summary['sequences']} sequences, {summary['positives']} positive, "
            f"{summary['shortest']} to {summary['longest']} bp"
        )
