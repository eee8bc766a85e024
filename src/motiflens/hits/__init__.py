"""Motifs searched for in sequences and genomes, with exact p-values."""

from motiflens.hits.bed import write_hits
from motiflens.hits.find import find_hits

__all__ = [
    "find_hits",
    "write_hits",
]
