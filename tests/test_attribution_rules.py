"""DeepLIFT's rules, function by function: the multipliers explain every difference exactly."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from motiflens.attribution import attribute
from motiflens.attribution.rules import DualTensor
from motiflens.errors import InputError
from motiflens.sequences import one_hot

N, C, L = 3, 4, 10
GENERATOR = torch.Generator().manual_seed(0)
WEIGHT = torch.randn(5, C, 3, generator=GENERATOR)
SQUARE = torch.randn(L, L, generator=GENERATOR)
MASK = torch.rand(L, generator=GENERATOR) > 0.3


def changed_in_place(x: Tensor) -> Tensor:
    y = x * 2
    y += 1
    y.mul_(x).relu_()
    y[:, 0] = x[:, 1] * 3
    y[..., :2] = 0
    return y


def attended(x: Tensor) -> Tensor:
    torch.manual_seed(0)
    layer = nn.MultiheadAttention(L, 2, batch_first=True)
    mixed, weights = layer(x, x.exp(), x, attn_mask=torch.ones(C, C).triu(1).bool())
    return (
        mixed.sum((1, 2)) + weights[:, 0, 0] + layer(x[0], x[0], x[0], need_weights=False)[0].sum()
    )


FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "sum": lambda x: x.sum((1, 2)),
    "arithmetic": lambda x: 3 - (2 + x) / 4 - x * 0.5 + (-x) - 1.0 * x,
    "division": lambda x: (1 - x) / (3 + x.abs()) + 2 / (1 + x.square()) + x / 3,
    "powers": lambda x: x**3 + 2**x + x.abs() ** 0.5 + x.square().sqrt(),
    "product": lambda x: x * x.flip(1) * x.roll(1, 2),
    "matmul": lambda x: torch.einsum("nij,nkj->nik", x, x.tanh()) @ x + x @ SQUARE,
    "convolution": lambda x: functional.conv1d(x, WEIGHT, padding=2).relu(),
    "elementwise": lambda x: functional.gelu(x) + x.sigmoid() + x.exp() + functional.softplus(x),
    "pieces": lambda x: functional.leaky_relu(x, 0.1) + x.clamp(-1, 0.5) + functional.hardtanh(x),
    "softmax": lambda x: functional.softmax(4 * x, dim=1) + x.log_softmax(-1) + x.softmax(2),
    "logsumexp": lambda x: torch.logsumexp(30 * x, 1) + x.logsumexp(1, keepdim=True).squeeze(1),
    "layer norm": lambda x: functional.layer_norm(x, (C, L), SQUARE[:C], eps=1e-3),
    "other norms": lambda x: functional.rms_norm(x, (L,))
    + functional.group_norm(x, 2, WEIGHT[0, :, 0]),
    "glu": lambda x: functional.glu(x, 1),
    "maxima": lambda x: x.amax((1, 2)) + x.max() + x.max(1).values[:, 0] - x.amin(-1)[:, 0],
    "keeping": lambda x: x - x.amax((0, 2), keepdim=True) + x.max(1, keepdim=True)[0] * x,
    "of two": lambda x: torch.maximum(x, x.flip(2)) - torch.minimum(x, SQUARE[0])
    + x.max(1 - x)
    + torch.min(x, other=x.roll(1, 1)),
    "overlapping pools": lambda x: functional.max_pool1d(functional.max_pool1d(x, 3, 1), 4, 2, 1),
    "pools in two dimensions": lambda x: functional.max_pool2d(x[:, None], (2, 3), 1)
    + functional.adaptive_max_pool2d(x, (1, 1))[..., None],
    "masked": lambda x: x.masked_fill(~MASK, float("-inf")).softmax(-1) * torch.where(MASK, x, 0),
    "minus infinity": lambda x: x.masked_fill(~MASK, float("-inf")).amax(-1),
    "attention": lambda x: functional.scaled_dot_product_attention(x, x.sin(), x, is_causal=True),
    "masked attention": lambda x: functional.scaled_dot_product_attention(
        x.mT, x.mT, x.mT, attn_mask=MASK
    ),
    "multi-head attention": attended,
    "in place": changed_in_place,
    "without gradients": torch.no_grad()(lambda x: (x.detach() * 2).exp()),
    "form": lambda x: (x + torch.zeros_like(x) + x.new_ones(L)).unflatten(-1, (2, -1)).flatten(1),
    "parts": lambda x: torch.cat([*x.unbind(1)[:2], *x.chunk(2, 1)[0].split(1, 1)[0].mT.mT], 0),
}  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS.keys())
def test_multipliers_explain_the_difference(function: Callable[[Tensor], Tensor]) -> None:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(N, C, L, generator=generator, dtype=torch.float32).requires_grad_()
    reference = torch.randn(N, C, L, generator=generator)
    reference[:, :, 4] = x.detach()[:, :, 4]  # equal values are no division by zero
    output = function(DualTensor.of(x.view_as(x), reference))
    assert isinstance(output, DualTensor)
    torch.testing.assert_close(output.value.detach(), function(x).detach())
    torch.testing.assert_close(output.reference, function(reference))
    share = torch.randn(output.value.shape, generator=generator)
    (multipliers,) = torch.autograd.grad((output.value * share).sum(), x)
    explained = (multipliers.double() * (x - reference)).sum()
    wanted = ((output.value - output.reference).double() * share).sum()
    size = ((output.value - output.reference) * share).abs().sum()
    assert size > 0.1
    assert abs(explained - wanted) < 3e-6 * size


def test_a_softmax_of_far_values_neither_overflows_nor_vanishes() -> None:
    x = torch.tensor([[0.0, 100.0, 3.0]]).requires_grad_()
    reference = torch.tensor([[-20.0, 0.0, 1.0]])
    output = DualTensor.of(x.view_as(x), reference).softmax(-1)
    (multipliers,) = torch.autograd.grad(output.value[0, 1], x)
    explained = float((multipliers * (x.detach() - reference)).sum())
    assert explained == pytest.approx(1 - 1 / (1 + np.e), rel=1e-4)


def test_a_maximum_credits_its_winner() -> None:
    x = torch.tensor([[5.0, 1.0, 0.0]]).requires_grad_()
    reference = torch.tensor([[1.0, 3.0, 0.0]])
    # 5 - 3 = 2 falls to the first, whose own difference is 4; the other way round to the second.
    (multipliers,) = torch.autograd.grad(DualTensor.of(x.view_as(x), reference).amax(-1).value, x)
    assert multipliers.tolist() == [[0.5, 0.0, 0.0]]
    y = reference.clone().requires_grad_()
    (multipliers,) = torch.autograd.grad(DualTensor.of(y.view_as(y), x).amax(-1).value, y)
    assert multipliers.tolist() == [[0.5, 0.0, 0.0]]


def steered(x: Tensor) -> Tensor:
    return x if sum(x.argmax(1).flatten().tolist()) > 5 else 2 * x


def into_a_constant(x: Tensor) -> Tensor:
    buffer = torch.zeros(x.shape)
    buffer[:] = x
    return buffer


class OfNumbers(torch.autograd.Function):
    """A function that torch cannot look into."""

    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        return torch.from_numpy(np.sign(x.detach().cpu().numpy()))


REFUSED: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "sorting": (lambda x: x.sort(-1).values, "sort"),
    "cumprod": (lambda x: (x + 2).cumprod(-1), "cumprod"),
    "a mask from the sequence": (lambda x: x * (x > 0.5), "mul"),
    "a place from the sequence": (lambda x: x.gather(1, x.argmax(1, keepdim=True)), "gather"),
    "an embedding": (lambda x: functional.embedding(x.argmax(1), SQUARE), "embedding"),
    "control flow": (steered, "that steers the model"),
    "a number": (lambda x: x * x.mean().item(), "item"),
    "writing into a constant": (into_a_constant, "writes into a constant"),
    "batch statistics": (
        lambda x: functional.batch_norm(x, None, None, training=True),
        "mixes the sequences",
    ),
    "dropout": (lambda x: functional.dropout(x, 0.5, training=True), "switched on"),
    "noise": (lambda x: x + torch.rand_like(x), "rand_like"),
}  # fmt: skip


@pytest.mark.parametrize(("function", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_an_operation_without_a_rule_is_refused_by_name(
    function: Callable[[Tensor], Tensor], message: str
) -> None:
    class Unusual(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return function(x).flatten(1).sum(1)

    codes = np.random.default_rng(0).integers(0, 4, (N, L)).astype(np.uint8)
    with pytest.raises(InputError, match=message) as caught:
        attribute(Unusual(), one_hot(codes), "deeplift_shap")
    assert "Unusual" in caught.value.problem


def test_a_recurrent_layer_is_refused_with_its_module() -> None:
    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.LSTM(4, 6, batch_first=True)

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(x.mT)[0].sum((1, 2))

    codes = np.random.default_rng(0).integers(0, 4, (N, L)).astype(np.uint8)
    with pytest.raises(InputError, match="lstm in LSTM"):
        attribute(Recurrent(), one_hot(codes), "deeplift_shap")
    assert np.abs(attribute(Recurrent(), one_hot(codes), "integrated_gradients").track).max() > 0
