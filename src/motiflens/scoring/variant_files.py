"""Variants in VCF and BCF files: read in order, and written with what was found of them."""

from __future__ import annotations

import gzip
import os
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pysam
from numpy.typing import NDArray

from motiflens.errors import InputError
from motiflens.files import STDIN, is_pipe, open_binary, stream_text, unpack
from motiflens.hits.bed import compress_blocks
from motiflens.scoring.work import hash_file

#: Fields of INFO that are ours begin so.
OURS = "ML_"
_COLUMNS = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")
_LINES_AT_ONCE, _BYTES_AT_ONCE = 4096, 1 << 22
_BCF, _VCF, _GZIP = b"BCF\x02", b"##fileformat", b"\x1f\x8b"


class Record(NamedTuple):
    """A variant: where it begins, 0-based, its reference allele and its alternates."""

    chrom: str
    start: int
    reference: str
    alternates: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class VariantFile:
    """A file of variants, in order of contig and position.

    Parameters
    ----------
    path, sha256
        The file and its digest.
    contigs
        Names in the order of the header.
    contig, start
        (N,): which contig, and the 0-based position there.
    alleles
        The reference allele and the alternates of each, joined by tabs and commas as in the file.
    order
        int64 (N,): the place of each record in the file; None where they stand there in order.
    notes
        Sentences for a log.
    """

    path: Path
    sha256: str
    contigs: tuple[str, ...]
    contig: NDArray[np.int32]
    start: NDArray[np.int64]
    alleles: list[str]
    order: NDArray[np.int64] | None
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.start)

    def records(self, rows: slice) -> list[Record]:
        """Return some of the records."""
        found = []
        for contig, start, alleles in zip(
            self.contig[rows].tolist(), self.start[rows].tolist(), self.alleles[rows], strict=True
        ):
            reference, alternates = alleles.split("\t")
            others = () if alternates == "." else tuple(alternates.split(","))
            found.append(Record(self.contigs[contig], start, reference, others))
        return found

    def header(self) -> list[str]:
        """Return the lines of the header, without what an earlier scoring has said there."""
        with _opened(self.path) as (file, _):
            for _ in file:  # what the records name is put into the header as they are read
                pass
            lines = str(file.header).rstrip("\n").split("\n")
        return [line for line in lines if not _is_ours(line)]

    def lines(self) -> Iterator[str]:
        """Yield the records as lines of VCF, in order, without their ends."""
        with _opened(self.path) as (file, _):
            texts = (str(record).rstrip("\n") for record in file)
            if self.order is None:
                yield from texts
            else:
                held = list(texts)
                yield from (held[place] for place in self.order.tolist())


def _is_ours(line: str) -> bool:
    return line.startswith((f"##INFO=<ID={OURS}", "##motiflens"))


def read_variants(path: Path | str) -> VariantFile:
    """Read where the variants of a VCF or BCF file are, plain, gzip or bgzip.

    A VCF without a header is read as if it had the shortest. Records out of order are sorted.

    Raises
    ------
    InputError
        When the file is missing, empty, damaged or no VCF.
    """
    path = Path(path)
    seen: dict[str, str] = {}
    contig, start, alleles = [], [], []
    with _opened(path) as (file, notes):
        for record in file:
            contig.append(record.rid)
            start.append(record.pos - 1)
            text = f"{record.ref}\t{','.join(record.alts or ('.',))}"
            alleles.append(seen.setdefault(text, text))
        names = tuple(map(str, file.header.contigs))
    places = np.array(contig, dtype=np.int32), np.array(start, dtype=np.int64)
    order = _order(*places)
    if order is not None:
        notes.append("the variants are not in order of position: they are sorted")
        places = places[0][order], places[1][order]
        alleles = [alleles[place] for place in order.tolist()]
    return VariantFile(path, hash_file(path), names, *places, alleles, order, tuple(notes))


def _order(contig: NDArray[np.int32], start: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Return how records are sorted; None where contigs follow each other, positions in order."""
    changes = np.diff(contig) != 0
    runs = int(changes.sum()) + (len(contig) > 0)
    if runs <= len(np.unique(contig)) and bool((changes | (np.diff(start) >= 0)).all()):
        return None
    return np.lexsort((start, contig))


@contextmanager
def _opened(path: Path) -> Iterator[tuple[pysam.VariantFile, list[str]]]:
    """Open a file of variants; what is wrong in it anywhere is an InputError."""
    if is_pipe(path):
        raise InputError(
            f"{'standard input' if str(path) == STDIN else path} can be read only once, and "
            "variants are read more often",
            remedy="write them to a file",
        )
    with open_binary(path) as file:
        start = file.read(18)
    if not start:
        raise InputError(f"{path} is empty", remedy="check how it was made")
    notes: list[str] = []
    before = pysam.set_verbosity(0)  # htslib would write to stderr what we say ourselves
    try:
        with tempfile.TemporaryDirectory() as folder:
            whole = _with_header(path, start, Path(folder), notes)
            with pysam.VariantFile(os.fspath(whole)) as variants:
                yield variants, notes
    except (OSError, ValueError, EOFError, zlib.error, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        if isinstance(error, OSError) and error.errno:
            raise
        raise InputError(
            f"{path} is no whole VCF or BCF file: {_in_words(error)}",
            remedy="check it by `bcftools view`",
        ) from None
    finally:
        pysam.set_verbosity(before)


def _in_words(error: Exception) -> str:
    """Say what pysam has found, without its Python."""
    text = str(error)
    if "valid header" in text:
        return "its header cannot be read, such as for blanks in place of tabs"
    if "parse next record" in text:
        return "a line cannot be read as a variant"
    return text or type(error).__name__


def _with_header(path: Path, start: bytes, folder: Path, notes: list[str]) -> Path:
    """Return a file that htslib reads: the given one, or a copy with the shortest header before it.

    It reads gzip in blocks alone, so that other gzip is unpacked.
    """
    if start.startswith(_GZIP):
        with gzip.open(path) as content:
            head = content.read(len(start))
        if start.startswith(b"BC", 12) and head.startswith((_BCF, _VCF)):
            return path
        unpack(path, folder / "unpacked")
        path, start = folder / "unpacked", head
    if start.startswith((_BCF, _VCF)):
        return path
    lines = stream_text(path)
    first = next(lines)
    whole = folder / "whole.vcf"
    with whole.open("w", encoding="utf-8") as file:
        file.write("##fileformat=VCFv4.2\n")
        while first.startswith("##"):
            file.write(first)
            first = next(lines, "")
        if not first.startswith("#CHROM"):
            n = len(first.rstrip("\n").split("\t"))
            samples = [f"sample{1 + number}" for number in range(n - len(_COLUMNS))]
            file.write("\t".join([*_COLUMNS[: 9 if n > 9 else 8], *samples]) + "\n")
            notes.append("the VCF has no header: its columns are read as those of VCF 4.2")
        file.write(first)
        file.writelines(lines)
    return whole


def write_variants(output: Path, lines: Iterable[str]) -> None:
    """Write lines of VCF: as bgzip with its index if the name ends in ``.gz``, else plain.

    Raises
    ------
    InputError
        When the folder does not exist or cannot be written to.
    """
    try:
        folder = tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}.")
    except OSError as error:
        raise InputError(
            f"{output} cannot be written: {error.strerror}",
            remedy="make its folder, or choose another path",
        ) from None
    with folder as made:
        aside = Path(made) / output.name
        packed = output.suffix == ".gz"
        texts = _blocks(lines)
        with aside.open("wb") as file:
            for piece in compress_blocks(texts) if packed else texts:
                file.write(piece)
        if packed:
            os.replace(_index(aside), _index_of(output, aside))
        os.replace(aside, output)


def _index(path: Path) -> Path:
    """Write the index of a bgzip VCF beside it and return its path."""
    before = pysam.set_verbosity(0)
    try:
        pysam.tabix_index(os.fspath(path), preset="vcf", force=True)
        return path.with_name(f"{path.name}.tbi")
    except OSError:  # beyond the reach of tabix
        pysam.tabix_index(os.fspath(path), preset="vcf", force=True, csi=True)
        return path.with_name(f"{path.name}.csi")
    finally:
        pysam.set_verbosity(before)


def _index_of(output: Path, aside: Path) -> Path:
    ending = ".tbi" if aside.with_name(f"{aside.name}.tbi").exists() else ".csi"
    return output.with_name(f"{output.name}{ending}")


def _blocks(lines: Iterable[str]) -> Iterator[bytes]:
    held: list[str] = []
    for line in lines:
        held.append(line)
        if len(held) == _LINES_AT_ONCE:
            yield ("\n".join(held) + "\n").encode()
            held = []
    if held:
        yield ("\n".join(held) + "\n").encode()


def with_info(line: str, added: str) -> str:
    """Return a line of VCF with fields put to the end of its INFO, in place of earlier ones."""
    fields = line.split("\t", 8)
    info = fields[7]
    if OURS in info:
        kept = [field for field in info.split(";") if not field.startswith(OURS)]
        info = ";".join(kept) or "."
    fields[7] = added if info == "." else f"{info};{added}"
    return "\t".join(fields)
