"""Motifs found in explanations and in sequences alone, and how much more often they occur."""

from motiflens.discovery.discover import discover_motifs
from motiflens.discovery.discovered import DiscoveredMotif, MotifSite, Strands
from motiflens.discovery.enrichment import (
    Counted,
    Enrichment,
    count_all,
    count_once,
    measure_enrichment,
)
from motiflens.discovery.routes import ROUTES, find_motifs
from motiflens.discovery.seqlets import find_seqlets
from motiflens.discovery.sequence_search import align_windows

__all__ = [
    "ROUTES",
    "Counted",
    "DiscoveredMotif",
    "Enrichment",
    "MotifSite",
    "Strands",
    "align_windows",
    "count_all",
    "count_once",
    "discover_motifs",
    "find_motifs",
    "find_seqlets",
    "measure_enrichment",
]
