"""``motiflens mutations``: every substitution of regions, each in the middle of its window."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from motiflens.errors import InputError
from motiflens.files import whole_file
from motiflens.hits.bed import compress_blocks
from motiflens.io.big_wig import Value, write_values
from motiflens.io.genome import Genome, open_genome
from motiflens.models.calling import check_threads
from motiflens.progress import Progress, listener
from motiflens.runs import Run
from motiflens.scoring.models import open_models
from motiflens.scoring.modules import open_scorer
from motiflens.scoring.regions import Interval, Regions, read_regions
from motiflens.scoring.scorer import plan_of
from motiflens.scoring.substitutions import Substitutions, substitutions_of
from motiflens.scoring.work import Work, hash_file
from motiflens.sequences import ALPHABET, PAD, encode
from motiflens.settings import n_cores
from motiflens.training.machine import single_intra_op_thread
from motiflens.version import __version__

#: Bases of a tile.
AT_ONCE = 50_000
#: Columns of the table.
COLUMNS = ("chrom", "pos", "ref", "alt", "reference", "difference", "standard_error")
#: Endings of files that the output is not: it would become the beginning of four names.
NO_PREFIX = (".csv", ".txt", ".txt.gz", ".csv.gz", ".parquet", ".xlsx", ".vcf", ".bed", ".bw")

Values = NDArray[np.float32]


class MutatedBases(NamedTuple):
    """What substitutions of n bases do.

    Parameters
    ----------
    codes
        uint8 (n,): the bases as they are.
    reference
        float32 (n,): mean logits over seeds of the windows around them.
    difference, standard_error
        float32 (4, n): what each base in their place adds, NaN at the base that is there and
        where there is no window; the error over seeds, NaN with one.
    """

    codes: NDArray[np.uint8]
    reference: Values
    difference: Values
    standard_error: Values

    def to_bytes(self) -> bytes:
        """Return them as bytes, which :meth:`from_bytes` reads."""
        rows = (self.codes[None], self.reference[None], self.difference, self.standard_error)
        return np.concatenate(rows).astype(np.float32).tobytes()

    @staticmethod
    def from_bytes(content: bytes) -> MutatedBases:
        """Read what :meth:`to_bytes` wrote."""
        values = np.frombuffer(content, dtype=np.float32).reshape(10, -1)
        return MutatedBases(values[0].astype(np.uint8), values[1], values[2:6], values[6:])


def mutate(substitutions: Substitutions, genome: Genome, interval: Interval) -> MutatedBases:
    """Score every substitution of an interval, the window centred on the base.

    Bases whose window reaches over an end of the contig, or holds an N, have none.
    """
    scorer, (chrom, start, end) = substitutions.scorer, interval
    before = scorer.length // 2
    first = max(start - before, 0)
    last = min(end - before + scorer.length, genome.contigs[chrom].size)
    codes = encode([genome.fetch(chrom, first, last)])[0][0]
    n = end - start
    unknown = np.concatenate([[0], np.cumsum(codes == PAD)])
    begin = np.arange(start, end) - before - first
    stop = begin + scorer.length
    inside = (begin >= 0) & (stop <= len(codes))
    whole = inside & (unknown[np.minimum(stop, len(codes))] == unknown[np.maximum(begin, 0)])
    rows = np.flatnonzero(whole)
    own = codes[start - first : start - first + n]
    owners = np.repeat(np.arange(len(rows)), 3)
    bases = ((own[rows][:, None] + np.arange(1, 4, dtype=np.uint8)) % 4).reshape(-1)
    reference = np.full(n, np.nan, dtype=np.float32)
    difference, error = (np.full((4, n), np.nan, dtype=np.float32) for _ in range(2))
    if len(rows):
        logits = substitutions.logits(codes, begin[rows] + before, owners, bases)
        change = logits.alternate - logits.reference[:, owners]
        reference[rows] = logits.reference.mean(axis=0)
        difference[bases, rows[owners]] = change.mean(axis=0)
        if scorer.n_seeds > 1:
            spread = change.std(axis=0, ddof=1) / np.sqrt(scorer.n_seeds)
            error[bases, rows[owners]] = spread
    return MutatedBases(own, reference, difference, error)


class Mutations(Work):
    """Every substitution of regions of a genome, scored.

    The arguments are ``run``, ``model``, ``device``, ``own``, ``regions``, ``genome`` and
    ``output``, as :func:`motiflens.cli.variants.mutations` takes them.
    """

    name, unit = "mutations", "bases"

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        _check_name(self.output)
        self._genome = open_genome(arguments["genome"])
        self._substitutions = substitutions_of(open_scorer(arguments))
        self.regions = read_regions(arguments["regions"], self._genome)
        self._tiles = list(_cut(self.regions))

    @property
    def outputs(self) -> list[Path]:
        """The files that are made: a table, or one bigWig an alternate base."""
        if is_table(self.output):
            return [self.output]
        return [self.output.with_name(f"{self.output.name}.{base}.bw") for base in ALPHABET]

    @property
    def plan(self) -> Mapping[str, Any]:
        """The model and the window."""
        return plan_of(self._substitutions.scorer)

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """All that decides the result."""
        scorer = self._substitutions.scorer
        return {
            "model": scorer.sha256,
            "length": scorer.length,
            "genome": hash_file(self._genome.path),
            "regions": [list(region) for region in self.regions],
            "table": is_table(self.output),
            "version": __version__,
        }

    @property
    def sizes(self) -> Sequence[int]:
        """The bases of each tile."""
        return [end - start for _, start, end in self._tiles]

    def compute(self, tile: int) -> bytes:
        """Score the substitutions of a tile."""
        return mutate(self._substitutions, self._genome, self._tiles[tile]).to_bytes()

    def join(self, tiles: Iterator[bytes], progress: Progress) -> None:
        """Write the table, or the four bigWigs."""
        if is_table(self.output):
            with whole_file(self.output) as file:
                rows = self._rows(tiles)
                for piece in compress_blocks(rows) if self.output.suffix.lower() == ".gz" else rows:
                    file.write(piece)
            return
        names = dict.fromkeys(region.chrom for region in self.regions)
        sizes = {name: self._genome.contigs[name].size for name in names}
        # Without a name, so that a kill leaves nothing.
        with tempfile.TemporaryFile(dir=self.output.parent) as held:
            n_values = np.zeros(len(ALPHABET), dtype=np.int64)
            for tile in tiles:
                difference = MutatedBases.from_bytes(tile).difference
                n_values += (~np.isnan(difference)).sum(axis=1)
                held.write(difference.tobytes())
            if not n_values.any():
                raise InputError(
                    f"no window of {self._substitutions.scorer.length} bases without N lies around "
                    "a base of the regions",
                    remedy="give other regions",
                )
            for row, path in enumerate(self.outputs):
                if n_values[row]:
                    write_values(path, sizes, self._values(row, held))
                else:  # which the format cannot hold
                    path.unlink(missing_ok=True)
                    progress.note(f"{path} is not written: nothing becomes {ALPHABET[row]}")

    def _values(self, row: int, held: IO[bytes]) -> Iterator[Value]:
        held.seek(0)
        for chrom, start, end in self._tiles:
            values = np.frombuffer(held.read(16 * (end - start)), dtype=np.float32)
            of_base = values.reshape(4, end - start)[row]
            for at in np.flatnonzero(~np.isnan(of_base)).tolist():
                yield chrom, start + at, start + at + 1, float(of_base[at])

    def _rows(self, tiles: Iterator[bytes]) -> Iterator[bytes]:
        yield ("#" + "\t".join(COLUMNS) + "\n").encode()
        for (chrom, start, _), tile in zip(self._tiles, tiles, strict=True):
            table = _frame(chrom, start, MutatedBases.from_bytes(tile))
            text: str = table.to_csv(
                sep="\t", header=False, index=False, float_format="%.6g", na_rep="."
            )
            yield text.encode()


def is_table(output: Path) -> bool:
    """Return whether an output is named as a table."""
    return output.name.lower().endswith((".tsv", ".tsv.gz"))


def _check_name(output: Path) -> None:
    """Refuse what is neither named as a table nor the beginning of the names of four bigWigs."""
    name = output.name.lower()
    if name in ("", "..") or name.startswith("-") or name.endswith(NO_PREFIX):
        raise InputError(
            f"{output} names neither a table nor the beginning of four bigWigs",
            remedy="use .tsv or .tsv.gz for a table, or no ending, such as out for out.A.bw",
            argument="output",
        )


def _cut(regions: Sequence[Interval]) -> Iterator[Interval]:
    for chrom, first, last in regions:
        for start in range(first, last, AT_ONCE):
            yield Interval(chrom, start, min(start + AT_ONCE, last))


def _frame(chrom: str, start: int, bases: MutatedBases) -> pd.DataFrame:
    """Return one row a substitution, in order of position and base."""
    at, base = np.nonzero(~np.isnan(bases.difference.T))
    letters = np.array(list(ALPHABET))
    columns = (
        np.full(len(at), chrom, dtype=object),
        start + at + 1,
        letters[bases.codes[at]],
        letters[base],
        bases.reference[at],
        bases.difference[base, at],
        bases.standard_error[base, at],
    )
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def score_mutations(
    run: Run | Path | str,
    regions: Regions,
    genome: Path | str,
    *,
    model: str | None = None,
    device: str = "cpu",
    threads: int | None = None,
    progress: Progress | bool = False,
) -> pd.DataFrame:
    """Score every substitution of regions, each in the middle of its window.

    Parameters
    ----------
    run
        A run, or its directory.
    regions
        BED file, or ``all`` of the genome, or triples of chromosome, start and end, 0-based and
        half-open.
    genome
        FASTA or 2bit.
    model, device, threads, progress
        As in :func:`motiflens.score_variants`.

    Returns
    -------
    DataFrame
        One row a substitution, in order of chromosome, position and base: ``chrom``, ``pos`` (from
        1, as in VCF), ``ref``, ``alt``, ``reference`` (mean logit over seeds), ``difference`` and
        its ``standard_error`` over seeds. Bases whose window reaches over an end of the contig, or
        holds an N, have no rows.

    Raises
    ------
    InputError
        For a run, regions or a genome that are none.
    """
    check_threads(threads)
    opened = open_genome(genome)
    substitutions = substitutions_of(open_models(run, model, device=device))
    tiles = list(_cut(read_regions(regions, opened)))
    frames = []
    with (
        listener(progress).stage("mutations", sum(t.end - t.start for t in tiles), "bases") as told,
        single_intra_op_thread(),
        ThreadPoolExecutor(threads or n_cores()) as pool,
    ):
        found = pool.map(lambda tile: mutate(substitutions, opened, tile), tiles)
        for tile, bases in zip(tiles, found, strict=True):
            frames.append(_frame(tile.chrom, tile.start, bases))
            told(tile.end - tile.start)
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(COLUMNS))
