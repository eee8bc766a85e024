"""Self-attention equals PyTorch's, heads look at offsets, maps lie on bases."""

import numpy as np
import pytest
import torch

from motiflens import simulate
from motiflens.attribution.attention import attention_on_bases
from motiflens.datasets import split_at_random
from motiflens.models import (
    blocked_attention,
    build_model,
    project_to_bases,
    self_attention,
)
from motiflens.models.base import ReceptiveField
from motiflens.models.layers import LayerNorm
from motiflens.models.self_attention import (
    Block,
    RelativeBias,
    SelfAttention,
    neighbours,
    self_attention_maps,
)
from motiflens.simulation import tutorial_grammar
from motiflens.training import Job, Recipe, train

SELF_ATTENTIVE = ["hybrid", "transformer"]


def random_one_hot(n: int, length: int, seed: int = 0) -> torch.Tensor:
    codes = torch.randint(0, 4, (n, length), generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.one_hot(codes, 4).float().mT.contiguous()


def some_valid(n: int, n_units: int) -> torch.Tensor:
    valid = torch.ones(n, n_units, dtype=torch.bool)
    valid[1, n_units - 3 :] = False
    return valid


def test_attention_equals_pytorchs_where_no_offset_counts() -> None:
    torch.manual_seed(0)
    layer = SelfAttention(12, offsets=(0, 1, 2), max_offset=4)
    torch.nn.init.zeros_(layer.positions.table)
    x, valid = torch.randn(5, 7, 12), some_valid(5, 7)
    query, key, value = (
        part.view(5, 7, 3, 4).transpose(1, 2) for part in layer.project(x).split(12, dim=-1)
    )
    expected = torch.nn.functional.scaled_dot_product_attention(
        query, key, value, attn_mask=valid[:, None, None, :]
    )
    expected = layer.output(expected.transpose(1, 2).reshape(5, 7, 12))
    torch.testing.assert_close(layer(x, valid), expected)


def test_attention_with_offsets_equals_pytorchs_with_a_mask_of_numbers() -> None:
    torch.manual_seed(1)
    layer = SelfAttention(10, offsets=(0, 3), max_offset=2)
    torch.nn.init.normal_(layer.positions.table)
    x, valid = torch.randn(4, 9, 10), some_valid(4, 9)
    query, key, value = (
        part.view(4, 9, 2, 5).transpose(1, 2) for part in layer.project(x).split(10, dim=-1)
    )
    mask = torch.empty(4, 2, 9, 9)
    for n, head, i, j in np.ndindex(4, 2, 9, 9):
        number = layer.positions.table[head, min(max(j - i, -2), 2) + 2]
        mask[n, head, i, j] = number if valid[n, j] else -torch.inf
    mixed = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    expected = layer.output(mixed.transpose(1, 2).reshape(4, 9, 10))
    torch.testing.assert_close(layer(x, valid), expected)


@pytest.mark.parametrize("n_units", [1, 3, 4, 11])
def test_a_bias_belongs_to_its_offset_shorter_and_longer_than_the_table(n_units: int) -> None:
    bias = RelativeBias((0, 1), max_offset=3)
    torch.nn.init.normal_(bias.table)
    found = bias(n_units)
    assert found.shape == (2, n_units, n_units)
    for head, i, j in np.ndindex(2, n_units, n_units):
        assert found[head, i, j] == bias.table[head, min(max(j - i, -3), 3) + 3]


def test_before_training_each_head_looks_mostly_at_its_own_offset() -> None:
    assert neighbours(4, 1) == (-1, 0, 1, 2)
    assert neighbours(4, 4) == (-4, 0, 4, 8)
    bias = RelativeBias(neighbours(4, 4), max_offset=16)
    weights = torch.softmax(bias(41), -1).detach()
    for head, offset in enumerate((-4, 0, 4, 8)):
        assert int(weights[head, 20].argmax()) == 20 + offset
        assert float(weights[head, 20].amax()) == pytest.approx(0.86, abs=0.01)


def test_a_head_set_by_hand_looks_three_bases_ahead_and_nowhere_else() -> None:
    layer = SelfAttention(4, offsets=(0,), max_offset=5)
    with torch.no_grad():
        layer.project.weight.zero_()
        layer.project.weight[8:] = torch.eye(4)
        layer.output.weight.copy_(torch.eye(4))
        layer.output.bias.zero_()
        layer.positions.table.fill_(-100.0)
        layer.positions.table[0, 5 + 3] = 0.0
    x = random_one_hot(2, 13).mT
    valid = torch.ones(2, 13, dtype=torch.bool)
    weights = layer.weights(x, valid)[:, 0, :10]
    expected = torch.zeros(10, 13)
    expected[torch.arange(10), torch.arange(10) + 3] = 1.0
    torch.testing.assert_close(weights, expected.expand(2, -1, -1))
    torch.testing.assert_close(layer(x, valid)[:, :10], x[:, 3:])


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("n_replicas", [None, 3])
def test_attention_in_blocks_is_the_plain_one_with_its_gradients(
    monkeypatch: pytest.MonkeyPatch, padded: bool, n_replicas: int | None
) -> None:
    torch.manual_seed(3)
    monkeypatch.setattr(blocked_attention, "AT_ONCE", 2 * 7 * 7)  # two of five sequences at once
    layers = [SelfAttention(12, (0, 1), max_offset=4).double() for _ in range(n_replicas or 1)]
    layer, lead = layers[0], () if n_replicas is None else (n_replicas,)
    if n_replicas is not None:
        for module in layer.modules():
            for name, own in list(module.named_parameters(recurse=False)):
                drawn = torch.randn(n_replicas, *own.shape, dtype=torch.float64)
                setattr(module, name, torch.nn.Parameter(drawn))
    x = torch.randn(*lead, 5, 7, 12, dtype=torch.float64, requires_grad=True)
    valid = some_valid(5, 7).expand(*lead, 5, 7) if padded else torch.ones(*lead, 5, 7) > 0
    factors = torch.randn(*lead, 5, 7, 12, dtype=torch.float64)
    wanted = [x, *layer.parameters()]

    def computed() -> list[torch.Tensor]:
        mixed = layer(x, valid)
        return [mixed, *torch.autograd.grad((mixed * factors).sum(), wanted)]

    calls: list[int] = []
    attend = blocked_attention.attend
    monkeypatch.setattr(self_attention, "attend", lambda *a: (calls.append(1), attend(*a))[1])
    in_blocks = computed()
    assert calls
    with torch.no_grad():
        torch.testing.assert_close(layer(x, valid), in_blocks[0])
    layer.softmax.register_forward_hook(lambda *_: None)  # whoever looks gets the plain layers
    del calls[:]
    torch.testing.assert_close(computed(), in_blocks)
    assert not calls


def test_a_layer_norm_of_replicas_is_each_ones() -> None:
    single = [LayerNorm(5) for _ in range(3)]
    for layer in single:
        torch.nn.init.normal_(layer.weight)
        torch.nn.init.normal_(layer.bias)
    joined = LayerNorm(5)
    joined.weight = torch.nn.Parameter(torch.stack([one.weight.detach() for one in single]))
    joined.bias = torch.nn.Parameter(torch.stack([one.bias.detach() for one in single]))
    x = torch.randn(3, 2, 7, 5)
    for replica, layer in enumerate(single):
        torch.testing.assert_close(joined(x)[replica], layer(x[replica]))
        expected = torch.nn.functional.layer_norm(x[replica], (5,), layer.weight, layer.bias)
        torch.testing.assert_close(layer(x[replica]), expected)


def test_a_block_adds_to_what_comes_in() -> None:
    block = Block(6, offsets=(0, 1), max_offset=3, n_hidden=7)
    for layer in (block.attention.output, block.output):
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    x = torch.randn(2, 5, 6)
    torch.testing.assert_close(block(x, some_valid(2, 5)), x)


def test_received_attention_is_the_mean_over_queries_that_are_no_padding() -> None:
    torch.manual_seed(2)
    first, second = (Block(6, (0, 1, 2), 3, n_hidden=7) for _ in range(2))
    x, valid = torch.randn(4, 8, 6), some_valid(4, 8)
    field = ReceptiveField(0, 1, 1)
    maps = self_attention_maps(torch.nn.ModuleList([first, second]), x, valid, field)
    assert [one.layer for one in maps] == ["block 1", "block 2"]
    for one in maps:
        assert one.full is not None
        assert one.full.shape == (4, 3, 8, 8)
        torch.testing.assert_close(one.full.sum(-1), torch.ones(4, 3, 8))
        torch.testing.assert_close(one.weights[0], one.full[0].mean(-2))
        torch.testing.assert_close(one.weights[1], one.full[1, :, :5].mean(-2))
        torch.testing.assert_close(one.weights.sum(-1), torch.ones(4, 3))
        assert not one.full[1, :, :, 5:].any()
    torch.testing.assert_close(maps[1].full, second.weights(first(x, valid), valid))


@pytest.mark.parametrize("name", SELF_ATTENTIVE)
def test_the_maps_of_a_model_are_tied_to_bases(name: str) -> None:
    model = build_model(name, length=20, seed=0, n_blocks=3, n_heads=2)
    x = random_one_hot(5, 23)
    maps = model.attention_maps(x)
    assert len(maps) == 3
    for one in maps:
        assert one.weights.shape == (5, 2, 23)
        laid = project_to_bases(one.weights, one.field, 23)
        torch.testing.assert_close(laid.sum(-1), torch.ones(5, 2))
        assert one.field.start(7) + (one.field.width - 1) // 2 == 7
    np.testing.assert_allclose(attention_on_bases(model, x).sum(1), 1.0, rtol=1e-5)


def test_a_transformer_cannot_tell_where_a_sequence_lies_but_in_what_order() -> None:
    model = build_model("transformer", length=60, seed=0).double()
    word, n = random_one_hot(1, 12, seed=5), 60
    logits = []
    for start in (20, 27, 31):
        x = torch.zeros(1, 4, n)
        x[..., 0, :] = 1.0
        x[..., start : start + 12] = word
        logits.append(model(x.double()).item())
    # Edges are dozens of bases away, where a head that looks at an offset has little weight.
    assert np.ptp(logits) < 1e-3
    turned = x.clone()
    turned[..., start : start + 12] = word.flip(-1)
    assert abs(model(turned.double()).item() - logits[-1]) > 1e-2


def test_a_transformer_has_no_filters_and_a_hybrid_has() -> None:
    assert not hasattr(build_model("transformer", length=20, seed=0), "filters")
    assert build_model("hybrid", length=20, seed=0, n_filters=8).filters.shape == (8, 4, 15)


@pytest.mark.parametrize("name", SELF_ATTENTIVE)
def test_every_block_has_a_softmax_whose_weights_can_be_replaced(name: str) -> None:
    model = build_model(name, length=20, seed=0)
    blocks = [layer for layer in model.modules() if isinstance(layer, SelfAttention)]
    assert blocks
    ran: list[torch.nn.Module] = []
    for layer in model.modules():
        if isinstance(layer, torch.nn.Softmax):
            layer.register_forward_hook(lambda module, *_: ran.append(module))
    model(random_one_hot(2, 20))
    assert len(ran) == len(blocks)


@pytest.mark.parametrize("length", [1, 15, 90])
def test_models_take_short_long_and_unknown_sequences(length: int) -> None:
    for name in SELF_ATTENTIVE:
        model = build_model(name, length=length, seed=0)
        if length >= model.min_length:
            x = random_one_hot(3, length)
            x[0] = 0.0
            x.requires_grad_()
            logits = model(x)
            logits.sum().backward()
            assert torch.isfinite(logits).all()
            assert x.grad is not None
            assert torch.isfinite(x.grad).all()


@pytest.mark.slow
def test_a_transformer_finds_a_motif_by_offsets_and_by_nothing_else() -> None:
    data = split_at_random(simulate(tutorial_grammar(n=400), 0), test=0.2, seed=0)
    recipe = Recipe(epochs=8, learning_rate=5e-3, validation_fraction=0.0)
    accuracy = {}
    for max_offset in (16, 0):
        job = Job("transformer", (0,), recipe, hyperparameters={"max_offset": max_offset})
        accuracy[max_offset] = train(data, job, threads=1)[0].history[-1].test_accuracy or 0.0
    # All offsets sharing one number, bases are a bag: their composition is all there is to learn.
    assert accuracy[16] > 0.95
    assert accuracy[0] < 0.85
