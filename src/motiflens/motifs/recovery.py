"""How well a found motif recovers a known one."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from motiflens.errors import InputError
from motiflens.matrices import consensus, information
from motiflens.motifs.motif import Motif
from motiflens.motifs.motif_files import Motifs, resolve_motifs
from motiflens.results.motifs import Recovery

MAX_EXTRA_BITS = 1.0
"""Bits that a found column outside the truth may hold in an exact recovery."""

Floats = NDArray[np.float64]


def recover(found: ArrayLike | Motif | str, truths: Motifs) -> Recovery:
    """Score a found motif against known ones by its best alignment, over all shifts and strands.

    With I_j the information (bits, against uniform) of truth column t_j, and f_j the found
    column laid on it,

        similarity = Σ_j I_j r(f_j, t_j) / Σ_j I_j,

    where r is the Pearson correlation of two columns over the four bases, 0 where no found
    column lies on j, or where f_j is uniform. So a column of the truth without information
    has no weight, and one left out counts as 0.

    The recovery is ``exact`` when, in that alignment, the found consensus covers the truth's and
    has its letter at every letter other than N, and no other found column (outside the truth, or
    on an N) has more than ``MAX_EXTRA_BITS``.

    Parameters
    ----------
    found
        PPM (4, W), a found motif, or its IUPAC letters.
    truths
        One motif or more, or what else :func:`motiflens.motifs.resolve_motifs` takes, such as
        ``"CGACCGAACTCC"`` or ``"CTCF"``; of equal similarities the first counts, then strand +,
        then the smallest shift to the left.

    Raises
    ------
    InputError
        If there is no truth, or ``found`` is not (4, W), or a truth holds no information.
    """
    if isinstance(found, str):
        found = Motif.from_string(found)
    try:
        ppm = np.asarray(getattr(found, "ppm", found), dtype=np.float64)
    except (TypeError, ValueError):
        ppm = np.zeros(0)
    if ppm.ndim != 2 or ppm.shape[0] != 4 or ppm.shape[1] == 0:
        told = f"has the shape {ppm.shape}" if ppm.size else f"is a {type(found).__name__}"
        raise InputError(
            f"the found motif {told}, not (4, W)",
            remedy="pass one motif, its PPM, or its IUPAC letters",
            argument="found",
        )
    known = resolve_motifs(truths)
    if not known:
        raise InputError(
            "there is no true motif to recover", remedy="name it with motif=", argument="motif"
        )
    for truth in known:
        if not information(truth.ppm).any():
            raise InputError(
                f"the true motif {truth.name} has no information: all its columns are uniform",
                remedy="name a motif with at least one letter other than N",
                argument="motif",
            )
    scored = [
        (best_alignment(oriented, truth.ppm), strand, oriented, truth)
        for truth in known
        for strand, oriented in (("+", ppm), ("-", ppm[::-1, ::-1]))
    ]
    (similarity, offset), strand, oriented, truth = max(scored, key=lambda entry: entry[0][0])
    exact = _is_exact(oriented, truth, offset)
    return Recovery(
        truth=truth.name, similarity=similarity, offset=offset, strand=strand, exact=exact
    )


def best_alignment(ppm: Floats, weighed: Floats) -> tuple[float, int]:
    """Return the highest similarity of a matrix with another over all shifts, and its offset.

    The correlation of aligned columns, weighted by the information of the columns of ``weighed``
    (4, V), each of which counts 0 where no column of ``ppm`` (4, W) lies on it; the offset is the
    start of ``ppm`` minus that of ``weighed``. 0 where no column of ``weighed`` has information.
    """
    weights = information(weighed)
    if not weights.sum() > 0:
        return 0.0, 0
    alike = _standardised(ppm).T @ _standardised(weighed) * (weights / weights.sum())
    # Column i of ppm on column j of the other is the offset j - i: one diagonal an offset.
    offsets = np.arange(1 - ppm.shape[1], weighed.shape[1])
    similarities = [float(np.trace(alike, offset=int(offset))) for offset in offsets]
    # Rounded, so that which of two equal alignments is taken does not hang on the last bit.
    best = int(np.argmax(np.round(similarities, 9)))
    return round(similarities[best], 9), int(offsets[best])


def _standardised(ppm: Floats) -> Floats:
    """Centre each column and scale it to length 1, so that a dot product is a correlation."""
    centred = ppm - ppm.mean(axis=0)
    norms = np.linalg.norm(centred, axis=0)
    scaled: Floats = np.where(norms > 1e-9, centred, 0.0) / np.maximum(norms, 1e-9)
    return scaled


def _is_exact(ppm: Floats, truth: Motif, offset: int) -> bool:
    if offset > 0 or offset + ppm.shape[1] < truth.width:
        return False
    wanted = "N" * -offset + truth.consensus
    wanted = wanted.ljust(ppm.shape[1], "N")
    letters_right = all(
        want in ("N", letter) for want, letter in zip(wanted, consensus(ppm), strict=True)
    )
    free = np.array([want == "N" for want in wanted])
    return letters_right and bool((information(ppm)[free] <= MAX_EXTRA_BITS).all())
