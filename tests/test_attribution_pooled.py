"""Models of the largest activation of each filter: the short way gives what the long one does.

The long way, a pass of every point and pair through the whole module, is taken where a model does
not say what it is made of.
"""

import contextlib
import copy

import numpy as np
import pytest
import torch

from motiflens.attribution import (
    attribute,
    deeplift_shap,
    expected_gradients,
    integrated_gradients,
    pooled,
)
from motiflens.attribution.pooled import FilterScan, pooled_filters
from motiflens.evidence import trust_checks
from motiflens.evidence.deletion import eval_logits, scoring
from motiflens.models import BothStrands, SequenceModel
from motiflens.models.cnn import CNN

N, LENGTH, N_FILTERS, N_REFERENCES = 5, 23, 13, 3


class Silent(SequenceModel):
    """A model that does not say what it is made of."""

    def __init__(self, model):
        super().__init__()
        self.model, self.both_strands = model, model.both_strands

    def forward(self, one_hot):
        return self.model(one_hot)


def cnn(kernel_size=6, activation="relu", *, both_strands=True, seed=0):
    """Build a small CNN whose filters are often above their thresholds."""
    torch.manual_seed(seed)
    options = {"n_filters": N_FILTERS, "n_hidden": 7, "kernel_size": kernel_size}
    model = CNN(activation=activation, **options)
    with torch.no_grad():
        model.first.bias.fill_(-0.3)
        model.first.weight.add_(torch.randn_like(model.first.weight), alpha=0.3)
    return (BothStrands(model) if both_strands else model).eval()


def some_sequences():
    """Draw sequences; one has an N within, another is short."""
    codes = np.random.default_rng(3).integers(4, size=(N, LENGTH))
    x = np.ascontiguousarray(np.eye(4, dtype=np.float32)[codes].transpose(0, 2, 1))
    x[1, :, 9] = 0
    x[2, :, 15:] = 0
    return x


@pytest.mark.parametrize("both_strands", [False, True])
@pytest.mark.parametrize(("kernel_size", "activation"), [(6, "relu"), (9, "exponential")])
@pytest.mark.parametrize(
    ("method", "options"),
    [
        (deeplift_shap, {"n_references": N_REFERENCES, "seed": 2}),
        (expected_gradients, {"n_references": N_REFERENCES, "n_steps": 4, "seed": 2}),
        (integrated_gradients, {"points": [np.linspace(0, 1, 17)] * N}),
    ],
)
def test_both_ways_explain_alike(method, options, kernel_size, activation, both_strands):
    model, x = cnn(kernel_size, activation, both_strands=both_strands), some_sequences()
    short, long = method(model, x, **options), method(Silent(model), x, **options)
    for name in ("contributions", "hypothetical", "difference"):
        ours, theirs = getattr(short, name), getattr(long, name)
        np.testing.assert_allclose(ours, theirs, atol=3e-6 * np.abs(theirs).max())
    assert np.abs(short.contributions).max() > 0.01


def test_points_of_a_path_are_chosen_alike():
    model, x = cnn(), some_sequences()
    short, long = (integrated_gradients(one, x, n_steps=2) for one in (model, Silent(model)))
    assert max(map(len, short.points)) > 3
    for ours, theirs in zip(short.points, long.points, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_baseline_with_other_padding_takes_the_long_way():
    model, x = cnn(both_strands=True), some_sequences()
    options = {"baseline": np.zeros_like, "points": [np.linspace(0, 1, 9)] * N}
    short, long = (integrated_gradients(one, x, **options) for one in (model, Silent(model)))
    np.testing.assert_array_equal(short.contributions, long.contributions)


@pytest.mark.parametrize("kernel_size", [3, 4, 5, 9])
def test_windows_that_are_looked_up_give_the_activations(kernel_size):
    model, x = cnn(kernel_size, both_strands=False), torch.from_numpy(some_sequences())
    scan = FilterScan(pooled_filters(model))
    found, multiplied = scan.activations(x), scan.activations(x, one_hot=False)
    torch.testing.assert_close(found, multiplied, atol=1e-6, rtol=1e-6)
    own = model.first(x)
    known = found > -1e30
    assert int(known.sum()) < known.numel()
    torch.testing.assert_close(found[known], own[known], atol=1e-6, rtol=1e-6)


def test_deletion_is_scored_as_the_model_scores():
    model, x = cnn(), some_sequences()
    with scoring(model, 0) as score:
        np.testing.assert_allclose(score(x), eval_logits(model, x, 0), atol=1e-6)


@pytest.mark.parametrize("method", [deeplift_shap, expected_gradients, integrated_gradients])
def test_the_way_of_a_gpu_is_the_same_on_a_cpu(method, monkeypatch):
    model, x = cnn(), some_sequences()
    here = method(model, x)
    monkeypatch.setattr(pooled, "suits_cache", lambda device: False)
    there = method(model, x)
    atol = 3e-6 * np.abs(here.contributions).max()
    np.testing.assert_allclose(there.contributions, here.contributions, atol=atol)


@pytest.mark.parametrize("method", ["deeplift_shap", "integrated_gradients", "expected_gradients"])
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_explains_as_the_cpu_does(method):
    model, x = cnn(), some_sequences()
    here = attribute(model, x, method, checks=False)
    there = attribute(copy.deepcopy(model).cuda(), x, method, checks=False)
    atol = 1e-2 if method == "integrated_gradients" else 1e-4
    np.testing.assert_allclose(
        there.contributions, here.contributions, atol=atol * np.abs(here.contributions).max()
    )


class Counted:
    """Counts the steps of the stages that are opened."""

    def __init__(self):
        self.total, self.done = 0, 0

    def stage(self, description, total):
        self.total += total
        return contextlib.nullcontext(self.advance)

    def advance(self, steps):
        self.done += steps

    def note(self, text):
        pass


def test_trust_checks_tell_of_every_method():
    model, x = cnn(), some_sequences()
    told = Counted()
    methods = ["saliency", "ism", "attention"]
    found = trust_checks(model, x, x[:, ::-1].copy(), methods=methods, progress=told)
    assert set(found.refused) == {"attention"}
    assert told.done == told.total == 2 * len(methods)
