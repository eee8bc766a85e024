"""Motifs: matrices with a name, the files they come in, names by a database, recovery of a truth.

A matrix is (4, W): rows A C G T, one column a position. A ``ppm`` holds probabilities, a ``pwm``
log-odds against a background, in bits.
"""

from motiflens.motifs.count_matrices import read_jaspar, read_transfac
from motiflens.motifs.database import jaspar_core
from motiflens.motifs.meme import read_meme, write_meme
from motiflens.motifs.motif import (
    UNIFORM,
    Matrix,
    Motif,
    check_background,
    consensus,
    information,
    motif_from_string,
    ppm_from_codes,
    pwm,
)
from motiflens.motifs.motif_files import Motifs, read_motifs, resolve_motifs, write_motifs
from motiflens.motifs.naming import MAX_Q, Match, match_motifs, name_motifs
from motiflens.motifs.recovery import Recovery, best_alignment, recover
from motiflens.sequences import IUPAC

__all__ = [
    "IUPAC",
    "MAX_Q",
    "UNIFORM",
    "Match",
    "Matrix",
    "Motif",
    "Motifs",
    "Recovery",
    "best_alignment",
    "check_background",
    "consensus",
    "information",
    "jaspar_core",
    "match_motifs",
    "motif_from_string",
    "name_motifs",
    "ppm_from_codes",
    "pwm",
    "read_jaspar",
    "read_meme",
    "read_motifs",
    "read_transfac",
    "recover",
    "resolve_motifs",
    "write_meme",
    "write_motifs",
]
