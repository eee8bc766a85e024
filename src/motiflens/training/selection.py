"""Which epoch's weights are kept, and when a replica has trained long enough."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from motiflens.training.replicas import snapshot


class BestWeights:
    """The weights to keep of each replica: of its last better validation loss, or the last."""

    def __init__(self, joined: nn.Module, n_replicas: int, tolerance: float = 0.0) -> None:
        self.tolerance = tolerance
        self.weights = snapshot(joined)
        self.losses = torch.full((n_replicas,), math.inf)
        self.epochs = np.zeros(n_replicas, dtype=int)

    def running(self, patience: int, number: int) -> list[int]:
        """Give the replicas that train in epoch ``number``."""
        return [int(r) for r in np.flatnonzero(number - self.epochs <= max(patience, 1))]

    def update(
        self, joined: nn.Module, number: int, losses: Tensor | None, running: list[int]
    ) -> None:
        """Keep the weights of the running replicas whose loss is better than all before."""
        if losses is None:
            better = running
        else:
            better = [
                r for r in running if float(losses[r]) < float(self.losses[r]) - self.tolerance
            ]
            self.losses[better] = losses[better].to(self.losses)
        self.epochs[better] = number
        for name, value in joined.named_parameters():
            self.weights[name][better] = value.detach()[better]
