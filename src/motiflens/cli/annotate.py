"""The sub-command that calls hits from contributions: annotate."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from motiflens.cli.options import Chosen, InTiles, Output
from motiflens.cli.progress import on_stderr
from motiflens.cli.summary import counted, tell_shard
from motiflens.progress import in_words

if TYPE_CHECKING:
    from motiflens.scoring.annotate import Annotation


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
    from motiflens.scoring.carry_out import carry_out
    from motiflens.scoring.cluster import engine_of
    from motiflens.scoring.work import Shard
    from motiflens.training import n_cores, single_intra_op_thread

    engine = engine_of(tiled.scheduler)
    shard, threads = Shard.parse(tiled.shard), chosen.threads or n_cores()
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
    with single_intra_op_thread():
        if tiled.dry_run:
            _tell_plan(work, output, shard.count * threads, as_json=tiled.as_json)
            return
        progress = on_stderr()
        for note in work.annotator.notes:
            progress.note(note)
        written = carry_out(
            work,
            shard=shard,
            engine=engine,
            threads=threads,
            overwrite=tiled.overwrite,
            progress=progress,
        )
    _tell_result(work, output, written, tiled)


def _tell_plan(work: Annotation, output: Path, at_once: int, *, as_json: bool) -> None:
    """Say what would be done; the time is that of the first tile, for all."""
    sizes = work.sizes
    started = time.perf_counter()
    work.compute(0)
    seconds = (time.perf_counter() - started) * sum(sizes) / sizes[0] / min(at_once, len(sizes))
    annotator = work.annotator
    if as_json:
        plan = {"file": str(output), "bases": sum(sizes), "tiles": len(sizes)}
        print(json.dumps({**plan, "method": annotator.method, "seconds": round(seconds, 1)}))
    else:
        print(
            f"{output}: hits of {counted(len(annotator.motifs), 'motif')} in "
            f"{counted(len(annotator.stored), 'sequence')}, {sum(sizes):,} bases, in "
            f"{counted(len(sizes), 'tile')}: {in_words(seconds)}; nothing is written"
        )
    for note in annotator.notes:
        on_stderr().note(note)


def _tell_result(work: Annotation, output: Path, written: bool, tiled: InTiles) -> None:
    if not written:
        tell_shard(output, tiled.shard, as_json=tiled.as_json)
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
