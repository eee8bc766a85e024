"""What discovery gives: motifs with their matrices, and the seqlets they were made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from motiflens.motifs import Motif, consensus

Direction = Literal["positive", "negative"]
Floats = NDArray[np.float64]


@dataclass(frozen=True, order=True)
class Seqlet:
    """A short stretch of one sequence that an explanation points at.

    Parameters
    ----------
    sequence
        Row of the sequence, from 0.
    start, end
        0-based, half-open, on the sequence as it was given, whatever the strand.
    strand
        ``-`` where the reverse complement of the stretch lies in the alignment of a motif.
    score
        Sum of its contributions, below 0 where the stretch speaks against the target; of
        discovery without a model, its log-odds against the background in bits.
    """

    sequence: int
    start: int
    end: int
    strand: Literal["+", "-"]
    score: float

    @property
    def width(self) -> int:
        """Number of bases."""
        return self.end - self.start


@dataclass(frozen=True, eq=False)
class DiscoveredMotif:
    """A motif that seqlets share.

    Parameters
    ----------
    name
        Such as ``motif-1``.
    ppm
        Base frequencies of the seqlets, float64 (4, W), without pseudocount.
    cwm
        Mean contributions of the observed bases, (4, W); None without a model.
    hypothetical_cwm
        Mean hypothetical contributions, (4, W); None where the attribution has none.
    seqlets
        The aligned seqlets, each W wide, by sequence and start.
    direction
        ``negative`` where the motif speaks against the target.
    """

    name: str
    ppm: Floats
    cwm: Floats | None
    hypothetical_cwm: Floats | None
    seqlets: tuple[Seqlet, ...]
    direction: Direction = "positive"

    @property
    def width(self) -> int:
        """Number of columns W."""
        return int(self.ppm.shape[1])

    @property
    def consensus(self) -> str:
        """IUPAC consensus of the PPM."""
        return consensus(self.ppm)

    @property
    def n_seqlets(self) -> int:
        """Number of seqlets."""
        return len(self.seqlets)

    def as_motif(self) -> Motif:
        """Give the motif for a MEME file."""
        return Motif(self.name, self.ppm, n_sites=self.n_seqlets)
