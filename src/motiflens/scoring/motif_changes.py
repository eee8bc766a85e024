"""Which motifs an allele has a site of and the other has not."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from motiflens.hits.blocks import Stretch as Searched
from motiflens.hits.blocks import pack
from motiflens.hits.scores import resolve_background, score_motif
from motiflens.hits.search import Searcher
from motiflens.motifs import Motif
from motiflens.scoring.alleles import Allele, Stretch
from motiflens.sequences import encode

#: The largest p-value of a hit, as in ``hits``.
P_OF_HITS = 1e-4
#: What INFO of a VCF keeps for itself.
_RESERVED = re.compile(r"[^\w.:()+-]+")

Names = tuple[str, ...]


class MotifChanges:
    """Searches alleles for motifs.

    Parameters
    ----------
    motifs
        What is searched for.
    both_strands
        Whether on both.
    """

    def __init__(self, motifs: Sequence[Motif], *, both_strands: bool) -> None:
        background = resolve_background("fimo", [], both_strands=both_strands)
        self.motifs = tuple(motifs)
        scored = [score_motif(motif, background, p=P_OF_HITS) for motif in motifs]
        self.names = [_RESERVED.sub("_", motif.alt_name or motif.name) for motif in motifs]
        self.widths = np.array([motif.width for motif in motifs], dtype=np.int64)
        self.widest = int(self.widths.max(initial=1))
        self._searcher = Searcher(scored, both_strands=both_strands)
        digest = hashlib.sha256()
        for name, motif in zip(self.names, motifs, strict=True):
            digest.update(name.encode() + motif.ppm.tobytes())
        #: Of their names and matrices.
        self.sha256 = digest.hexdigest()

    def of(self, alleles: Sequence[tuple[Allele, Stretch]]) -> dict[int, tuple[Names, Names]]:
        """Return the motifs that are lost and gained, by the place of the allele in the list.

        A motif is lost if a hit lies over the reference allele and none over the alternate, and
        gained if it is the other way round. Where an allele has no bases, a hit lies over it that
        has bases on either side.
        """
        if not self.names or not alleles:
            return {}
        before = self._cells([(*one, one[0].reference) for one in alleles])
        after = self._cells([(*one, one[0].alternate) for one in alleles])
        changed: dict[int, tuple[Names, Names]] = {}
        for side, cells in enumerate((np.setdiff1d(before, after), np.setdiff1d(after, before))):
            for cell in cells.tolist():
                row, motif = divmod(cell, len(self.names))
                names = list(changed.get(row, ((), ())))
                names[side] += (self.names[motif],)
                changed[row] = names[0], names[1]
        return changed

    def _cells(self, alleles: Sequence[tuple[Allele, Stretch, str]]) -> NDArray[np.int64]:
        """Return the motifs over alleles, as row times the number of motifs plus the motif."""
        flank = self.widest - 1
        texts = [_between(stretch, allele, letters, flank) for allele, stretch, letters in alleles]
        codes, _ = encode(texts)
        # A column of N keeps apart what follows each other.
        codes = np.pad(codes, ((0, 0), (0, 1)), constant_values=4)
        sizes = np.array([len(letters) for *_, letters in alleles])
        found = [np.zeros(0, dtype=np.int64)]
        for block in pack([Searched(0, 0, codes.reshape(-1), codes.size)]):
            hits = self._searcher.find(block)
            row, start = divmod(hits.position, codes.shape[1])
            over = (start < flank + sizes[row]) & (start + self.widths[hits.motif] > flank)
            found.append(row[over] * len(self.names) + hits.motif[over])
        return np.unique(np.concatenate(found))


def _between(stretch: Stretch, allele: Allele, letters: str, flank: int) -> str:
    """Return an allele between flanks of the genome, N where there is none."""
    at = allele.start - stretch.start
    left = stretch.letters[max(at - flank, 0) : at].rjust(flank, "N")
    end = at + allele.span
    return left + letters + stretch.letters[end : end + flank].ljust(flank, "N")
