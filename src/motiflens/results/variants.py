"""``variants.json``: what the last ``motiflens variants`` has scored, in short."""

from __future__ import annotations

from motiflens.results.base import File, Part


class ScoredAllele(Part, frozen=True, kw_only=True):
    """An alternate allele: where it is (``pos`` from 1, as in VCF), and what it does.

    Parameters
    ----------
    reference, alternate, difference, standard_error, percentile
        As in the table of ``motiflens variants``.
    lost, gained
        Motifs that have a hit on one allele and none on the other.
    """

    chrom: str
    pos: int
    ref: str
    alt: str
    reference: float
    alternate: float
    difference: float
    standard_error: float | None
    percentile: float | None
    lost: tuple[str, ...]
    gained: tuple[str, ...]


class ScoredVariants(File, frozen=True, kw_only=True):
    """``variants.json``.

    Parameters
    ----------
    file, genome, output
        Names of the files that were read, and of the one that was written.
    model
        That scored.
    n_scored, n_skipped
        Records.
    strongest
        The alleles of the highest percentiles, and of equal ones of the largest differences.
    """

    file: str
    genome: str
    output: str
    model: str
    n_scored: int
    n_skipped: int
    strongest: tuple[ScoredAllele, ...]
