"""Motifs of sequences alone, without a model: found, tested, named and written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from motiflens.datasets import SequenceDataset, concatenate
from motiflens.errors import InputError
from motiflens.files import write_whole
from motiflens.matrices import read_motif_file
from motiflens.motifs import MAX_Q, discover_in_sequences, measure_enrichment, name_motifs
from motiflens.pipeline.discovering import Discovery, Finding
from motiflens.pipeline.findings import JASPAR, counts, describe, describe_dismissed, write_files
from motiflens.records import read_records
from motiflens.shuffles import dinucleotide_shuffle

ENOUGH_TO_HALVE = 200
"""Sequences from which on motifs are found in one half and tested on the other."""


def discover_without_model(
    sequences: Path | str,
    output: Path | str,
    *,
    negatives: Path | str | None = None,
    strands: str = "both",
    database: Path | str | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Discover motifs in a file of sequences, without training.

    From ``ENOUGH_TO_HALVE`` sequences on, those in even places are searched, and a motif has to be
    significant on the others. Fewer are searched whole; then the sites are counted in the same
    sequences, which ``held_out`` says, and a motif stands by the evidence of its alignment alone.

    Parameters
    ----------
    sequences
        FASTA, or one sequence a line.
    output
        Folder for ``motifs.json``, and where there are motifs ``discovery.meme`` and ``.npz``,
        ``discovery-seqlets.tsv`` and ``hits.bed.gz``; made where it does not exist.
    negatives
        Of the same kinds; by default the sequences with their dinucleotides in another order.
    strands
        ``both`` or ``forward``.
    database
        File of known motifs to name the found ones by; JASPAR CORE vertebrates by default.
    seed
        Of the shuffles.

    Returns
    -------
    dict
        What ``motifs.json`` holds.

    Raises
    ------
    InputError
        If a file cannot be read, or the output cannot be written or is a run.
    """
    folder = Path(output)
    _refuse_run(folder)
    positives = _read(sequences, 1)
    others = _shuffled(positives, seed) if negatives is None else _read(negatives, 0)
    halved = min(len(positives), len(others)) >= ENOUGH_TO_HALVE
    step = 2 if halved else 1
    searched = [part.subset(np.arange(0, len(part), step)) for part in (positives, others)]
    tested = [part.subset(np.arange(step - 1, len(part), step)) for part in (positives, others)]
    known = None if database is None else read_motif_file(database)
    motifs = discover_in_sequences(
        searched[0].sequences(),
        None if negatives is None else searched[1].sequences(),
        strands="both" if strands == "both" else "forward",
    )
    held_out = concatenate(tested)
    measured = measure_enrichment(motifs, concatenate(searched), held_out, strands=strands)
    names = name_motifs([motif.as_motif() for motif in motifs], known)
    findings = [Finding(*one) for one in zip(motifs, measured, names, strict=True)]
    confirmed = [one for one in findings if not halved or one.enrichment.q_value < MAX_Q]
    rest = [one for one in findings if one not in confirmed]
    discovery = Discovery(tuple(confirmed), tuple(rest), searched[0], held_out)
    content = {
        "schema_version": 1,
        "discovery": [describe(finding) for finding in confirmed],
        "discovered_by": {
            "method": "sequences alone",
            "sequences": Path(sequences).name,
            "held_out": halved,
            "negatives": "shuffle" if negatives is None else Path(negatives).name,
            "database": JASPAR if database is None else Path(database).name,
            "found_in": counts(concatenate(searched)),
            "tested_on": counts(held_out),
            "not_significant": [describe_dismissed(one) for one in rest],
        },
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_files(discovery, folder)
    text = json.dumps(content, indent=1, allow_nan=False)
    write_whole(folder / "motifs.json", text.encode() + b"\n")
    return content


def _refuse_run(folder: Path) -> None:
    """Keep a run from losing its own motifs, which have the same names."""
    if (folder / "run.toml").exists():
        raise InputError(
            "motifs of sequences alone have a folder of their own",
            got=f"the run in {folder}",
            remedy="choose another folder",
        )


def _read(path: Path | str, label: int) -> SequenceDataset:
    records = read_records(path)
    return _dataset([r.sequence for r in records], label, [r.name for r in records])


def _dataset(sequences: Sequence[str], label: int, names: Sequence[str]) -> SequenceDataset:
    made = SequenceDataset.from_sequences(sequences, [label] * len(sequences))
    given = np.array([name or own for name, own in zip(names, made.names, strict=True)])
    return SequenceDataset(made.codes, made.lengths, made.labels, given)


def _shuffled(positives: SequenceDataset, seed: int) -> SequenceDataset:
    generator = np.random.default_rng(seed)
    codes = dinucleotide_shuffle(positives.codes, positives.lengths, generator)
    labels = np.zeros_like(positives.labels)
    names = np.array([f"{name}_shuffled" for name in positives.names.tolist()])
    return SequenceDataset(codes, positives.lengths, labels, names)
