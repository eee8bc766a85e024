"""Where motifs occur in sequences and genomes, with exact p-values."""

from motiflens.scanning.backgrounds import FIMO_BACKGROUND, read_background
from motiflens.scanning.scan import scan

__all__ = ["FIMO_BACKGROUND", "read_background", "scan"]
