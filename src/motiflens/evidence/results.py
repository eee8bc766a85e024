"""What the checks of one model give, as plain numbers."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from motiflens.evidence.attention import AttentionTest
from motiflens.evidence.deletion import DeletionCurves


@dataclass(frozen=True)
class Untrained:
    """The same figures of the model before training; None where they are not computed."""

    base_auroc: float | None
    fraction_above_null: float | None


@dataclass(frozen=True)
class MethodEvidence:
    """What speaks for and against one method's explanations of one model.

    Parameters
    ----------
    base_auroc, base_auprc
        Of its bases against the true ones; None where no truth is known.
    ism_rank_correlation, ism_top_overlap
        Agreement with saturation mutagenesis; None where that was not to be had.
    fraction_above_null
        Fraction of the positives whose strongest window is above the 95th percentile of negatives
        and of shuffled positives; 0.05 by chance.
    erasure
        How the logit falls along the order of the bases; None where it does not fall at all.
    seed_rank_correlation
        Agreement with the same method on models of other seeds; None where there are none.
    untrained
        A control; None where there is no model before training.
    """

    base_auroc: float | None
    base_auprc: float | None
    ism_rank_correlation: float | None
    ism_top_overlap: float | None
    fraction_above_null: float
    erasure: DeletionCurves | None
    seed_rank_correlation: float | None
    untrained: Untrained | None


@dataclass(frozen=True)
class Trust:
    """How far the explanations of one model can be trusted.

    Parameters
    ----------
    verdict
        What may be claimed, in words.
    auroc
        Of the model on the positives and negatives of the checks.
    attention
        None where no layer of the model is known as attention.
    methods
        By name.
    random_order
        The erasure of bases in random order; None where the logit does not fall.
    refused
        Method → why it refused the model.
    n
        Positives that the methods were checked on.
    may_claim
        False where the model does not tell the classes apart, or ranks them the wrong way round.
    stands_out_from
        Fraction of the positives above the null from which they stand out: the more, the fewer
        positives there are.
    """

    verdict: str
    auroc: float
    attention: AttentionTest | None
    methods: dict[str, MethodEvidence]
    random_order: DeletionCurves | None
    refused: dict[str, str]
    n: int
    may_claim: bool
    stands_out_from: float

    def as_dict(self) -> dict[str, Any]:
        """Return plain data as in ``trust.json``; ``deletion_auc`` stands beside the others.

        An interval without an end, as that of one positive, has None for it: JSON has no infinity.
        """
        plain = asdict(self)
        for method in plain["methods"].values():
            method["deletion_auc"] = (method["erasure"] or {}).get("deletion_auc")
        for one in (plain["random_order"], *(m["erasure"] for m in plain["methods"].values())):
            for end in ("gain_low", "gain_high") if one is not None else ():
                one[end] = one[end] if math.isfinite(one[end]) else None
        return plain
