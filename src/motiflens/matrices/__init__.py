"""Motifs: matrices with a name, their numbers, and the files they come in.

A matrix is (4, W): rows A C G T, one column a position. A ``ppm`` holds probabilities, a ``pwm``
log-odds against a background, in bits.
"""

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
from motiflens.sequences import IUPAC

__all__ = [
    "IUPAC",
    "UNIFORM",
    "Matrix",
    "Motif",
    "checked_background",
    "consensus",
    "information",
    "motif_from_string",
    "ppm_from_codes",
    "pwm",
    "read_meme",
    "trim",
    "write_meme",
]
