"""The sub-command that calls hits from contributions: annotate."""

from __future__ import annotations

import json
from pathlib import Path

from motiflens.cli.options import Chosen, InTiles, Output
from motiflens.cli.summary import counted
from motiflens.cli.tiled import carry_out


def annotate(
    run: Path,
    sequences: Path,
    *,
    output: Output,
    genome: Path | None = None,
    method: str | None = None,
    fdr: float = 0.05,
    chosen: Chosen = Chosen(),
    tiled: InTiles = InTiles(),
) -> None:
    """Call hits of a run's motifs from what the bases contribute, not from the bases alone.

    Parameters
    ----------
    run
        Run directory with motifs.
    sequences
        FASTA or 2bit, a table, sequences one a line, or a BED or narrowPeak file.
    output
        BED file to write, .bed or .bed.gz.
    genome
        FASTA or 2bit, for a BED file; positions are then of the genome.
    method
        Of attribution, such as deeplift_shap or ism; by default that the motifs were found by.
    fdr
        The largest q-value of a hit, above 0 and at most 1.
    """
    from motiflens.scoring.annotate import Annotation

    work = Annotation(
        run=run,
        sequences=sequences,
        output=output,
        genome=genome,
        model=chosen.model,
        method=method,
        fdr=fdr,
        device=chosen.device,
    )
    if not carry_out(work, chosen, tiled):
        return
    annotator, n_hits = work.annotator, work.n_hits
    motifs = [
        {"motif_id": motif.name, "name": motif.alt_name, "hits": n_hits[motif.name]}
        for motif in annotator.motifs
    ]
    if tiled.as_json:
        summary = {"file": str(output), "sequences": len(annotator.stored)}
        print(json.dumps({**summary, "hits": n_hits.total(), "motifs": motifs}))
    else:
        print(
            f"{output}: {counted(n_hits.total(), 'hit')} of "
            f"{counted(len(motifs), 'motif')} in {counted(len(annotator.stored), 'sequence')}"
        )
