"""Motifs: matrices with a name, their numbers, and the files they come in.

A matrix is (4, W): rows A C G T, one column a position. A ``ppm`` holds probabilities, a ``pwm``
log-odds against a background, in bits.
"""

from motiflens.matrices.arrays import MotifArrays, read_motif_arrays, write_motif_arrays
from motiflens.matrices.jaspar import read_jaspar
from motiflens.matrices.meme import read_meme, write_meme
from motiflens.matrices.motif import (
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
from motiflens.matrices.motif_files import read_motif_file
from motiflens.matrices.transfac import read_transfac
from motiflens.sequences import IUPAC

__all__ = [
    "IUPAC",
    "UNIFORM",
    "Matrix",
    "Motif",
    "MotifArrays",
    "checked_background",
    "consensus",
    "information",
    "motif_from_string",
    "ppm_from_codes",
    "pwm",
    "read_jaspar",
    "read_meme",
    "read_motif_arrays",
    "read_motif_file",
    "read_transfac",
    "trim",
    "write_meme",
    "write_motif_arrays",
]
