"""Sub-commands that score variants by a run's model: variants, mutations."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from cyclopts import Parameter

from motiflens.cli.options import Chosen, InTiles, Output, check_new_file
from motiflens.cli.progress import on_stderr
from motiflens.cli.summary import counted
from motiflens.progress import in_words

if TYPE_CHECKING:
    from motiflens.scoring.variants import Variants
    from motiflens.scoring.work import Work


def variants(
    run: Path,
    variants: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    *,
    genome: Path,
    output: Annotated[Output, Parameter(allow_leading_hyphen=True)],
    table: Path | None = None,
    ref_mismatch: Literal["skip", "swap", "fail"] = "skip",
    plot: Annotated[str | None, Parameter(name="--plot")] = None,
    chosen: Chosen = Chosen(),
    tiled: InTiles = InTiles(),
) -> None:
    """Score the variants of a VCF by a run's model, with motifs lost and gained.

    Parameters
    ----------
    run
        Run directory.
    variants
        VCF or BCF, plain, gzip or bgzip.
    genome
        FASTA or 2bit.
    output
        VCF to write, .vcf.gz (bgzip, with its index) or .vcf; with --plot a picture, .svg or .png.
    table
        Write a table too, one row an alternate allele: .tsv or .tsv.gz.
    ref_mismatch
        What becomes of a REF that is not the genome's: the variant is skipped; swap puts both
        alleles into the genome where this has the ALT; fail ends with an error.
    plot
        Draw one variant of the file in place of scoring all, such as chr1:109274968.
    """
    from motiflens.scoring.variant_output import check_vcf_name
    from motiflens.scoring.variant_pictures import check_picture_name
    from motiflens.scoring.variants import Variants

    check_vcf_name(output) if plot is None else check_picture_name(output)
    work = Variants(
        run=str(run),
        model=chosen.model,
        device=chosen.device,
        variants=str(variants),
        genome=str(genome),
        ref_mismatch=ref_mismatch,
        output=str(output),
        table=None if table is None else str(table),
    )
    for note in work.notes:
        on_stderr().note(note)
    if plot is not None:
        _draw(work, plot, output, tiled)
        return
    done = _carry_out(work, chosen, tiled)
    summary = {"output": str(output), **work.summary()}
    if tiled.as_json and not tiled.dry_run:
        print(json.dumps(summary))
    elif done:
        print(f"{output}: {work.in_words()}")


def _draw(work: Variants, place: str, output: Path, tiled: InTiles) -> None:
    from motiflens.scoring.variant_pictures import draw_variant, find_record

    check_new_file(output, overwrite=tiled.overwrite)
    scores = draw_variant(work.scoring, find_record(work.file, place), output)
    if tiled.as_json:
        print(json.dumps({"output": str(output), "alleles": msgspec.to_builtins(scores)}))
    else:
        print(output)


def mutations(
    run: Path,
    regions: str,
    *,
    genome: Path,
    output: Annotated[
        Path,
        Parameter(
            name=["--output", "-o"],
            allow_leading_hyphen=True,
            help="Beginning of the names of four bigWigs, one an alternate base, such as out for "
            "out.A.bw; or a table, .tsv or .tsv.gz.",
        ),
    ],
    chosen: Chosen = Chosen(),
    tiled: InTiles = InTiles(),
) -> None:
    """Score every substitution of regions of a genome, the window centred on the base.

    Parameters
    ----------
    run
        Run directory.
    regions
        BED file, or `all` for the whole genome.
    genome
        FASTA or 2bit.
    """
    from motiflens.scoring.mutations import Mutations
    from motiflens.scoring.tiles import folder_of

    work = Mutations(
        run=str(run),
        model=chosen.model,
        device=chosen.device,
        regions=regions,
        genome=str(genome),
        output=str(output),
    )
    if not folder_of(work.output).is_dir():
        for path in work.outputs:
            check_new_file(path, overwrite=tiled.overwrite)
    started = time.perf_counter()
    done = _carry_out(work, chosen, tiled)
    seconds, n_bases = time.perf_counter() - started, sum(work.sizes)
    names = [str(path) for path in work.outputs]
    if tiled.as_json and not tiled.dry_run:
        print(json.dumps({"outputs": names, "bases": n_bases, "substitutions": 3 * n_bases}))
    elif done:
        print(f"{', '.join(names)}: {n_bases:,} bases in {seconds:.0f} s")


def _carry_out(work: Work, chosen: Chosen, tiled: InTiles) -> bool:
    """Carry out a work as the options say, and return whether its output is written."""
    from motiflens.scoring.carry_out import carry_out
    from motiflens.scoring.cluster import engine_of
    from motiflens.scoring.work import Shard
    from motiflens.settings import n_cores
    from motiflens.training.machine import single_intra_op_thread

    if tiled.dry_run:
        with single_intra_op_thread():
            _foretell(work, chosen.threads or n_cores(), tiled)
        return False
    with single_intra_op_thread():
        return carry_out(
            work,
            shard=Shard.parse(tiled.shard),
            engine=engine_of(tiled.scheduler),
            threads=chosen.threads or n_cores(),
            overwrite=tiled.overwrite,
            progress=on_stderr(),
        )


def _foretell(work: Work, threads: int, tiled: InTiles) -> None:
    """Print what would be done and how long it takes, from the first tile."""
    sizes = list(work.sizes)
    started = time.perf_counter()
    if sizes:
        work.compute(0)
    seconds = (time.perf_counter() - started) * sum(sizes) / max(sum(sizes[:1]), 1)
    seconds /= min(threads, max(len(sizes), 1))
    if tiled.as_json:
        told = {"tiles": len(sizes), work.unit: sum(sizes), "seconds": round(seconds, 1)}
        print(json.dumps(told))
    else:
        n = f"{sum(sizes):,} {work.unit.removesuffix('s') if sum(sizes) == 1 else work.unit}"
        print(f"{n} in {counted(len(sizes), 'tile')}, {in_words(seconds)}")
