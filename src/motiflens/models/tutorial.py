"""The tutorial's two models, to the letter: 6,209 and 8,865 parameters on 50 bp."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from motiflens.models.base import AttentionMap
from motiflens.models.filters import FilterModel, Filters
from motiflens.models.layers import AdditiveAttention, Linear, MaxPool
from motiflens.models.mutants import ChangedUnits, flat_change, with_reference
from motiflens.models.mutants_of_attention import attention_mutants

N_FILTERS, KERNEL_SIZE, POOL_SIZE, N_HIDDEN = 32, 12, 4, 16


class Steps(NamedTuple):
    """What `TutorialAttention` computes of sequences, in order; U units, F filters.

    ``keys`` (..., U, F) and their mean, the ``query`` (..., F); ``scores`` and ``weights``
    (..., U); the ``context`` (..., F); the parts of the logits (...) that come ``from_context`` and
    ``from_filters``, and the ``bias`` that is added to them.
    """

    keys: Tensor
    query: Tensor
    scores: Tensor
    weights: Tensor
    context: Tensor
    from_context: Tensor
    from_filters: Tensor
    bias: Tensor
    logits: Tensor


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

    def single_mutant_logits(
        self, one_hot: Tensor, start: int = 0, end: int | None = None
    ) -> Tensor:
        """Return the logits after every single substitution, (N, 4, end − start)."""
        units = ChangedUnits.of(self.first, self.activation, one_hot, pool_size=POOL_SIZE)
        stop = one_hot.shape[-1] if end is None else end
        logits = torch.cat(list(self._mutants(units, start, stop)), 1)
        return with_reference(logits, self(one_hot), units.codes[:, start:stop])

    def _mutants(self, units: ChangedUnits, start: int, stop: int) -> Iterator[Tensor]:
        """Compute the logits (N, P, 3) of the mutants at each block of positions."""
        for positions in units.blocks(start, stop):
            features = self._changed_features(units, units.at(positions), positions)
            yield self.output(features).squeeze(-1)

    def _changed_features(self, units: ChangedUnits, changed: Tensor, positions: slice) -> Tensor:
        before = self.hidden(units.units.mT.flatten(-2))[:, None, None]
        return self.hidden_activation(before + flat_change(units, self.hidden, changed, positions))


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

    def steps(self, one_hot: Tensor) -> Steps:
        """Return what lies between one-hot (..., 4, L) and the logits (...)."""
        keys = self._pooled(one_hot)
        scores = self.attention.scores(keys)
        context = self.attention(keys)
        to_features, to_context = torch.split(self.output.weight, N_HIDDEN, dim=-1)
        carried = self.context_activation(self.context(context))
        return Steps(
            keys=keys,
            query=keys.mean(-2),
            scores=scores.squeeze(-1),
            weights=self.attention.softmax(scores).squeeze(-1),
            context=context,
            from_context=(carried @ to_context.mT).squeeze(-1),
            from_filters=(self._features(keys) @ to_features.mT).squeeze(-1),
            bias=self.output.bias.squeeze(-1),
            logits=self(one_hot),
        )

    def forward(self, one_hot: Tensor) -> Tensor:
        """Map one-hot (..., 4, L) to logits (...)."""
        units = self._pooled(one_hot)
        context = self.context_activation(self.context(self.attention(units)))
        joined = torch.cat([self._features(units), context], dim=-1)
        return self.output(joined).squeeze(-1)

    def _mutants(self, units: ChangedUnits, start: int, stop: int) -> Iterator[Tensor]:
        """Compute the logits (N, P, 3) of the mutants at each block of positions."""
        blocks = attention_mutants(self.attention, self.context, units, start, stop)
        for positions, changed, context in blocks:
            features = self._changed_features(units, changed, positions)
            joined = torch.cat([features, self.context_activation(context)], dim=-1)
            yield self.output(joined).squeeze(-1)
