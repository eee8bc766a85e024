"""Motifs searched for in sequences and genomes, with exact p-values."""

from motiflens.scanning.backgrounds import FIMO_BACKGROUND, read_background
from motiflens.scanning.bed import ScanSummary, write_hits
from motiflens.scanning.scan import scan
from motiflens.scanning.sequence_files import open_sequences

__all__ = [
    "FIMO_BACKGROUND",
    "ScanSummary",
    "open_sequences",
    "read_background",
    "scan",
    "write_hits",
]
