"""Motifs searched for in sequences and genomes, with exact p-values."""

from motiflens.hits.backgrounds import FIMO_BACKGROUND, read_background
from motiflens.hits.bed import ScanSummary, write_hits
from motiflens.hits.scan import find_hits
from motiflens.hits.sequence_files import open_sequences

__all__ = [
    "FIMO_BACKGROUND",
    "ScanSummary",
    "find_hits",
    "open_sequences",
    "read_background",
    "write_hits",
]
