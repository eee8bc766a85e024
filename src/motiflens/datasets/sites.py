"""Where a motif occurs in sequences, letter by letter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from motiflens.errors import InputError
from motiflens.sequences import PAD, Codes, Site, iupac_codes, reverse_complement_string

if TYPE_CHECKING:
    from motiflens.datasets.dataset import SequenceDataset

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


def mark_sites(dataset: SequenceDataset, motif: str, strands: str = "forward") -> SequenceDataset:
    """Return data whose true sites are the exact matches of a motif in positives.

    Parameters
    ----------
    dataset
        N sequences; sites that were there before are replaced.
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
    found: list[list[Site]] = [[] for _ in range(len(dataset))]
    for strand, text in strings.items():
        matches = exact_matches(dataset.codes, text) & (dataset.labels == 1)[:, None]
        for row, start in np.argwhere(matches).tolist():
            found[row].append(Site(forward, start, start + len(text), strand))
    return dataset.with_sites(sorted(sites, key=lambda site: site.start) for sites in found)


def check_strands(strands: str) -> None:
    """Raise an InputError unless strands is "forward" or "both"."""
    if strands not in STRANDS:
        raise InputError(
            f"strands={strands!r} is unknown",
            remedy=f"choose {' or '.join(STRANDS)}",
            argument="strands",
        )
