"""Motifs found in explanations and in sequences alone, and how much more often they occur."""

from motiflens.discovery.alignment import FoundMotif, FoundSite, Strands, align_windows
from motiflens.discovery.counted import Counted, count_all, count_once
from motiflens.discovery.discovered import DiscoveredMotif, Seqlet
from motiflens.discovery.enrichment import Enrichment, measure_enrichment
from motiflens.discovery.explained import discover
from motiflens.discovery.routes import ROUTES, find_motifs
from motiflens.discovery.seqlets import find_seqlets
from motiflens.discovery.without_model import discover_in_sequences

__all__ = [
    "ROUTES",
    "Counted",
    "DiscoveredMotif",
    "Enrichment",
    "FoundMotif",
    "FoundSite",
    "Seqlet",
    "Strands",
    "align_windows",
    "count_all",
    "count_once",
    "discover",
    "discover_in_sequences",
    "find_motifs",
    "find_seqlets",
    "measure_enrichment",
]
