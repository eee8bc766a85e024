"""The verdict: what may be claimed, from the numbers of the checks by plain thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from motiflens.evidence.attention import AttentionTest
from motiflens.evidence.null import SHARES
from motiflens.evidence.results import MethodEvidence, Untrained

TELLS_FROM = 0.6
"""Held-out AUROC below which there is nothing to explain."""

NO_PART = 0.01
"""Change of the logit, in its standard deviations, below which attention takes no part in it."""

DEPENDS_FROM = 0.01
"""Loss of AUROC from which the prediction depends on attention, if its interval excludes 0."""

STANDS_OUT_FROM, MOST = 0.2, 0.5
"""Fraction of positives above the null from which bases stand out: in some, and in most of them."""

RIGHT_FROM = 0.75
"""AUROC against the true bases from which a method marks the motif's."""

GAIN_FROM = 0.1
"""Share of random order's deletion area by which a method has to be lower to be faithful."""

UNTESTED = "attention was not tested, as no layer of the model is known as attention"


def judge(
    auroc: float,
    attention: AttentionTest | None,
    methods: Mapping[str, MethodEvidence],
    *,
    untested: bool = False,
) -> str:
    """Say what may be claimed of a model's explanations.

    Parameters
    ----------
    auroc
        Of the model on held-out sequences.
    attention
        Attention replaced; None where no layer is known as attention.
    methods
        Evidence by method; the method ``attention`` is judged by itself.
    untested
        Whether the model may have attention that no layer shows.

    Returns
    -------
    str
        Claims with their figures, joined by semicolons, without a full stop at the end.
    """
    if auroc < TELLS_FROM:
        return (
            f"nothing may be claimed: the model hardly tells positives from negatives "
            f"(AUROC {auroc:.2f})"
        )
    words = [] if attention is None else [_on_attention(attention, methods.get("attention"))]
    # A flow of attention explains as little as attention does that nothing depends on.
    hidden = {"attention"} if attention is not None and _depends(attention) else set(SHARES)
    others = {name: found for name, found in methods.items() if name not in hidden}
    return "; ".join([*words, _on_methods(others), *([UNTESTED] if untested else [])])


def _on_attention(test: AttentionTest, found: MethodEvidence | None) -> str:
    """Say whether the map, if there is one to read, marks bases, and whether it counts."""
    depends, effect = _depends(test), _effect(test)
    role = f"{'depends' if depends else 'does not depend'} on it ({effect})"
    if max(test.uniform.logit_change, test.permuted.logit_change) < NO_PART:
        words = f"attention explains nothing: the prediction is made without it ({effect})"
        if found is None or not _marks(found):
            return words
        return f"{words}, although it marks {_place(found)} ({_figures(found)})"
    if found is None:
        return f"attention is not tied to bases; the prediction {role}"
    figures = _figures(found)
    if not _marks(found):
        why = _why_not(found)
        return f"attention explains nothing: {why} ({figures}), and the prediction {role}"
    some = "" if found.fraction_above_null >= MOST else "in some positives only, "
    joined = "and" if depends else "but"
    claim = f"{some}attention marks {_place(found)} ({figures})"
    return f"{claim} {joined} the prediction {role}{_control(found)}"


def _effect(test: AttentionTest) -> str:
    """Name the replacement that costs more, and its cost."""
    name, worse = max(
        (("uniform", test.uniform), ("permuted", test.permuted)),
        key=lambda pair: pair[1].auroc_loss,
    )
    return f"{name} attention loses {max(worse.auroc_loss, 0.0):.3f} AUROC"


def _depends(test: AttentionTest) -> bool:
    return any(
        found.auroc_loss >= DEPENDS_FROM and found.low > 0
        for found in (test.uniform, test.permuted)
    )


def _marks(found: MethodEvidence) -> bool:
    """Tell whether bases stand out from the null and, where the truth is known, are the motif's."""
    return found.fraction_above_null >= STANDS_OUT_FROM and _is_right(found)


def _is_right(found: MethodEvidence | Untrained) -> bool:
    return found.base_auroc is None or found.base_auroc >= RIGHT_FROM


def _place(found: MethodEvidence) -> str:
    return "bases of positives" if found.base_auroc is None else "the motif's bases"


def _why_not(found: MethodEvidence) -> str:
    if found.fraction_above_null < STANDS_OUT_FROM:
        return "it stands out in positives no more than in the null"
    return "it stands out beside the motif"


def _figures(found: MethodEvidence) -> str:
    above = f"{found.fraction_above_null:.2f} of positives above the null"
    return above if found.base_auroc is None else f"{above}, base AUROC {found.base_auroc:.2f}"


def _control(found: MethodEvidence) -> str:
    """Warn where the model before training would give the same claim."""
    before = found.untrained
    if before is None or before.fraction_above_null is None:
        return ""
    if before.fraction_above_null < MOST or not _is_right(before):
        return ""
    return f"; so does that of the untrained model ({before.fraction_above_null:.2f})"


def _on_methods(methods: Mapping[str, MethodEvidence]) -> str:
    """Name the methods by what may be claimed of them, the most first."""
    faithful = {name: found for name, found in methods.items() if _is_faithful(found)}
    groups: dict[str, list[str]] = {
        "bases may be claimed by": [],
        "in some positives only, bases may be claimed by": [],
        "only in their order, being as strong in the null, by": [],
    }
    in_most, in_some, in_order = groups.values()
    for name, found in faithful.items():
        if _marks(found):
            (in_most if found.fraction_above_null >= MOST else in_some).append(name)
        elif _is_right(found):
            in_order.append(name)
    claims = [f"{words} {_listed(names)}" for words, names in groups.items() if names]
    if not in_most + in_some:
        claims.insert(0, "no method of gradients or mutations may be claimed base by base")
    return "; ".join(claims)


def _is_faithful(found: MethodEvidence) -> bool:
    """Ask that the logit falls sooner along this order than along a random one."""
    if found.erasure is None:
        return False
    gain, area = found.erasure.gain, found.erasure.deletion_auc
    return found.erasure.gain_low > 0 and gain >= GAIN_FROM * (gain + area)


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
