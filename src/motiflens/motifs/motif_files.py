"""Motif files of any kind that we read."""

from __future__ import annotations

from pathlib import Path

from motiflens.errors import InputError
from motiflens.files import read_text
from motiflens.motifs.arrays import is_arrays, read_motif_arrays
from motiflens.motifs.jaspar import looks_like_jaspar, parse_jaspar
from motiflens.motifs.meme import looks_like_meme, parse_meme
from motiflens.motifs.motif import Motif
from motiflens.motifs.transfac import looks_like_transfac, parse_transfac

_FORMATS = (
    (looks_like_meme, parse_meme),
    (looks_like_transfac, parse_transfac),
    (looks_like_jaspar, parse_jaspar),
)


def read_motif_file(path: Path | str) -> list[Motif]:
    """Read the motifs of a MEME, JASPAR or TRANSFAC file; its content tells which it is.

    Of an ``.npz`` file of motifs with contributions, the PPMs are read.

    Raises
    ------
    InputError
        When the file is missing, empty or damaged, or none of the three; see
        :func:`~motiflens.motifs.read_meme`, :func:`~motiflens.motifs.read_jaspar` and
        :func:`~motiflens.motifs.read_transfac`.
    """
    if is_arrays(path):
        return [one.motif for one in read_motif_arrays(path)]
    text = read_text(path)
    for looks_like, parse in _FORMATS:
        if looks_like(text):
            return parse(text, path)
    first = text.strip().partition("\n")[0]
    raise InputError(
        "a motif file is MEME ('MEME version ...'), JASPAR ('>name', then four rows) or TRANSFAC "
        "('P0 A C G T')",
        got=f"{first[:40]!r} at the beginning of {path}",
        remedy="convert the file, for instance to MEME",
    )
