"""Motifs read from explanations: alignment of windows, routes, recovery of a known truth."""

from motiflens.motifs.alignment import FoundMotif, FoundSite, align_windows
from motiflens.motifs.discovered import DiscoveredMotif, Seqlet
from motiflens.motifs.recovery import Recovery, recover
from motiflens.motifs.routes import ROUTES, find_motifs

__all__ = [
    "ROUTES",
    "DiscoveredMotif",
    "FoundMotif",
    "FoundSite",
    "Recovery",
    "Seqlet",
    "align_windows",
    "find_motifs",
    "recover",
]
