"""A genome: contigs of known size, any stretch of which can be read."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from motiflens.errors import InputError
from motiflens.files import open_binary, unpack
from motiflens.io.contigs import Contig
from motiflens.io.genome_fasta import read_contigs
from motiflens.io.two_bit import is_two_bit, read_two_bit

_GZIP_MAGIC = b"\x1f\x8b"
_SAME_CONTIG = {"MT": "chrM", "chrM": "MT"}


@dataclass(frozen=True, eq=False)
class Genome:
    """Contigs by name, in the order of the file."""

    path: Path
    contigs: dict[str, Contig]

    def name_of(self, chrom: str) -> str | None:
        """Give the name that a chromosome has here; None when it is not here.

        ``1`` stands for ``chr1`` and the other way round, and so do ``MT`` and ``chrM``.
        """
        other = chrom.removeprefix("chr") if chrom.startswith("chr") else f"chr{chrom}"
        names = (chrom, other, _SAME_CONTIG.get(chrom, chrom))
        return next((name for name in names if name in self.contigs), None)

    def fetch(self, chrom: str, start: int, end: int) -> str:
        """Read the bases [start, end) of a contig, by its name here.

        The letters are A, C, G, T and N, lower case where the genome is soft-masked; other
        letters of the IUPAC code come as N.

        Raises
        ------
        InputError
            When that stretch is not in the genome, and for characters outside the IUPAC code.
        """
        contig = self.contigs.get(chrom)
        if contig is None or not 0 <= start <= end <= contig.size:
            raise InputError(
                "a stretch to read lies in a contig of the genome",
                got=f"{chrom}:{start}-{end}, and {contig.size if contig else 'no'} bases of it "
                f"in {self.path}",
                remedy="correct the coordinates, or take the genome that they belong to",
            )
        return contig.fetch(start, end)


def open_genome(path: Path | str) -> Genome:
    """Open a genome in FASTA or 2bit, to read any stretch of it.

    What is in the file decides, not its name. Sequences of a FASTA file are on lines of equal
    length, the last one of each excepted; no index file is needed or written. A file named
    ``.gz``, bgzip or not, is unpacked once, into the folder ``motiflens/genomes`` of the user's
    cache (``$XDG_CACHE_HOME``, by default ``~/.cache``), under a name that changes when the file
    does; that folder can be removed at any time.

    Raises
    ------
    InputError
        When the file is missing, empty, damaged or of another kind, with the line; and when the
        cache cannot be written to.
    """
    path = Path(path)
    unpacked = _unpacked(path) if path.suffix.lower() == ".gz" else path
    with open_binary(unpacked) as file:
        start = file.read(16)
    if start.startswith(_GZIP_MAGIC):
        raise InputError(
            "a gzip file has a name that ends in .gz",
            got=f"gzip data in {path}",
            remedy="rename the file",
        )
    read = read_two_bit if is_two_bit(start) else read_contigs
    return Genome(path, read(unpacked, str(path)))


def _unpacked(path: Path) -> Path:
    """Where the content of a gzip file lies in the cache; it is put there the first time."""
    with open_binary(path) as file:
        facts = os.fstat(file.fileno())
    state = f"{path.resolve()}\0{facts.st_size}\0{facts.st_mtime_ns}"
    key = hashlib.sha256(state.encode(errors="surrogateescape")).hexdigest()[:16]
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "motiflens/genomes")
    target = folder / f"{key}-{path.stem}"
    if not target.exists():
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                "a genome that is compressed is unpacked into the user's cache",
                got=f"{folder}: {error.strerror}",
                remedy="set XDG_CACHE_HOME to a folder with room, or unpack the genome yourself",
            ) from None
        unpack(path, target)
    return target
