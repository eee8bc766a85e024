"""``motiflens variants``: a file of variants scored by a run's model."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast, get_args

import msgspec
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from motiflens.errors import InputError, one_of
from motiflens.files import whole_file
from motiflens.hits.bed import compress_blocks
from motiflens.io.genome import open_genome
from motiflens.models.calling import check_threads
from motiflens.motifs import read_motifs
from motiflens.progress import Progress
from motiflens.results.folder import motif_file_of
from motiflens.runs import Run
from motiflens.scoring.alleles import REASONS, RefMismatch
from motiflens.scoring.modules import open_scorer
from motiflens.scoring.scorer import plan_of
from motiflens.scoring.variant_files import (
    Record,
    VariantFile,
    read_variants,
    with_info,
    write_variants,
)
from motiflens.scoring.variant_output import (
    COLUMNS,
    NUMBERS,
    check_table_name,
    header_lines,
    info_of,
    table_rows,
)
from motiflens.scoring.variant_scores import AlleleScore, VariantScoring
from motiflens.scoring.variant_summary import Strongest, tell_run
from motiflens.scoring.work import Work, hash_file
from motiflens.training.machine import compute_in_threads
from motiflens.version import __version__

#: Records of a tile.
AT_ONCE = 20_000
#: Bytes of the table at once.
TEXT_AT_ONCE = 1 << 20
_Tile = list[list[AlleleScore]]


def _decode(tile: bytes) -> _Tile:
    return msgspec.msgpack.decode(tile, type=_Tile)


class Variants(Work):
    """The alternate alleles of a VCF or BCF file, scored.

    The arguments are ``run``, ``model``, ``device``, ``own``, ``variants``, ``genome``,
    ``ref_mismatch``, ``output`` and ``table``, as :func:`motiflens.cli.variants.variants` takes
    them.
    """

    name, unit = "variants", "variants"

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        check_table_name(self.given["table"])
        self._scoring = _scoring(arguments)
        self.file: VariantFile = read_variants(arguments["variants"])
        #: Reason → records, none for those that are scored; alleles likewise. Filled by `join`.
        self.records, self.alleles = Counter[str](), Counter[str]()
        self._strongest = Strongest()

    @property
    def outputs(self) -> list[Path]:
        """The VCF, and the table if one is wanted."""
        table = self.given["table"]
        return [self.output] if table is None else [self.output, Path(table)]

    @property
    def notes(self) -> list[str]:
        """Sentences for a log, of the file and of how it suits the genome."""
        names = [self.file.contigs[place] for place in np.unique(self.file.contig)]
        genome = self._scoring.genome
        notes = list(self.file.notes)
        if self.arguments.get("own"):
            notes.append("no motifs are lost or gained, as a module has none")
        if not names or any(genome.name_of(name) for name in names):
            return notes
        told = f"no variant is on a contig of {genome.path} ({_few(genome.contigs)})"
        return [*notes, f"{told}; the file has {_few(names)}: is it the right genome?"]

    @property
    def plan(self) -> Mapping[str, Any]:
        """The model and the window."""
        return plan_of(self._scoring.scorer)

    @property
    def scoring(self) -> VariantScoring:
        """What the scores are computed from."""
        return self._scoring

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """All that decides the result."""
        scoring = self._scoring
        return {
            "model": scoring.scorer.sha256,
            "length": scoring.scorer.length,
            "variants": self.file.sha256,
            "genome": hash_file(scoring.genome.path),
            "motifs": scoring.motifs.sha256,
            "ref_mismatch": scoring.mismatch,
            "version": __version__,
        }

    @property
    def sizes(self) -> Sequence[int]:
        """The records of each tile."""
        n = len(self.file)
        return [min(AT_ONCE, n - start) for start in range(0, n, AT_ONCE)]

    def compute(self, tile: int) -> bytes:
        """Score the records of a tile."""
        rows = slice(tile * AT_ONCE, (tile + 1) * AT_ONCE)
        return msgspec.msgpack.encode(self._scoring.score(self.file.records(rows)))

    def join(self, tiles: Iterator[bytes], progress: Progress) -> None:
        """Write the VCF, its index, and the table if one is wanted."""
        self.records, self.alleles, self._strongest = Counter(), Counter(), Strongest()
        table = self.arguments["table"]
        with tempfile.TemporaryFile() as rows:
            write_variants(self.output, self._lines(tiles, None if table is None else rows))
            name, args = self._scoring.scorer.name, self.arguments
            tell_run(args, name, self.records, self._strongest.alleles, progress)
            if table is None:
                return
            rows.seek(0)
            texts = iter(lambda: rows.read(TEXT_AT_ONCE), b"")
            with whole_file(table) as file:
                for piece in compress_blocks(texts) if table.lower().endswith(".gz") else texts:
                    file.write(piece)

    def _lines(self, tiles: Iterator[bytes], table: IO[bytes] | None) -> Iterator[str]:
        """Yield the lines of the VCF, and write those of the table."""
        *meta, columns = self.file.header()
        yield from (*meta, *header_lines(self._scoring.scorer, self.settings), columns)
        if table is not None:
            table.write(("#" + "\t".join(COLUMNS) + "\n").encode())
        lines = self.file.lines()
        for tile in tiles:
            for scores in _decode(tile):
                line = next(lines)
                self._count(scores)
                self._strongest.add(line, scores)
                if table is not None:
                    table.write(table_rows(line, scores).encode())
                yield with_info(line, info_of(scores))

    def _count(self, scores: list[AlleleScore]) -> None:
        reasons = [score.skipped for score in scores]
        self.alleles.update(reasons)
        self.records["" if "" in reasons else reasons[0]] += 1

    def in_words(self) -> str:
        """Return the same in a sentence."""
        n_scored, n = self.records[""], self.records.total()
        reasons = ", ".join(
            f"{self.records[reason]:,} {words}"
            for reason, words in REASONS.items()
            if self.records[reason]
        )
        skipped = f"; {n - n_scored:,} skipped: {reasons}" if n > n_scored else ""
        return f"{n_scored:,} of {n:,} variants scored{skipped}"

    def summary(self) -> dict[str, Any]:
        """Return how many records and alleles are scored, and why others are not."""
        of = {"records": self.records, "alleles": self.alleles}
        return {
            name: {
                "scored": counts[""],
                "skipped": {reason: counts[reason] for reason in REASONS if counts[reason]},
            }
            for name, counts in of.items()
        }


def _few(names: Iterable[str]) -> str:
    """Join the first names of several."""
    first = list(islice(names, 4))
    return ", ".join([*first[:3], "…"] if len(first) > 3 else first)


def _scoring(arguments: Mapping[str, Any]) -> VariantScoring:
    """Open the model, the genome and the motifs; a module in place of a run has no motifs."""
    run, mismatch = arguments["run"], arguments["ref_mismatch"]
    choices = get_args(RefMismatch)
    one_of("a choice for ref_mismatch", mismatch, choices, argument="ref_mismatch")
    scorer = open_scorer(arguments)
    file = run and motif_file_of(run.path if isinstance(run, Run) else run)
    return VariantScoring(
        scorer,
        open_genome(arguments["genome"]),
        read_motifs(file) if file else [],
        cast(RefMismatch, mismatch),
    )


def score_variants(
    run: Run | Path | str,
    variants: Path | str | pd.DataFrame,
    genome: Path | str,
    *,
    model: str | None = None,
    ref_mismatch: str = "skip",
    device: str = "cpu",
    threads: int | None = None,
    progress: Progress | bool = False,
) -> pd.DataFrame:
    """Score variants by a run's model: what the alternate allele does to the logit of its window.

    Parameters
    ----------
    run
        A run, or its directory.
    variants
        VCF or BCF, plain, gzip or bgzip; or a data frame with columns ``chrom``, ``pos`` (from 1,
        as in VCF), ``ref`` and ``alt`` (several joined by commas).
    genome
        FASTA or 2bit.
    model
        One of the run's models; None for the best on validation data.
    ref_mismatch
        Of a reference allele that is not the genome's: ``skip`` the variant; ``swap``, that is,
        put both alleles into the genome where it has the alternate; or ``fail``.
    device, threads, progress
        As in :func:`motiflens.attribute`; one thread a core by default.

    Returns
    -------
    DataFrame
        One row an alternate allele, in order of position for a file and of the rows for a data
        frame: ``chrom``, ``pos``, ``ref``, ``alt``; ``reference`` and ``alternate``, the mean
        logits over seeds; ``difference``, alternate − reference; ``standard_error`` of it over
        seeds; ``percentile`` among random variants of the same kind in the genome, by the size of
        the difference; ``lost`` and ``gained``, motifs of the run joined by ``&``; ``swapped``;
        ``skipped``, the reason why there is no score, empty where there is one.

    Raises
    ------
    InputError
        For a run, variants or a genome that are none.
    """
    if not isinstance(variants, pd.DataFrame | Path | str):
        raise InputError(
            f"variants are of the type {type(variants).__name__}",
            remedy="give the path of a VCF or BCF file, or a data frame",
            argument="variants",
        )
    check_threads(threads)
    chosen = {"run": run, "model": model, "device": device}
    scoring = _scoring({**chosen, "genome": genome, "ref_mismatch": ref_mismatch})
    if isinstance(variants, pd.DataFrame):
        records, order = _records_of(variants)
    else:
        file = read_variants(variants)
        records, order = file.records(slice(None)), None
    tiles = [records[start : start + AT_ONCE] for start in range(0, len(records), AT_ONCE)]
    sizes = [len(tile) for tile in tiles]
    by_tile = compute_in_threads(
        scoring.score, tiles, sizes, "variants", "variants", threads, progress
    )
    found = [scores for tile in by_tile for scores in tile]
    places = range(len(records)) if order is None else np.argsort(order).tolist()
    return _frame([(records[place], found[place]) for place in places])


def _records_of(variants: pd.DataFrame) -> tuple[list[Record], np.ndarray]:
    """Return the records of a data frame in order of position, and which rows they are."""
    missing = [name for name in ("chrom", "pos", "ref", "alt") if name not in variants.columns]
    if missing:
        raise InputError(
            f"the variants have no column {missing[0]}",
            remedy="name the columns chrom, pos, ref and alt",
            argument="variants",
        )
    for name in ("chrom", "ref", "alt"):
        _check_rows(variants[name], ~variants[name].isna().to_numpy(), "missing")
    numbers = pd.to_numeric(variants["pos"], errors="coerce")
    position = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
    whole = np.abs(position) < 2**53
    whole[whole] = position[whole] % 1 == 0
    _check_rows(variants["pos"], whole, "no whole number")
    start = position.astype(np.int64) - 1
    chrom = variants["chrom"].astype(str).to_numpy(dtype=object)
    order = np.lexsort((start, np.unique(chrom, return_inverse=True)[1]))
    alleles = list(zip(variants["ref"].astype(str), variants["alt"].astype(str), strict=True))
    records = []
    for row in order.tolist():
        reference, alternates = alleles[row]
        others = () if alternates == "." else tuple(alternates.split(","))
        records.append(Record(chrom[row], int(start[row]), reference, others))
    return records, order


def _check_rows(column: pd.Series, right: NDArray[np.bool_], what: str) -> None:
    """Refuse the first row of a column that is not right."""
    wrong = np.flatnonzero(~right)
    if len(wrong):
        raise InputError(
            f"the {column.name} {column.iloc[wrong[0]]!s} in row {wrong[0] + 1} is {what}",
            remedy="correct the row or leave it out",
            argument="variants",
        )


def _frame(scored: list[tuple[Record, list[AlleleScore]]]) -> pd.DataFrame:
    rows = [
        (record.chrom, record.start + 1, record.reference, alternate, score)
        for record, scores in scored
        for alternate, score in zip(record.alternates or (".",), scores, strict=True)
    ]
    scores = [score for *_, score in rows]
    columns: dict[str, Any] = {
        name: [row[place] for row in rows]
        for place, name in enumerate(("chrom", "pos", "ref", "alt"))
    }
    for name in NUMBERS.values():
        columns[name] = np.array([getattr(score, name) for score in scores], dtype=np.float64)
    columns["lost"] = ["&".join(score.lost) for score in scores]
    columns["gained"] = ["&".join(score.gained) for score in scores]
    columns["swapped"] = [score.swapped for score in scores]
    columns["skipped"] = [score.skipped for score in scores]
    return pd.DataFrame(columns)
