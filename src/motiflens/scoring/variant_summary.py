"""The strongest variants of a file, left in the run for its report."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from motiflens.errors import InputError
from motiflens.progress import Progress
from motiflens.results import Results, is_run
from motiflens.results.variants import ScoredAllele, ScoredVariants
from motiflens.scoring.variant_scores import AlleleScore

#: Alleles that the report shows.
N_SHOWN = 20
_FIGURES = ("reference", "alternate", "difference", "standard_error", "percentile")


class Strongest:
    """The alleles of the highest percentiles, of equal ones those of the largest differences.

    Of what is equal in both, the first in the file comes first.
    """

    def __init__(self) -> None:
        self._kept: list[tuple[float, float, int, ScoredAllele]] = []
        self._later = count(0, -1)

    def add(self, line: str, scores: list[AlleleScore]) -> None:
        """Take the alternate alleles of a line of the VCF, as far as they are scored."""
        chrom, pos, _, ref, alternates = line.split("\t", 5)[:5]
        for alt, score in zip(alternates.split(","), scores, strict=True):
            if score.difference is None:
                continue
            figures = {name: getattr(score, name) for name in (*_FIGURES, "lost", "gained")}
            allele = ScoredAllele(chrom=chrom, pos=int(pos), ref=ref, alt=alt, **figures)
            size = (score.percentile or 0.0, abs(score.difference), next(self._later))
            heapq.heappush(self._kept, (*size, allele))
            if len(self._kept) > N_SHOWN:
                heapq.heappop(self._kept)

    @property
    def alleles(self) -> tuple[ScoredAllele, ...]:
        """The strongest first."""
        return tuple(allele for *_, allele in sorted(self._kept, reverse=True, key=lambda a: a[:3]))


def tell_run(
    arguments: Mapping[str, Any],
    model: str,
    records: Counter[str],
    strongest: Sequence[ScoredAllele],
    progress: Progress,
) -> None:
    """Leave what was scored in a run, if it is one; one that cannot be written is not told.

    Parameters
    ----------
    arguments
        Of `motiflens variants`.
    model
        That scored.
    records
        Why records were skipped → how many; those that were not by "".
    strongest
        The alleles to show.
    progress
        Told why a run is not.
    """
    run = arguments["run"]
    if run is None or not is_run(run):  # a module of others may stand in its place
        return
    found = ScoredVariants(
        file=Path(arguments["variants"]).name,
        genome=Path(arguments["genome"]).name,
        output=Path(arguments["output"]).name,
        model=model,
        n_scored=records[""],
        n_skipped=records.total() - records[""],
        strongest=tuple(strongest),
    )
    try:
        Results(run).write(found, progress)
    except (InputError, OSError) as error:
        progress.note(f"the report of {run} will not show these variants: {error}")
