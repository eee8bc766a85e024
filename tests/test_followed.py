"""Modules that are not ours, followed through the layers that a substitution changes."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from tests.toy_models import random_one_hot
from torch import nn

from motiflens.attribution import attribute, captured, followed, saturation_mutagenesis
from motiflens.attribution.captured import NotCaptured
from motiflens.errors import InputError

N, LENGTH, N_TARGETS = 3, 43, 2


class Residual(nn.Module):
    """Dilated convolutions whose sum is cropped and averaged, as in BPNet."""

    def __init__(self, reduce: str) -> None:
        super().__init__()
        self.first = nn.Conv1d(4, 5, 7, padding=3)
        self.dilated = nn.ModuleList(nn.Conv1d(5, 5, 3, padding=d, dilation=d) for d in (2, 4))
        self.output = nn.Linear(5, N_TARGETS)
        self.reduce = reduce

    def forward(self, x):
        x = torch.relu(self.first(x))
        for layer in self.dilated:
            x = x + torch.exp(layer(x)) * 0.1
        x = x[:, :, 4:-3]
        if self.reduce == "mean":
            return self.output(x.mean(dim=-1))
        return self.output(x.amax(-1) if self.reduce == "amax" else x.sum(2))


class Viewed(nn.Module):
    """Flattens by the size of its input, and ends with one logit a sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(4, 5, 5, padding="same")
        self.hidden = nn.Linear(5 * LENGTH, 7)
        self.output = nn.Linear(7, 1)

    def forward(self, x):
        x = nn.functional.gelu(self.first(x))
        return self.output(torch.tanh(self.hidden(x.view(x.size(0), -1)))).squeeze(-1)


class Across(nn.Module):
    """Normalises the channels of each position, which is computed as a whole."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(4, 5, 6)
        self.norm = nn.LayerNorm(5)
        self.output = nn.Linear(5, N_TARGETS)

    def forward(self, x):
        return self.output(self.norm(torch.relu(self.first(x)).transpose(1, 2)).max(1)[0])


def basset(pool: type[nn.Module], *, batch_norm: bool) -> nn.Module:
    units = (LENGTH // 3 - 4) // 2
    return nn.Sequential(
        nn.Conv1d(4, 6, 8, padding=4), nn.BatchNorm1d(6) if batch_norm else nn.Identity(),
        nn.ReLU(inplace=True), pool(3), nn.Conv1d(6, 5, 5), nn.ELU(), pool(2), nn.Flatten(),
        nn.Dropout(0.5), nn.Linear(5 * units, 7), nn.ReLU(), nn.Linear(7, N_TARGETS),
    )  # fmt: skip


MODULES = {
    "max pools": lambda: basset(nn.MaxPool1d, batch_norm=True),
    "mean pools": lambda: basset(nn.AvgPool1d, batch_norm=False),
    "mean": lambda: Residual("mean"),
    "sum": lambda: Residual("sum"),
    "largest": lambda: Residual("amax"),
    "view": Viewed,
    "layer norm": Across,
    "adaptive": lambda: nn.Sequential(
        nn.Conv1d(4, 6, 5), nn.SiLU(), nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(6, 2)
    ),
    "strided": lambda: nn.Sequential(
        nn.Conv1d(4, 6, 5, stride=2), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(),
        nn.Linear(6, 2),
    ),
}  # fmt: skip


def module_of(name: str) -> nn.Module:
    torch.manual_seed(1)
    module = MODULES[name]()
    for part in module.modules():
        if isinstance(part, nn.BatchNorm1d):
            part.running_mean.uniform_(-1, 1)
            part.running_var.uniform_(0.5, 2)
    return module.double().eval()


def sequences() -> np.ndarray:
    x = random_one_hot(N, LENGTH, 0)
    x[1, :, 20] = 0  # an N
    x[2, :, 40:] = 0  # padding
    return x


@pytest.mark.parametrize("at_once", [1, 2**9, 2**20])
@pytest.mark.parametrize("large", [1, 2**11])
@pytest.mark.parametrize("name", [name for name in MODULES if name != "strided"])
def test_followed_mutants_are_those_computed_as_a_whole(name, large, at_once, monkeypatch):
    monkeypatch.setitem(captured.VALUES_AT_ONCE, "cpu", at_once)
    monkeypatch.setattr("motiflens.attribution.windows.LARGE", large)
    monkeypatch.setattr(followed, "_seconds", lambda *_: 1.0)
    module, x, target = module_of(name), sequences(), 0 if name == "view" else 1
    told = list[str]()
    monkeypatch.setattr(followed, "tell", told.append)
    ours = saturation_mutagenesis(module, x, 2, LENGTH - 1, target=target)
    assert told[0].startswith("mutagenesis follows each substitution")
    monkeypatch.setattr(followed, "FEW", sys.maxsize)
    whole = saturation_mutagenesis(module, x, 2, LENGTH - 1, target=target)
    assert np.abs(whole).max() > 1e-3
    np.testing.assert_allclose(ours, whole, atol=1e-6)
    assert module.training is False


class Branching(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(4, 2, 3)

    def forward(self, x):
        return self.first(x).sum(-1) if bool(x.sum() > 0) else x.sum(-1)


def test_what_cannot_be_followed_is_computed_as_a_whole_and_said(monkeypatch):
    told = list[str]()
    monkeypatch.setattr(followed, "tell", told.append)
    x = sequences()
    whole = "mutagenesis computes every mutant as a whole: "
    saturation_mutagenesis(Branching(), x)
    saturation_mutagenesis(module_of("strided"), x)
    hooked = module_of("mean")
    hooked.first.register_forward_hook(lambda *_: None)
    saturation_mutagenesis(hooked, x)
    reasons = [text.removeprefix(whole) for text in told]
    assert "symbolically traced" in reasons[0]
    assert reasons[1:] == [
        "it cannot be captured (no layer lies along the sequence)",
        "it cannot be captured (it has hooks)",
    ]


def test_a_way_that_is_wrong_or_slow_is_not_taken(monkeypatch):
    told = list[str]()
    monkeypatch.setattr(followed, "tell", told.append)
    x, module = sequences(), module_of("mean")
    times = iter([3.0, 1.0])
    monkeypatch.setattr(followed, "_seconds", lambda *_: next(times))
    slow = saturation_mutagenesis(module, x)
    summed = captured.summed
    monkeypatch.setattr(captured, "summed", lambda layer: summed(layer) * 1.001)
    wrong = saturation_mutagenesis(module, x)
    np.testing.assert_array_equal(slow, wrong)
    assert "take 3.0 times as long" in told[0]
    assert "logits differ by" in told[1]


class Keeping(Residual):
    kept = None

    def forward(self, x):
        self.kept = x.shape
        return super().forward(x)


def test_capturing_leaves_no_trace_on_a_module():
    module = Keeping("mean").eval()
    captured.captured(module, torch.from_numpy(sequences()))
    assert module.kept is None


def test_few_mutants_are_not_worth_a_trial(monkeypatch):
    x, module = sequences()[:1], module_of("mean")
    every = saturation_mutagenesis(module, x)
    monkeypatch.setattr(followed, "captured", lambda *_: pytest.fail("captured"))
    few = saturation_mutagenesis(module, x, 3, 5)
    assert few.any()
    np.testing.assert_allclose(few, every[:, :, 3:5], atol=1e-6)


def test_a_module_without_captured_layers_says_so():
    with pytest.raises(NotCaptured, match="no layer"):
        captured.captured(module_of("strided"), torch.from_numpy(sequences()).double())


class InPlace(nn.Module):
    """Centres its input where it stands."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(4, 5, 7)
        self.output = nn.Linear(5, N_TARGETS)

    def forward(self, x):
        x -= 0.25
        return self.output(torch.relu(self.first(x)).amax(-1))


@pytest.mark.parametrize("length", [11, LENGTH])
def test_a_module_that_changes_its_input_gets_a_copy(length):
    torch.manual_seed(1)
    module, x = InPlace().eval(), sequences()[:, :, :length].copy()
    before = x.copy()
    effects = saturation_mutagenesis(module, x, target=1)
    np.testing.assert_array_equal(x, before)
    with torch.no_grad():
        reference = module(torch.from_numpy(before.copy()))[:, 1].numpy()
    for base, position in ((0, 2), (3, length - 1)):
        mutants = before.copy()
        mutants[:, :, position] = np.eye(4, dtype=np.float32)[base]
        with torch.no_grad():
            logits = module(torch.from_numpy(mutants))[:, 1].numpy()
        known = before[:, :, position].any(1)
        np.testing.assert_allclose(
            effects[known, base, position], (logits - reference)[known], atol=1e-5
        )
    assert np.isfinite(attribute(module, x, "integrated_gradients").track).all()


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_a_script_is_computed_as_a_whole_and_keeps_its_buffers():
    torch.manual_seed(1)
    module = basset(nn.MaxPool1d, batch_norm=True).eval()
    x = sequences()
    expected = saturation_mutagenesis(module, x)
    script = torch.jit.script(module)
    buffers = {name: value.clone() for name, value in script.named_buffers()}
    np.testing.assert_allclose(saturation_mutagenesis(script, x), expected, atol=1e-6)
    assert all(torch.equal(value, buffers[name]) for name, value in script.named_buffers())


class OfFour(nn.Module):
    """Takes four sequences at a time, no more and no less."""

    def __init__(self) -> None:
        super().__init__()
        self.output = nn.Linear(4 * LENGTH, 1)

    def forward(self, x):
        return self.output(x.view(4, -1))


def test_a_module_of_a_fixed_number_of_sequences_is_told_in_a_line():
    x = np.concatenate([sequences(), sequences()[:1]])
    with pytest.raises(InputError, match="shape"):
        saturation_mutagenesis(OfFour().eval(), x)


def test_no_sequences_at_once_are_refused():
    with pytest.raises(InputError, match="batch_size=0"):
        saturation_mutagenesis(module_of("mean"), sequences(), batch_size=0)


class Slow(nn.Module):
    """A convolution that another thread is called beside."""

    def __init__(self, begun: threading.Event, ended: threading.Event) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(4, 3, 5)
        self.begun, self.ended = begun, ended

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Wait for the other thread once it is begun."""
        self.begun.set()
        self.ended.wait(10)
        return self.convolution(x).amax(dim=2).sum(dim=1)


def test_other_threads_call_their_modules_while_one_is_captured():
    begun, ended = threading.Event(), threading.Event()
    x = torch.from_numpy(sequences()).float()
    other = nn.Sequential(nn.Conv1d(4, 2, 3), nn.ReLU()).eval()
    expected = other(x)
    slow = Slow(begun, ended).eval()
    with ThreadPoolExecutor(2) as pool:
        capturing = pool.submit(captured.captured, slow, x)
        assert begun.wait(10)
        calling = pool.submit(lambda: [other(x), other[0].weight])
        found, weight = calling.result(10)
        ended.set()
        assert capturing.result(10).operations
    assert torch.equal(found, expected)
    assert weight is other[0].weight
