"""A genome: contigs of known size, any stretch of which can be read; windows taken out of it."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motiflens.datasets import Loci, SequenceDataset
from motiflens.errors import InputError
from motiflens.files import open_binary, unpack
from motiflens.io.genome_files import Contig, read_contigs
from motiflens.sequences import reverse_complement_string

MAX_N = 0.5
"""A window with a larger fraction of N says too little, and is dropped."""

_GZIP_MAGIC = b"\x1f\x8b"
_SAME_CONTIG = {"MT": "chrM", "chrM": "MT"}


@dataclass(frozen=True, eq=False)
class Genome:
    """Contigs by name, in the order of the file."""

    path: Path
    contigs: dict[str, Contig]

    def name_of(self, chrom: str) -> str | None:
        """Return the name that a chromosome has here; None when it is not here.

        ``1`` stands for ``chr1`` and the other way round, and so do ``MT`` and ``chrM``.
        """
        other = chrom.removeprefix("chr") if chrom.startswith("chr") else f"chr{chrom}"
        names = (chrom, other, _SAME_CONTIG.get(chrom, chrom))
        return next((name for name in names if name in self.contigs), None)

    def names_of(self, chrom: NDArray[np.str_]) -> NDArray[np.str_]:
        """Return the names that chromosomes (N,) have here, the empty string for none."""
        names = {name: self.name_of(name) or "" for name in np.unique(chrom).tolist()}
        return np.array([names[name] for name in chrom.tolist()], dtype=np.str_)

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
            size = f"{chrom} has {contig.size} bases" if contig else f"there is no {chrom}"
            raise InputError(
                f"{chrom}:{start}-{end} is not in {self.path}, where {size}",
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
    if not isinstance(path, Path | str):
        raise InputError(
            f"genome={path!r} is no path",
            remedy="give that of a FASTA or 2bit file",
            argument="genome",
        )
    path = Path(path)
    unpacked = _unpacked(path) if path.suffix.lower() == ".gz" else path
    with open_binary(unpacked) as file:
        start = file.read(16)
    if start.startswith(_GZIP_MAGIC):
        raise InputError(f"{path} holds gzip data", remedy="give it a name that ends in .gz")
    return Genome(path, read_contigs(unpacked, str(path)))


def cache_folder(name: str) -> Path:
    """Return a folder of the user's cache, which may not be there, and may go at any time."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "motiflens" / name


def state_of(path: Path) -> str:
    """Return what changes when a file does, of 16 characters, without reading it."""
    with open_binary(path) as file:
        facts = os.fstat(file.fileno())
    state = f"{path.resolve()}\0{facts.st_size}\0{facts.st_mtime_ns}"
    return hashlib.sha256(state.encode(errors="surrogateescape")).hexdigest()[:16]


def _unpacked(path: Path) -> Path:
    """Return where the content of a gzip file lies in the cache; it is put there the first time."""
    key, folder = state_of(path), cache_folder("genomes")
    target = folder / f"{key}-{path.stem}"
    if not target.exists():
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"{path} cannot be unpacked into the user's cache, {folder}: {error.strerror}",
                remedy="set XDG_CACHE_HOME to a folder with room, or unpack the genome yourself",
            ) from None
        unpack(path, target)
    return target


@dataclass(frozen=True, eq=False)
class Windows:
    """M windows of a genome.

    Parameters
    ----------
    sequences
        M strings of the letters ACGTN.
    loci
        Their M loci; the names of the chromosomes are those of the genome.
    repeat
        float32 (M,), the fraction of bases that the genome has in lower case (soft-masked).
    counts
        What became of the rows: ``rows``, of which ``missing_contig``, ``over_end`` and
        ``mostly_n`` were dropped and ``kept`` were not; among these ``renamed_contig``,
        ``with_n`` and ``duplicates`` (rows minus distinct sequences).
    """

    sequences: list[str]
    loci: Loci
    repeat: NDArray[np.float32]
    counts: dict[str, int]

    def dataset(self, label: int) -> SequenceDataset:
        """Return them as a data set of one label."""
        return SequenceDataset.from_sequences(
            self.sequences,
            np.full(len(self.sequences), label),
            names=self.loci.names(),
            coordinates=replace(self.loci, name=None, summit=None),
        )


def extract(genome: Genome, loci: Loci) -> Windows:
    """Read the sequences of loci, those of the strand - as reverse complements.

    - A contig that the genome lacks: the row is dropped; ``1`` finds ``chr1`` and the reverse.
    - A window that begins before its contig or ends beyond it is dropped, never cut.
    - A window with more N than `MAX_N` is dropped; in others N stays.
    - Lower case becomes upper case; how much there was is ``repeat``.
    - Equal sequences and equal names all stay.

    Each of these is counted; see `Windows`.

    Raises
    ------
    InputError
        When no window is left, and for characters outside the IUPAC code.
    """
    names = genome.names_of(loci.chrom)
    size = np.array([genome.contigs[name].size if name else 0 for name in names.tolist()])
    missing = names == ""
    inside = ~missing & (loci.start >= 0) & (loci.end <= size)
    placed = replace(loci, chrom=names).subset(inside)
    letters = [genome.fetch(*span) for span in placed.spans()]
    n_unknown = np.array([sum(map(text.count, "Nn")) for text in letters], dtype=np.int64)
    clear = n_unknown <= MAX_N * (placed.end - placed.start)
    letters = list(compress(letters, clear))
    kept = placed.subset(clear)
    sequences = list(map(_on_strand, letters, kept.strand.tolist()))
    counts = {
        "rows": len(loci),
        "missing_contig": int(missing.sum()),
        "over_end": int((~missing & ~inside).sum()),
        "mostly_n": int((~clear).sum()),
        "kept": len(kept),
        "renamed_contig": int((placed.chrom != loci.chrom[inside])[clear].sum()),
        "with_n": int((n_unknown[clear] > 0).sum()),
        "duplicates": len(sequences) - len(set(sequences)),
    }
    if not sequences:
        lost = [f"{counts[name]} {text}" for name, text in _LOST.items() if counts[name]]
        raise none_fits(genome, loci, f"of {len(loci)}, {', '.join(lost)}")
    repeat = [sum(map(text.count, "acgtn")) / len(text) for text in letters]
    return Windows(sequences, kept, np.array(repeat, dtype=np.float32), counts)


def _on_strand(letters: str, strand: str) -> str:
    sequence = letters.upper()
    return reverse_complement_string(sequence) if strand == "-" else sequence


_LOST = {
    "missing_contig": "on chromosomes that it lacks",
    "over_end": "beyond the end of a chromosome",
    "mostly_n": "mostly N",
}


def none_fits(genome: Genome, loci: Loci, lost: str) -> InputError:
    """Return the error for intervals of which none lies in a genome.

    The first that ends behind a chromosome which is there is shown beside the size of that.
    """
    for chrom, start, end in loci.spans():
        name = genome.name_of(chrom)
        if name and end > genome.contigs[name].size:
            return InputError(
                f"no interval fits the genome: {lost}, such as {chrom}:{start}-{end}, where "
                f"{name} of {genome.path} has {genome.contigs[name].size} bases",
                remedy="is it the right assembly?",
            )
    own = list(dict.fromkeys(loci.chrom.tolist()))
    return InputError(
        f"no interval fits the genome: {lost} (yours: {_some(own)}; {genome.path}: "
        f"{_some(list(genome.contigs))})",
        remedy="is it the right assembly?",
    )


def none_lies_in(genome: Genome, loci: Loci) -> InputError:
    """Return the error for intervals none of which a genome holds whole, and say what is wrong."""
    names = genome.names_of(loci.chrom)
    (known,) = np.nonzero(names != "")
    if not len(known):
        return none_fits(genome, loci, f"all {len(loci)} are on chromosomes that it lacks")
    return none_fits(genome, loci, f"{len(known)} of {len(loci)} end beyond their chromosomes")


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
