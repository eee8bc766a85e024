"""Toy data, models and weights that more than one test file uses."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from motiflens.datasets import SequenceDataset, split_at_random
from motiflens.models import SequenceModel
from motiflens.models.layers import Dropout, Linear
from motiflens.sequences import one_hot
from motiflens.training import Recipe

LENGTH = 37
MOTIF = "GATTACCA"

#: A recipe that uses all that a recipe can ask for.
EVERYTHING = Recipe(
    epochs=2,
    batch_size=13,
    schedule="cosine",
    weight_decay=0.01,
    class_weights="balanced",
    metric="auprc",
    refit=True,
    rc_augment=True,
    rc_average=True,
    max_shift=3,
    mutation_rate=0.05,
    input_noise=0.1,
)


def random_codes(n: int, length: int, seed: int = 0) -> np.ndarray:
    """Draw uint8 codes (n, length) without N."""
    return np.random.default_rng(seed).integers(4, size=(n, length)).astype(np.uint8)


def random_one_hot(n: int, length: int, seed: int = 0) -> np.ndarray:
    """Draw one-hot sequences (n, 4, length) without N."""
    return one_hot(random_codes(n, length, seed))


def planted(n: int = 120, *, length: int = LENGTH, shorter: bool = False) -> SequenceDataset:
    """Split data, every second sequence of which holds the motif."""
    generator = np.random.default_rng(3)
    sequences = []
    for number in range(n):
        size = length - (number % 5 if shorter else 0)
        bases = "".join(generator.choice(list("ACGT"), size))
        start = int(generator.integers(0, size - len(MOTIF) + 1))
        if number % 2:
            bases = bases[:start] + MOTIF + bases[start + len(MOTIF) :]
        sequences.append(bases)
    labels = [float(number % 2) for number in range(n)]
    return split_at_random(SequenceDataset.from_sequences(sequences, labels), test=0.25, seed=0)


def weights(model: nn.Module) -> Tensor:
    """Return all weights of a model in a row."""
    return torch.cat([p.detach().flatten() for p in model.parameters()])


class Dropping(SequenceModel):
    """Two linear layers with dropout between them, on composition."""

    def __init__(self, rate: float = 0.3) -> None:
        super().__init__()
        self.hidden = Linear(4, 11)
        self.dropout = Dropout(rate)
        self.output = Linear(11, 1)

    def forward(self, one_hot: torch.Tensor) -> torch.Tensor:
        """Map one-hot (..., 4, L) to logits (...)."""
        return self.output(self.dropout(self.hidden(one_hot.mean(-1)))).squeeze(-1)


class NeverCalled(nn.Module):
    """A model that what is computed already must not call."""

    def forward(self, x: Tensor) -> Tensor:
        raise AssertionError("the model was called")
