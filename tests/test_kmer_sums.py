"""Sums over k-mers are the activations that a product of matrices gives, and so their gradients."""

from __future__ import annotations

import copy
import itertools
import warnings

import pytest
import torch
from torch import Tensor

from motiflens.models import build_model, kmer_sums
from motiflens.models.base import valid_units
from motiflens.models.filters import Filters

#: Replicas or none, filters, width, padded, length, sequences; the last is shorter than the filter.
SHAPES = [
    (None, 128, 19, True, 41, 61),
    (None, 7, 6, False, 37, 50),
    (None, 64, 2, True, 29, 80),
    (None, 5, 1, True, 23, 70),
    (None, 3, 19, True, 11, 90),
    (2, 128, 15, True, 31, 67),
    (3, 7, 12, False, 50, 43),
]


@pytest.fixture(autouse=True)
def any_number_of_filters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look rows up for few filters too, which a product of matrices computes faster."""
    monkeypatch.setattr(kmer_sums, "FEW_FILTERS", 1)


def layer_and_input(
    replicas: int | None, n_filters: int, width: int, same: bool, length: int, n: int
) -> tuple[Filters, Tensor, Tensor]:
    """A layer in double precision, one-hot with N and padding, and the units that count."""
    generator = torch.Generator().manual_seed(7)
    layer = Filters(n_filters, width, same=same).double()
    leading = () if replicas is None else (replicas,)
    shape = (*leading, *layer.weight.shape[-3:])
    layer.weight = torch.nn.Parameter(torch.randn(shape, generator=generator).double())
    letters = torch.randint(5, (*leading, n, length), generator=generator)
    for row, lead in itertools.product(range(n), range(replicas or 1)):
        letters.view(-1, n, length)[lead, row, length - (row + lead) % 7 :] = 0
    one_hot = kmer_sums.LETTERS.double()[letters].mT
    n_units = length if same else length - width + 1
    return layer, one_hot, valid_units(one_hot, n_units, layer.field)


def found(layer: Filters, one_hot: Tensor, valid: Tensor) -> list[Tensor]:
    """Activations, their maxima, and the gradients of both to the weights."""
    outputs = layer(one_hot), layer.max_activations(one_hot, valid)
    generator = torch.Generator().manual_seed(8)
    gradients = [
        torch.autograd.grad(y, layer.weight, torch.randn(y.shape, generator=generator).to(y))[0]
        for y in outputs
    ]
    return [*outputs, *gradients]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_sums_over_kmers_are_the_plain_activations_and_so_are_their_gradients(
    shape, dtype, monkeypatch
):
    layer, one_hot, valid = layer_and_input(*shape)
    layer, one_hot = layer.to(dtype), one_hot.to(dtype)
    assert kmer_sums.read_windows(one_hot, layer.weight, layer.padding) is not None
    ours = found(layer, one_hot, valid)
    monkeypatch.setattr(kmer_sums, "read_windows", lambda *_: None)
    atol = 1e-12 if dtype == torch.float64 else 1e-4
    for mine, plain in zip(ours, found(layer, one_hot, valid), strict=True):
        torch.testing.assert_close(mine, plain, rtol=1e-5, atol=atol)


def test_in_single_precision_an_activation_of_a_new_model_differs_by_rounding_alone(monkeypatch):
    layer = build_model("cnn", length=50, seed=0).first
    one_hot = kmer_sums.LETTERS[torch.randint(1, 5, (40, 50))].mT
    fast = layer(one_hot)
    monkeypatch.setattr(kmer_sums, "read_windows", lambda *_: None)
    torch.testing.assert_close(fast, layer(one_hot), rtol=0, atol=1e-6)


def test_a_replica_gets_the_bytes_that_it_gets_alone():
    layer, one_hot, valid = layer_and_input(2, 128, 15, True, 31, 67)
    together = layer.max_activations(one_hot, valid)
    for replica in range(2):
        alone = copy.deepcopy(layer)
        alone.weight = torch.nn.Parameter(layer.weight[replica].detach())
        assert torch.equal(
            alone.max_activations(one_hot[replica], valid[replica]), together[replica]
        )


def read(one_hot: Tensor, layer: Filters) -> kmer_sums.Windows | None:
    return kmer_sums.read_windows(one_hot, layer.weight, layer.padding)


@pytest.mark.parametrize("value", [0.5, -1.0, 2.0, float("nan"), float("inf")])
def test_what_is_not_one_hot_is_multiplied(value):
    layer, one_hot, _ = layer_and_input(None, 7, 6, False, 37, 50)
    one_hot[3, 2, 5] = value
    assert read(one_hot, layer) is None
    padded = torch.nn.functional.conv1d(one_hot, layer.weight).mT
    torch.testing.assert_close(layer(one_hot), padded, equal_nan=True)


def test_two_bases_in_a_column_are_no_one_hot():
    layer, one_hot, _ = layer_and_input(None, 7, 6, False, 37, 50)
    one_hot[3, :, 5] = torch.tensor([1.0, 1.0, 0.0, 0.0])
    assert read(one_hot, layer) is None


def test_what_is_followed_or_traced_or_small_is_multiplied():
    layer, one_hot, _ = layer_and_input(None, 7, 6, False, 37, 50)
    given = one_hot.clone().requires_grad_()
    assert read(given, layer) is None
    with torch.no_grad():
        assert read(given, layer) is not None
    assert read(one_hot[:3], layer) is None
    assert read(one_hot.half(), layer) is None
    assert read(one_hot.as_subclass(torch.nn.Buffer), layer) is None
    seen = []
    torch.func.vmap(lambda x: (seen.append(read(x, layer)), x)[1])(one_hot.unsqueeze(0))
    assert seen == [None]
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        traced = torch.jit.trace(layer, one_hot)
    torch.testing.assert_close(traced(one_hot.flip(0)), layer(one_hot.flip(0)))
    torch.export.export(layer, (one_hot,))


def test_few_filters_are_multiplied(monkeypatch):
    layer, one_hot, _ = layer_and_input(None, 7, 6, False, 37, 50)
    assert kmer_sums.read_windows(one_hot, layer.weight, layer.padding) is not None
    monkeypatch.setattr(kmer_sums, "FEW_FILTERS", 8)
    assert kmer_sums.read_windows(one_hot, layer.weight, layer.padding) is None
