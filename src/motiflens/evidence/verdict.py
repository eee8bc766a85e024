"""The verdict: what may be claimed, from the numbers of the checks by plain thresholds."""

from __future__ import annotations

from collections.abc import Mapping

from motiflens.evidence.attention import AttentionTest
from motiflens.evidence.attention_verdict import is_right, listed, marks, on_attention
from motiflens.evidence.levels import FEW, GAIN_FROM, MOST, TELLS_FROM, Levels
from motiflens.evidence.null import SHARES
from motiflens.evidence.results import MethodEvidence

UNTESTED = "attention was not tested, as no layer of the model is known as attention"
PARTLY = "the model has more attention than was tested, as not all of its weights can be replaced"


def judge(
    auroc: float,
    attention: AttentionTest | None,
    methods: Mapping[str, MethodEvidence],
    levels: Levels,
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
    levels
        What the figures have to reach.
    untested
        Whether the model may have attention that no layer shows.

    Returns
    -------
    str
        Claims with their figures, joined by semicolons, without a full stop at the end.
    """
    if auroc < levels.tells_from:
        return f"nothing may be claimed: the model {_tells_nothing(auroc, levels)}"
    words = []
    if attention is not None:
        words.append(on_attention(attention, methods.get("attention"), levels))
    # A flow of attention explains as little as attention does that nothing depends on.
    idle = attention is None or attention.depends == "no"
    hidden = set(SHARES) if idle else {"attention"}
    others = {name: found for name, found in methods.items() if name not in hidden}
    words.append(_on_methods(others, levels))
    if attention is not None and attention.hidden:
        words.append(PARTLY)
    return "; ".join([*words, *([UNTESTED] if untested else []), _rests_on(levels)])


def _tells_nothing(auroc: float, levels: Levels) -> str:
    # By symmetry an AUROC as far below 0.5 is as little chance as one above it.
    if auroc <= 1 - levels.tells_from:
        return f"ranks negatives above positives (AUROC {auroc:.2f}): labels or target look swapped"
    if auroc >= TELLS_FROM:
        return f"may tell the classes apart by chance: few sequences give AUROC {auroc:.2f} easily"
    return f"hardly tells positives from negatives (AUROC {auroc:.2f})"


def _rests_on(levels: Levels) -> str:
    if levels.n >= FEW:
        return f"checked on {levels.n} positives"
    noun = "positive" if levels.n == 1 else "positives"
    if levels.stands_out_from > 1:
        return f"checked on {levels.n} {noun} only, too few for any to stand out from the null"
    return (
        f"checked on {levels.n} {noun} only, of which {levels.stands_out_from:.2f} have to be "
        "above the null"
    )


def _on_methods(methods: Mapping[str, MethodEvidence], levels: Levels) -> str:
    """Name the methods by what may be claimed of them, the most first."""
    faithful = {name: found for name, found in methods.items() if _is_faithful(found)}
    groups: dict[str, list[str]] = {
        "bases may be claimed by": [],
        "in some positives only, bases may be claimed by": [],
        "only in their order, being as strong in the null, by": [],
    }
    in_most, in_some, in_order = groups.values()
    for name, found in faithful.items():
        if marks(found, levels):
            (in_most if found.fraction_above_null >= MOST else in_some).append(name)
        elif is_right(found):
            in_order.append(name)
    claims = [f"{words} {listed(names)}" for words, names in groups.items() if names]
    if not in_most + in_some:
        claims.insert(0, "no method of gradients or mutations may be claimed base by base")
    return "; ".join(claims)


def _is_faithful(found: MethodEvidence) -> bool:
    """Ask that the logit falls sooner along this order than along a random one."""
    if found.erasure is None:
        return False
    gain, area = found.erasure.gain, found.erasure.deletion_auc
    return found.erasure.gain_low > 0 and gain >= GAIN_FROM * (gain + area)
