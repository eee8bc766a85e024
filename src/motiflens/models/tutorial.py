"""The tutorial's two models, to the letter: 6,209 and 8,865 parameters on 50 bp."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from motiflens.models.base import AttentionMap
from motiflens.models.filters import FilterModel, Filters
from motiflens.models.layers import AdditiveAttention, Linear, MaxPool

N_FILTERS, KERNEL_SIZE, POOL_SIZE, N_HIDDEN = 32, 12, 4, 16


class TutorialCNN(FilterModel):
    """Convolution 4 → 32 of width 12, ReLU, max-pool 4, flatten, 16 with ReLU, 1.

    Parameters
    ----------
    length
        Length L of every sequence; the flattened layer fixes it.
    """

    min_length = KERNEL_SIZE + POOL_SIZE - 1

    def __init__(self, length: int) -> None:
        super().__init__()
        n_units = (length - KERNEL_SIZE + 1) // POOL_SIZE
        self.length = length
        self.first = Filters(N_FILTERS, KERNEL_SIZE, same=False)
        self.pool = MaxPool(POOL_SIZE)
        self.activation = nn.ReLU()
        self.hidden = Linear(n_units * N_FILTERS, N_HIDDEN)
        self.hidden_activation = nn.ReLU()
        self.output = Linear(N_HIDDEN, 1)

    def _pooled(self, one_hot: Tensor) -> Tensor:
        # Bias and ReLU keep the order of values, so they may follow the pool: a quarter of the work
        # and the very same numbers.
        return self.activation(self.first.add_bias(self.pool(self.first(one_hot))))

    def _features(self, units: Tensor) -> Tensor:
        # The tutorial flattens channels first: channel 0 of all units, then channel 1, ...
        return self.hidden_activation(self.hidden(units.mT.flatten(-2)))

    def forward(self, one_hot: Tensor) -> Tensor:
        """Map one-hot (..., 4, L) to logits (...)."""
        return self.output(self._features(self._pooled(one_hot))).squeeze(-1)


class TutorialAttention(TutorialCNN):
    """The same convolution and pool; additive attention over the 9 units joins the CNN's features.

    The units are keys and values, their mean is the query; the context goes through 32 → 16 with
    ReLU and is joined with the CNN's 16; 32 → 1.
    """

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.attention = AdditiveAttention(N_FILTERS, n_heads=1, n_hidden=N_FILTERS)
        self.context = Linear(N_FILTERS, N_HIDDEN)
        self.context_activation = nn.ReLU()
        self.output = Linear(2 * N_HIDDEN, 1)

    def attention_maps(self, one_hot: Tensor) -> list[AttentionMap]:
        """Return the weights of the pooled units, (N, 1, 9), and the 15 bases each of them sees."""
        weights = self.attention.weights(self._pooled(one_hot)).mT
        return [AttentionMap("attention", weights, self.first.field.pooled(POOL_SIZE))]

    def forward(self, one_hot: Tensor) -> Tensor:
        """Map one-hot (..., 4, L) to logits (...)."""
        units = self._pooled(one_hot)
        context = self.context_activation(self.context(self.attention(units)))
        joined = torch.cat([self._features(units), context], dim=-1)
        return self.output(joined).squeeze(-1)
