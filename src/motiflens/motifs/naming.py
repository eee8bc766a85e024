"""Names of found motifs: the known motif that they are alike, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.stats import false_discovery_control

from motiflens.motifs.database import jaspar_core, jaspar_families
from motiflens.motifs.motif import Motif, information
from motiflens.motifs.tomtom import Targets

MAX_Q = 0.05
"""q-value from which on a motif has no name."""

CORE_WIDTH, MIN_BITS = 6, 5.0
"""Bits of a motif's best six neighbouring columns below which it has no name.

All profiles of JASPAR have more. A motif that tells little in each of many columns is like the
parts of long profiles that tell little too: two of three such motifs, drawn at random, get a
q-value below ``MAX_Q``, mostly with the widest profiles of CTCF and ZNF354A.
"""

N_SHUFFLED, MOST_NEARER = 39, 2
"""Other orders of a motif's columns, and how many of them may be as near as the motif: one whose
columns say nothing together is among the three nearest of 40 in 7.5 %, and fewer pass the q-value
too. With one at most, NFY's CCAAT with a sharp flank, which 3 % of its orders beat, has no name."""

N_OTHERS = 4
"""Further names that are told, nearest first."""

ENOUGH_MOTIFS = 50
"""Motifs of a database whose columns are enough to tell what chance looks like."""


@dataclass(frozen=True, eq=False)
class Match:
    """A known motif that a found one is like.

    Parameters
    ----------
    id
        Its name in the database, such as MA0139.2.
    name
        Its second name, such as CTCF; the id where it has none.
    q_value
        Of the comparison with every motif of the database.
    p_value
        Of the comparison with this one.
    offset
        Start of the found motif minus start of the known one, read along the known one.
    strand
        ``-`` where the reverse complement of the found motif matches.
    ppm
        Of the known motif, (4, W).
    others
        Names of the next nearest ones, at most ``N_OTHERS``, each with a q-value below ``MAX_Q``:
        factors of one family share a motif, so that the nearest need not be the factor at work.
    family
        Structural family of the factor in JASPAR; None where it is not known there.
    """

    id: str
    name: str
    q_value: float
    p_value: float
    offset: int
    strand: str
    ppm: NDArray[np.float64]
    others: tuple[str, ...] = ()
    family: str | None = None


def name_motifs(
    motifs: Sequence[Motif], database: Sequence[Motif] | None = None
) -> list[Match | None]:
    """Name motifs by the nearest of a database, where that is near enough.

    Compared as Tomtom does (:class:`motiflens.motifs.tomtom.Targets`); the p-values of one motif
    with all of the database become q-values by Benjamini and Hochberg. A motif is unknown

    - where the smallest q-value is not below ``MAX_Q``: something is always the nearest,
    - where more than ``MOST_NEARER`` of ``N_SHUFFLED`` other orders of its own columns are as
      near to the database. Tomtom's chance takes the columns of known motifs as independent,
      which they are not: sharp words and long motifs that were drawn at random pass the first
      rule in up to 17 %,
    - where no ``CORE_WIDTH`` columns of it tell ``MIN_BITS``.

    The orders depend on the motif alone, and are those of both its strands.

    Parameters
    ----------
    motifs
        Found motifs.
    database
        Known motifs; JASPAR CORE vertebrates by default. The columns of one with fewer than
        ``ENOUGH_MOTIFS`` motifs are joined by JASPAR's to tell what chance looks like.

    Returns
    -------
    list of Match or None
        One for each motif; of matches with equal p-values the first of the database.

    Raises
    ------
    InputError
        If the database is empty.
    """
    known = jaspar_core() if database is None else tuple(database)
    chance = known if len(known) >= ENOUGH_MOTIFS else known + jaspar_core()
    targets = Targets(known, chance)
    return [_match(motif, known, targets) for motif in motifs]


def _match(motif: Motif, known: Sequence[Motif], targets: Targets) -> Match | None:
    if _core_bits(motif) < MIN_BITS:
        return None
    found = targets.compare(motif)
    q_values = false_discovery_control(found.p_values)
    order = np.argsort(found.p_values, kind="stable")
    near = [int(index) for index in order[: 4 * N_OTHERS] if q_values[index] < MAX_Q]
    if not near or not _nearer_than_shuffled(motif, targets, float(found.p_values[near[0]])):
        return None
    best = near[0]
    names = list(dict.fromkeys(_factor(known[index]) for index in near))
    return Match(
        id=known[best].name,
        name=names[0],
        q_value=float(q_values[best]),
        p_value=float(found.p_values[best]),
        offset=int(found.offsets[best]),
        strand=str(found.strands[best]),
        ppm=known[best].ppm,
        others=tuple(names[1 : 1 + N_OTHERS]),
        family=jaspar_families().get(known[best].name),
    )


def _nearer_than_shuffled(motif: Motif, targets: Targets, p_value: float) -> bool:
    """Tell whether hardly any other order of the columns is as near to the database."""
    strands = motif, motif.reverse_complement()
    chosen = min(strands, key=lambda one: np.round(one.ppm, 9).tolist())
    # Of each motif its own: fixed orders would be the same accident for all of one width.
    generator = np.random.default_rng(crc32(np.round(chosen.ppm, 6).tobytes()))
    orders = generator.permuted(np.tile(np.arange(motif.width), (N_SHUFFLED, 1)), axis=1)
    n_nearer = 0
    for other in targets.nearest_of_others(chosen, orders):
        n_nearer += other <= p_value
        if n_nearer > MOST_NEARER:
            return False
    return True


def _core_bits(motif: Motif) -> float:
    """Give the bits of the ``CORE_WIDTH`` neighbouring columns that tell most."""
    return float(np.convolve(information(motif.ppm), np.ones(CORE_WIDTH)).max())


def _factor(motif: Motif) -> str:
    return motif.alt_name or motif.name
