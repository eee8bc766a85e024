"""Sub-commands that apply a trained model to genomes: scan, merge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from motiflens.cli.options import Chosen, InTiles, Json, Output
from motiflens.cli.own_module import OwnModule
from motiflens.cli.progress import on_stderr
from motiflens.cli.summary import counted
from motiflens.cli.tiled import carry_out
from motiflens.scoring.carry_out import merge as join

if TYPE_CHECKING:
    from motiflens.scoring.scan import Scan


def scan(
    run: Path,
    genome: Path | None = None,
    *,
    output: Output,
    regions: Path | None = None,
    stride: int = 1,
    peaks: Path | None = None,
    fdr: float | None = None,
    own: OwnModule = OwnModule(),
    chosen: Chosen = Chosen(),
    tiled: InTiles = InTiles(),
) -> None:
    """Score the window around each position of a genome by a run's model.

    Parameters
    ----------
    run
        Run directory; not with --module.
    genome
        FASTA or 2bit.
    output
        bigWig file to write: at each position the mean logit over seeds of the window around it.
    regions
        BED: only windows around positions in its intervals.
    stride
        Only every so many bases: positions that are multiples of it.
    peaks
        narrowPeak file to write: the local maxima of the track, at least a window apart, with
        q-values by those on dinucleotide shuffles of the same sequence.
    fdr
        The largest q-value of a peak; by default 0.05.
    """
    from motiflens.scoring.genome_scans import open_scan

    work = open_scan(
        run, own.second(run, genome, "GENOME"), output, model=chosen.model, regions=regions,
        stride=stride, peaks=peaks, fdr=fdr, device=chosen.device, own=own.arguments,
    )  # fmt: skip
    if carry_out(work, chosen, tiled):
        _tell(work, output, peaks, as_json=tiled.as_json)


def _tell(scan: Scan, output: Path, peaks: Path | None, *, as_json: bool) -> None:
    """Say what was written."""
    result = scan.result
    assert result is not None, "it was joined"
    values: dict[str, Any] = {
        "file": str(output),
        "model": scan.scorer.name,
        "window": scan.length,
        "windows": result.n_windows,
    }
    told = f"{output}: {counted(result.n_windows, 'window')} of {scan.length} bases"
    if peaks is not None:
        values |= {
            "peaks_file": str(peaks),
            "peaks": result.n_peaks,
            "maxima": result.n_maxima,
            "maxima_of_shuffles": result.n_null,
        }
        told += (
            f"\n{peaks}: {counted(result.n_peaks, 'peak')} with q <= {scan.arguments['fdr']:g} of "
            f"{result.n_maxima} local maxima, beside {result.n_null} of dinucleotide shuffles"
        )
    print(json.dumps(values) if as_json else told)


def merge(
    output: Path,
    *,
    as_json: Annotated[
        Json, Parameter(help="Print the name of the file as one JSON object.")
    ] = False,
) -> None:
    """Join what the shards of a command have computed into its output.

    Model, input and genome have to be those of the shards; tiles that are missing are counted.

    Parameters
    ----------
    output
        The file that was given to -o of the shards.
    """
    path = join(output, progress=on_stderr())
    print(json.dumps({"file": str(path)}) if as_json else f"{path}: joined")
