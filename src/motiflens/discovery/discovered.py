"""What discovery returns: motifs, and the sites they were made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, Self

from motiflens.motifs import Motif

Direction = Literal["positive", "negative"]
Strand = Literal["+", "-"]
Strands = Literal["forward", "both"]
OTHER_STRAND: dict[Strand, Strand] = {"+": "-", "-": "+"}


class MotifSite(NamedTuple):
    """Where a motif lies: an aligned seqlet, or the site of a motif of sequences alone.

    Parameters
    ----------
    sequence
        Row of the sequence, from 0.
    start, end
        0-based, half-open, on the sequence as it was given, whatever the strand.
    strand
        ``-`` where the reverse complement of the site lies in the alignment.
    score
        Sum of its contributions, below 0 where they are against the target; without
        contributions its log-odds against the background in bits.
    """

    sequence: int
    start: int
    end: int
    strand: Strand
    score: float = 0.0


@dataclass(frozen=True, eq=False, repr=False)
class DiscoveredMotif(Motif):
    """A motif that sites share, usable wherever a :class:`~motiflens.motifs.Motif` is.

    Parameters
    ----------
    sites
        The aligned sites, each as wide as the motif, by sequence and start.
    direction
        ``negative`` where the motif contributes against the target.
    """

    sites: tuple[MotifSite, ...] = ()
    direction: Direction = "positive"

    def reverse_complement(self) -> Self:
        """Return the same motif, and its sites, on the other strand."""
        sites = tuple(site._replace(strand=OTHER_STRAND[site.strand]) for site in self.sites)
        return replace(super().reverse_complement(), sites=sites)
