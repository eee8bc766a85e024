"""Attention head by head: hand-set models whose answer is known, and softmaxes of every kind."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from motiflens import Attributions, attribute, build_model, trust_checks
from motiflens.attribution import attention_of_heads
from motiflens.evidence import Controls
from motiflens.evidence.attention import attention_test, find_heads
from motiflens.evidence.levels import auroc_by_chance, fraction_by_chance
from motiflens.evidence.replacement import compare_logits, moves_ranking
from motiflens.evidence.softmaxes import find_attention, watching
from motiflens.evidence.tracks import fraction_above
from motiflens.metrics import rank_auroc
from motiflens.models.base import AttentionMap, ReceptiveField, SequenceModel, other_strand
from motiflens.models.both_strands import BothStrands
from motiflens.results.trust import ModelTrust
from motiflens.sequences import evenly

LENGTH, WIDTH = 60, 10
A, B = ([("ACGT").index(base) for base in word] for word in ("TGACTCAGCA", "CCGGAAGTGC"))


def encoded(codes: np.ndarray) -> np.ndarray:
    return np.eye(4, dtype=np.float32)[codes].transpose(0, 2, 1).copy()


def sequences(n: int, seed: int, *words: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Random sequences with words in halves of their own; the truth marks the first word."""
    generator = np.random.default_rng(seed)
    codes = generator.integers(4, size=(n, LENGTH))
    truth = np.zeros((n, LENGTH), dtype=np.int8)
    for row, marks in zip(codes, truth, strict=True):
        for number, half in enumerate(generator.permutation(2)[: len(words)]):
            start = 30 * half + generator.integers(21)
            row[start : start + WIDTH] = words[number]
            if number == 0:
                marks[start : start + WIDTH] = 1
    return encoded(codes), truth


class Sees(SequenceModel):
    """Filters of both words, which are 7.5 at a match."""

    def __init__(self) -> None:
        super().__init__()
        filters = torch.from_numpy(encoded(np.array([A, B]))) - 0.25
        self.kernels = nn.Parameter(filters)
        self.softmax = nn.Softmax(dim=-1)
        self.field = ReceptiveField(0, 1, WIDTH)

    def words(self, x: Tensor) -> tuple[Tensor, Tensor]:
        found = functional.conv1d(x, self.kernels)
        return found[:, 0], found[:, 1]


class Decoys(Sees):
    """Two heads look at the first word, to no effect; the third, at the second word, decides."""

    def weights(self, x: Tensor) -> Tensor:
        first, second = self.words(x)
        weights: Tensor = self.softmax(torch.stack([3 * first, 3 * first, 3 * second], dim=1))
        return weights

    def attention_maps(self, x: Tensor) -> list[AttentionMap]:
        return [AttentionMap("attention", self.weights(x), self.field)]

    def forward(self, x: Tensor) -> Tensor:
        context = (self.weights(x) * self.words(x)[1].unsqueeze(1)).sum(-1)
        return context @ torch.tensor([0.0, 0.0, 1.0]) - 6


class OneByOne(Decoys):
    """The same heads, each by a softmax of its own call; the weights are (N, U)."""

    def weights(self, x: Tensor) -> Tensor:
        first, second = self.words(x)
        return torch.stack([self.softmax(3 * one) for one in (first, first, second)], dim=1)


class Twins(Sees):
    """Two heads look at the first word, and the larger of their answers is the logit."""

    def attention_maps(self, x: Tensor) -> list[AttentionMap]:
        first, _ = self.words(x)
        weights = self.softmax(torch.stack([3 * first, 3 * first], dim=1))
        return [AttentionMap("attention", weights, self.field)]

    def forward(self, x: Tensor) -> Tensor:
        first, _ = self.words(x)
        weights = self.softmax(torch.stack([3 * first, 3 * first], dim=1))
        return (weights * first.unsqueeze(1)).sum(-1).amax(-1)


class TwoThirds(Sees):
    """Two thirds of the motif's part of the logit come through attention, the rest past it."""

    def forward(self, x: Tensor) -> Tensor:
        first, _ = self.words(x)
        above = torch.relu(first - 4)
        return 2 * (self.softmax(4 * first) * above).sum(-1) + above.amax(-1) - 3


def checked(model: nn.Module, *words: list[int], n: int = 120) -> ModelTrust:
    positives, truth = sequences(n, 0, *words)
    negatives, _ = sequences(n, 1)
    return trust_checks(
        model.eval(),
        positives,
        negatives,
        controls=Controls(truth=truth),
        methods=["attention", "saliency"],
    )


@pytest.mark.parametrize("model", [Decoys(), OneByOne()])
def test_heads_that_mark_for_nothing_are_told_from_the_one_that_decides(model: nn.Module) -> None:
    found = checked(model, A, B)
    test = found.attention
    assert test is not None
    assert [head.head for head in test.heads] == [1, 2, 3]
    assert [head.marks for head in test.heads] == [True, True, False]
    assert [head.depends for head in test.heads] == ["no", "no", "ranking"]
    assert [head.uniform.logit_change for head in test.heads[:2]] == [0, 0]
    assert test.depends == "ranking"
    assert test.marking is not None
    assert test.marking.depends == "no"
    assert "but the prediction does not depend on them" in found.verdict
    assert "head 3 of 3 does not mark the motif's bases, and the prediction depends on it" in (
        found.verdict
    )


def test_heads_that_replace_each_other_count_only_together() -> None:
    found = checked(Twins(), A)
    test = found.attention
    assert test is not None
    assert [head.depends for head in test.heads] == ["no", "no"]
    assert test.marking is not None
    assert test.marking.depends == "ranking"
    assert "the prediction depends on them together, on none of them alone" in found.verdict


def test_where_the_ranking_cannot_fall_the_logits_tell() -> None:
    found = checked(TwoThirds(), A)
    assert found.auroc == 1
    assert found.attention is not None
    assert found.attention.uniform.auroc_loss == 0
    assert found.attention.uniform.logit_change == pytest.approx(0.7, abs=0.05)
    assert "the logits depend on it (0." in found.verdict
    # A permutation may put a weight on the motif by chance.
    assert found.attention.permuted.auroc_loss == pytest.approx(0, abs=0.003)
    assert "the ranking does not (" in found.verdict


# Which softmax makes which head


@pytest.mark.parametrize(
    ("name", "heads"),
    [
        ("tutorial-attention", [("attention", 1)]),
        ("attention", [("attention", n) for n in range(1, 9)]),
        ("hybrid", [("block 1", n) for n in range(1, 5)]),
        ("transformer", [(f"block {b}", n) for b in (1, 2) for n in range(1, 5)]),
    ],
)
@pytest.mark.parametrize("both", [False, True])
def test_heads_of_our_models_are_replaced_one_by_one(
    name: str, heads: list[tuple[str, int]], both: bool
) -> None:
    length = 41
    model: SequenceModel = build_model(name, length=length, seed=0).eval()
    model = BothStrands(model) if both else model
    found = find_heads(model, find_attention(model, length).layers, length)
    assert [(head.layer, head.number) for head in found] == heads
    x = torch.from_numpy(sequences(5, 3)[0][:, :, :length].copy())
    for number, head in enumerate(found):
        seen: list[tuple[Tensor, Tensor]] = []

        def zero(layer, scores, weights, dim, own=head.part, seen=seen):  # type: ignore[no-untyped-def]
            if layer != own.layer:
                return weights
            changed = weights.clone()
            changed.select(own.axis, own.index).zero_()
            seen.append((weights.movedim(dim, -1), changed.movedim(dim, -1)))
            return changed

        with torch.no_grad(), watching(model, zero, bare=False):
            model(x)
        maps = {one.layer: one for one in model.attention_maps(x)}[head.layer]
        before, after = (one.unsqueeze(-2) if one.ndim == 3 else one for one in seen[0])
        shown = maps.weights if maps.full is None else maps.full
        torch.testing.assert_close(before.squeeze(-2) if maps.full is None else before, shown)
        gone = (after == 0).all(-1).all(-1)
        index = number % len([h for h in heads if h[0] == head.layer])
        assert gone.all(0).nonzero().flatten().tolist() == [index]


class Bare(nn.Module):
    """Attention by a softmax module, and attention written in another way."""

    def __init__(self, written: str) -> None:
        super().__init__()
        self.softmax, self.written = nn.Softmax(dim=-1), written
        self.values = nn.Conv1d(4, 6, 3, padding=1)
        self.heads = nn.MultiheadAttention(6, 2, batch_first=True)
        self.block = nn.TransformerEncoderLayer(6, 2, 7, batch_first=True)

    def second(self, x: Tensor) -> Tensor:
        score, values = x[:, 1] - x[:, 0], self.values(x).mT
        if self.written == "function":
            return (functional.softmax(score, dim=-1) * x[:, 2]).sum(-1)
        if self.written == "torch":
            return (torch.softmax(score, -1) * x[:, 2]).sum(-1)
        if self.written == "method":
            return (score.softmax(-1) * x[:, 2]).sum(-1)
        if self.written == "heads":
            return self.heads(values, values, values)[0].sum((1, 2))
        if self.written == "block":
            return 4 * self.block(values)[:, 4, 0]
        rate = 0.2 if self.written == "dropout" else 0.0
        return functional.scaled_dot_product_attention(values, values, values, dropout_p=rate).sum(
            (1, 2)
        )

    def forward(self, x: Tensor) -> Tensor:
        return (self.softmax(3 * x[:, 0]) * x[:, 3]).sum(-1) + self.second(x)


@pytest.mark.parametrize("written", ["function", "torch", "method", "product", "heads", "block"])
def test_bare_attention_beside_a_softmax_is_tested_too(written: str) -> None:
    torch.manual_seed(0)
    model = Bare(written).eval()
    x = sequences(14, 0)[0]
    test = attention_test(model, x[:6], x[6:])
    assert test is not None
    assert [head.layer for head in test.heads][:1] == ["softmax 1"]
    assert len(test.heads) == 2
    assert "bare softmax 1" in test.heads[1].layer
    assert test.heads[1].uniform.logit_change > 1e-3
    assert not test.hidden
    with torch.inference_mode():
        own = model(torch.from_numpy(x))
        with watching(model, lambda layer, scores, weights, dim: weights):
            torch.testing.assert_close(model(torch.from_numpy(x)), own)
    hooks = [hook for part in model.modules() for hook in part._forward_hooks.values()]
    assert not hooks


def test_attention_that_cannot_be_replaced_is_named() -> None:
    positives, negatives = sequences(40, 0, A)[0], sequences(40, 1)[0]

    class Blind(TwoThirds):
        def forward(self, x: Tensor) -> Tensor:
            values = x.mT
            hidden = functional.scaled_dot_product_attention(values, values, values, dropout_p=0.1)
            return super().forward(x) + 1e-3 * hidden.sum((1, 2))

    found = trust_checks(Blind(), positives, negatives, methods=["saliency"])
    assert found.attention is not None
    assert found.attention.hidden
    assert "the model has more attention than was tested" in found.verdict


def test_a_bare_softmax_over_classes_is_no_attention() -> None:
    class Classes(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            score = (torch.softmax(3 * x[:, 0], -1) * x[:, 1]).sum(-1)
            return torch.stack([-score, score], -1).softmax(-1)

    (only,) = find_attention(Classes(), 13).layers
    assert (only.number, only.bare) == (0, True)


# Both strands


def test_attention_of_both_strands_is_their_mean_on_the_same_bases() -> None:
    torch.manual_seed(1)
    inner = build_model("attention", length=LENGTH, seed=0, n_filters=8, n_heads=3).eval()
    x = sequences(5, 2, A)[0]
    x[1, :, 47:] = 0
    model = BothStrands(inner)
    (both,) = attention_of_heads(model, x).values()
    (forward,) = attention_of_heads(inner, x).values()
    other = other_strand(torch.from_numpy(x)).numpy()
    (reverse,) = attention_of_heads(inner, other).values()
    for row, n in enumerate([LENGTH, 47, LENGTH, LENGTH, LENGTH]):
        expected = (forward[row, :, :n] + reverse[row, :, :n][:, ::-1]) / 2
        np.testing.assert_allclose(both[row, :, :n], expected, atol=1e-6)
    np.testing.assert_allclose(both.sum(-1), 1, atol=1e-5)
    # A sequence and its complement are explained alike.
    (turned,) = attention_of_heads(model, other).values()
    np.testing.assert_allclose(turned[0], both[0, :, ::-1], atol=1e-6)
    found = attribute(model, x[[0, 2, 3]], "attention")
    assert found.checks is not None
    assert found.checks.strands == pytest.approx(0, abs=1e-4)


# What chance reaches


def test_intervals_of_a_loss_are_signed_two_sided_and_wider_for_more_tests() -> None:
    generator = np.random.default_rng(0)
    own = [generator.normal(0.5, 1, 70), generator.normal(0, 1, 50)]
    better = [part + shift for part, shift in zip(own, (1.0, -1.0), strict=True)]
    noisy = [part + generator.normal(0, 1, len(part)) for part in own]
    found = compare_logits(own, [better, noisy])
    labels = np.repeat([1.0, 0.0], [70, 50])[None]
    aurocs = [rank_auroc(labels, np.concatenate(one)[None])[0] for one in (own, better, noisy)]
    assert found.auroc_loss == pytest.approx(aurocs[0] - np.mean(aurocs[1:]))
    gain = compare_logits(own, [better])
    assert gain.auroc_loss < gain.low < gain.high < 0 or gain.low < gain.auroc_loss < gain.high < 0
    assert moves_ranking(gain)
    many = compare_logits(own, [better], n_tests=64)
    assert many.low < gain.low
    assert gain.high < many.high


def test_the_interval_of_a_loss_covers_it() -> None:
    generator = np.random.default_rng(0)
    held = []
    for _ in range(400):
        signal, noise = (
            [generator.normal(mean, 1, n) for mean, n in ((1.0, 60), (0.0, 45))] for _ in range(2)
        )
        other = [0.6 * a + 0.8 * b for a, b in zip(signal, noise, strict=True)]
        found = compare_logits(signal, [other])
        # Means differ by 1 and by 1.4 standard deviations.
        true = 0.76025 - 0.83890
        held.append(found.low <= true <= found.high)
    assert 0.92 <= np.mean(held) <= 0.98


@pytest.mark.parametrize(("n", "m"), [(8, 8), (8, 50), (20, 20), (50, 50), (100, 50)])
def test_chance_seldom_stands_out_however_few_there_are(n: int, m: int) -> None:
    generator = np.random.default_rng(0)
    least = fraction_by_chance(n, [m, m])
    for second in (0.0, -9.0):  # the other null is alike, or far below
        above = [
            fraction_above(
                generator.normal(size=n),
                generator.normal(size=m),
                generator.normal(size=m) + second,
            )
            for _ in range(1000)
        ]
        assert np.mean(np.array(above) >= least) <= 0.06
    assert fraction_by_chance(n, [m, m], n_tests=24) >= least
    assert fraction_by_chance(n, [m, 2 * m]) <= least


def test_a_model_without_knowledge_seldom_tells_few_sequences_apart() -> None:
    generator = np.random.default_rng(0)
    labels = np.repeat([1.0, 0.0], [8, 9])
    aurocs = rank_auroc(np.tile(labels, (2000, 1)), generator.normal(size=(2000, 17)))
    assert np.mean(aurocs >= 0.6) > 0.2
    assert np.mean(aurocs >= auroc_by_chance(8, 9)) <= 0.06
    assert auroc_by_chance(500, 500) == 0.6


# Rows


def test_rows_lie_evenly_over_their_order() -> None:
    assert evenly(10, 4).tolist() == [0, 2, 5, 7]
    assert evenly(3, 4).tolist() == [0, 1, 2]
    assert evenly(0, 4).size == evenly(4, 0).size == evenly(4, -1).size == 0
    for n in range(1, 70):
        assert evenly(n, n).tolist() == list(range(n))
        assert len(set(evenly(n, 7).tolist())) == min(n, 7)


class Best(nn.Module):
    """How well the first word matches anywhere."""

    def forward(self, x: Tensor) -> Tensor:
        kernel = torch.from_numpy(encoded(np.array([A]))) - 0.25
        return functional.conv1d(x, kernel)[:, 0].amax(-1) - 5


def test_the_order_of_a_file_does_not_change_the_verdict() -> None:
    with_word, truth = sequences(300, 0, A)
    without, nothing = sequences(700, 1)
    positives, truth = np.concatenate([with_word, without]), np.concatenate([truth, nothing])
    negatives = sequences(1000, 2)[0]
    mixed = np.random.default_rng(3).permutation(1000)
    known = attribute(Best(), positives, "ism", checks=False)
    found = []
    for rows in (np.arange(1000), mixed):
        kept = {"ism": Attributions("ism", positives[rows], known.contributions[rows])}
        controls = Controls(truth[rows], attributions=kept)
        found.append(
            trust_checks(Best(), positives[rows], negatives, methods=["ism"], controls=controls)
        )
    claims = [one.verdict.split(";")[0] for one in found]
    assert claims == ["in some positives only, bases may be claimed by ism"] * 2
    assert found[0].auroc == pytest.approx(found[1].auroc, abs=0.03)
    for one in found:
        assert one.methods["ism"].fraction_above_null == pytest.approx(0.33, abs=0.12)
        assert one.n == 100
    plain = trust_checks(Best(), positives, negatives, methods=["ism"], controls=Controls(truth))
    assert plain == found[0]


def test_an_inverted_model_has_nothing_to_claim_and_is_named() -> None:
    positives, _ = sequences(50, 0, A)
    found = trust_checks(Best(), sequences(60, 1)[0], positives, methods=["saliency"])
    assert not found.may_claim
    assert found.verdict == (
        "nothing may be claimed: the model ranks negatives above positives (AUROC 0.00): labels or "
        "target look swapped"
    )
    assert trust_checks(Best(), positives, sequences(60, 1)[0], methods=["saliency"]).may_claim


def test_few_positives_are_named_and_claims_from_them_need_more() -> None:
    positives, negatives = sequences(8, 0, A)[0], sequences(60, 1)[0]
    found = trust_checks(Best(), positives, negatives, methods=["ism"])
    assert found.n == 8
    assert found.stands_out_from > 0.3
    assert found.verdict.endswith(
        f"checked on 8 positives only, of which {found.stands_out_from:.2f} have to be above the "
        "null"
    )
