"""Additive attention at base resolution: every base is a unit, unless pools are asked for."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from motiflens.models.base import AttentionMap, valid_units
from motiflens.models.filters import FilterModel, Filters
from motiflens.models.kmer_sums import Windows
from motiflens.models.layers import (
    AdditiveAttention,
    Dropout,
    Linear,
    MaxPool,
    first_activation,
)
from motiflens.models.mutants import ChangedUnits, with_reference
from motiflens.models.mutants_of_attention import attention_mutants
from motiflens.models.sparse_attention import contexts


class Attention(FilterModel):
    """Filters at every base are keys and values; their weighted sum is all that the output sees.

    Parameters
    ----------
    n_filters, kernel_size
        Filters of the first layer.
    activation
        ``"exponential"`` (Koo & Ploenzke 2021: filters become motifs) or ``"relu"``.
    pool_size
        Bases whose largest activations make one unit of the attention, a remainder at the end is
        dropped; with 1, the default, nothing is pooled.
    n_heads
        Heads of the attention; each has a context of its own.
    n_hidden
        Width of a head's tanh layer and of the hidden layer.
    dropout
        Fraction of the contexts and of the hidden values that is zeroed in training.
    """

    def __init__(
        self,
        *,
        n_filters: int = 128,
        kernel_size: int = 15,
        activation: str = "relu",
        pool_size: int = 1,
        n_heads: int = 8,
        n_hidden: int = 16,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.min_length = max(kernel_size, pool_size)
        self.first = Filters(n_filters, kernel_size, same=True)
        self.first.init_from_kmers()
        if activation == "exponential":
            self._start_at_one()
        self.activation = first_activation(activation)
        self.pool = nn.Identity() if pool_size == 1 else MaxPool(pool_size)
        self.field = self.first.field.pooled(pool_size)
        self.attention = AdditiveAttention(n_filters, n_heads, n_hidden)
        self.dropout = Dropout(dropout)
        self.hidden = Linear(n_heads * n_filters, n_hidden)
        self.hidden_activation = nn.ReLU()
        self.output = Linear(n_hidden, 1)

    def _start_at_one(self) -> None:
        """Let the exponential of a filter be 1 at its own k-mer, and so near 0 elsewhere.

        With the threshold that suits relu every unit starts at 0.17, on all sequences alike. This
        constant comes from every filter and head, one step of Adam moves all their weights the same
        way, and within an epoch no hidden unit may be left that changes with anything.
        """
        with torch.no_grad():
            self.first.bias.copy_(-self.first.weight.amax(dim=-2).sum(dim=-1))

    def _units(self, one_hot: Tensor) -> tuple[Tensor, Tensor]:
        """Return the units of the attention (..., U, F), and which of them are no padding."""
        units: Tensor = self.pool(self.activations(one_hot))
        return units, valid_units(one_hot, units.shape[-2], self.field)

    def attention_maps(self, one_hot: Tensor) -> list[AttentionMap]:
        """Return the weights of every head at every unit, (N, H, U); padding has none."""
        weights = self.attention.weights(*self._units(one_hot)).mT
        return [AttentionMap("attention", weights, self.field)]

    def single_mutant_logits(
        self, one_hot: Tensor, start: int = 0, end: int | None = None
    ) -> Tensor:
        """Return the logits after every single substitution, (N, 4, end − start)."""
        stop = one_hot.shape[-1] if end is None else end
        blocks = torch.split(one_hot, ChangedUnits.at_once(self.first, one_hot))
        return torch.cat([self._mutants(block, start, stop) for block in blocks])

    def _mutants(self, one_hot: Tensor, start: int, stop: int) -> Tensor:
        pool_size = self.pool.pool_size if isinstance(self.pool, MaxPool) else 1
        valid = valid_units(one_hot, one_hot.shape[-1] // pool_size, self.field)
        units = ChangedUnits.of(
            self.first, self.activation, one_hot, pool_size=pool_size, valid=valid
        )
        logits = [
            self.output(self.hidden_activation(hidden)).squeeze(-1)
            for _, _, hidden in attention_mutants(self.attention, self.hidden, units, start, stop)
        ]
        codes = units.codes[:, start:stop]
        return with_reference(torch.cat(logits, 1), self(one_hot), codes)

    def read(self, one_hot: Tensor) -> Tensor | Windows:
        """Return what the filters see, where the layers behind them take it."""
        return self.first.read(one_hot) if self._is_plain() else one_hot

    def _contexts(self, x: Tensor | Windows) -> Tensor:
        """Return the context of every head, (..., H · F)."""
        read = self.read(x) if isinstance(x, Tensor) else x
        if isinstance(read, Windows):
            return contexts(self.first, self.attention, read)
        return self.attention(*self._units(read))

    def _is_plain(self) -> bool:
        """Return whether the layers between bases and contexts are those of a step, and unseen."""
        attention = self.attention
        layers = (self.activation, self.pool, attention.softmax)
        if tuple(map(type, layers)) != (nn.ReLU, nn.Identity, nn.Softmax):
            return False
        seen = (*layers, self.first, attention, attention.project)
        return not any(layer._forward_hooks or layer._forward_pre_hooks for layer in seen)

    def forward(self, x: Tensor | Windows) -> Tensor:
        """Map one-hot (..., 4, L), or what was read of it, to logits (...)."""
        context = self.dropout(self._contexts(x)).unsqueeze(-2)
        hidden = self.dropout(self.hidden_activation(self.hidden(context)))
        return self.output(hidden).squeeze((-2, -1))
