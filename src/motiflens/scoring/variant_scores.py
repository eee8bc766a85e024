"""Scores of variants: of both alleles, of how unusual their difference is, of motifs between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from motiflens.io.genome import Genome
from motiflens.motifs import Motif
from motiflens.scoring.alleles import (
    Allele,
    RefMismatch,
    Stretch,
    alleles_of,
    stretches,
    windows_of,
)
from motiflens.scoring.models import ModuleScorer
from motiflens.scoring.motif_changes import MotifChanges
from motiflens.scoring.random_variants import RandomVariants, score_pairs
from motiflens.scoring.scorer import Floats
from motiflens.scoring.substitutions import substitutions_of
from motiflens.scoring.variant_files import Record
from motiflens.sequences import encode


class AlleleScore(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What is known of an alternate allele.

    Parameters
    ----------
    reference, alternate
        Mean logits over the seeds of the windows with either allele; None where there are none.
    difference
        Alternate − reference.
    standard_error
        Of the difference, over seeds; None with one.
    percentile
        How many of a hundred random variants of the same kind change the score less.
    lost, gained
        Names of motifs that have a hit on one allele and none on the other.
    swapped
        Whether the genome has the alternate.
    skipped
        Why there is no score; empty where there is one.
    """

    reference: float | None = None
    alternate: float | None = None
    difference: float | None = None
    standard_error: float | None = None
    percentile: float | None = None
    lost: tuple[str, ...] = ()
    gained: tuple[str, ...] = ()
    swapped: bool = False
    skipped: str = ""


class _Placed(NamedTuple):
    """An allele to score: the record that it is of, its place there, where it lies."""

    record: int
    place: int
    allele: Allele
    stretch: Stretch
    offset: int  # of the stretch among the bases of all


class VariantScoring:
    """All that the scores of variants are computed from; threads may share it.

    Parameters
    ----------
    scorer, genome
        The model, and where the variants lie.
    motifs
        Those of the run, to tell lost from gained ones; may be none.
    mismatch
        What is done about a reference allele that is not the genome's.
    """

    def __init__(
        self,
        scorer: ModuleScorer,
        genome: Genome,
        motifs: Sequence[Motif] = (),
        mismatch: RefMismatch = "skip",
    ) -> None:
        self.scorer, self.genome, self.mismatch = scorer, genome, mismatch
        self._substitutions = substitutions_of(scorer)
        self._random = RandomVariants(self._substitutions, genome)
        self.motifs = MotifChanges(motifs, both_strands=scorer.both_strands)

    def score(self, records: Sequence[Record]) -> list[list[AlleleScore]]:
        """Score the alternate alleles of records, which are in order on each contig.

        Of a record without an alternate the one entry says so.
        """
        placed, found, offset = [], [], 0
        letters: list[str] = []
        flank = self.scorer.length + self.motifs.widest
        for stretch, rows in stretches(self.genome, records, flank):
            for number, record in enumerate(records[rows], start=rows.start):
                of_record = alleles_of(record, stretch, self.mismatch)
                found.append([_skipped(one) for one in of_record])
                for place, allele in enumerate(of_record):
                    if not isinstance(allele, str) and stretch is not None:
                        placed.append(_Placed(number, place, allele, stretch, offset))
            if stretch is not None:
                letters.append(stretch.letters)
                offset += len(stretch.letters)
        shared = [self._shares(one) for one in placed]
        alone = [one for one, shares in zip(placed, shared, strict=True) if not shares]
        placed = [one for one, shares in zip(placed, shared, strict=True) if shares]
        self._put(found, placed, *self._substituted(placed, letters))
        whole, pairs = [], []
        for one in alone:
            pair = windows_of(one.allele, one.stretch, self.scorer)
            if isinstance(pair, str):
                found[one.record][one.place] = _skipped(pair)
            else:
                whole.append(one)
                pairs.append(pair)
        self._put(found, whole, *score_pairs(self.scorer, pairs))
        return found

    def _shares(self, one: _Placed) -> bool:
        """Return whether a variant substitutes the middle of a window of the genome as it is."""
        length = self.scorer.length
        start = one.allele.start - length // 2
        if not one.allele.is_substitution or one.allele.swapped:
            return False
        if start < 0 or start + length > one.stretch.size:
            return False
        begin = start - one.stretch.start
        return one.stretch.letters.find("N", begin, begin + length) < 0

    def _substituted(self, placed: list[_Placed], letters: list[str]) -> tuple[Floats, Floats]:
        """Return the logits (S, N) of reference and alternate of substitutions."""
        if not placed:
            return np.zeros((self.scorer.n_seeds, 0)), np.zeros((self.scorer.n_seeds, 0))
        at = [one.offset + one.allele.start - one.stretch.start for one in placed]
        centres, owners = np.unique(np.array(at, dtype=np.int64), return_inverse=True)
        bases = encode(["".join(one.allele.alternate for one in placed)])[0][0]
        codes = encode(["".join(letters)])[0][0]
        logits = self._substitutions.logits(codes, centres, owners, bases)
        return logits.reference[:, owners], logits.alternate

    def _put(
        self,
        found: list[list[AlleleScore]],
        placed: list[_Placed],
        reference: Floats,
        alternate: Floats,
    ) -> None:
        """Put scores where they belong; logits are (S, N)."""
        change, n_seeds = alternate - reference, len(reference)
        error = change.std(axis=0, ddof=1) / np.sqrt(n_seeds) if n_seeds > 1 else None
        difference = change.mean(axis=0)
        percentiles = self._random.percentiles([one.allele for one in placed], difference)
        motifs = self.motifs.of([(one.allele, one.stretch) for one in placed])
        means = [reference.mean(axis=0).tolist(), alternate.mean(axis=0).tolist()]
        for n, one in enumerate(placed):
            lost, gained = motifs.get(n, ((), ()))
            found[one.record][one.place] = AlleleScore(
                reference=means[0][n],
                alternate=means[1][n],
                difference=float(difference[n]),
                standard_error=None if error is None else float(error[n]),
                percentile=percentiles[n],
                lost=lost,
                gained=gained,
                swapped=one.allele.swapped,
            )


def _skipped(reason: Allele | str) -> AlleleScore:
    return AlleleScore(skipped=reason if isinstance(reason, str) else "")
