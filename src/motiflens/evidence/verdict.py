"""The verdict: what may be claimed, from the numbers of the checks by plain thresholds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from motiflens.evidence.levels import (
    FEW_POSITIVES,
    GAIN_FROM,
    IN_MOST_FROM,
    RIGHT_FROM,
    TELLS_FROM,
    Levels,
)
from motiflens.evidence.replacement import moves_ranking
from motiflens.evidence.rule_scores import judge_rule
from motiflens.evidence.rules import join_names
from motiflens.evidence.tracks import SUM_TO_ONE
from motiflens.results.trust import (
    AttentionTest,
    HeadTest,
    MarkingTest,
    MethodTrust,
    Replacement,
    RuleTest,
    Untrained,
)

UNTESTED = "attention was not tested, as no layer of the model is known as attention"
PARTLY = "the model has more attention than was tested, as not all of its weights can be replaced"

Tested = AttentionTest | HeadTest | MarkingTest
STRENGTH = {"no": 0, "logits": 1, "ranking": 2}

MAX_DISAGREEING_OVERLAP = 0.1
"""Fraction of the first ten bases in common with mutagenesis up to which the two disagree."""


def judge(
    auroc: float,
    attention: AttentionTest | None,
    methods: Mapping[str, MethodTrust],
    levels: Levels,
    *,
    rule: RuleTest | None = None,
    untested: bool = False,
) -> str:
    """Say what may be claimed of explanations: claims with their figures, joined by semicolons.

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
    rule
        Minimal pairs, with the methods that claim the rule; None where no rule is known.
    untested
        Whether the model may have attention that no layer shows.
    """
    if auroc < levels.tells_from:
        return f"nothing may be claimed: the model {_tells_nothing(auroc, levels)}"
    words = []
    if attention is not None:
        words.append(judge_attention(attention, methods.get("attention"), levels))
    words.append(_on_methods(_but_attention(attention, methods), levels))
    if rule is not None:
        words.append(judge_rule(rule))
    if attention is not None and attention.hidden:
        words.append(PARTLY)
    return "; ".join([*words, *([UNTESTED] if untested else []), _rests_on(levels)])


def claimed_by(
    auroc: float,
    attention: AttentionTest | None,
    methods: Mapping[str, MethodTrust],
    levels: Levels,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the methods whose bases the verdict claims, and those of which it claims the order."""
    if auroc < levels.tells_from:
        return (), ()
    in_most, in_some, in_order = _claims(_but_attention(attention, methods), levels)
    return (*in_most, *in_some), tuple(in_order)


def _but_attention(
    attention: AttentionTest | None, methods: Mapping[str, MethodTrust]
) -> dict[str, MethodTrust]:
    # A flow of attention explains as little as attention does that nothing depends on.
    idle = attention is None or attention.depends == "no"
    hidden = set(SUM_TO_ONE) if idle else {"attention"}
    return {name: method for name, method in methods.items() if name not in hidden}


def _tells_nothing(auroc: float, levels: Levels) -> str:
    # By symmetry an AUROC as far below 0.5 is as little chance as one above it.
    if auroc <= 1 - levels.tells_from:
        return f"ranks negatives above positives (AUROC {auroc:.2f}): labels or target look swapped"
    if auroc >= TELLS_FROM:
        return f"may tell the classes apart by chance: few sequences give AUROC {auroc:.2f} easily"
    return f"hardly tells positives from negatives (AUROC {auroc:.2f})"


def _rests_on(levels: Levels) -> str:
    if levels.n >= FEW_POSITIVES:
        return f"checked on {levels.n} positives"
    noun = "positive" if levels.n == 1 else "positives"
    if levels.stands_out_from > 1:
        return f"checked on {levels.n} {noun} only, too few for any to stand out from the null"
    return (
        f"checked on {levels.n} {noun} only, of which {levels.stands_out_from:.2f} have to be "
        "above the null"
    )


def _on_methods(methods: Mapping[str, MethodTrust], levels: Levels) -> str:
    """Name the methods by what may be claimed of them, the most first."""
    in_most, in_some, in_order = _claims(methods, levels)
    groups = {
        "bases may be claimed by": in_most,
        "in some positives only, bases may be claimed by": in_some,
        "only in their order, being as strong in the null, by": in_order,
    }
    claims = [f"{words} {join_names(names)}" for words, names in groups.items() if names]
    if not in_most + in_some:
        claims.insert(0, "no method of gradients or mutations may be claimed base by base")
    return "; ".join(claims)


def _claims(
    methods: Mapping[str, MethodTrust], levels: Levels
) -> tuple[list[str], list[str], list[str]]:
    """Return the methods whose bases may be claimed in most positives, in some, only in order."""
    in_most: list[str] = []
    in_some: list[str] = []
    in_order: list[str] = []
    for name, method in methods.items():
        if not _is_faithful(method):
            continue
        if marks(method, levels):
            (in_most if method.fraction_above_null >= IN_MOST_FROM else in_some).append(name)
        elif is_right(method):
            in_order.append(name)
    return in_most, in_some, in_order


def _is_faithful(found: MethodTrust) -> bool:
    """Ask that the logit falls sooner along this order than along a random one."""
    curve = found.deletion_curve
    if curve is None or curve.gain_low is None:
        return False
    return curve.gain_low > 0 and curve.gain >= GAIN_FROM * (curve.gain + curve.deletion_auc)


def judge_attention(test: AttentionTest, found: MethodTrust | None, levels: Levels) -> str:
    """Say which bases attention marks, and whether the prediction depends on what marks them.

    Parameters
    ----------
    test
        Attention replaced.
    found
        The method ``attention``, the mean of all heads; None where that was not to be had.
    levels
        What figures have to reach.
    """
    if any(head.head is not None for head in test.heads):
        return _by_heads(test, found, levels)
    return _as_a_whole(test, found, levels)


def marks(found: MethodTrust, levels: Levels) -> bool:
    """Return whether bases stand out from the null and are the motif's, as far as it is known."""
    return found.fraction_above_null >= levels.stands_out_from and is_right(found)


def is_right(found: MethodTrust | Untrained) -> bool:
    """Return whether the bases are the true ones, as far as these are known."""
    return found.base_auroc is None or found.base_auroc >= RIGHT_FROM


def _as_a_whole(test: AttentionTest, found: MethodTrust | None, levels: Levels) -> str:
    if test.depends == "no":
        seen = found is not None and marks(found, levels)
        return _without(test, _claim(found) if found and seen else None)
    if found is None:
        return f"attention is not tied to bases; {_role(test)}"
    if not marks(found, levels):
        beside = found.fraction_above_null >= levels.stands_out_from
        return f"{_nothing(beside)} ({_figures(found)}), and {_role(test)}"
    whole = " as a whole, whose heads were not told apart," if test.heads else ""
    return f"{_some(found)}attention{whole} {_claim(found)} and {_role(test)}{_doubts(found)}"


def _by_heads(test: AttentionTest, found: MethodTrust | None, levels: Levels) -> str:
    marking = [head for head in test.heads if head.marks]
    tested: list[Tested] = [test, *test.heads, *([test.marking] if test.marking else [])]
    if all(one.depends == "no" for one in tested):
        return _without(test, _claim(_best(marking), _names(test, marking)) if marking else None)
    if not marking:
        best = _best([head for head in test.heads if head.head is not None])
        beside = (best.fraction_above_null or 0.0) >= levels.stands_out_from
        which = "" if len(test.heads) == 1 else _names(test, [best])
        return f"{_nothing(beside)} ({_figures(best, which)}), and {_role(test)}"
    return _of_marking(test, marking) + ("" if found is None else _doubts(found))


def _of_marking(test: AttentionTest, marking: Sequence[HeadTest]) -> str:
    """Say of the heads that mark whether the prediction depends on them."""
    assert test.marking is not None
    together = test.marking
    level = max([together.depends, *(head.depends for head in marking)], key=STRENGTH.__getitem__)
    deciding = [head for head in marking if head.depends == level]
    if level == "no":
        best = _best(marking)
        what = "it" if len(marking) == 1 else "them, alone or together"
        others = [head for head in test.heads if not head.marks and head.depends != "no"]
        words = f"{_claim(best, _names(test, marking))} but {_role(together, what)}"
        return f"{_some(best)}attention {words}{_others(test, others)}"
    if not deciding:
        best, what = _best(marking), "them together, on none of them alone"
        role = _role(together, what)
        return f"{_some(best)}attention {_claim(best, _names(test, marking))} and {role}"
    best = _best(deciding)
    strongest: Tested = max(deciding, key=lambda one: abs(_worse(one)[1].auroc_loss))
    if len(marking) == 1 and together.depends == level:
        strongest = together  # the same head, on more sequences
    role = _role(strongest, "it" if len(deciding) == 1 else "each of them")
    return f"{_some(best)}attention {_claim(best, _names(test, deciding))} and {role}"


def _others(test: AttentionTest, others: Sequence[HeadTest]) -> str:
    """Name the heads that the prediction depends on instead."""
    if not others:
        return "; what it depends on are other heads together, which do not mark bases"
    strongest = max(others, key=lambda one: (STRENGTH[one.depends], abs(_worse(one)[1].auroc_loss)))
    deciding = [head for head in others if head.depends == strongest.depends]
    names, several = _names(test, deciding), len(deciding) > 1
    place = "bases" if strongest.base_auroc is None else "the motif's bases"
    role = _role(strongest, "each of them" if several else "it")
    return f"; {names} {'do' if several else 'does'} not mark {place}, and {role}"


def _role(test: Tested, what: str = "it") -> str:
    """Say what of the prediction depends on attention, with the figure that shows it."""
    name, worse = _worse(test)
    lost = f"{name} attention loses {_signed(worse.auroc_loss)} AUROC"
    if test.depends == "ranking":
        if worse.auroc_loss < 0:
            gained = f"the ranking improves by {-worse.auroc_loss:.3f} AUROC"
            return f"the prediction depends on {what}, to its harm (with {name} attention {gained})"
        return f"the prediction depends on {what} ({lost})"
    if test.depends == "logits":
        moved = max(test.uniform.logit_change, test.permuted.logit_change)
        return f"the logits depend on {what} ({moved:.2f} SD), the ranking does not ({lost})"
    return f"the prediction does not depend on {what} ({lost})"


def _worse(test: Tested) -> tuple[str, Replacement]:
    """Name the replacement that changes the ranking more, first where that is not chance."""
    return max(
        (("uniform", test.uniform), ("permuted", test.permuted)),
        key=lambda pair: (moves_ranking(pair[1]), round(abs(pair[1].auroc_loss), 6)),
    )


def _without(test: AttentionTest, claim: str | None) -> str:
    name, worse = _worse(test)
    effect = f"{name} attention loses {_signed(worse.auroc_loss)} AUROC"
    words = f"attention explains nothing: the prediction is made without it ({effect})"
    return words if claim is None else f"{words}, although it {claim}"


def _nothing(beside: bool) -> str:
    why = (
        "it stands out beside the motif"
        if beside
        else "it stands out in positives no more than in the null"
    )
    return f"attention explains nothing: {why}"


def _best(heads: Sequence[HeadTest]) -> HeadTest:
    return max(heads, key=lambda head: (head.fraction_above_null or 0.0, head.base_auroc or 0.0))


def _claim(found: MethodTrust | HeadTest, which: str = "") -> str:
    place = "bases of positives" if found.base_auroc is None else "the motif's bases"
    return f"marks {place} ({_figures(found, which)})"


def _figures(found: MethodTrust | HeadTest, which: str = "") -> str:
    figures = [f"{found.fraction_above_null:.2f} of positives above the null"]
    if found.base_auroc is not None:
        figures.append(f"base AUROC {found.base_auroc:.2f}")
    return ", ".join([*figures, *([which] if which else [])])


def _some(found: MethodTrust | HeadTest) -> str:
    return "" if (found.fraction_above_null or 0.0) >= IN_MOST_FROM else "in some positives only, "


def _signed(value: float) -> str:
    """Write three decimals, without a minus before 0.000."""
    return f"{round(value, 3) + 0.0:.3f}"


def _names(test: AttentionTest, heads: Sequence[HeadTest]) -> str:
    """Name heads by their numbers and, where there are several, by their layers."""
    if len(test.heads) == 1:
        return ""
    layers = {head.layer for head in test.heads}
    words = []
    for layer, group in groupby(heads, key=lambda head: head.layer):
        numbers = [head.head for head in group if head.head is not None]
        if not numbers:
            words.append(layer)
            continue
        of = f" of {len(test.heads)}" if len(layers) == 1 else f" of {layer}"
        plural = "s" if len(numbers) > 1 else ""
        words.append(f"head{plural} {join_names(list(_runs(numbers)))}{of}")
    return join_names(words)


def _runs(numbers: Sequence[int]) -> Iterator[str]:
    """Write 1, 2, 3, 5, 6 as "1 to 3", "5" and "6"."""
    for _, pairs in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        run = [number for _, number in pairs]
        yield from [f"{run[0]} to {run[-1]}"] if len(run) > 2 else map(str, run)


def _doubts(found: MethodTrust) -> str:
    """Warn where the model before training shows the same, or mutagenesis something else."""
    words = ""
    before = found.untrained
    above = None if before is None else before.fraction_above_null
    if before is not None and above is not None and above >= IN_MOST_FROM and is_right(before):
        words += f"; so does that of the untrained model ({above:.2f})"
    common = found.ism_top_overlap
    if common is not None and common <= MAX_DISAGREEING_OVERLAP:
        words += f"; mutagenesis points to other bases ({common:.2f} of the first ten in common)"
    return words
