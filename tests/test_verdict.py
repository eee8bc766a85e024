"""The verdict: each branch, and where the thresholds lie."""

from __future__ import annotations

import pytest

from motiflens.evidence import MethodEvidence, judge
from motiflens.evidence.attention import AttentionTest, Replacement
from motiflens.evidence.erasure import Erasure
from motiflens.evidence.results import Untrained


def replaced(loss: float, change: float = 0.5, low: float | None = None) -> Replacement:
    return Replacement(loss, loss / 2 if low is None else low, 2 * loss, change)


def attention(uniform: Replacement, permuted: Replacement | None = None) -> AttentionTest:
    return AttentionTest(uniform, permuted or replaced(0.0))


def evidence(
    above: float = 0.97,
    base: float | None = 0.95,
    gain: float = 0.15,
    area: float = 0.05,
    untrained: Untrained | None = None,
) -> MethodEvidence:
    curve = Erasure((1.0, 0.0), (0.0, 1.0), area, 0.8, gain, gain - 0.02, gain + 0.02)
    return MethodEvidence(base, base, 0.7, 0.6, above, curve, 0.8, untrained)


DEPENDS = attention(replaced(0.21), replaced(0.03))
IDLE = attention(replaced(0.001), replaced(-0.002))
APART = attention(replaced(0.0, change=0.0), replaced(0.0, change=0.009))


NO_OTHER = "; no method of gradients or mutations may be claimed base by base"


def on_attention(test: AttentionTest, found: MethodEvidence) -> str:
    return judge(0.99, test, {"attention": found}).removesuffix(NO_OTHER)


def test_attention_that_marks_and_counts() -> None:
    assert on_attention(DEPENDS, evidence()) == (
        "attention marks the motif's bases (0.97 of positives above the null, base AUROC 0.95) "
        "and the prediction depends on it (uniform attention loses 0.210 AUROC)"
    )


def test_attention_that_marks_but_does_not_count() -> None:
    assert on_attention(IDLE, evidence(base=None)) == (
        "attention marks bases of positives (0.97 of positives above the null) but the prediction "
        "does not depend on it (uniform attention loses 0.001 AUROC)"
    )


def test_attention_that_counts_but_does_not_mark_explains_nothing() -> None:
    assert on_attention(DEPENDS, evidence(above=0.19)) == (
        "attention explains nothing: it stands out in positives no more than in the null (0.19 of "
        "positives above the null, base AUROC 0.95), and the prediction depends on it (uniform "
        "attention loses 0.210 AUROC)"
    )
    assert "explains nothing: it stands out beside the motif" in on_attention(
        DEPENDS, evidence(base=0.74)
    )


def test_attention_that_takes_no_part_explains_nothing_wherever_it_lies() -> None:
    words = "attention explains nothing: the prediction is made without it (uniform attention"
    assert on_attention(APART, evidence(above=0.05)).startswith(words)
    marks = "although it marks the motif's bases (0.97 of positives above the null"
    assert marks in on_attention(APART, evidence())
    assert words not in on_attention(attention(replaced(0.0, change=0.01)), evidence())


def test_attention_that_marks_some() -> None:
    assert on_attention(DEPENDS, evidence(above=0.49)).startswith(
        "in some positives only, attention"
    )
    assert on_attention(DEPENDS, evidence(above=0.5)).startswith("attention marks")
    assert on_attention(DEPENDS, evidence(above=0.2)).startswith(
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
    ],
)
def test_when_the_prediction_depends(test: AttentionTest, depends: bool) -> None:
    assert ("depends on it" in on_attention(test, evidence())) == depends


def test_an_untrained_model_that_shows_as_much_is_named() -> None:
    same = Untrained(base_auroc=0.8, fraction_above_null=0.62)
    words = "; so does that of the untrained model (0.62)"
    assert on_attention(DEPENDS, evidence(untrained=same)).endswith(words)
    assert on_attention(IDLE, evidence(untrained=same)).endswith(words)
    for less in (Untrained(0.8, 0.49), Untrained(0.7, 0.62), Untrained(0.8, None)):
        assert "untrained" not in on_attention(DEPENDS, evidence(untrained=less))


def test_a_model_that_tells_nothing_apart_has_nothing_to_explain() -> None:
    assert judge(0.55, DEPENDS, {"attention": evidence()}) == (
        "nothing may be claimed: the model hardly tells positives from negatives (AUROC 0.55)"
    )
    assert "nothing may be claimed" not in judge(0.6, DEPENDS, {"attention": evidence()})


def test_attention_without_a_map_is_judged_by_its_part_alone() -> None:
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


def test_no_method_may_be_claimed_where_none_is_faithful_or_stands_out() -> None:
    words = "no method of gradients or mutations may be claimed base by base"
    assert judge(0.9, None, {"ism": evidence(gain=0.01, area=0.2)}) == words
    assert judge(0.9, None, {"ism": evidence(base=0.5)}) == words
    unfallen = MethodEvidence(None, None, None, None, 0.9, None, None, None)
    assert judge(0.9, None, {"ism": unfallen}) == words
    assert judge(0.9, None, {"ism": evidence(above=0.1)}) == (
        f"{words}; only in their order, being as strong in the null, by ism"
    )


def test_rollout_is_claimed_only_where_the_prediction_depends_on_attention() -> None:
    methods = {"attention": evidence(), "rollout": evidence(), "ism": evidence()}
    assert judge(0.9, DEPENDS, methods).endswith("bases may be claimed by rollout and ism")
    assert judge(0.9, IDLE, methods).endswith("bases may be claimed by ism")
