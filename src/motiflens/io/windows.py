"""Windows taken out of a genome, ready to be a data set."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from motiflens.datasets import Coordinates
from motiflens.errors import InputError
from motiflens.io.bed import Loci
from motiflens.io.genome import Genome
from motiflens.sequences import reverse_complement_string

MOST_N = 0.5
"""A window with a larger fraction of N says too little, and is dropped."""


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

    @property
    def coordinates(self) -> Coordinates:
        """Where they lie."""
        return Coordinates(self.loci.chrom, self.loci.start, self.loci.end, self.loci.strand)

    @property
    def names(self) -> list[str]:
        """The name of each locus, or its place (``chr1:5-205``) where it has none."""
        places = zip(
            self.loci.name.tolist(),
            self.loci.chrom.tolist(),
            self.loci.start.tolist(),
            self.loci.end.tolist(),
            strict=True,
        )
        return [name or f"{chrom}:{start}-{end}" for name, chrom, start, end in places]


def extract(genome: Genome, loci: Loci) -> Windows:
    """Read the sequences of loci, those of the strand - as reverse complements.

    - A contig that the genome lacks: the row is dropped; ``1`` finds ``chr1`` and the reverse.
    - A window that begins before its contig or ends beyond it is dropped, never cut.
    - A window with more N than `MOST_N` is dropped; in others N stays.
    - Lower case becomes upper case; how much there was is ``repeat``.
    - Equal sequences and equal names all stay.

    Each of these is counted; see `Windows`.

    Raises
    ------
    InputError
        When no window is left, and for characters outside the IUPAC code.
    """
    found = np.array([genome.name_of(chrom) or "" for chrom in loci.chrom.tolist()])
    size = np.array([genome.contigs[name].size if name else 0 for name in found.tolist()])
    missing = found == ""
    inside = ~missing & (loci.start >= 0) & (loci.end <= size)
    placed = replace(loci, chrom=found).subset(inside)
    letters = [
        genome.fetch(*place)
        for place in zip(
            placed.chrom.tolist(), placed.start.tolist(), placed.end.tolist(), strict=True
        )
    ]
    n_unknown = np.array([sum(map(text.count, "Nn")) for text in letters], dtype=np.int64)
    clear = n_unknown <= MOST_N * (placed.end - placed.start)
    letters = list(compress(letters, clear))
    kept = placed.subset(clear)
    sequences = list(map(_along, letters, kept.strand.tolist()))
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
        raise _none_left(genome, loci, counts)
    repeat = [sum(map(text.count, "acgtn")) / len(text) for text in letters]
    return Windows(sequences, kept, np.array(repeat, dtype=np.float32), counts)


def _along(letters: str, strand: str) -> str:
    sequence = letters.upper()
    return reverse_complement_string(sequence) if strand == "-" else sequence


_LOST = {
    "missing_contig": "on contigs that the genome lacks",
    "over_end": "over the end of a contig",
    "mostly_n": "mostly N",
}


def _none_left(genome: Genome, loci: Loci, counts: dict[str, int]) -> InputError:
    lost = ", ".join(f"{counts[name]} {text}" for name, text in _LOST.items() if counts[name])
    return InputError(
        "one window or more lies in the genome",
        got=f"{lost or 'none'} (of {len(loci)}); {genome.path} has "
        f"{', '.join(list(genome.contigs)[:5])}",
        remedy="take the genome that the file was made for, or another width",
    )
