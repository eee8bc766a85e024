"""Motifs read from explanations: alignment of windows, routes, recovery of a known truth."""

from motiflens.motifs.alignment import FoundMotif, FoundSite, align_windows
from motiflens.motifs.recovery import Recovery, recover
from motiflens.motifs.routes import ROUTES, find_motifs

__all__ = [
    "ROUTES",
    "FoundMotif",
    "FoundSite",
    "Recovery",
    "align_windows",
    "find_motifs",
    "recover",
]
