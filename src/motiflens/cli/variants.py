"""Sub-commands that score variants by a run's model: variants, mutations."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from cyclopts import Parameter

from motiflens.cli.options import Chosen, InTiles, Output, check_new_file
from motiflens.cli.own_module import OwnModule
from motiflens.cli.tiled import carry_out

if TYPE_CHECKING:
    from motiflens.scoring.variants import Variants


def variants(
    run: Path,
    variants: Annotated[Path | None, Parameter(allow_leading_hyphen=True)] = None,
    *,
    genome: Path,
    output: Annotated[Output, Parameter(allow_leading_hyphen=True)],
    table: Path | None = None,
    ref_mismatch: Literal["skip", "swap", "fail"] = "skip",
    plot: Annotated[str | None, Parameter(name="--plot")] = None,
    own: OwnModule = OwnModule(),
    chosen: Chosen = Chosen(),
    tiled: InTiles = InTiles(),
) -> None:
    """Score the variants of a VCF by a run's model, with motifs lost and gained.

    Parameters
    ----------
    run
        Run directory; not with --module.
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
        run=None if own.module else run,
        model=chosen.model,
        device=chosen.device,
        own=own.arguments,
        variants=own.second(run, variants, "VARIANTS"),
        genome=genome,
        ref_mismatch=ref_mismatch,
        output=output,
        table=table,
    )
    if plot is not None:
        _draw(work, plot, output, tiled)
        return
    if not carry_out(work, chosen, tiled):
        return
    if tiled.as_json:
        print(json.dumps({"output": str(output), **work.summary()}))
    else:
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
    regions: str | None = None,
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
    own: OwnModule = OwnModule(),
    chosen: Chosen = Chosen(),
    tiled: InTiles = InTiles(),
) -> None:
    """Score every substitution of regions of a genome, the window centred on the base.

    Parameters
    ----------
    run
        Run directory; not with --module.
    regions
        BED file, or `all` for the whole genome.
    genome
        FASTA or 2bit.
    """
    from motiflens.scoring.mutations import Mutations
    from motiflens.scoring.regions import ALL

    where = str(own.second(run, regions, "REGIONS"))
    work = Mutations(
        run=None if own.module else run,
        model=chosen.model,
        device=chosen.device,
        own=own.arguments,
        regions=where if where == ALL else Path(where),
        genome=genome,
        output=output,
    )
    started = time.perf_counter()
    if not carry_out(work, chosen, tiled):
        return
    seconds, n_bases = time.perf_counter() - started, sum(work.sizes)
    names = [str(path) for path in work.outputs if path.is_file()]
    if tiled.as_json:
        print(json.dumps({"outputs": names, "bases": n_bases, "substitutions": 3 * n_bases}))
    else:
        print(f"{', '.join(names)}: {n_bases:,} bases in {seconds:.0f} s")
