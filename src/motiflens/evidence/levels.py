"""The thresholds of the verdict, and what chance reaches with few sequences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import nhypergeom, norm

from motiflens.evidence.tracks import LEVEL
from motiflens.metrics import auroc_standard_error

TELLS_FROM = 0.6
"""Held-out AUROC below which there is nothing to explain."""

LOGITS_FROM = 0.05
"""Change of the logit, in its standard deviations, from which the logits depend on attention."""

DEPENDS_FROM = 0.01
"""Change of AUROC from which the ranking depends on attention, if its interval excludes 0."""

STANDS_OUT_FROM, IN_MOST_FROM = 0.2, 0.5
"""Fraction of positives above the null from which bases stand out: in some, and in most of them."""

RIGHT_FROM = 0.75
"""AUROC against the true bases from which a method marks the motif's."""

GAIN_FROM = 0.1
"""Fraction of random order's deletion area by which a method has to be lower to be faithful."""

RULE_FROM = 0.9
"""Fraction of minimal pairs from which a method shows a rule, and not only where motifs lie."""

RULE_BY_CHANCE = 0.5
"""That fraction of a method that knows nothing of the rule: it falls as often as it rises."""

FEW_POSITIVES = 40
"""Positives below which the verdict says that there are few."""

CHANCE = 0.05
"""Probability with which chance may reach a level."""


@dataclass(frozen=True)
class Levels:
    """What the figures of one model have to reach, given how many sequences there are.

    Parameters
    ----------
    n
        Positives that the methods were checked on.
    tells_from
        AUROC from which the model tells positives from negatives.
    stands_out_from
        Fraction of the positives above the null from which they stand out.
    """

    n: int
    tells_from: float = TELLS_FROM
    stands_out_from: float = STANDS_OUT_FROM


def auroc_by_chance(n_positives: int, n_negatives: int) -> float:
    """Return the AUROC that chance reaches with probability ``CHANCE``, or 0.6 if that is more."""
    error = auroc_standard_error(n_positives, n_negatives)
    return max(TELLS_FROM, 0.5 + float(norm.isf(CHANCE) * error))


def fraction_by_chance(n: int, nulls: Sequence[int], n_tests: int = 1) -> float:
    """Return the fraction of positives above the null that chance seldom reaches, or 0.2.

    Positives that are like the sequences of one null exceed the r-th largest of its m values in a
    number that follows the negative hypergeometric distribution, whatever the values' own.
    The quantile of the null lies at that value or above it. As a positive has to exceed every null,
    it is enough that one is like them: the worst of the nulls counts.

    Parameters
    ----------
    n
        Positives.
    nulls
        Sequences of each null.
    n_tests
        Figures that are compared with it, such as those of many heads: all together reach it with
        probability ``CHANCE`` at most (Bonferroni).

    Returns
    -------
    float
        At most 1; above 1 where not even all positives would do.
    """
    least = 0
    for m in nulls:
        rank = m - int(np.floor((m - 1) * LEVEL))
        # Taken from the top, how many positives come before the rank-th of the null.
        reached = nhypergeom(n + m, n, rank).sf(np.arange(n + 1) - 1)
        enough = np.flatnonzero(reached <= CHANCE / n_tests)
        least = max(least, int(enough[0]) if enough.size else n + 1)
    return max(STANDS_OUT_FROM, least / n)
