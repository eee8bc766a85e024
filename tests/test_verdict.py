"""The verdict: each branch, and where the thresholds lie."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from motiflens.evidence.levels import Levels
from motiflens.evidence.replacement import depends_on
from motiflens.evidence.verdict import claimed_by
from motiflens.evidence.verdict import judge as judge_with
from motiflens.results.trust import (
    AttentionTest,
    DeletionCurve,
    HeadTest,
    MarkingTest,
    MethodTrust,
    Replacement,
    Untrained,
)

RESTS = "; checked on 100 positives"


def judge(
    auroc: float,
    test: AttentionTest | None,
    methods: dict[str, MethodTrust],
    levels: Levels | None = None,
) -> str:
    words = judge_with(auroc, test, methods, levels or Levels(100))
    # The field says of methods what the words say.
    claimed = claimed_by(auroc, test, methods, levels or Levels(100))[0]
    assert bool(claimed) == ("bases may be claimed by" in words)
    assert words.startswith("nothing") or levels or words.endswith(RESTS)
    return words.removesuffix(RESTS)


def replaced(loss: float, change: float = 0.5, low: float | None = None) -> Replacement:
    ends = sorted((loss / 2 if low is None else low, 2 * loss))
    return Replacement(auroc_loss=loss, low=ends[0], high=ends[1], logit_change=change)


def attention(uniform: Replacement, permuted: Replacement | None = None) -> AttentionTest:
    permuted = permuted or replaced(0.0, change=0.0)
    return AttentionTest(uniform=uniform, permuted=permuted, depends=depends_on(uniform, permuted))


def head(
    number: int, loss: float = 0.0, change: float = 0.0, marks: bool = True, layer: str = "a"
) -> HeadTest:
    both = replaced(loss, change), replaced(0.0, 0.0)
    base = 0.9 if marks else 0.4
    return HeadTest(
        layer=layer,
        head=number,
        fraction_above_null=0.9 - number / 100,
        base_auroc=base,
        marks=marks,
        uniform=both[0],
        permuted=both[1],
        depends=depends_on(*both),
    )


def by_heads(
    whole: Replacement, heads: list[HeadTest], marking: Replacement | None
) -> AttentionTest:
    idle = replaced(0.0, 0.0)
    together = marking and MarkingTest(
        uniform=marking, permuted=idle, depends=depends_on(marking, idle)
    )
    return AttentionTest(
        uniform=whole,
        permuted=idle,
        depends=depends_on(whole, idle),
        heads=tuple(heads),
        marking=together,
    )


def evidence(
    above: float = 0.97,
    base: float | None = 0.95,
    gain: float = 0.15,
    area: float = 0.05,
    untrained: Untrained | None = None,
) -> MethodTrust:
    curve = DeletionCurve(
        deletion=(1.0, 0.0),
        insertion=(0.0, 1.0),
        deletion_auc=area,
        insertion_auc=0.8,
        gain=gain,
        gain_low=gain - 0.02,
        gain_high=gain + 0.02,
    )
    return MethodTrust(
        base_auroc=base,
        base_auprc=base,
        ism_rank_correlation=0.7,
        ism_top_overlap=0.6,
        fraction_above_null=above,
        deletion_curve=curve,
        seed_rank_correlation=0.8,
        untrained=untrained,
        deletion_auc=area,
    )


DEPENDS = attention(replaced(0.21), replaced(0.03))
IDLE = attention(replaced(0.001), replaced(-0.002))
APART = attention(replaced(0.0, change=0.0), replaced(0.0, change=0.049))


NO_OTHER = "; no method of gradients or mutations may be claimed base by base"


def judge_attention(test: AttentionTest, found: MethodTrust) -> str:
    return judge(0.99, test, {"attention": found}).removesuffix(NO_OTHER)


def test_attention_that_marks_and_counts() -> None:
    assert judge_attention(DEPENDS, evidence()) == (
        "attention marks the motif's bases (0.97 of positives above the null, base AUROC 0.95) "
        "and the prediction depends on it (uniform attention loses 0.210 AUROC)"
    )


def test_attention_that_moves_the_logits_and_not_the_ranking_is_a_third_answer() -> None:
    assert judge_attention(IDLE, evidence(base=None)) == (
        "attention marks bases of positives (0.97 of positives above the null) and the logits "
        "depend on it (0.50 SD), the ranking does not (permuted attention loses -0.002 AUROC)"
    )


def test_a_loss_keeps_its_sign() -> None:
    words = judge_attention(attention(replaced(-0.162)), evidence())
    assert words.endswith(
        "and the prediction depends on it, to its harm (with uniform attention the ranking "
        "improves by 0.162 AUROC)"
    )
    assert "loses 0.000 AUROC" in judge_attention(attention(replaced(-0.0002)), evidence())


def test_attention_that_counts_but_does_not_mark_explains_nothing() -> None:
    assert judge_attention(DEPENDS, evidence(above=0.19)) == (
        "attention explains nothing: it stands out in positives no more than in the null (0.19 of "
        "positives above the null, base AUROC 0.95), and the prediction depends on it (uniform "
        "attention loses 0.210 AUROC)"
    )
    assert "explains nothing: it stands out beside the motif" in judge_attention(
        DEPENDS, evidence(base=0.74)
    )


def test_attention_without_effect_explains_nothing_wherever_it_lies() -> None:
    words = "attention explains nothing: the prediction is made without it (uniform attention"
    assert judge_attention(APART, evidence(above=0.05)).startswith(words)
    marks = "although it marks the motif's bases (0.97 of positives above the null"
    assert marks in judge_attention(APART, evidence())
    assert words not in judge_attention(attention(replaced(0.0, change=0.05)), evidence())


def test_attention_that_marks_bases_in_some_positives_says_so() -> None:
    assert judge_attention(DEPENDS, evidence(above=0.49)).startswith(
        "in some positives only, attention"
    )
    assert judge_attention(DEPENDS, evidence(above=0.5)).startswith("attention marks")
    assert judge_attention(DEPENDS, evidence(above=0.2)).startswith(
        "in some positives only, attention"
    )


@pytest.mark.parametrize(
    ("test", "depends"),
    [
        (attention(replaced(0.01)), True),
        (attention(replaced(0.0099)), False),
        (attention(replaced(0.05, low=-0.001)), False),
        (attention(replaced(0.0), replaced(0.02)), True),
        (attention(replaced(0.03, low=-0.01), replaced(0.02)), True),
        (attention(replaced(-0.01)), True),
        (attention(replaced(-0.05, low=0.001)), False),
    ],
)
def test_when_the_prediction_depends(test: AttentionTest, depends: bool) -> None:
    assert ("the prediction depends on it" in judge_attention(test, evidence())) == depends


def test_an_untrained_model_that_shows_as_much_is_named() -> None:
    same = Untrained(base_auroc=0.8, fraction_above_null=0.62)
    words = "; so does that of the untrained model (0.62)"
    assert judge_attention(DEPENDS, evidence(untrained=same)).endswith(words)
    assert judge_attention(IDLE, evidence(untrained=same)).endswith(words)
    for base_auroc, above in ((0.8, 0.49), (0.7, 0.62), (0.8, None)):
        less = Untrained(base_auroc=base_auroc, fraction_above_null=above)
        assert "untrained" not in judge_attention(DEPENDS, evidence(untrained=less))


def test_a_model_that_tells_nothing_apart_has_nothing_to_explain() -> None:
    assert judge(0.55, DEPENDS, {"attention": evidence()}) == (
        "nothing may be claimed: the model hardly tells positives from negatives (AUROC 0.55)"
    )
    assert "nothing may be claimed" not in judge(0.6, DEPENDS, {"attention": evidence()})


def test_attention_without_a_map_is_judged_by_its_effect_alone() -> None:
    assert judge(0.9, DEPENDS, {"ism": evidence()}) == (
        "attention is not tied to bases; the prediction depends on it (uniform attention loses "
        "0.210 AUROC); bases may be claimed by ism"
    )
    assert "explains nothing" in judge(0.9, APART, {"ism": evidence()})


def test_methods_are_sorted_by_what_may_be_claimed() -> None:
    methods = {
        "ism": evidence(),
        "deeplift_shap": evidence(above=0.5),
        "integrated_gradients": evidence(above=0.3),
        "saliency": evidence(above=0.02),
        "input_x_gradient": evidence(base=0.6),
        "expected_gradients": evidence(gain=0.004),
    }
    assert judge(0.9, None, methods) == (
        "bases may be claimed by ism and deeplift_shap; in some positives only, bases may be "
        "claimed by integrated_gradients; only in their order, being as strong in the null, by "
        "saliency"
    )
    names = ("ism", "deeplift_shap", "integrated_gradients")
    assert claimed_by(0.9, None, methods, Levels(100))[0] == names
    assert claimed_by(0.5, None, methods, Levels(100)) == ((), ())


def test_no_method_may_be_claimed_where_none_is_faithful_or_stands_out() -> None:
    words = "no method of gradients or mutations may be claimed base by base"
    assert judge(0.9, None, {"ism": evidence(gain=0.01, area=0.2)}) == words
    assert judge(0.9, None, {"ism": evidence(base=0.5)}) == words
    unfallen = replace(evidence(above=0.9, base=None), deletion_curve=None)
    assert judge(0.9, None, {"ism": unfallen}) == words
    assert judge(0.9, None, {"ism": evidence(above=0.1)}) == (
        f"{words}; only in their order, being as strong in the null, by ism"
    )


def test_rollout_is_claimed_only_where_something_depends_on_attention() -> None:
    methods = {"attention": evidence(), "rollout": evidence(), "ism": evidence()}
    assert judge(0.9, DEPENDS, methods).endswith("bases may be claimed by rollout and ism")
    assert judge(0.9, IDLE, methods).endswith("bases may be claimed by rollout and ism")
    assert judge(0.9, APART, methods).endswith("bases may be claimed by ism")


# Head by head


def test_marking_heads_without_effect_and_a_deciding_head_are_told_apart() -> None:
    heads = [*(head(n) for n in range(1, 8)), head(8, 0.53, 2.6, marks=False)]
    assert judge_attention(
        by_heads(replaced(0.54, 2.6), heads, replaced(0.0, 0.0)), evidence()
    ) == (
        "attention marks the motif's bases (0.89 of positives above the null, base AUROC 0.90, "
        "heads 1 to 7 of 8) but the prediction does not depend on them, alone or together (uniform "
        "attention loses 0.000 AUROC); head 8 of 8 does not mark the motif's bases, and the "
        "prediction depends on it (uniform attention loses 0.530 AUROC)"
    )


def test_a_head_that_marks_and_counts_is_named() -> None:
    heads = [head(1), head(2, 0.2), head(3, marks=False)]
    assert judge_attention(by_heads(replaced(0.3), heads, replaced(0.2)), evidence()) == (
        "attention marks the motif's bases (0.88 of positives above the null, base AUROC 0.90, "
        "head 2 of 3) and the prediction depends on it (uniform attention loses 0.200 AUROC)"
    )
    both = [head(1, 0.1, layer="b"), head(2, 0.2), head(3, 0.3)]
    words = judge_attention(by_heads(replaced(0.3), both, replaced(0.2)), evidence())
    assert "head 1 of b and heads 2 and 3 of a) and the prediction depends on each" in words
    assert "(uniform attention loses 0.300 AUROC)" in words


def test_heads_that_stand_in_for_each_other_count_together() -> None:
    heads = [head(1, 0.0, 0.3), head(2, 0.0, 0.3), head(3, marks=False)]
    words = judge_attention(by_heads(replaced(0.3), heads, replaced(0.2)), evidence())
    assert words.endswith(
        "heads 1 and 2 of 3) and the prediction depends on them together, on none of them alone "
        "(uniform attention loses 0.200 AUROC)"
    )
    words = judge_attention(by_heads(replaced(0.3), heads, replaced(0.0, 0.4)), evidence())
    assert "and the logits depend on each of them (0.30 SD), the ranking does not" in words


def test_heads_that_do_not_mark_explain_nothing_whatever_their_mean_shows() -> None:
    heads = [head(1, 0.2, marks=False), head(2, marks=False)]
    assert judge_attention(by_heads(replaced(0.2), heads, None), evidence()) == (
        "attention explains nothing: it stands out beside the motif (0.89 of positives above the "
        "null, base AUROC 0.40, head 1 of 2), and the prediction depends on it (uniform attention "
        "loses 0.200 AUROC)"
    )


def test_heads_without_effect_are_said_to_mark_for_nothing() -> None:
    heads = [head(1), head(2, marks=False)]
    words = judge_attention(by_heads(replaced(0.0, 0.0), heads, replaced(0.0, 0.0)), evidence())
    assert words.startswith("attention explains nothing: the prediction is made without it")
    assert words.endswith("although it marks the motif's bases (0.89 of positives above the null, "
                          "base AUROC 0.90, head 1 of 2)")  # fmt: skip


def test_mutagenesis_that_points_elsewhere_is_named() -> None:
    apart = replace(evidence(), ism_top_overlap=0.05)
    words = "; mutagenesis points to other bases (0.05 of the first ten in common)"
    assert words in judge(0.99, DEPENDS, {"attention": apart})
    assert "mutagenesis" not in judge(0.99, DEPENDS, {"attention": evidence()})


# What it rests on


def test_an_inverted_model_is_named() -> None:
    words = "nothing may be claimed: the model ranks negatives above positives (AUROC 0.40): labels"
    assert judge(0.40, DEPENDS, {}).startswith(words)
    assert "hardly tells" in judge(0.41, DEPENDS, {})


def test_few_positives_are_said_to_be_few_and_need_more() -> None:
    few = Levels(8, tells_from=0.8, stands_out_from=0.75)
    by_chance = judge(0.79, None, {"ism": evidence()}, few)
    assert "may tell the classes apart by chance" in by_chance
    assert "hardly tells" in judge(0.25, None, {"ism": evidence()}, few)
    assert judge(0.9, None, {"ism": evidence(above=0.74)}, few) == (
        "no method of gradients or mutations may be claimed base by base; only in their order, "
        "being as strong in the null, by ism; checked on 8 positives only, of which 0.75 have to "
        "be above the null"
    )
    assert judge(0.9, None, {"ism": evidence(above=0.75)}, few).startswith("bases may be claimed")
    none = Levels(1, stands_out_from=2.0)
    assert judge(0.9, None, {"ism": evidence()}, none).endswith(
        "checked on 1 positive only, too few for any to stand out from the null"
    )


def test_attention_that_could_not_be_replaced_is_not_passed_over() -> None:
    partly = replace(DEPENDS, hidden=True)
    assert "the model has more attention than was tested" in judge(0.9, partly, {})
