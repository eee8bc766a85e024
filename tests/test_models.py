"""Our models equal plain ones, know which bases they see, and do not see padding."""

import itertools
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from benchmarks import tutorial_loop
from motiflens.attribution import saturation_mutagenesis
from motiflens.errors import InputError
from motiflens.models import (
    MODELS,
    BothStrands,
    ReceptiveField,
    build_model,
    mutants,
    mutants_of_attention,
    project_to_bases,
)
from motiflens.models.attention import Attention
from motiflens.models.base import SequenceModel, other_strand, valid_units
from motiflens.models.filters import Filters
from motiflens.models.layers import AdditiveAttention, MaxPool
from motiflens.training.replicas import stack


def random_one_hot(*shape: int, seed: int = 0) -> torch.Tensor:
    codes = torch.randint(0, 4, shape, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.one_hot(codes, 4).float().mT.contiguous()


def n_parameters(model: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def test_the_tutorials_sizes() -> None:
    assert n_parameters(build_model("tutorial-cnn", length=50, seed=0)) == 6209
    assert n_parameters(build_model("tutorial-attention", length=50, seed=0)) == 8865


@pytest.mark.parametrize(
    ("name", "plain", "renamed"),
    [
        (
            "tutorial-cnn",
            tutorial_loop.TutorialCNN(),
            {"first": "conv", "hidden": "dense", "output": "output"},
        ),
        (
            "tutorial-attention",
            tutorial_loop.TutorialAttention(),
            {
                "first": "conv",
                "hidden": "dense",
                "output": "output",
                "context": "context",
                "attention.project": "attention.attention",
            },
        ),
    ],
)
def test_the_tutorials_models_compute_what_the_plain_ones_do(
    name: str, plain: torch.nn.Module, renamed: dict[str, str]
) -> None:
    ours = build_model(name, length=50, seed=1)
    state = plain.state_dict()
    for new, old in renamed.items():
        for leaf in ("weight", "bias"):
            ours.get_parameter(f"{new}.{leaf}").data.copy_(state[f"{old}.{leaf}"])
    if name == "tutorial-attention":
        ours.get_parameter("attention.v").data.copy_(state["attention.v"])
    x = random_one_hot(7, 50)
    torch.testing.assert_close(ours(x), plain(x))


def test_filters_are_a_convolution_with_and_without_padding() -> None:
    x = random_one_hot(3, 21)
    for same in (False, True):
        for kernel_size in (5, 6):
            layer = Filters(7, kernel_size, same=same)
            left, right = layer.padding
            padded = torch.nn.functional.pad(x, (left, right))
            expected = torch.nn.functional.conv1d(padded, layer.weight, layer.bias).mT
            torch.testing.assert_close(layer.add_bias(layer(x)), expected)
            assert expected.shape[1] == (21 if same else 22 - kernel_size)


def test_the_strongest_answers_and_their_gradients_are_those_of_a_plain_maximum() -> None:
    layer = Filters(7, 6, same=True).double()
    joined = [Filters(7, 6, same=True).double() for _ in range(2)]
    x = random_one_hot(3, 21).double()
    x[1, :, 15:] = 0
    valid = valid_units(x, 21, layer.field)
    coefficients = torch.randn(2, 3, 7, dtype=torch.float64)

    def both(x: torch.Tensor, valid: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        ours = layer.max_activations(x, valid)
        plain = layer(x).masked_fill(~valid.unsqueeze(-1), float("-inf")).amax(-2)
        torch.testing.assert_close(ours, plain)
        mine, theirs = (
            torch.autograd.grad((y * coefficients[0]).sum(), layer.weight, retain_graph=True)
            for y in (ours, plain)
        )
        torch.testing.assert_close(mine, theirs)
        return ours, plain

    both(x, valid)
    # With gradients of the input too, as an explanation wants them.
    given = x.clone().requires_grad_()
    mine, theirs = (
        torch.autograd.grad((y * coefficients[0]).sum(), given) for y in both(given, valid)
    )
    torch.testing.assert_close(mine, theirs)
    layer.weight = torch.nn.Parameter(torch.stack([one.weight.detach() for one in joined]))
    two = torch.stack([x, x.flip(0)]).requires_grad_()
    together = layer.max_activations(two, torch.stack([valid, valid.flip(0)]))
    found = torch.autograd.grad((together * coefficients).sum(), (layer.weight, two))
    for replica, rows in enumerate((x, x.flip(0))):
        one, own = joined[replica], rows.clone().requires_grad_()
        alone = one.max_activations(own, valid_units(rows, 21, layer.field))
        torch.testing.assert_close(together[replica], alone)
        loss = (alone * coefficients[replica]).sum()
        for mine, expected in zip(found, torch.autograd.grad(loss, (one.weight, own)), strict=True):
            torch.testing.assert_close(mine[replica], expected)


def logits_of_mutants_one_by_one(
    model: SequenceModel, x: torch.Tensor, places: Sequence[int] | None = None
) -> torch.Tensor:
    """Logits (N, 4, L) of mutants computed as a whole; NaN at zero columns and other places."""
    logits = torch.full_like(x, torch.nan)
    places = range(x.shape[-1]) if places is None else places
    for row, place in itertools.product(range(len(x)), places):
        if bool(x[row, :, place].any()):
            mutants = x[row].repeat(4, 1, 1)
            mutants[:, :, place] = torch.eye(4)
            logits[row, :, place] = model(mutants)
    return logits


def with_unknown_bases(length: int) -> torch.Tensor:
    x = random_one_hot(3, length)
    x[1, :, length - 2 :] = 0  # padding
    x[2, :, 4] = 0  # an N
    return x


@pytest.mark.parametrize(("length", "kernel_size"), [(31, 6), (31, 7), (9, 9)])
@pytest.mark.parametrize("activation", ["relu", "exponential"])
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("name", ["cnn", "attention"])
@torch.no_grad()
def test_the_quick_logits_of_mutants_are_those_of_the_mutants(
    name: str, both: bool, activation: str, length: int, kernel_size: int
) -> None:
    sizes = {"n_filters": 11, "kernel_size": kernel_size, "n_hidden": 5}
    model = build_model(name, length=length, seed=0, activation=activation, **sizes)
    model = model.double().eval()
    model.first.bias.data.fill_(0.5)  # type: ignore[union-attr]
    model = BothStrands(model) if both else model
    x = with_unknown_bases(length).double()
    found, expected = model.single_mutant_logits(x), logits_of_mutants_one_by_one(model, x)
    assert found is not None
    assert found.shape == x.shape
    torch.testing.assert_close(found[~expected.isnan()], expected[~expected.isnan()])
    effects = saturation_mutagenesis(model, x)
    assert np.count_nonzero(effects[2, :, 4]) == np.count_nonzero(effects[1, :, length - 2 :]) == 0
    assert np.count_nonzero(effects[x.numpy() == 1]) == 0


@pytest.mark.parametrize("query", [0.0, 1.0, 300.0])
@pytest.mark.parametrize("scores", [1.0, 100.0])
@pytest.mark.parametrize("activation", ["relu", "exponential"])
@torch.no_grad()
def test_quick_mutants_of_sharp_attention_lose_nothing_in_single_precision(
    activation: str, scores: float, query: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One unit may hold nearly all the attention, and be gone in a mutant."""
    monkeypatch.setitem(mutants.CHANGED_AT_ONCE, "cpu", 3 * 3 * 6 * 7 * 5)  # 5 places
    monkeypatch.setattr("motiflens.models.mutants_of_attention.FEW_FAR", 6)
    options = {"n_filters": 7, "kernel_size": 6, "n_hidden": 5, "n_heads": 3}
    model = build_model("attention", length=23, seed=2, activation=activation, **options).eval()
    assert isinstance(model, Attention)
    model.first.weight *= 3
    model.attention.v *= scores
    model.attention.project.weight[:, :7] *= query
    x = with_unknown_bases(23)
    found, expected = model.single_mutant_logits(x), logits_of_mutants_one_by_one(model, x)
    assert found is not None
    weights = model.attention_maps(x)[0].weights
    assert (scores == 1.0) or float(weights.amax()) > 0.8
    known = ~expected.isnan()
    spread = float(expected[known].max() - expected[known].min())
    exact = logits_of_mutants_one_by_one(model.double(), x.double())[known]
    own_error = (expected[known] - exact).abs().max()
    assert (found[known] - exact).abs().max() < 1e-5 * spread + 3 * own_error


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("tutorial-cnn", {}),
        ("tutorial-attention", {}),
        ("attention", {"n_filters": 7, "kernel_size": 6, "pool_size": 3}),
        ("attention", {"n_filters": 7, "kernel_size": 5, "pool_size": 4, "activation": "relu"}),
    ],
)
@torch.no_grad()
def test_the_quick_logits_of_pooled_models_are_those_of_the_mutants(
    name: str, options: dict[str, object], both: bool
) -> None:
    model = build_model(name, length=31, seed=3, **options).double().eval()
    model.first.bias.data.fill_(0.5)  # type: ignore[union-attr]
    model = BothStrands(model) if both else model
    x = with_unknown_bases(31).double()
    found, expected = model.single_mutant_logits(x), logits_of_mutants_one_by_one(model, x)
    assert found is not None
    torch.testing.assert_close(found[~expected.isnan()], expected[~expected.isnan()])


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("name", ["cnn", "attention", "tutorial-cnn", "tutorial-attention"])
@torch.no_grad()
def test_quick_mutants_of_a_range_are_those_of_the_whole(name: str, both: bool) -> None:
    model = build_model(name, length=41, seed=0).double().eval()
    model = BothStrands(model) if both else model
    x = with_unknown_bases(41).double()
    whole, part = model.single_mutant_logits(x), model.single_mutant_logits(x, 3, 17)
    assert whole is not None
    assert part is not None
    known = x[..., 3:17].amax(1, keepdim=True).expand_as(part) > 0
    torch.testing.assert_close(part[known], whole[..., 3:17][known])


@pytest.mark.parametrize(("query", "order"), [(1e-3, 1), (0.03, 2), (60.0, 0)])
@pytest.mark.parametrize("pool_size", [1, 2])
@torch.no_grad()
def test_far_units_are_added_up_as_exactly_as_one_by_one(
    pool_size: int, query: float, order: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {
        "n_filters": 7,
        "kernel_size": 6,
        "n_hidden": 5,
        "n_heads": 3,
        "pool_size": pool_size,
    }
    model = build_model("attention", length=400, seed=2, **options).eval()
    assert isinstance(model, Attention)
    model.first.bias.data.fill_(0.3)
    model.attention.v *= 10
    model.attention.project.weight[:, :7] *= query
    monkeypatch.setitem(mutants.CHANGED_AT_ONCE, "cpu", 3 * 3 * 6 * 7 * 37)
    orders = []
    far = mutants_of_attention._Far
    known = far.order
    monkeypatch.setattr(
        far, "order", lambda self, delta: orders.append(known(self, delta)) or orders[-1]
    )
    x = with_unknown_bases(400)
    found = model.single_mutant_logits(x)
    assert max(orders) == order
    places = [0, 1, 5, 200, 399]
    exact = logits_of_mutants_one_by_one(model.double(), x.double(), places)[..., places]
    own = logits_of_mutants_one_by_one(model.float(), x, places)[..., places]
    keep = ~exact.isnan()
    spread = float(exact[keep].max() - exact[keep].min())
    own_error = (own[keep] - exact[keep]).abs().max()
    assert (found[..., places][keep] - exact[keep]).abs().max() < 1e-5 * spread + 3 * own_error


def test_a_model_without_a_quick_way_says_so() -> None:
    x = random_one_hot(2, 30)
    assert SequenceModel().single_mutant_logits(x) is None
    assert BothStrands(SequenceModel()).single_mutant_logits(x) is None


def test_filters_that_start_as_words_answer_to_them_and_seldom_to_chance() -> None:
    torch.manual_seed(0)
    layer = Filters(40, 15, same=False)
    layer.init_from_kmers()
    own = torch.nn.functional.one_hot(layer.weight.argmax(1), 4).float().mT
    answers = layer.add_bias(layer(own)).squeeze(1)
    assert bool((answers.diagonal() > 1.0).all())
    assert len({tuple(row) for row in layer.weight.argmax(1).tolist()}) == 40
    chance = layer.add_bias(layer(random_one_hot(300, 100)))
    # A normal distribution has 0.00135 beyond 3 deviations; a sum of 15 bases is a little skewed.
    assert 0.001 < float((chance > 0).float().mean()) < 0.006
    torch.testing.assert_close(layer.weight.sum(1), torch.zeros(40, 15))


def test_max_pool_equals_pytorchs_and_drops_the_remainder() -> None:
    x = torch.randn(3, 11, 5, requires_grad=True)
    pooled = MaxPool(4)(x)
    expected = torch.nn.functional.max_pool1d(x.mT, 4).mT
    assert torch.equal(pooled, expected)
    assert pooled.shape == (3, 2, 5)
    with_replicas = torch.randn(2, 3, 11, 5)
    assert torch.equal(MaxPool(4)(with_replicas)[1], MaxPool(4)(with_replicas[1]))


def test_additive_attention_equals_its_formula() -> None:
    layer = AdditiveAttention(n_channels=5, n_heads=2, n_hidden=3)
    keys = torch.randn(4, 7, 5)
    valid = torch.ones(4, 7, dtype=torch.bool)
    valid[1, 4:] = False
    weights = layer.weights(keys, valid)
    context = layer(keys, valid)
    for n in range(4):
        kept = int(valid[n].sum())
        query = keys[n, :kept].mean(0)
        for head in range(2):
            rows = slice(3 * head, 3 * head + 3)
            scores = torch.stack(
                [
                    layer.v[rows]
                    @ torch.tanh(
                        layer.project.weight[rows] @ torch.cat([query, keys[n, u]])
                        + layer.project.bias[rows]
                    )
                    for u in range(kept)
                ]
            )
            expected = torch.softmax(scores, 0)
            torch.testing.assert_close(weights[n, :kept, head], expected)
            torch.testing.assert_close(
                context[n, 5 * head : 5 * head + 5], expected @ keys[n, :kept]
            )
    assert not weights[1, 4:].any()


@pytest.mark.parametrize("name", ["cnn", "attention", "hybrid", "transformer"])
def test_padding_does_not_change_a_logit_or_an_attention(name: str) -> None:
    model = build_model(name, length=40, seed=0)
    x = random_one_hot(6, 33)
    padded = torch.nn.functional.pad(x, (0, 9))
    torch.testing.assert_close(model(padded), model(x))
    for short, long in zip(model.attention_maps(x), model.attention_maps(padded), strict=True):
        torch.testing.assert_close(long.weights[..., :33], short.weights)
        assert not long.weights[..., 33:].any()


def test_an_n_inside_a_sequence_is_no_padding() -> None:
    x = random_one_hot(2, 20)
    x[0, :, 7:9] = 0
    x[1, :, 16:] = 0
    field = ReceptiveField(-2, 1, 5)
    valid = valid_units(x, 20, field)
    assert valid[0].all()
    assert valid[1].tolist() == [True] * 16 + [False] * 4


@pytest.mark.parametrize("name", MODELS)
def test_logits_do_not_depend_on_the_batch(name: str) -> None:
    model = build_model(name, length=50, seed=2)
    x = random_one_hot(9, 50)
    torch.testing.assert_close(model(x), torch.cat([model(one[None]) for one in x]))
    assert model(x).shape == (9,)


@pytest.mark.parametrize("name", MODELS)
def test_stacked_models_compute_each_replica(name: str) -> None:
    models = [build_model(name, length=50, seed=seed).double() for seed in (3, 1, 2)]
    x = torch.stack([random_one_hot(5, 50, seed=seed) for seed in range(3)]).double()
    together = stack(models)(x)
    assert together.shape == (3, 5)
    for replica, model in enumerate(models):
        torch.testing.assert_close(together[replica], model(x[replica]), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", [name for name in MODELS if name != "transformer"])
def test_a_unit_sees_the_bases_of_its_receptive_field_and_no_other(name: str) -> None:
    model = build_model(name, length=50, seed=0)
    # No activation is cut off at 0, which would hide a change.
    model.get_parameter("first.bias").data.fill_(9.0)
    x = random_one_hot(1, 50)
    feature = model.first_layer(x)
    assert feature.activations.shape[:2] == (1, model.filters.shape[0])
    unit = 6
    start = feature.field.start(unit)
    seen = set()
    for base in range(50):
        changed = x.clone()
        changed[0, :, base] = x[0, :, base].roll(1)
        after = model.first_layer(changed).activations[0, :, unit]
        if not torch.equal(after, feature.activations[0, :, unit]):
            seen.add(base)
    assert seen == set(range(max(0, start), start + feature.field.width))


def test_the_tutorials_attention_units_see_fifteen_bases_from_four_i() -> None:
    model = build_model("tutorial-attention", length=50, seed=0)
    (attention,) = model.attention_maps(random_one_hot(3, 50))
    assert attention.weights.shape == (3, 1, 9)
    assert attention.field == ReceptiveField(first=0, stride=4, width=15)
    torch.testing.assert_close(attention.weights.sum(-1), torch.ones(3, 1))
    # The pool drops the last three positions of the filters, so bases 47 to 49 change no logit.
    x = random_one_hot(2, 50)
    changed = x.clone()
    changed[..., 47:] = x[..., 47:].roll(1, dims=1)
    assert torch.equal(model(x), model(changed))
    changed[..., 46] = x[..., 46].roll(1, dims=1)
    assert not torch.equal(model(x), model(changed))


def test_laying_on_bases_keeps_the_sum_and_touches_only_what_is_seen() -> None:
    weights = torch.rand(2, 3, 9)
    laid = project_to_bases(weights, ReceptiveField(0, 4, 15), 50)
    assert laid.shape == (2, 3, 50)
    torch.testing.assert_close(laid.sum(-1), weights.sum(-1))
    one = torch.zeros(1, 1, 9)
    one[..., 2] = 1.0
    laid = project_to_bases(one, ReceptiveField(0, 4, 15), 50)
    assert torch.nonzero(laid[0, 0]).flatten().tolist() == list(range(8, 23))
    # Over an edge, the bases inside share the weight.
    edge = torch.zeros(1, 1, 6)
    edge[..., 0] = 1.0
    laid = project_to_bases(edge, ReceptiveField(-2, 1, 5), 6)
    torch.testing.assert_close(laid[0, 0, :4], torch.tensor([1 / 3, 1 / 3, 1 / 3, 0.0]))
    with pytest.raises(ValueError, match="none of 6 bases"):
        project_to_bases(edge, ReceptiveField(9, 1, 5), 6)


def test_initial_weights_come_from_the_seed_and_leave_the_global_state() -> None:
    torch.manual_seed(11)
    state = torch.get_rng_state()
    one, again, other = (build_model("attention", length=30, seed=s) for s in (5, 5, 6))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(one.filters, again.filters)
    assert not torch.equal(one.filters, other.filters)


def test_threads_that_build_at_once_get_the_weights_of_their_seeds() -> None:
    def build(seed: int) -> torch.Tensor:
        return build_model("cnn", length=50, seed=seed, n_filters=64).filters

    alone, interval = [build(seed) for seed in range(24)], sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(build, range(24)))
    finally:
        sys.setswitchinterval(interval)
    assert all(map(torch.equal, alone, together))


def test_heads_and_activation_are_choices() -> None:
    model = build_model("attention", length=30, seed=0, n_heads=3, activation="relu")
    (attention,) = model.attention_maps(random_one_hot(2, 30))
    assert attention.weights.shape == (2, 3, 30)
    assert float(model.first_layer(random_one_hot(2, 30)).activations.detach().min()) == 0.0
    exponential = build_model("attention", length=30, seed=0, activation="exponential")
    assert float(exponential.first_layer(random_one_hot(2, 30)).activations.detach().min()) > 0.0


def test_an_exponential_unit_starts_at_one_at_its_own_word_and_near_nothing_elsewhere() -> None:
    model = build_model("attention", length=60, seed=0, activation="exponential", n_filters=7)
    words = model.filters.detach().argmax(dim=1)
    own = torch.nn.functional.one_hot(words, 4).mT.float()
    units = model.first_layer(own).activations.detach()
    centre = words.shape[1] // 2
    np.testing.assert_allclose(units[range(7), range(7), centre], 1, atol=1e-5)
    assert float(model.first_layer(random_one_hot(9, 60)).activations.detach().mean()) < 0.05


def test_a_hand_set_attention_model_looks_at_its_motif() -> None:
    # One filter answers to GAT, its exponential is e^(3-3) = 1 there and far less elsewhere.
    sizes = {"n_filters": 1, "kernel_size": 3, "n_heads": 1, "n_hidden": 1}
    model = build_model("attention", length=12, seed=0, activation="exponential", **sizes)
    with torch.no_grad():
        model.filters.zero_()
        for position, base in enumerate("GAT"):
            model.filters[0, "ACGT".index(base), position] = 10.0
        model.first.bias.fill_(-30.0)
        model.attention.project.weight.copy_(torch.tensor([[0.0, 5.0]]))
        model.attention.project.bias.zero_()
        model.attention.v.fill_(4.0)
    sequence = "CCCCGATCCCCC"
    x = torch.nn.functional.one_hot(torch.tensor(["ACGT".index(b) for b in sequence]), 4)
    (attention,) = model.attention_maps(x.float().mT[None])
    expected = np.exp(4 * np.tanh(5.0 * np.array([0] * 5 + [1] + [0] * 6)))
    np.testing.assert_allclose(
        attention.weights[0, 0].detach(), expected / expected.sum(), rtol=1e-3
    )
    assert attention.field.start(5) == 4


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean tutorial-cnn"):
        build_model("tutorial_cnn", length=50, seed=0)


@pytest.mark.parametrize("name", ["cnn", "attention", "hybrid", "transformer"])
def test_a_model_of_both_strands_scores_a_sequence_and_its_complement_the_same(name: str) -> None:
    plain = build_model(name, length=31, seed=4)
    model = BothStrands(plain)
    x = random_one_hot(5, 31)
    complement = x.flip((-2, -1))
    torch.testing.assert_close(model(x), (plain(x) + plain(complement)) / 2)
    torch.testing.assert_close(model(x), model(complement))
    assert (plain(x) - plain(complement)).abs().max() > 1e-4
    padded = torch.nn.functional.pad(x, (0, 6))
    torch.testing.assert_close(model(padded), model(x))
    if name != "transformer":
        assert torch.equal(model.filters, plain.filters)


def test_the_other_strand_keeps_padding_on_the_right_and_gradients_flow() -> None:
    x = random_one_hot(3, 17)
    x[1, :, 12:] = 0
    x[2, :, 5] = 0
    x.requires_grad_()
    other = other_strand(x)
    assert torch.equal(other_strand(other), x)
    assert torch.equal(other[1, :, :12], x[1, :, :12].flip((-2, -1)))
    assert not other[1, :, 12:].any()
    other.sum().backward()
    assert torch.equal(x.grad, torch.ones_like(x))


@pytest.mark.parametrize("name", sorted(MODELS))
@pytest.mark.parametrize("shorter", [0, 6])
def test_what_a_model_reads_stands_for_the_sequences_and_is_cut_as_they_are(name, shorter):
    joined = stack([build_model(name, length=43, seed=seed) for seed in range(3)]).double()
    codes = torch.randint(5, (3, 41, 43), generator=torch.Generator().manual_seed(2))
    codes[:, ::2, 43 - shorter :] = 4
    one_hot = torch.eye(5, 4).double()[codes].mT

    def found(x: object) -> list[torch.Tensor]:
        logits = joined(x)
        return [logits, *torch.autograd.grad(logits.square().sum(), list(joined.parameters()))]

    for part in (slice(None), slice(7, 39)):
        whole, read = found(one_hot[:, part]), found(joined.read(one_hot)[:, part])
        for mine, other in zip(read, whole, strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-11)


def test_the_steps_of_the_tutorials_attention_are_those_of_its_layers() -> None:
    model, one_hot = build_model("tutorial-attention", length=53, seed=0), random_one_hot(5, 53)
    kept = {}
    for name in ("attention", "context_activation", "hidden_activation"):
        layer = model.get_submodule(name)
        layer.register_forward_hook(
            lambda _, given, out, name=name: kept.update({name: (given, out)})
        )
    with torch.no_grad():
        steps, logits = model.steps(one_hot), model(one_hot)
        (keys,), context = kept["attention"]
        assert torch.equal(steps.keys, keys)
        assert torch.equal(steps.context, context)
        assert torch.allclose(steps.query, keys.mean(1))
        assert torch.allclose(steps.weights, model.attention_maps(one_hot)[0].weights[:, 0])
        assert torch.allclose(steps.weights, steps.scores.softmax(-1))
        assert torch.allclose((steps.weights[..., None] * keys).sum(1), context, atol=1e-6)
        weight = model.output.weight[0]
        assert torch.allclose(steps.from_filters, kept["hidden_activation"][1] @ weight[:16])
        assert torch.allclose(steps.from_context, kept["context_activation"][1] @ weight[16:])
        assert torch.allclose(
            steps.from_context + steps.from_filters + steps.bias, logits, atol=1e-5
        )
