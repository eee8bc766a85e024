"""Where a motif occurs in sequences, letter by letter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from motiflens.errors import InputError
from motiflens.sequences import PAD, Codes, Site, iupac_codes, reverse_complement_string

STRANDS = ("forward", "both")


def exact_matches(codes: Codes, motif: str) -> NDArray[np.bool_]:
    """Return where an IUPAC string of width W matches codes (N, L): bool (N, max(L - W + 1, 0)).

    An N in a sequence matches nothing, not even the letter N.
    """
    allowed = iupac_codes(motif)
    n_starts = max(codes.shape[1] - len(allowed) + 1, 0)
    matches = np.ones((len(codes), n_starts), dtype=np.bool_)
    for offset, bases in enumerate(allowed):
        fits = np.isin(np.arange(PAD + 1), bases)
        matches &= fits[codes[:, offset : offset + n_starts]]
    return matches


def sites_of_motif(
    codes: Codes, labels: NDArray[np.floating], motif: str, strands: str
) -> list[list[Site]]:
    """Return the exact matches of a motif in positives, for each sequence by their start.

    Parameters
    ----------
    codes, labels
        (N, L) and (N,).
    motif
        IUPAC string; it is the name of the sites, in capitals.
    strands
        "forward", or "both" for matches of the reverse complement too (a motif that is its own
        reverse complement is marked once, on +).

    Raises
    ------
    InputError
        For a motif that is no IUPAC string and for other strands.
    """
    check_strands(strands)
    forward = motif.upper()
    strings = {"+": forward}
    if strands == "both" and reverse_complement_string(forward) != forward:
        strings["-"] = reverse_complement_string(forward)
    sites: list[list[Site]] = [[] for _ in range(len(codes))]
    for strand, text in strings.items():
        matches = exact_matches(codes, text) & (labels == 1)[:, None]
        for row, start in np.argwhere(matches).tolist():
            sites[row].append(Site(forward, start, start + len(text), strand))
    return [sorted(row, key=lambda site: site.start) for row in sites]


def check_strands(strands: str) -> None:
    """Raise an InputError unless strands is "forward" or "both"."""
    if strands not in STRANDS:
        raise InputError(
            f"strands={strands!r} is unknown",
            remedy=f"choose {' or '.join(STRANDS)}",
            argument="strands",
        )
