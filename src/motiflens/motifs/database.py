"""JASPAR CORE vertebrates, which the package carries (CC BY 4.0; see NOTICE.md)."""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path

from motiflens.motifs.meme import read_meme
from motiflens.motifs.motif import Motif

PATH = Path(__file__).parent / "jaspar_core_vertebrates.meme.gz"
FAMILIES = PATH.with_name("jaspar_families.tsv.gz")


@cache
def jaspar_core() -> tuple[Motif, ...]:
    """Return the motifs of JASPAR CORE vertebrates, non-redundant, by id.

    ``name`` is the id of the profile, such as MA0139.2; ``alt_name`` the factor, such as CTCF.

    References
    ----------
    JASPAR 2026, https://jaspar.elixir.no, CC BY 4.0.
    """
    return tuple(read_meme(PATH))


@cache
def jaspar_families() -> dict[str, str]:
    """Return the structural family of the factor of a profile by its id, as far as it is known.

    Factors of one family, such as USF1 and MITF of bHLH-ZIP, bind alike.
    """
    text = gzip.decompress(FAMILIES.read_bytes()).decode()
    return dict(line.split("\t", 1) for line in text.splitlines())
