"""Attention replaced with what precedes it computed once: the figures are those of whole passes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from tests.toy_models import random_one_hot
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from motiflens import build_model
from motiflens.evidence import recording
from motiflens.evidence.replacement import (
    Part,
    Trial,
    compare_logits,
    replaced,
    replaced_weights,
    uniform,
)
from motiflens.evidence.softmaxes import find_attention
from motiflens.models.both_strands import BothStrands

LENGTH = 33
ATTENTIVE = ["tutorial-attention", "attention", "hybrid", "transformer"]


class Pooled(nn.Module):
    """Attention over what a layer makes of the bases, written in the way under test."""

    def __init__(self, before: nn.Module) -> None:
        super().__init__()
        self.before = before
        self.convolution = nn.Conv1d(4, 6, 5, padding=2)
        self.score, self.output = nn.Linear(6, 1), nn.Linear(6, 2)

    def weights(self, units: Tensor) -> Tensor:
        return torch.softmax(self.score(units).squeeze(-1), -1)

    def units(self, x: Tensor) -> Tensor:
        return self.before(self.convolution(x)).mT

    def forward(self, x: Tensor) -> Tensor:
        units = self.units(x)
        return self.output((self.weights(units).unsqueeze(-1) * units).sum(-2))


class Modular(Pooled):
    """The same with a softmax that is a module."""

    def __init__(self, before: nn.Module) -> None:
        super().__init__(before)
        self.softmax = nn.Softmax(-1)

    def weights(self, units: Tensor) -> Tensor:
        return self.softmax(3 * self.score(units).squeeze(-1))


class Heads(Pooled):
    """The same with PyTorch's attention."""

    def __init__(self, before: nn.Module) -> None:
        super().__init__(before)
        self.heads = nn.MultiheadAttention(6, 3, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        units = self.units(x)
        return self.output(self.heads(units, units, units)[0].amax(-2))


class Twice(Pooled):
    """The same layers called twice on the same input; one of the two is then written to."""

    def forward(self, x: Tensor) -> Tensor:
        first, second = self.units(x), self.units(x)
        context = (self.weights(first).unsqueeze(-1) * first).sum(-2)
        first += context.unsqueeze(-2)
        return self.output(context + (first * second).mean(-2))


class OneAfterAnother(Pooled):
    """Attention over units that other attention has changed."""

    def forward(self, x: Tensor) -> Tensor:
        units = self.units(x)
        units = units + (self.weights(units).unsqueeze(-1) * units).sum(-2, keepdim=True)
        return self.output((torch.softmax(units, -2) * units).sum(-2))


class Counting(nn.Module):
    """Values times the number of its calls, which is a buffer, written to or bound anew."""

    def __init__(self, *, in_place: bool) -> None:
        super().__init__()
        self.in_place = in_place
        self.calls: Tensor
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        if self.in_place:
            self.calls += 1
        else:
            self.calls = self.calls + 1
        return x.tanh() * self.calls


class Written(nn.Module):
    """Values some of which are written over, as indexing and NumPy do it."""

    def __init__(self, write: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.write = write

    def forward(self, x: Tensor) -> Tensor:
        x = x * 2
        seen = x.view(-1)
        self.write(x)
        return x + seen.view_as(x).sigmoid()


def by_index(x: Tensor) -> None:
    x[..., 3:5] = 1.0


def by_numpy(x: Tensor) -> None:
    x.numpy()[..., 3:5] = 1.0


def by_data(x: Tensor) -> None:
    x.data.mul_(3.0)


BEFORE: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "relu in place": lambda: nn.ReLU(inplace=True),
    "dropout": lambda: nn.Dropout(0.4),
    "batch norm": lambda: nn.BatchNorm1d(6),
    "counter": lambda: Counting(in_place=True),
    "counter bound anew": lambda: Counting(in_place=False),
    "index": lambda: Written(by_index),
    "numpy": lambda: Written(by_numpy),
    "data": lambda: Written(by_data),
}
WAYS: dict[str, type[Pooled]] = {
    "bare": Pooled,
    "module": Modular,
    "torch": Heads,
    "twice": Twice,
    "one after another": OneAfterAnother,
}


class Counts(TorchFunctionMode):
    """How often each function is computed."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        self.calls[getattr(func, "__name__", "")] += 1
        return func(*args, **(kwargs or {}))


def trials_of(module: nn.Module) -> list[Trial]:
    parts = [Part(layer) for layer in find_attention(module, LENGTH, 0).layers]
    assert parts
    alone = [Trial((part,), 2, 3) for part in parts]
    return [*alone, Trial(tuple(parts), 3, 2)]


def held_out() -> tuple[np.ndarray, np.ndarray]:
    positives, negatives = random_one_hot(9, LENGTH), random_one_hot(7, LENGTH)
    positives[2, :, 28:] = 0
    positives[:, :, 4:9] = np.array([1, 0, 0, 0])[:, None]
    return positives, negatives


def check_against_whole_passes(module: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal weights against passes made here; permutations against those with nothing kept."""
    trials, classes = trials_of(module), held_out()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    found = replaced(module, classes, trials, seed=4)

    def logits(parts: tuple[Part, ...]) -> list[np.ndarray]:
        given = []
        for one_hot in classes:
            state = {name: value.clone() for name, value in module.state_dict().items()}
            with torch.no_grad(), replaced_weights(module, parts, uniform):
                output = module(torch.from_numpy(one_hot))
            module.load_state_dict(state)
            given.append((output if output.ndim == 1 else output[:, 0]).double().numpy())
        return given

    own = logits(())
    for trial, (even, _) in zip(trials, found, strict=True):
        expected = compare_logits(own, [logits(trial.parts)], trial.n_tests)
        assert even.auroc_loss == pytest.approx(expected.auroc_loss, abs=1e-12)
        assert even.logit_change == pytest.approx(expected.logit_change, rel=1e-4, abs=1e-6)
    monkeypatch.setattr(recording, "MAX_BYTES", -1)
    assert replaced(module, classes, trials, seed=4) == found
    assert replaced(module, classes, trials, seed=5) != found
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name]), name


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("name", ATTENTIVE)
def test_figures_of_our_models_are_those_of_whole_passes(
    name: str, both: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = build_model(name, length=LENGTH, seed=1).eval()
    check_against_whole_passes(BothStrands(model) if both else model, monkeypatch)


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("way", WAYS)
def test_figures_of_any_module_are_those_of_whole_passes(
    way: str, before: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(3)
    check_against_whole_passes(WAYS[way](BEFORE[before]()).eval(), monkeypatch)


def test_a_module_that_draws_numbers_draws_them_in_every_pass() -> None:
    class Noisy(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return functional.dropout(x, 0.5, training=True)

    torch.manual_seed(0)
    module = Pooled(Noisy()).eval()
    x, kept = torch.from_numpy(held_out()[0]), recording.Recording()
    with torch.no_grad():
        with kept.written():
            first = module(x)
        with kept.read():
            second, third = module(x), module(x)
    assert not torch.equal(first, second)
    assert not torch.equal(second, third)


@pytest.mark.parametrize(
    ("way", "before", "calls"),
    [
        ("bare", "relu", 1),
        ("module", "batch norm", 1),
        ("torch", "relu", 1),
        ("twice", "relu", 2),
        # Only what is written over is computed in each of five passes.
        ("bare", "relu in place", 5),
        ("bare", "index", 1),
    ],
)
def test_what_precedes_attention_is_computed_once(way: str, before: str, calls: int) -> None:
    module = WAYS[way](BEFORE[before]()).eval()
    trials, counts = trials_of(module)[-1:], Counts()
    with counts:
        replaced(module, held_out(), trials)
    # Of two classes, each with a pass as it is, with equal weights and with three permutations.
    assert counts.calls["conv1d"] == 2 * calls


def test_threads_and_what_is_left_on_a_model_change_nothing() -> None:
    model = build_model("attention", length=LENGTH, seed=1).eval()
    trials = trials_of(model)
    classes = random_one_hot(1200, LENGTH), random_one_hot(700, LENGTH)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = replaced(model, classes, trials)
        torch.set_num_threads(3)
        assert replaced(model, classes, trials) == alone
    finally:
        torch.set_num_threads(before)
    assert not any(part._forward_hooks for part in model.modules())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_what_a_written_tensor_gave_before_is_not_given_for_it() -> None:
    x, kept = torch.arange(6.0), recording.Recording()
    with kept.written():
        first = x * 2
        x += 1
        second = x * 2
    x -= 1
    with kept.read():
        assert (x * 2).tolist() == first.tolist()
        x += 1
        assert (x * 2).tolist() == second.tolist()
        view = x.view(2, 3)
        view += 5
        assert (x * 2).tolist() == [12.0, 14.0, 16.0, 18.0, 20.0, 22.0]


def test_no_more_is_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MAX_BYTES", 100)
    x, kept, counts = torch.arange(20.0), recording.Recording(), Counts()

    def compute() -> Tensor:
        return (x.exp() + 1).log().sum().sqrt()

    with counts:
        with kept.written():
            first = compute()
        with kept.read():
            assert compute() == first
    # Of 80 bytes each one fits, and so do the two numbers.
    assert [counts.calls[name] for name in ("exp", "add", "log", "sum", "sqrt")] == [1, 2, 2, 1, 1]
