"""A step over the keys that are not 0 gives what the plain layers give, and so its gradients."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from motiflens.models import attention, build_model, kmer_sums, sparse_attention
from motiflens.models.base import SequenceModel
from motiflens.training.replicas import stack

LENGTH, N = 41, 70
SMALL = {"n_filters": 24, "n_heads": 3, "n_hidden": 5, "kernel_size": 7, "dropout": 0.0}


@pytest.fixture(autouse=True)
def any_number_of_filters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the sparse step with few filters too, which a product of matrices computes faster."""
    monkeypatch.setattr(kmer_sums, "FEW_FILTERS", 1)


def model_and_input(n_replicas: int, padded: bool) -> tuple[SequenceModel, Tensor]:
    models = [build_model("attention", length=LENGTH, seed=s, **SMALL) for s in range(n_replicas)]
    joined = (models[0] if n_replicas == 1 else stack(models)).double()
    shape = (N,) if n_replicas == 1 else (n_replicas, N)
    generator = torch.Generator().manual_seed(3)
    letters = torch.randint(0 if padded else 1, 5, (*shape, LENGTH), generator=generator)
    if padded:
        for row in range(N):
            letters[..., row, LENGTH - row % 9 :] = 0
    return joined, kmer_sums.LETTERS.double()[letters].mT


def found(model: SequenceModel, one_hot: Tensor) -> list[Tensor]:
    """Logits, and the gradients of all weights."""
    logits = model(one_hot)
    given = torch.randn(logits.shape, generator=torch.Generator().manual_seed(5)).to(logits)
    return [logits, *torch.autograd.grad(logits, list(model.parameters()), given)]


@pytest.mark.parametrize("n_replicas", [1, 3])
@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("dense", [False, True])
def test_a_sparse_step_is_the_plain_one(n_replicas, padded, dense, monkeypatch):
    model, one_hot = model_and_input(n_replicas, padded)
    steps = []
    contexts = sparse_attention.contexts
    monkeypatch.setattr(attention, "contexts", lambda *a: (steps.append(1), contexts(*a))[1])
    monkeypatch.setattr(sparse_attention, "DENSE", -1.0 if dense else 1.0)
    ours = found(model, one_hot)
    assert steps
    monkeypatch.setattr(kmer_sums, "read_windows", lambda *_: None)
    plain = found(model, one_hot)
    assert len(steps) == 1
    for mine, theirs in zip(ours, plain, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-12)


def test_keys_of_which_none_is_above_0_still_pass_gradients():
    model, one_hot = model_and_input(1, padded=False)
    with torch.no_grad():
        model.get_parameter("first.bias").fill_(-1e3)
    logits, *gradients = found(model, one_hot)
    assert bool(torch.isfinite(logits).all())
    assert float(gradients[0].abs().max()) == 0.0


def test_whoever_looks_at_a_layer_sees_it(monkeypatch):
    model, one_hot = model_and_input(1, padded=False)
    seen = []
    attention_ = model.get_submodule("attention")
    for layer in (attention_, attention_.softmax, model.get_submodule("activation")):
        handle = layer.register_forward_hook(lambda *_: seen.append(1))
        model(one_hot)
        assert len(seen) == 1
        handle.remove()
        seen.clear()
    model.get_submodule("attention").softmax = torch.nn.Identity()
    monkeypatch.setattr(attention, "contexts", None)
    model(one_hot)
