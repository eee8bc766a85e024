"""Names of found motifs: the known motif that they are alike, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import false_discovery_control

from motiflens.motifs.database import jaspar_core, jaspar_families
from motiflens.motifs.motif import Motif, information
from motiflens.motifs.motif_files import Motifs, resolve_motifs
from motiflens.motifs.tomtom import Targets

MAX_Q = 0.05
"""q-value from which on a motif has no name."""

CORE_WIDTH, MIN_BITS = 6, 5.0
"""Bits of a motif's best six neighbouring columns below which it has no name.

All profiles of JASPAR have more. A motif that tells little in each of many columns is like the
parts of long profiles that tell little too: two of three such motifs, drawn at random, get a
q-value below ``MAX_Q``, mostly with the widest profiles of CTCF and ZNF354A.
"""

N_SHUFFLED, MAX_NEARER = 39, 2
"""Other orders of a motif's columns, and how many of them may be as near as the motif: one whose
columns say nothing together is among the three nearest of 40 in 7.5 %, and fewer pass the q-value
too. With one at most, NFY's CCAAT with a sharp flank, which 3 % of its orders beat, has no name."""

N_OTHERS, MAX_NEAR = 4, 16
"""Further names that are told, nearest first, and known motifs that are looked at for them."""

ENOUGH_MOTIFS = 50
"""Motifs of a database whose columns are enough to tell what chance looks like."""

_COLUMNS = ("motif", "target", "name", "family", "p_value", "q_value", "offset", "strand")


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


def match_motifs(
    motifs: Motifs, database: Sequence[Motif] | Path | str | None = None
) -> pd.DataFrame:
    """Look motifs up in a database: the known motifs that each is like, nearest first.

    Parameters
    ----------
    motifs
        Motifs, a file of them, or what else :func:`motiflens.motifs.resolve_motifs` takes.
    database
        As in :func:`name_motifs`.

    Returns
    -------
    matches
        One row a pair, in the order of the motifs and then of the p-value: ``motif`` (its name),
        ``target`` (id of the known one), ``name``, ``family``, ``p_value``, ``q_value``,
        ``offset``, ``strand``, as in :class:`Match`. A motif that is unknown by the rules of
        :func:`name_motifs` has no row, and none more than ``MAX_NEAR``.
    """
    known, targets = _targets(database)
    rows = [
        (motif.name, match.id, *(getattr(match, key) for key in _COLUMNS[2:]))
        for motif in resolve_motifs(motifs)
        for match in _near(motif, known, targets)
    ]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def name_motifs(
    motifs: Sequence[Motif], database: Sequence[Motif] | Path | str | None = None
) -> list[Match | None]:
    """Name motifs by the nearest of a database, where that is near enough.

    Compared as Tomtom does (:class:`motiflens.motifs.tomtom.Targets`); the p-values of one motif
    with all of the database become q-values by Benjamini and Hochberg. A motif is unknown

    - where the smallest q-value is not below ``MAX_Q``: something is always the nearest,
    - where more than ``MAX_NEARER`` of ``N_SHUFFLED`` other orders of its own columns are as
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
        Known motifs, or a file of them; JASPAR CORE vertebrates by default. The columns of one
        with fewer than ``ENOUGH_MOTIFS`` motifs are joined by JASPAR's to tell what chance looks
        like.

    Returns
    -------
    list of Match or None
        One for each motif; of matches with equal p-values the first of the database.

    Raises
    ------
    InputError
        If the database is empty.
    """
    known, targets = _targets(database)
    names = []
    for motif in motifs:
        near = _near(motif, known, targets)
        others = tuple(dict.fromkeys(match.name for match in near))[1 : 1 + N_OTHERS]
        names.append(replace(near[0], others=others) if near else None)
    return names


def _targets(database: Sequence[Motif] | Path | str | None) -> tuple[Sequence[Motif], Targets]:
    known = jaspar_core() if database is None else tuple(resolve_motifs(database))
    chance = known if len(known) >= ENOUGH_MOTIFS else known + jaspar_core()
    return known, Targets(known, chance)


def _near(motif: Motif, known: Sequence[Motif], targets: Targets) -> list[Match]:
    """Return the known motifs that a motif is like, nearest first; none where it is unknown."""
    if _core_bits(motif) < MIN_BITS:
        return []
    alignments = targets.compare(motif)
    q_values = false_discovery_control(alignments.p_values)
    order = np.argsort(alignments.p_values, kind="stable")
    near = [int(index) for index in order[:MAX_NEAR] if q_values[index] < MAX_Q]
    if not near or not _nearer_than_shuffled(motif, targets, float(alignments.p_values[near[0]])):
        return []
    return [
        Match(
            id=known[index].name,
            name=known[index].alt_name or known[index].name,
            q_value=float(q_values[index]),
            p_value=float(alignments.p_values[index]),
            offset=int(alignments.offsets[index]),
            strand=str(alignments.strands[index]),
            ppm=known[index].ppm,
            family=jaspar_families().get(known[index].name),
        )
        for index in near
    ]


def _nearer_than_shuffled(motif: Motif, targets: Targets, p_value: float) -> bool:
    """Return whether hardly any other order of the columns is as near to the database."""
    strands = motif, motif.reverse_complement()
    chosen = min(strands, key=lambda one: np.round(one.ppm, 9).tolist())
    # Of each motif its own: fixed orders would be the same accident for all of one width.
    generator = np.random.default_rng(crc32(np.round(chosen.ppm, 6).tobytes()))
    orders = generator.permuted(np.tile(np.arange(motif.width), (N_SHUFFLED, 1)), axis=1)
    n_nearer = 0
    for other in targets.nearest_of_others(chosen, orders):
        n_nearer += other <= p_value
        if n_nearer > MAX_NEARER:
            return False
    return True


def _core_bits(motif: Motif) -> float:
    """Return the bits of the ``CORE_WIDTH`` neighbouring columns that tell most."""
    return float(np.convolve(information(motif.ppm), np.ones(CORE_WIDTH)).max())
