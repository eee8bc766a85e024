"""Motifs read from explanations: alignment of windows, routes, recovery of a known truth."""

from motiflens.motifs.alignment import FoundMotif, FoundSite, align_windows
from motiflens.motifs.discovered import DiscoveredMotif, Seqlet
from motiflens.motifs.jaspar import jaspar_core
from motiflens.motifs.naming import Match, name_motifs
from motiflens.motifs.recovery import Recovery, recover
from motiflens.motifs.routes import ROUTES, find_motifs

__all__ = [
    "ROUTES",
    "DiscoveredMotif",
    "FoundMotif",
    "FoundSite",
    "Match",
    "Recovery",
    "Seqlet",
    "align_windows",
    "find_motifs",
    "jaspar_core",
    "name_motifs",
    "recover",
]
