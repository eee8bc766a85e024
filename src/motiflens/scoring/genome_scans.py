"""Genomes scanned by a call: what may be asked for, and how it is carried out."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import Any

from motiflens.errors import InputError
from motiflens.progress import Progress
from motiflens.runs import Run
from motiflens.scoring.carry_out import carry_out
from motiflens.scoring.scan import Scan, ScanResult
from motiflens.training import n_cores, single_intra_op_thread

#: Names of the track.
ENDINGS = (".bw", ".bigwig")


#: Of peaks, where none is given.
FDR = 0.05


def open_scan(
    run: Run | Path | str | None,
    genome: Path | str,
    output: Path | str,
    *,
    model: str | None = None,
    regions: Path | str | None = None,
    stride: int = 1,
    peaks: Path | str | None = None,
    fdr: float | None = None,
    device: str = "cpu",
    own: Mapping[str, Any] | None = None,
) -> Scan:
    """Prepare a scan; see :func:`scan_genome`, and of a module :class:`Scan`."""
    _check(stride, fdr, peaks)
    track = _path(output, "output")
    if track.suffix.lower() not in ENDINGS:
        raise InputError(
            f"{track} is not named as a bigWig file, which the track is",
            remedy="name it such as scan.bw",
            argument="output",
        )
    return Scan(
        run=run.path if isinstance(run, Run) else None if own else _path(run, "run"),
        model=model,
        own=own,
        genome=_path(genome, "genome"),
        output=track,
        regions=None if regions is None else _path(regions, "regions"),
        stride=int(stride),
        peaks=None if peaks is None else _path(peaks, "peaks"),
        fdr=FDR if fdr is None else float(fdr),
        device=device,
    )


def _path(given: object, name: str) -> Path:
    if not isinstance(given, str | PathLike):
        kind = "None" if given is None else f"of type {type(given).__name__}"
        raise InputError(f"{name} is {kind}", remedy="give a path", argument=name)
    return Path(given)


def _check(stride: int, fdr: float | None, peaks: object) -> None:
    if not isinstance(stride, Integral) or stride < 1:
        raise InputError(
            f"stride={stride} is no whole number of 1 or more",
            remedy="try stride=1",
            argument="stride",
        )
    if fdr is None:
        return
    if not isinstance(fdr, Real):
        raise InputError(f"fdr={fdr!r} is no number", remedy=f"try fdr={FDR}", argument="fdr")
    if not 0 < fdr <= 1:
        raise InputError(
            f"fdr={fdr:g} is no rate", remedy="give one above 0, up to 1", argument="fdr"
        )
    if peaks is None:
        raise InputError(
            f"fdr={fdr:g} is of peaks, and none are asked for",
            remedy="name their file by peaks=, such as peaks=scan.narrowPeak",
            argument=("fdr", "peaks"),
        )


def scan_genome(
    run: Run | Path | str,
    genome: Path | str,
    output: Path | str,
    *,
    model: str | None = None,
    regions: Path | str | None = None,
    stride: int = 1,
    peaks: Path | str | None = None,
    fdr: float | None = None,
    device: str = "cpu",
    threads: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> ScanResult:
    """Score the window around each position of a genome, and write a track and its peaks.

    Parameters
    ----------
    run
        A run, or its directory.
    genome
        FASTA or 2bit. Lower case counts as upper case; windows with an N have no score.
    output
        bigWig file: of each position the mean logit over seeds of the window of ``length`` bases
        around it, of which it is base ``length // 2``.
    model
        One of the run's models; None for the best on validation data.
    regions
        BED: only windows around positions in its intervals.
    stride
        Only positions that are multiples of it.
    peaks
        narrowPeak file: the windows around local maxima of the track, at least a window apart,
        with p-values and q-values by the local maxima of the same model's scores of dinucleotide
        shuffles of the same sequence (:mod:`motiflens.scoring.peaks`).
    fdr
        The largest q-value of a peak; None for 0.05.
    device
        Where to compute; a CPU shares activations between windows, for ``cnn``.
    threads
        Tiles at a time; None for one a core.
    overwrite
        Replace the output.
    progress
        Told how far it has come.

    Returns
    -------
    ScanResult
        What was written.

    Raises
    ------
    InputError
        If an input cannot be read, no window has a score, or the output is there already. What
        was computed stays beside the output, and the same call resumes it.
    """
    scan = open_scan(
        run, genome, output, model=model, regions=regions, stride=stride, peaks=peaks, fdr=fdr,
        device=device,
    )  # fmt: skip
    with single_intra_op_thread():
        carry_out(scan, threads=threads or n_cores(), overwrite=overwrite, progress=progress)
    assert scan.result is not None, "it is all there"
    return scan.result
