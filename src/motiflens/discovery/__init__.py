"""Motifs found in explanations and in sequences alone, and how much more often they occur."""

from motiflens.discovery.counted import Counted, count_all, count_once
from motiflens.discovery.discover import align_windows, discover_motifs
from motiflens.discovery.discovered import DiscoveredMotif, MotifSite, Strands
from motiflens.discovery.enrichment import Enrichment, measure_enrichment
from motiflens.discovery.routes import ROUTES, find_motifs
from motiflens.discovery.seqlets import find_seqlets

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
