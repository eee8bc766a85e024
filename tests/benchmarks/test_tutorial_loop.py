from __future__ import annotations

import pytest
import torch
from torch import nn

from benchmarks import tutorial_loop

MODELS = [tutorial_loop.TutorialCNN, tutorial_loop.TutorialAttention]


def one_hot_of(codes: torch.Tensor) -> torch.Tensor:
    return nn.functional.one_hot(codes, 4).transpose(1, 2).float()


@pytest.fixture(scope="module")
def planted() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    codes = torch.randint(4, (300, 50), generator=generator)
    labels = torch.arange(300) % 2
    codes[labels == 1, 20:32] = torch.tensor([1, 2, 0, 1, 1, 2, 0, 0, 1, 3, 1, 1])
    return one_hot_of(codes), labels.float()


@pytest.mark.parametrize(("model_class", "n"), list(zip(MODELS, (6209, 8865), strict=True)))
def test_parameters_are_as_many_as_the_tutorials(model_class, n):
    assert sum(parameter.numel() for parameter in model_class().parameters()) == n


@pytest.mark.parametrize("model_class", MODELS)
def test_the_pool_drops_the_last_three_bases(model_class):
    torch.manual_seed(1)
    one_hot = one_hot_of(torch.randint(4, (6, 50))).requires_grad_()
    model_class()(one_hot).sum().backward()
    reached = one_hot.grad.abs().sum((0, 1)) > 0
    assert reached[:47].all()
    assert not reached[47:].any()


def test_attention_is_additive():
    torch.manual_seed(2)
    attention = tutorial_loop.AdditiveAttention(5)
    query, keys = torch.randn(3, 5), torch.randn(3, 7, 5)
    context, weights = attention(query, keys)
    matrix, bias = attention.attention.weight, attention.attention.bias
    for row in range(3):
        joined = [torch.cat((query[row], key)) for key in keys[row]]
        scores = torch.stack([attention.v @ torch.tanh(matrix @ x + bias) for x in joined])
        torch.testing.assert_close(weights[row], scores.softmax(0))
        torch.testing.assert_close(context[row], weights[row] @ keys[row])
    assert 0 <= attention.v.min() < attention.v.max() <= 1


@pytest.mark.parametrize("model_class", MODELS)
def test_training_finds_a_planted_motif(model_class, planted):
    one_hot, labels = planted
    parts = one_hot[:200], labels[:200], one_hot[200:], labels[200:]
    accuracies = tutorial_loop.train_tutorial(model_class, *parts, epochs=15, seed=0)
    assert len(accuracies) == 15
    assert accuracies[0] < 0.9 < accuracies[-1]
    assert tutorial_loop.train_tutorial(model_class, *parts, epochs=2, seed=0) == accuracies[:2]
    assert tutorial_loop.train_tutorial(model_class, *parts, epochs=4, seed=1) != accuracies[:4]
