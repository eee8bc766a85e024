"""Rules and places: models that know a rule show it, one that knows places scores by chance."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from msgspec import UNSET
from torch import Tensor, nn

from motiflens import InputError, Settings, score_rule
from motiflens.datasets import SequenceDataset, exact_matches, split_at_random
from motiflens.evidence import Controls, Rule, find_rule, minimal_pairs, trust_checks
from motiflens.evidence.levels import RULE_FROM
from motiflens.evidence.rule_scores import judge_rule, rule_claimed_by, score_tracks
from motiflens.evidence.rules import MinimalPairs
from motiflens.motifs import Motif
from motiflens.results.trust import RuleScore, RuleTest
from motiflens.sequences import Site, codes_of, encode, one_hot
from motiflens.simulation import Grammar, MotifUse, Spacing, simulate
from motiflens.stages.compare import compare
from motiflens.stages.trust import trust

A, B = "GATTACCA", "TTGACGTCA"
LENGTH, N, GAP = 61, 120, 7
RULES = ("and", "order", "spacing")
NEGATIVES = {"and": "subset", "order": "swapped", "spacing": "moved"}
METHODS = ("saliency", "input_x_gradient", "integrated_gradients", "deeplift_shap", "ism")


def data_of(rule: str, n: int = N, **changes: object) -> SequenceDataset:
    gaps = (GAP, GAP) if rule == "spacing" else (3, 30)
    spacing = () if rule == "and" else (Spacing(A, B, *gaps),)
    uses = tuple(MotifUse(Motif.from_string(text)) for text in (A, B))
    grammar = Grammar(uses, n=n, length=LENGTH, negatives=NEGATIVES[rule], spacing=spacing)
    return simulate(replace(grammar, **changes), 3)


def filter_of(text: str) -> Tensor:
    return torch.from_numpy(one_hot(encode([text])[0][0])[None])


class Places(nn.Module):
    """The largest answers of two filters, added up: what one gives has no part in the other."""

    def __init__(self) -> None:
        super().__init__()
        self.filters = nn.ModuleList(nn.Conv1d(4, 1, len(text)) for text in (A, B))
        for layer, text in zip(self.filters, (A, B), strict=True):
            layer.weight.data = filter_of(text)
            layer.bias.data.fill_(-0.5 * len(text))
        self.relu, self.pool = nn.ReLU(), nn.AdaptiveMaxPool1d(1)

    def found(self, x: Tensor) -> list[Tensor]:
        """Return how well each motif fits at each position, (N, 1, L'), 0.5 a base at a match."""
        return [self.relu(layer(x)) for layer in self.filters]

    def forward(self, x: Tensor) -> Tensor:
        return sum(self.pool(one).flatten(1) for one in self.found(x))


class Knows(Places):
    """The same filters, and a rule: more than one motif's answer passes only where both fit."""

    def __init__(self, rule: str) -> None:
        super().__init__()
        self.rule, self.last = rule, nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        a, b = self.found(x)
        if self.rule == "and":
            a, b = self.pool(a), self.pool(b)
        else:
            apart = len(A) + GAP
            if self.rule == "order":
                a, apart = a.cummax(-1).values, len(A)
            b = b[..., apart:]
            a = a[..., : b.shape[-1]]
        # 4 and 4.5 at matches: either alone, with a chance fit of 2 to the other, gives nothing.
        return self.pool(self.last(a + b - 6.5)).flatten(1)


@pytest.mark.parametrize("rule", RULES)
def test_a_model_that_knows_the_rule_shows_it(rule: str) -> None:
    # No rule of DeepLIFT follows a running maximum.
    methods = [name for name in METHODS if rule != "order" or name != "deeplift_shap"]
    found = score_rule(Knows(rule), data_of(rule), methods)
    assert (found.kind, set(found.motifs)) == (rule, {A, B})
    assert found.logit.score > 0.97
    for method in methods:
        own = found.methods[method]
        assert own.score >= 0.95, method
        assert RULE_FROM - 0.1 < own.low <= own.score <= own.high
        assert own.fall > 0.8


@pytest.mark.parametrize("rule", RULES)
def test_a_model_that_knows_places_alone_scores_by_chance(rule: str) -> None:
    found = score_rule(Places(), data_of(rule), METHODS)
    for method, own in found.methods.items():
        assert 0.35 <= own.score <= 0.65, method
        assert own.low < 0.5 < own.high
        assert abs(own.fall) < 0.1
    assert found.logit.score == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_is_read_from_the_sites_of_both_classes(rule: str) -> None:
    for noise in (0.0, 0.06):
        data = data_of(rule, n=400, label_noise=noise)
        found = find_rule(data.sites, data.labels)
        gaps = (GAP, GAP) if rule == "spacing" else None
        names = tuple(sorted((A, B))) if rule == "and" else (A, B)
        assert found == Rule(rule, names, gaps)


def test_no_rule_is_read_where_the_sites_show_none() -> None:
    for negatives in ("random", "shuffled"):  # whose sites are none
        data = data_of("and", negatives=negatives)
        assert find_rule(data.sites, data.labels) is None
    data = data_of("order")
    mixed = np.arange(len(data)) % 2
    assert find_rule(data.sites, mixed) is None
    one = simulate()
    assert find_rule(one.sites, one.labels) is None
    with pytest.raises(InputError, match="show no rule"):
        score_rule(Places(), one)


@pytest.mark.parametrize("rule", RULES)
def test_a_minimal_pair_breaks_the_rule_and_nothing_else(rule: str) -> None:
    data = data_of(rule)
    positives = data.subset(data.labels > 0)
    found = find_rule(data.sites, data.labels)
    assert found is not None
    pairs = minimal_pairs(positives.one_hot(), positives.sites, found)
    kept, broken = positives.codes[pairs.rows], codes_of(pairs.broken)
    words = [encode([text])[0][0] for text in (A, B)]
    for before, after, at, now in zip(kept, broken, pairs.kept_at, pairs.broken_at, strict=True):
        # The motifs that are compared are the same bases, at another position or not.
        assert sorted(before[at]) == sorted(after[now])
        assert at.sum() == now.sum()
        holds = [exact_matches(after[None], text).any() for text in (A, B)]
        if rule == "and":
            assert holds == [at.sum() == len(A), at.sum() == len(B)]
            assert (before != after).sum() <= max(map(len, words))
            continue
        assert all(holds)
        assert at.sum() == len(A + B)
        assert Counter(before.tolist()) == Counter(after.tolist())
        first, second = (int(exact_matches(after[None], text).argmax()) for text in (A, B))
        gap = second - first - len(A)
        assert gap < 0 if rule == "order" else gap >= 0 and gap != GAP
    if rule == "order":
        outside = [np.flatnonzero(at) for at in (pairs.kept_at[0], pairs.broken_at[0])]
        low, high = outside[0].min(), outside[0].max()
        assert (low, high) == (outside[1].min(), outside[1].max())
        np.testing.assert_array_equal(kept[0, :low], broken[0, :low])
        np.testing.assert_array_equal(kept[0, high + 1 :], broken[0, high + 1 :])


def test_pairs_know_padding_and_room() -> None:
    text = "CC" + A + "CCC" + B + "CC"
    sites = [[Site(A, 2, 10, "+"), Site(B, 13, 22, "+")]]
    codes = np.full((1, 30), 4, dtype=np.uint8)
    codes[0, : len(text)] = encode([text])[0][0]
    spacing = Rule("spacing", (A, B), (3, 3))
    for seed in range(9):
        pairs = minimal_pairs(one_hot(codes), sites, spacing, seed=seed)
        assert (codes_of(pairs.broken)[0, len(text) :] == 4).all()
        assert pairs.broken_at[0].sum() == 17
    with pytest.raises(InputError, match="with room to break it"):
        minimal_pairs(one_hot(codes), sites, Rule("spacing", (A, B), (0, 9)))
    with pytest.raises(InputError, match="none of 1 sequences keeps"):
        minimal_pairs(one_hot(codes), sites, Rule("order", (B, A)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Rule("xor", (A, B)), "xor"),
        (lambda: Rule("order", (A,)), "given 1 motifs"),
        (lambda: Rule("spacing", (A, B)), "gaps=None"),
        (lambda: Rule("and", (A, B), (1, 2)), r"gaps=\(1, 2\)"),
        (lambda: score_rule(Places(), data_of("and").with_sites(None)), "no sites"),
        (lambda: score_rule(Places(), data_of("and"), "attention"), "attention maps"),
    ],
)
def test_mistakes_are_named(make, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()


def test_a_change_of_less_than_a_tenth_counts_half() -> None:
    at = np.ones((6, 1), dtype=bool)
    pairs = MinimalPairs(np.arange(6), np.zeros((6, 4, 1), np.float32), at, at)
    before = np.array([[10.0], [10.0], [10.0], [9.5], [0.0], [-2.0]])
    after = np.array([[8.0], [9.5], [-10.0], [10.0], [0.0], [-1.0]])
    # Falls, neither, falls, neither, neither, rises.
    own = score_tracks(before, after, pairs)
    assert own.score == pytest.approx((1 + 0.5 + 1 + 0.5 + 0.5 + 0) / 6)
    assert own.fall == pytest.approx(np.median([0.2, 0.05, 2.0, -0.05, 0.0, -0.5]))
    swapped = score_tracks(after, before, pairs)
    assert swapped.score == pytest.approx(1 - own.score)
    assert swapped.low == pytest.approx(1 - own.high)


def scored(**scores: float) -> RuleTest:
    made = {
        name: RuleScore(score=one, low=one - 0.05, high=one + 0.02, fall=0.5)
        for name, one in scores.items()
    }
    return RuleTest(
        kind="order", motifs=(A, B), gaps=None, words=str(Rule("order", (A, B))), n_pairs=90, n=90,
        logit=made["ism"], methods=made,
    )  # fmt: skip


def test_no_rule_is_claimed_below_nine_tenths() -> None:
    test = scored(ism=0.899, deeplift_shap=0.6)
    assert rule_claimed_by(test, test.methods) == ()
    assert judge_rule(test) == (
        f"places, not rules: no method may claim that {A} lies left of {B} (at best ism, 0.89 of "
        "90 minimal pairs, 0.5 by chance); what the motifs are worth to the logit falls in 0.89 of "
        "them"
    )
    test = scored(ism=0.9, deeplift_shap=0.97, saliency=0.6)
    assert rule_claimed_by(test, ["saliency", "ism"]) == ("ism",)
    # A method that shows what the model does not know shows nothing.
    assert rule_claimed_by(scored(ism=0.899, deeplift_shap=0.97), ["deeplift_shap"]) == ()
    by_chance = {"ism": RuleScore(score=1.0, low=0.4, high=1.0, fall=1.0)}
    few = scored(ism=1.0)
    assert rule_claimed_by(type(few)(**(vars_of(few) | {"methods": by_chance})), ["ism"]) == ()


def vars_of(test: RuleTest) -> dict[str, object]:
    return {name: getattr(test, name) for name in test.__struct_fields__}


@pytest.mark.parametrize(("model", "claims"), [(Knows("spacing"), True), (Places(), False)])
def test_the_verdict_claims_a_rule_or_says_places(model: nn.Module, claims: bool) -> None:
    data = data_of("spacing")
    positives, negatives = (data.subset(data.labels == label) for label in (1, 0))
    if not claims:  # it tells these classes apart, and knows no rule of the others
        negatives = simulate(Grammar((MotifUse(Motif.from_string("A")),), n=60, length=LENGTH), 1)
        negatives = negatives.subset(negatives.labels == 0)
    controls = Controls(rule=find_rule(data.sites, data.labels), sites=positives.sites)
    found = trust_checks(model, positives, negatives, methods=["ism"], controls=controls)
    assert found.rule is not UNSET
    assert found.may_claim
    assert found.rule.claimed_by == (("ism",) if claims else ())
    words = f"{B} lies {GAP} bases right of {A}"
    claim, places = f"the rule that {words} may be claimed by ism", "places, not rules: no method"
    assert (claim in found.verdict, places in found.verdict) == (claims, not claims)
    assert "bases may be claimed by ism" in found.verdict
    without = trust_checks(model, positives, negatives, methods=["ism"])
    assert without.rule is UNSET
    kept_anyhow = replace(controls, rule=Rule("spacing", (A, B), (0, LENGTH)))
    cannot = trust_checks(model, positives, negatives, methods=["ism"], controls=kept_anyhow)
    assert cannot.rule is UNSET
    assert "rules" not in without.verdict


@pytest.mark.slow
def test_a_run_whose_truth_has_a_rule_is_tested_for_it(tmp_path: Path) -> None:
    data = split_at_random(data_of("order", n=160), test=0.3, seed=0)
    settings = Settings(
        models=("tutorial-cnn",), seeds=1, sizes=(), threads=1,
        hyperparameters={"tutorial-cnn": {"recipe": {"epochs": 1}}},
    )  # fmt: skip
    run = compare(data, tmp_path / "run", settings)
    (found,) = trust(run).results.trust.models.values()
    assert found.rule is not UNSET
    assert found.rule.motifs == (A, B)
    assert set(found.rule.methods) == set(found.methods)
    assert found.rule.n == found.rule.n_pairs == found.n
    if not found.may_claim:
        assert found.rule.claimed_by == ()
