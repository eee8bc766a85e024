"""Motifs read from explanations: seqlets, discovery, the routes, recovery of a known truth."""

from motiflens.motifs.alignment import FoundMotif, FoundSite, Strands, align_windows
from motiflens.motifs.counted import Counted, count_all, count_once
from motiflens.motifs.discovered import DiscoveredMotif, Seqlet
from motiflens.motifs.discovery import discover, discover_in_sequences
from motiflens.motifs.enrichment import Enrichment, measure_enrichment
from motiflens.motifs.jaspar import jaspar_core
from motiflens.motifs.naming import MAX_Q, Match, name_motifs
from motiflens.motifs.recovery import Recovery, recover
from motiflens.motifs.routes import ROUTES, find_motifs
from motiflens.motifs.seqlets import find_seqlets

__all__ = [
    "MAX_Q",
    "ROUTES",
    "Counted",
    "DiscoveredMotif",
    "Enrichment",
    "FoundMotif",
    "FoundSite",
    "Match",
    "Recovery",
    "Seqlet",
    "Strands",
    "align_windows",
    "count_all",
    "count_once",
    "discover",
    "discover_in_sequences",
    "find_motifs",
    "find_seqlets",
    "jaspar_core",
    "measure_enrichment",
    "name_motifs",
    "recover",
]
