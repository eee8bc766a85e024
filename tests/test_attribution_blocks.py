"""Blocks of sequences on several threads: the same bits, one thread for a user's own module."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from motiflens.attribution import METHODS, attribute
from motiflens.models import BothStrands, build_model
from motiflens.models.base import SequenceModel
from motiflens.sequences import one_hot

N, L, THREADS = 7, 31, 3


@pytest.fixture
def sequences() -> np.ndarray:
    codes = np.random.default_rng(0).integers(0, 4, (N, L)).astype(np.uint8)
    return one_hot(codes)


@pytest.fixture
def several_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    yield
    torch.set_num_threads(before)


class Witness(nn.Module):
    """It remembers which threads called it, and fails when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.linspace(-1, 1, L))
        self.threads: set[int] = set()
        self.fails = False

    def forward(self, x: Tensor) -> Tensor:
        self.threads.add(threading.get_ident())
        if self.fails and threading.current_thread() is not threading.main_thread():
            raise RuntimeError("told to")
        return (x[:, 1] * self.weight).sum(-1)


class SequenceWitness(Witness, SequenceModel):
    """The same as one of our models."""


@pytest.mark.parametrize("name", ["cnn", "attention"])
@pytest.mark.parametrize("method", sorted(set(METHODS) - {"rollout", "attention"}))
def test_threads_change_no_bit(
    method: str, name: str, sequences: np.ndarray, several_threads: None
) -> None:
    model = BothStrands(build_model(name, length=L, seed=1, n_filters=8))
    many = attribute(model, sequences, method, batch_size=2)
    assert torch.get_num_threads() == THREADS
    torch.set_num_threads(1)
    one = attribute(model, sequences, method, batch_size=2)
    for key in ("contributions", "hypothetical", "convergence_delta", "difference"):
        np.testing.assert_array_equal(vars(many)[key], vars(one)[key])
    assert many.checks == one.checks


def test_only_our_own_models_are_called_by_several_threads(
    sequences: np.ndarray, several_threads: None
) -> None:
    own, other = SequenceWitness(), Witness()
    for module in (own, other):
        attribute(module, sequences, "saliency", batch_size=1, checks=False)
    assert other.threads == {threading.get_ident()}
    assert own.threads - other.threads
    own.fails = True
    with pytest.raises(RuntimeError, match="told to"):
        attribute(own, sequences, "saliency", batch_size=1)
    assert torch.get_num_threads() == THREADS
    assert own.weight.requires_grad
