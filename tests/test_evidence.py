"""Each check of trust by itself: planted truths, hand-set modules, laws, parity."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import Tensor, nn

from motiflens import InputError, Motif, build_model, true_bases, trust_checks
from motiflens.attribution import Attributions
from motiflens.evidence import Controls
from motiflens.evidence.attention import attention_test
from motiflens.evidence.deletion import FRACTIONS, deletion_curves
from motiflens.evidence.replacement import Part, permuted, replaced_weights, uniform
from motiflens.evidence.softmaxes import Layer, find_attention
from motiflens.evidence.tracks import (
    base_scores,
    fraction_above,
    peaks,
    rank_correlations,
    shuffled,
    top_overlaps,
)
from motiflens.sequences import Site
from motiflens.training.replicas import stack

WORD = np.eye(4, dtype=np.float32)[[2, 0, 3, 3, 0, 1, 0]].T
ATTENTIVE = ["tutorial-attention", "attention", "hybrid", "transformer"]


def random_one_hot(n: int, length: int, seed: int = 0) -> np.ndarray:
    codes = np.random.default_rng(seed).integers(4, size=(n, length))
    return (codes[:, None] == np.arange(4)[:, None]).astype(np.float32)


class CountA(nn.Module):
    """The number of A, twice, as the second of two logits: additive, so that all is known."""

    def forward(self, x: Tensor) -> Tensor:
        count = x[:, 0].sum(-1)
        return torch.stack([torch.zeros_like(count), 2 * count], dim=-1)


class Picks(nn.Module):
    """Attention over bases that looks for A: its logit is the weight of A at base ``wanted``.

    The values are 0, or a thousandth for a T, so that weights alone do not decide.
    """

    def __init__(self, sharpness: float, wanted: int) -> None:
        super().__init__()
        self.sharpness, self.wanted = sharpness, wanted
        self.softmax = nn.Softmax(dim=-1)

    def forward(self, x: Tensor) -> Tensor:
        weights = self.softmax(self.sharpness * x[:, 0])
        return weights[:, self.wanted] * x.shape[-1] + (weights * x[:, 3]).sum(-1) / 1000


class Classes(nn.Module):
    """Attention over bases, then a softmax over two classes, and what is returned of it."""

    def __init__(self, given: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.over_bases, self.over_classes = nn.Softmax(dim=-1), nn.Softmax(dim=-1)
        self.given = given

    def forward(self, x: Tensor) -> Tensor:
        found = (self.over_bases(3 * x[:, 0]) * x[:, 1]).sum(-1)
        return self.given(self.over_classes(torch.stack([-found, found], dim=-1)))


def all_attention(module: nn.Module, length: int) -> list[Part]:
    return [Part(layer) for layer in find_attention(module, length).layers]


def softmaxes(module: nn.Module) -> list[nn.Softmax]:
    return [part for part in module.modules() if isinstance(part, nn.Softmax)]


# Attention replaced


@pytest.mark.parametrize(
    "given", [lambda p: p, lambda p: p[:, 1], lambda p: p.log(), lambda p: p[:, 1] - p[:, 0]]
)
def test_a_softmax_over_classes_is_no_attention(given: Callable[[Tensor], Tensor]) -> None:
    module = Classes(given)
    assert list(find_attention(module, 13).layers) == [Layer(module, 0, bare=False)]
    assert not any(part._forward_hooks for part in module.modules())


def test_attention_that_no_layer_shows_is_said_to_be_untested() -> None:
    class ByHand(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            weights = x[:, 0].exp() / x[:, 0].exp().sum(-1, keepdim=True)
            return (weights * x[:, 1]).sum(-1)

    def verdict(module: nn.Module) -> str:
        one_hot = random_one_hot(60, 12)
        with torch.no_grad():
            order = module.eval()(torch.from_numpy(one_hot)).argsort().numpy()
        positives, negatives = one_hot[order[35:]], one_hot[order[:25]]
        found = trust_checks(module, positives, negatives, methods=["saliency"])
        assert found.attention is None
        assert found.auroc == 1.0
        return found.verdict

    words = "; attention was not tested, as no layer of the model is known as attention"
    assert words in verdict(ByHand())
    assert words not in verdict(build_model("cnn", length=12, seed=0))


@pytest.mark.parametrize("name", ATTENTIVE)
def test_uniform_weights_are_equal_on_valid_units_and_gone_afterwards(name: str) -> None:
    length = 34
    model = build_model(name, length=length, seed=0)
    x = torch.from_numpy(random_one_hot(3, length))
    if name != "tutorial-attention":
        x[1, :, 29:] = 0
    with torch.no_grad():
        before, own = model(x), model.attention_maps(x)
        found, given = all_attention(model, length), []
        with replaced_weights(model, found, uniform):
            hooks = [
                part.register_forward_hook(
                    lambda part, _, got: given.append(got.mT if part.dim == -2 else got)
                )
                for part in softmaxes(model)
            ]
            inside = model(x)
            for hook in hooks:
                hook.remove()
        assert len(found) == len(own) == len(given)
        for mine, weights in zip(own, given, strict=True):
            kept = (mine.weights if mine.full is None else mine.full) > 0
            assert torch.equal(weights > 0, kept)
            expected = kept / kept.sum(-1, keepdim=True)
            torch.testing.assert_close(weights, expected.to(weights.dtype))
        assert not torch.allclose(before, inside)
        assert torch.equal(model(x), before)


@pytest.mark.parametrize("name", ATTENTIVE)
def test_attention_is_given_back_after_an_error(name: str) -> None:
    model = build_model(name, length=34, seed=0)
    with pytest.raises(KeyError), replaced_weights(model, all_attention(model, 34), uniform):
        raise KeyError
    assert not any(part._forward_hooks for part in model.modules())


def test_replicas_take_other_weights_as_each_alone() -> None:
    models = [build_model("hybrid", length=30, seed=seed, n_filters=8) for seed in (0, 1, 2)]
    joined = stack(models)
    x = torch.from_numpy(random_one_hot(4, 30))
    layers = [
        Part(Layer(part, 0, bare=False))
        for part in joined.modules()
        if any(isinstance(child, nn.Softmax) for child in part.children())
    ]
    with torch.no_grad(), replaced_weights(joined, layers, uniform):
        together = joined(x.expand(3, -1, -1, -1))
    for model, expected in zip(models, together, strict=True):
        with torch.no_grad(), replaced_weights(model, all_attention(model, 30), uniform):
            torch.testing.assert_close(model(x), expected)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([-1, -2]))
def test_a_permutation_keeps_the_weights_of_valid_units(seed: int, dim: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    valid = torch.rand(2, 3, 5, 7, generator=generator) > 0.4
    valid.movedim(dim, -1)[..., 0] = True
    weights = torch.rand(valid.shape, generator=generator) * valid
    found = permuted(weights, valid, dim, generator=generator)
    assert torch.equal(found > 0, weights > 0)
    assert torch.equal(found.sort(dim).values, weights.sort(dim).values)


def test_a_permutation_moves_weights_and_repeats_by_seed() -> None:
    weights = torch.arange(1.0, 61.0).view(2, 30)
    valid = torch.ones(2, 30, dtype=torch.bool)
    first, again = (
        permuted(weights, valid, -1, generator=torch.Generator().manual_seed(3)) for _ in range(2)
    )
    assert torch.equal(first, again)
    assert (first != weights).sum() > 40
    assert not torch.equal(first[0], first[1] - 30)


def test_a_users_attention_is_found_and_its_loss_is_known() -> None:
    length, wanted = 8, 5
    positives = np.zeros((40, 4, length), dtype=np.float32)
    positives[:, 1] = 1
    negatives = positives.copy()
    positives[:, :, wanted] = [1, 0, 0, 0]
    negatives[:, :, 2] = [1, 0, 0, 0]
    test = attention_test(Picks(30.0, wanted), positives, negatives)
    assert test is not None
    assert test.uniform.auroc_loss == test.uniform.low == test.uniform.high == 0.5
    assert (test.depends, test.marking, test.hidden) == ("ranking", None, False)
    (only,) = test.heads
    assert (only.layer, only.head, only.marks, only.depends) == (
        "softmax 1",
        None,
        False,
        "ranking",
    )
    # Logits are 8 for positives and 0 for negatives; all become 1: (7 + 1) / 2 in deviations of 4.
    assert test.uniform.logit_change == pytest.approx(1.0, abs=1e-3)
    # Both classes have one unit of weight 1, which a permutation puts anywhere alike.
    assert test.permuted.auroc_loss == pytest.approx(0.5, abs=0.06)
    assert test.permuted.low < 0.5 < test.permuted.high
    assert attention_test(CountA(), positives, negatives, target=1) is None


# Deletion and insertion


def test_deletion_replaces_first_what_ranks_first() -> None:
    class HasA(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return 10 * x[:, 0, 20:25].sum(-1)

    one_hot = random_one_hot(31, 50)
    one_hot[:, :, 20:25] = np.array([1, 0, 0, 0])[:, None]
    track = np.zeros((31, 50))
    track[:, 20:25] = 1
    found = deletion_curves(HasA(), one_hot, {"best": track, "worst": -track, "flat": 0 * track})
    assert found is not None
    # 10 % of 50 bases are the five A: all gone, and all there again.
    tenth = FRACTIONS.index(0.1)
    assert found["best"].deletion[: tenth + 1] == pytest.approx([1.0, 0.8, 0.6, 0.4, 0.0])
    assert found["best"].insertion[: tenth + 1] == pytest.approx([0.0, 0.2, 0.4, 0.6, 1.0])
    assert found["worst"].deletion[-2] == pytest.approx(1.0)
    assert found["best"].gain_low > 0.3
    assert found["worst"].gain_high < -0.3
    # Equal values are taken in random order.
    assert found["flat"].gain_low < 0 < found["flat"].gain_high
    assert found["flat"].deletion == pytest.approx([1 - f for f in FRACTIONS], abs=0.12)


def test_deletion_leaves_padding_alone_and_counts_it_not() -> None:
    class Ends(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            assert not x[:, :, 25:].any()
            return x[:, 0].sum(-1)

    one_hot = random_one_hot(9, 40)
    one_hot[:, :, 25:] = 0
    one_hot[:, :, :25] = np.array([1, 0, 0, 0])[:, None]
    found = deletion_curves(Ends(), one_hot, {"right": np.tile(np.arange(40.0), (9, 1))})
    assert found is not None
    assert found["right"].deletion == pytest.approx(
        [1 - round(25 * f) / 25 for f in FRACTIONS], abs=1e-6
    )


def test_a_model_that_loses_nothing_has_no_deletion_curve() -> None:
    class Flat(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return 0 * x.sum((1, 2)) + 3.0

    assert deletion_curves(Flat(), random_one_hot(3, 20), {"any": np.ones((3, 20))}) is None


# Agreement


def test_rank_correlation_is_scipys_on_absolute_values_of_known_bases() -> None:
    generator = np.random.default_rng(0)
    a, b = generator.normal(size=(2, 3, 20))
    b[:, 4] = b[:, 5]
    known = np.arange(20) < np.array([[20], [13], [7]])
    expected = [
        spearmanr(np.abs(x[m]), np.abs(y[m])).statistic for x, y, m in zip(a, b, known, strict=True)
    ]
    np.testing.assert_allclose(rank_correlations(a, b, known), expected)
    np.testing.assert_allclose(rank_correlations(a, -a, known), 1.0)
    assert not rank_correlations(a, np.ones_like(a), known).any()


def test_top_overlap_counts_what_the_first_ten_have_in_common() -> None:
    a, b = np.zeros((2, 2, 30))
    a[:, :10] = -5
    b[:, 6:16] = 2
    known = np.arange(30) < np.array([[30], [8]])
    np.testing.assert_allclose(top_overlaps(a, b, known), [0.4, 1.0])
    assert not top_overlaps(a, b, known & False).any()


# The null


def test_peaks_are_the_largest_windows_and_shares_are_times_the_length() -> None:
    one_hot = random_one_hot(2, 25)
    one_hot[1, :, 20:] = 0
    contributions = np.zeros_like(one_hot)
    contributions[0, :, 3:15] = one_hot[0, :, 3:15]
    contributions[1, :, 18] = 4 * one_hot[1, :, 18]
    np.testing.assert_allclose(peaks(Attributions("ism", one_hot, contributions)), [10, 4])
    shares = peaks(Attributions("attention", one_hot, contributions))
    np.testing.assert_allclose(shares, [250, 80])
    short = Attributions("ism", one_hot[:, :, :6], contributions[:, :, :6])
    np.testing.assert_allclose(peaks(short), [3, 0])


def test_the_fraction_above_is_small_by_chance_and_full_by_effect() -> None:
    values, first, second = np.random.default_rng(0).normal(size=(3, 4000))
    assert fraction_above(values, first, second) == pytest.approx(0.05, abs=0.012)
    # A positive has to be above each null: the stronger one decides.
    assert fraction_above(values + 2, first, second + 2) == pytest.approx(0.05, abs=0.012)
    assert fraction_above(values + 9, first, second) == 1.0
    assert fraction_above(np.full(5, 1 + 1e-9), np.ones(7)) == 0.0


def test_shuffled_sequences_keep_dinucleotides_and_padding() -> None:
    one_hot = random_one_hot(3, 60)
    one_hot[1, :, 41:] = 0
    moved = shuffled(one_hot, seed=1)
    assert moved.dtype == np.float32
    pairs = [np.einsum("nal,nbl->nab", one[:, :, :-1], one[:, :, 1:]) for one in (one_hot, moved)]
    np.testing.assert_array_equal(*pairs)
    np.testing.assert_array_equal(one_hot.sum(1), moved.sum(1))
    assert (one_hot != moved).any(axis=(1, 2)).all()


# The truth


def test_true_bases_leave_out_weak_columns_and_padding_on_either_strand() -> None:
    ppm = np.full((4, 3), 0.25)
    ppm[:, 0] = [1, 0, 0, 0]
    ppm[:, 1] = [0, 1, 0, 0]
    sites = [[Site("m", 2, 5, "+")], [Site("m", 2, 5, "-"), Site("other", 6, 8, "+")], []]
    truth = true_bases(sites, [Motif("m", ppm)], np.array([9, 8, 4], dtype=np.int32), 9)
    np.testing.assert_array_equal(
        truth,
        [
            [0, 0, 1, 1, -1, 0, 0, 0, 0],
            [0, 0, -1, 1, 1, 0, 1, 1, -1],
            [0, 0, 0, 0, -1, -1, -1, -1, -1],
        ],
    )
    overlapping = [Site("m", 0, 3, "+"), Site("m", 2, 5, "+")]
    both = [overlapping, overlapping[::-1]]
    joined = true_bases(both, [Motif("m", ppm)], np.array([6, 6], dtype=np.int32), 6)
    np.testing.assert_array_equal(joined, [[1, 1, 1, 1, -1, 0]] * 2)


def test_base_scores_are_scikit_learns_without_the_bases_left_out() -> None:
    generator = np.random.default_rng(0)
    track = generator.normal(size=(5, 30)).round(1)
    truth = generator.integers(-1, 2, size=(5, 30)).astype(np.int8)
    truth[3] = np.minimum(truth[3], 0)
    rows = [(t[b >= 0], b[b >= 0]) for t, b in zip(track, truth, strict=True) if b.max() == 1]
    found = base_scores(track, truth)
    assert found is not None
    assert found[0] == pytest.approx(np.mean([roc_auc_score(b, t) for t, b in rows]))
    assert found[1] == pytest.approx(np.mean([average_precision_score(b, t) for t, b in rows]))
    assert base_scores(track, np.minimum(truth, 0)) is None


# All together


def planted(n: int, length: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Positives that hold GATTACA at 6 to 12, and the truth."""
    one_hot = random_one_hot(n, length, seed)
    one_hot[:, :, 6:13] = WORD
    truth = np.zeros((n, length), dtype=int)
    truth[:, 6:13] = 1
    return one_hot, truth


class Finds(nn.Module):
    """A filter of GATTACA and its largest answer, 3 at a match and 0 at two mismatches."""

    def forward(self, x: Tensor) -> Tensor:
        found = nn.functional.conv1d(x, torch.from_numpy(WORD)[None])
        return (1.5 * (found[:, 0] - 5.0).relu()).amax(-1, keepdim=True)


def test_any_module_is_checked_without_a_run_and_left_as_it_was() -> None:
    module = Finds().train()
    positives, truth = planted(40, 23, seed=0)
    negatives = random_one_hot(45, 19, seed=1)
    controls = Controls(truth=truth, seeds=[Finds()])
    found = trust_checks(
        module, positives, negatives, methods=["ism", "attention"], controls=controls
    )
    assert module.training
    assert found.attention is None
    assert list(found.methods) == ["ism"]
    assert "attention maps" in found.refused["attention"]
    ism = found.methods["ism"]
    assert (ism.ism_rank_correlation, ism.seed_rank_correlation) == pytest.approx((1.0, 1.0))
    assert ism.base_auroc is not None
    assert ism.base_auroc > 0.95
    assert ism.fraction_above_null > 0.9
    assert found.verdict.startswith("bases may be claimed by ism; attention was not tested")
    assert ism.deletion_auc == ism.deletion_curve.deletion_auc  # type: ignore[union-attr]
    again = trust_checks(
        module, positives, negatives, methods=["ism", "attention"], controls=controls
    )
    assert again == found


def test_kept_attributions_are_taken_only_if_they_are_of_the_same_sequences() -> None:
    positives, _ = planted(12, 23, seed=0)
    negatives = random_one_hot(12, 23, seed=1)
    check = partial(trust_checks, Finds(), positives, negatives, methods=["ism"])
    plain = check()
    false = Attributions("ism", positives, -positives)
    assert check(controls=Controls(attributions={"ism": false})).methods != plain.methods
    other = {"ism": Attributions("ism", negatives, -negatives)}
    assert check(controls=Controls(attributions=other)) == plain


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"positives": np.zeros((0, 4, 23))}, "no positives"),
        ({"negatives": np.zeros((3, 5, 23))}, "shape"),
        ({"methods": ["isn"]}, "attribution method"),
        ({"target": 1}, "target"),
        ({"controls": Controls(truth=np.zeros((7, 22)))}, r"\(7, 22\)"),
        ({"controls": Controls(truth=np.full((7, 23), 2))}, "values other"),
    ],
)
def test_mistakes_are_named(change: dict[str, object], rule: str) -> None:
    given = {"positives": random_one_hot(7, 23), "negatives": random_one_hot(5, 23), **change}
    positives, negatives = given.pop("positives"), given.pop("negatives")
    with pytest.raises(InputError, match=rule):
        trust_checks(Finds(), positives, negatives, **given)  # type: ignore[arg-type]
