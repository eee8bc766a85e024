"""Motifs: matrices with a name, the files they come in, names by a database, recovery of a truth.

A matrix is (4, W): rows A C G T, one column a position. A ``ppm`` holds probabilities, a ``pwm``
log-odds against a background, in bits.
"""

from motiflens.motifs.arrays import MotifArrays, read_motif_arrays, write_motif_arrays
from motiflens.motifs.database import jaspar_core
from motiflens.motifs.jaspar import read_jaspar
from motiflens.motifs.meme import read_meme, write_meme
from motiflens.motifs.motif import (
    UNIFORM,
    Matrix,
    Motif,
    checked_background,
    consensus,
    information,
    motif_from_string,
    ppm_from_codes,
    pwm,
    trim,
)
from motiflens.motifs.motif_files import read_motif_file
from motiflens.motifs.naming import MAX_Q, Match, name_motifs
from motiflens.motifs.recovery import Recovery, recover
from motiflens.motifs.transfac import read_transfac
from motiflens.sequences import IUPAC

__all__ = [
    "IUPAC",
    "MAX_Q",
    "UNIFORM",
    "Match",
    "Matrix",
    "Motif",
    "MotifArrays",
    "Recovery",
    "checked_background",
    "consensus",
    "information",
    "jaspar_core",
    "motif_from_string",
    "name_motifs",
    "ppm_from_codes",
    "pwm",
    "read_jaspar",
    "read_meme",
    "read_motif_arrays",
    "read_motif_file",
    "read_transfac",
    "recover",
    "trim",
    "write_meme",
    "write_motif_arrays",
]
