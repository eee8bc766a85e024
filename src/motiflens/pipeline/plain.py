"""Motifs of sequences alone, without a model: found, tested, named and written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from motiflens.datasets import SequenceDataset
from motiflens.discovery import count_all, count_once, discover_in_sequences, measure_enrichment
from motiflens.errors import InputError
from motiflens.files import write_whole
from motiflens.io.options import ReadOptions
from motiflens.io.read import read_unlabelled
from motiflens.motifs import MAX_Q, Motif, name_motifs, read_motif_file
from motiflens.pipeline.discovering import Discovery, Finding
from motiflens.pipeline.findings import (
    JASPAR,
    counts,
    counts_tested,
    describe,
    describe_dismissed,
    write_files,
)
from motiflens.pipeline.halves import Halves, cut_in_halves


def discover_without_model(
    sequences: Path | str,
    output: Path | str,
    *,
    negatives: Path | str | None = None,
    strands: str = "both",
    database: Path | str | None = None,
    seed: int = 0,
    options: ReadOptions | None = None,
) -> dict[str, Any]:
    """Discover motifs in a file of sequences, without training.

    One sequence of each homology group counts (:func:`motiflens.pipeline.halves.cut_in_halves`):
    copies and overlapping windows share whatever they hold. From ``ENOUGH_TO_HALVE`` groups on,
    every other one is searched, and a motif has to be significant on the others. Fewer are
    searched whole; then the sites are counted in the same sequences, which ``held_out`` says, and
    a motif stands by the evidence of its alignment alone.

    Parameters
    ----------
    sequences
        Whatever :func:`motiflens.read` reads; without labels all are positives.
    output
        Folder for ``motifs.json``, and where there are motifs ``discovery.meme`` and ``.npz``,
        ``discovery-seqlets.tsv`` and ``hits.bed.gz``; made where it does not exist.
    negatives
        A file, shuffle or matched; by default the sequences that count, with their dinucleotides in
        another order.
    strands
        ``both`` or ``forward``.
    database
        File of known motifs to name the found ones by; JASPAR CORE vertebrates by default.
    seed
        Of the shuffles.
    options
        How the file is read, such as a genome for a BED file.

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
    options = replace(
        options or ReadOptions(), negatives=None if negatives is None else str(negatives)
    )
    data = read_unlabelled(sequences, options, seed=seed).dataset
    positives, others = data.positives(), data.negatives() if len(data.negatives()) else None
    halves = cut_in_halves(positives, others, seed)
    known = None if database is None else read_motif_file(database)
    discovery = _discover(halves, others is not None, strands, known)
    content = {
        "schema_version": 1,
        "discovery": [describe(finding) for finding in discovery.found],
        "discovered_by": {
            "method": "sequences alone",
            "sequences": Path(sequences).name,
            "held_out": halves.held_out,
            "negatives": _name_of(options.negatives, others),
            "database": JASPAR if database is None else Path(database).name,
            "given": {
                "positives": halves.n_positives,
                "negatives": halves.n_negatives,
                "groups": halves.n_groups,
                "copies": halves.n_copies,
            },
            "note": halves.note,
            "found_in": counts(halves.searched),
            "tested_on": counts_tested(discovery),
            "not_significant": [describe_dismissed(one) for one in discovery.not_significant],
        },
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_files(discovery, folder)
    text = json.dumps(content, indent=1, allow_nan=False)
    write_whole(folder / "motifs.json", text.encode() + b"\n")
    return content


def _discover(
    halves: Halves, with_negatives: bool, strands: str, known: Sequence[Motif] | None
) -> Discovery:
    """Find motifs in one half, count their sites in the other, name them."""
    is_positive = halves.searched.labels > 0
    negatives = halves.searched.subset(~is_positive).sequences() if with_negatives else None
    searched = halves.searched.subset(is_positive)
    motifs = discover_in_sequences(
        searched.sequences(), negatives, strands="both" if strands == "both" else "forward"
    )
    if halves.held_out:
        counted = count_once(halves.searched, halves.tested)
    else:
        counted = count_all(halves.tested)
    measured = measure_enrichment(
        motifs, halves.searched, halves.tested, strands=strands, counted=counted
    )
    names = name_motifs([motif.as_motif() for motif in motifs], known)
    findings = [Finding(*one) for one in zip(motifs, measured, names, strict=True)]
    confirmed = [f for f in findings if not halves.held_out or f.enrichment.q_value < MAX_Q]
    rest = [one for one in findings if one not in confirmed]
    return Discovery(tuple(confirmed), tuple(rest), searched, halves.tested, counted)


def _refuse_run(folder: Path) -> None:
    """Keep a run from losing its own motifs, which have the same names."""
    if (folder / "run.toml").exists():
        raise InputError(
            "motifs of sequences alone have a folder of their own",
            got=f"the run in {folder}",
            remedy="choose another folder",
        )


def _name_of(negatives: str | None, others: SequenceDataset | None) -> str:
    if negatives is not None:
        return Path(negatives).name
    return "shuffle" if others is None else "given"
