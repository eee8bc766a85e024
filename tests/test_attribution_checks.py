"""The checks of an explanation: quiet where it is right, and loud where it is made wrong."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from motiflens.attribution import METHODS, Checks, attribute
from motiflens.models import BothStrands, build_model
from motiflens.models.base import SequenceModel
from motiflens.sequences import PAD, one_hot

N, L = 6, 31


@pytest.fixture
def sequences() -> np.ndarray:
    codes = np.random.default_rng(0).integers(0, 4, (N, L)).astype(np.uint8)
    codes[1, 4] = PAD
    codes[3, 20:] = PAD
    return one_hot(codes)


ATTENTIVE = {
    "attention": ("tutorial-attention", "attention", "hybrid"),
    "rollout": ("hybrid",),
}
CASES = [
    (method, name)
    for method in METHODS
    for name in ATTENTIVE.get(method, ("tutorial-attention", "cnn", "attention", "hybrid"))
]


@pytest.mark.parametrize(("method", "name"), CASES)
def test_our_models_pass_every_check(method: str, name: str, sequences: np.ndarray) -> None:
    small = {} if name.startswith("tutorial") else {"n_filters": 8}
    model = build_model(name, length=L, seed=1, **small)
    found = attribute(BothStrands(model), sequences, method)
    checks = found.checks
    assert checks is not None
    assert checks.precision is not None
    assert checks.precision < 1e-4
    assert checks.strands is not None
    assert (checks.completeness is not None) == (found.convergence_delta is not None)
    if found.convergence_delta is not None:
        assert found.difference is not None
        missing, size = np.abs(found.convergence_delta).sum(), np.abs(found.difference).sum()
        assert checks.completeness is not None
        least, most = (missing - 1.1e-6 * N) / size, 1.001 * missing / size
        assert least <= checks.completeness <= most
    unchecked = attribute(BothStrands(model), sequences, method, checks=False)
    assert unchecked.checks is None
    np.testing.assert_array_equal(unchecked.contributions, found.contributions)


class OneStrand(SequenceModel):
    """It says that both strands score the same, and counts its own A at every place."""

    both_strands = True

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.arange(1.0, L + 1))

    def forward(self, x: Tensor) -> Tensor:
        return (x[:, 0] * self.weight).sum(-1)


def test_strands_that_do_not_agree_are_told(sequences: np.ndarray) -> None:
    with pytest.warns(UserWarning, match="saliency: the two strands differ by"):
        found = attribute(OneStrand(), sequences, "saliency")
    assert found.checks is not None
    assert found.checks.strands is not None
    assert found.checks.strands > 0.5


class Rounded(nn.Module):
    """A large number comes and goes; float32 keeps little of what is beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.large = nn.Parameter(torch.tensor(3e6))
        self.weight = nn.Parameter(torch.linspace(0.1, 0.9, L))

    def forward(self, x: Tensor) -> Tensor:
        return (self.large + (x[:, 2] * self.weight).sum(-1)) - self.large


def test_rounding_is_told(sequences: np.ndarray) -> None:
    with pytest.warns(UserWarning, match="ism: float64 changes values by"):
        attribute(Rounded(), sequences, "ism")
    exact = attribute(Rounded().double(), sequences, "ism")
    assert exact.checks == Checks(None, None, None)


class Kink(nn.Module):
    """A step for float32: no points of the way, however close, show its gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(1e9))

    def forward(self, x: Tensor) -> Tensor:
        return ((x[:, 1, 0] + x[:, 0, 0] + x[:, 2, 0] - 0.81) * self.slope).clamp(0, 1)


def test_gradients_that_do_not_add_up_are_told(sequences: np.ndarray) -> None:
    given = sequences.copy()
    given[:, :, 0] = [1, 0, 0, 0]
    with pytest.warns(UserWarning, match="integrated_gradients: the contributions miss"):
        found = attribute(Kink(), given, "integrated_gradients")
    assert found.convergence_delta is not None
    assert np.abs(found.convergence_delta).max() > 0.01


class Stairs(nn.Module):
    """Narrow stairs, many of them alike: rounding decides which intervals are halved."""

    def __init__(self) -> None:
        super().__init__()
        self.places = nn.Parameter(torch.rand(20, generator=torch.Generator().manual_seed(0)))

    def forward(self, x: Tensor) -> Tensor:
        way = x[:, :, : L // 2].square().mean((1, 2)) * 4
        return torch.sigmoid((way.unsqueeze(-1) - self.places) * 20000).sum(-1)


def test_the_same_points_are_compared_in_both_precisions(sequences: np.ndarray) -> None:
    found = attribute(Stairs(), sequences, "integrated_gradients", n_steps=2)
    assert found.checks is not None
    assert found.checks.precision is not None
    assert found.checks.precision < 2e-4
    exact = attribute(Stairs().double(), sequences, "integrated_gradients", n_steps=2)
    assert found.points is not None
    assert exact.points is not None
    assert any(a.tolist() != b.tolist() for a, b in zip(found.points, exact.points, strict=True))


class OwnTensor(nn.Module):
    """A user's module that cannot be turned into float64, as it hides a tensor of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(1))
        self.hidden = [torch.ones(4, 2)]

    def forward(self, x: Tensor) -> Tensor:
        return (x.mT @ self.hidden[0]).sum((1, 2)) + self.bias


def test_a_check_that_cannot_be_made_says_nothing(sequences: np.ndarray) -> None:
    found = attribute(OwnTensor(), sequences, "saliency")
    assert found.checks == Checks(None, None, None)
    nothing = attribute(OwnTensor(), sequences[:0], "integrated_gradients")
    assert nothing.checks == Checks(None, None, None)
