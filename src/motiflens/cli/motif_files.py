"""Sub-commands that work on motif files: hits, logo."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from motiflens.cli.options import Json, Output, Overwrite, check_new_file
from motiflens.cli.progress import on_stderr
from motiflens.cli.summary import counted
from motiflens.hits import write_hits
from motiflens.motifs import resolve_motifs
from motiflens.motifs.logo_files import write_logos

FilesAsJson = Annotated[Json, Parameter(help="Print the names of the files as one JSON object.")]


def hits(
    motif_file: Path,
    sequences: Path,
    *,
    output: Output,
    genome: Path | None = None,
    p: float = 1e-4,
    background: str = "fimo",
    strands: Literal["both", "forward"] = "both",
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Find where motifs occur, as FIMO does, with exact p-values.

    Parameters
    ----------
    motif_file
        Motifs: a file (MEME, JASPAR, TRANSFAC, .npz of motiflens), a motif of JASPAR by name or id
        (CTCF, MA0139.2), or IUPAC letters.
    sequences
        FASTA or 2bit of any size, a table, sequences one a line, or a BED or narrowPeak file.
    output
        BED file to write, .bed or .bed.gz.
    genome
        FASTA or 2bit, for a BED file; positions are then of the genome.
    p
        The largest p-value of a hit.
    background
        fimo (A, T 0.275, C, G 0.225), uniform, sequences (their own), or a file of MEME's.
    strands
        Where sites may lie.
    overwrite
        Replace an existing file.
    """
    check_new_file(output, overwrite=overwrite)
    motifs = resolve_motifs(motif_file)
    found = write_hits(
        motifs,
        sequences,
        output,
        genome=genome,
        p=p,
        background=background,
        strands=strands,
        progress=on_stderr(),
    )
    for note in found.notes:
        print(note, file=sys.stderr)
    summary = {
        "file": str(output),
        "sequences": found.n_sequences,
        "background": list(found.background),
        "hits": sum(found.n_hits),
        "motifs": [
            {"motif_id": motif.name, "name": motif.alt_name, "hits": n_hits, "windows": n_windows}
            for motif, n_hits, n_windows in zip(motifs, found.n_hits, found.n_windows, strict=True)
        ],
    }
    if as_json:
        print(json.dumps(summary))
    else:
        print(
            f"{output}: {counted(sum(found.n_hits), 'hit')} of {counted(len(motifs), 'motif')} in "
            f"{counted(found.n_sequences, 'sequence')}"
        )


def logo(
    motif_file: Path,
    *,
    output: Output,
    overwrite: Overwrite = False,
    as_json: Annotated[
        Json, Parameter(help="Print the names of the files as one JSON object.")
    ] = False,
) -> None:
    """Draw motifs, with their reverse complements beside them, as SVG and PNG.

    Parameters
    ----------
    motif_file
        Motifs: a file (MEME, JASPAR, TRANSFAC, .npz of motiflens, whose contributions are drawn
        too), a motif of JASPAR by name or id (CTCF, MA0139.2), or IUPAC letters.
    output
        Folder for the pictures.
    overwrite
        Replace existing files.
    """
    motifs = resolve_motifs(motif_file)
    paths = write_logos(motifs, output, overwrite=overwrite)
    if as_json:
        print(json.dumps({"files": [str(path) for path in paths]}))
    else:
        print(f"{output}: {counted(len(paths), 'file')} for {counted(len(motifs), 'motif')}")
