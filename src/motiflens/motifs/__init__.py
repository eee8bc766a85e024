"""Motifs: matrices with a name, the files they come in, names by a database, recovery of a truth.

A matrix is (4, W): rows A C G T, one column a position. A ``ppm`` holds probabilities, a ``pwm``
log-odds against a background, in bits.
"""

from motiflens.matrices import UNIFORM, Matrix, check_background, information, ppm_from_codes, pwm
from motiflens.motifs.database import jaspar_core
from motiflens.motifs.meme import write_meme
from motiflens.motifs.motif import Motif, motif_from_string
from motiflens.motifs.motif_files import Motifs, read_motifs, resolve_motifs, write_motifs
from motiflens.motifs.naming import MAX_Q, Match, match_motifs, name_motifs
from motiflens.motifs.recovery import best_alignment, recover

__all__ = [
    "MAX_Q",
    "UNIFORM",
    "Match",
    "Matrix",
    "Motif",
    "Motifs",
    "best_alignment",
    "check_background",
    "information",
    "jaspar_core",
    "match_motifs",
    "motif_from_string",
    "name_motifs",
    "ppm_from_codes",
    "pwm",
    "read_motifs",
    "recover",
    "resolve_motifs",
    "write_meme",
    "write_motifs",
]
