"""Sequences annotated with the hits of a run's motifs, called from contributions."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from motiflens.errors import InputError
from motiflens.files import whole_file
from motiflens.hits.bed import check_bed_name, compress_blocks
from motiflens.io.inputs import Sequences
from motiflens.models.calling import check_threads
from motiflens.progress import Progress, listener
from motiflens.runs import Run
from motiflens.scoring.annotator import Annotator
from motiflens.scoring.significance import ROW, Significance, TileCalls
from motiflens.scoring.work import Work
from motiflens.training.machine import compute_in_threads
from motiflens.version import __version__

COLUMNS = (
    *("chrom", "start", "end", "name", "score", "strand", "motif_id"),
    *("log_odds", "similarity", "contribution", "evidence", "p_value", "q_value"),
)
#: Hits that are written at a time.
AT_ONCE = 1 << 13


def annotate(
    run: Run | Path | str,
    sequences: Sequences,
    *,
    genome: Path | str | None = None,
    model: str | None = None,
    method: str | None = None,
    fdr: float = 0.05,
    device: str = "cpu",
    threads: int | None = None,
    progress: Progress | bool = False,
) -> pd.DataFrame:
    """Call hits of a run's motifs from what the bases contribute to its model, not from them alone.

    The motifs compete for the contributions of each sequence. Hits are those of q ≤ ``fdr``, where
    the null is the same calling in dinucleotide shuffles of the same sequences.

    Parameters
    ----------
    run
        A run with motifs, or its directory.
    sequences
        A file (FASTA, 2bit, a table, one sequence a line, BED with a genome), strings, a data set,
        or one-hot (N, 4, L).
    genome
        FASTA or 2bit, for a BED file; positions are then of the genome.
    model
        One of the run's; None for the best on validation data.
    method
        Of attribution; None for that the motifs were found by, or mutagenesis where the model
        takes no other.
    fdr
        The largest q-value of a hit, above 0 and at most 1.
    device
        Where to explain; "auto" is a GPU where there is one.
    threads
        Tiles at once; None for one a core. They change nothing in the result.
    progress
        Told how far the work has come; True for a line on stderr.

    Returns
    -------
    pandas.DataFrame
        One row a hit, in the order of sequences, starts and motifs: ``chrom`` (or the name of the
        sequence), ``start``, ``end`` (0-based, half-open), ``name`` (of the known motif that the
        found one is like, or its own), ``score`` (-10 log10 p, to 1,000), ``strand``,
        ``motif_id``, ``log_odds`` (bits, of the bases), ``similarity`` (cosine of the contributions
        and those that the motif expects of these bases), ``contribution`` (their sum),
        ``evidence`` (nats), ``p_value`` and ``q_value`` (Benjamini and Hochberg, a motif at a
        time, over all windows).

    Raises
    ------
    InputError
        If the run has no motifs, the sequences cannot be read, or an argument is none.
    """
    check_fdr(fdr)
    check_threads(threads)
    told = listener(progress)
    annotator = Annotator(run, sequences, genome=genome, model=model, method=method, device=device)
    for note in annotator.notes:
        told.note(note)
    sizes = annotator.sizes
    tiles = compute_in_threads(
        annotator.compute, range(len(sizes)), sizes, "annotate", "bases", threads, told
    )
    values = significance(tiles, annotator)
    rows = np.concatenate([np.zeros(0, ROW), *(tile.rows for tile in tiles)])
    return table_of(rows, annotator, values, fdr)


def check_fdr(fdr: float) -> None:
    """Raise :class:`InputError` for an fdr that is none."""
    if not isinstance(fdr, Real) or not 0 < fdr <= 1:
        raise InputError(
            f"fdr={fdr!r} is not above 0 and at most 1", remedy="try fdr=0.05", argument="fdr"
        )


def significance(tiles: Iterable[TileCalls], annotator: Annotator) -> Significance:
    """Pool the calls of all tiles, and of their shuffles."""
    values = Significance(len(annotator.motifs), annotator.n_shuffles)
    for tile in tiles:
        values.add(tile)
    return values


def table_of(
    rows: np.ndarray, annotator: Annotator, values: Significance, fdr: float
) -> pd.DataFrame:
    """Return the calls that are hits, as :func:`annotate` does."""
    p, q = values.of(rows["motif"], rows["evidence"])
    hits = q <= fdr
    rows, p, q = rows[hits], p[hits], q[hits]
    motifs, places = annotator.motifs, annotator.stored.places
    ids = np.array([motif.name for motif in motifs], dtype=object)
    names = np.array([motif.alt_name or motif.name for motif in motifs], dtype=object)
    widths = np.array([motif.width for motif in motifs], dtype=np.int64)
    of_row = {
        "chrom": [places[row].chrom for row in rows["sequence"].tolist()],
        "start": rows["start"],
        "end": rows["start"] + widths[rows["motif"]],
        "name": names[rows["motif"]],
        "score": np.minimum(np.rint(-10 * np.log10(p)), 1000).astype(np.int64),
        "strand": np.where(rows["reverse"], "-", "+"),
        "motif_id": ids[rows["motif"]],
    }
    measured = {name: rows[name] for name in COLUMNS[7:11]}
    return pd.DataFrame({**of_row, **measured, "p_value": p, "q_value": q}, columns=list(COLUMNS))


class Annotation(Work):
    """The command ``annotate``, in tiles of whole sequences or pieces of long ones."""

    name, unit = "annotate", "bases"

    @cached_property
    def annotator(self) -> Annotator:
        """What calls hits, opened once."""
        check_fdr(self.arguments["fdr"])
        check_bed_name(self.output)
        names = ("genome", "model", "method", "device")
        options = {name: self.given.get(name) for name in names}
        return Annotator(self.given["run"], self.given["sequences"], **options)

    @property
    def notes(self) -> Sequence[str]:
        """What was left out, and chosen."""
        return self.annotator.notes

    @property
    def plan(self) -> Mapping[str, Any]:
        """The motifs, sequences and method."""
        annotator = self.annotator
        n = {"motifs": len(annotator.motifs), "sequences": len(annotator.stored)}
        return {**n, "method": annotator.method}

    @property
    def settings(self) -> Mapping[str, Any]:
        """Hashes of models, motifs and sequences, and the options."""
        return {**self.annotator.settings, "fdr": self.arguments["fdr"], "version": __version__}

    @property
    def sizes(self) -> Sequence[int]:
        """Bases of each tile."""
        return self.annotator.sizes

    def compute(self, tile: int) -> bytes:
        """Call the hits of a tile, and of its shuffles."""
        return self.annotator.compute(tile).to_bytes()

    def join(self, tiles: Iterator[bytes], progress: Progress) -> None:
        """Write the hits as BED."""
        annotator, self.n_hits = self.annotator, Counter[str]()
        values = Significance(len(annotator.motifs), annotator.n_shuffles)
        with tempfile.TemporaryFile() as aside, whole_file(self.output) as file:
            for content in tiles:
                tile = TileCalls.from_bytes(content)
                values.add(tile)
                aside.write(tile.rows.tobytes())
            aside.seek(0)
            lines = self._lines(iter(lambda: aside.read(AT_ONCE * ROW.itemsize), b""), values)
            packed = self.output.suffix.lower() == ".gz"
            for piece in compress_blocks(lines) if packed else lines:
                file.write(piece)

    def _lines(self, stored: Iterator[bytes], values: Significance) -> Iterator[bytes]:
        yield ("#" + "\t".join(COLUMNS) + "\n").encode()
        for content in stored:
            rows = np.frombuffer(content, dtype=ROW)
            table = table_of(rows, self.annotator, values, self.arguments["fdr"])
            self.n_hits.update(table["motif_id"])
            yield table.to_csv(sep="\t", header=False, index=False, float_format="%.5g").encode()
