"""Additive attention at base resolution: every base is a unit, nothing is pooled before it."""

from __future__ import annotations

from torch import Tensor, nn

from motiflens.models.base import AttentionMap, FeatureMap, SequenceModel, valid_units
from motiflens.models.layers import AdditiveAttention, Dropout, Filters, Linear, first_activation


class Attention(SequenceModel):
    """Filters at every base are keys and values; their weighted sum is all that the output sees.

    Parameters
    ----------
    n_filters, kernel_size
        Filters of the first layer.
    activation
        ``"exponential"`` (Koo & Ploenzke 2021: filters become motifs) or ``"relu"``.
    n_heads
        Heads of the attention; each has a context of its own.
    n_hidden
        Width of a head's tanh layer and of the hidden layer.
    dropout
        Share of the contexts and of the hidden values that is zeroed in training.
    """

    def __init__(
        self,
        *,
        n_filters: int = 128,
        kernel_size: int = 15,
        activation: str = "relu",
        n_heads: int = 8,
        n_hidden: int = 16,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.min_length = kernel_size
        self.first = Filters(n_filters, kernel_size, same=True)
        self.first.start_as_words()
        self.activation = first_activation(activation)
        self.attention = AdditiveAttention(n_filters, n_heads, n_hidden)
        self.dropout = Dropout(dropout)
        self.hidden = Linear(n_heads * n_filters, n_hidden)
        self.hidden_activation = nn.ReLU()
        self.output = Linear(n_hidden, 1)

    @property
    def filters(self) -> Tensor:
        """Weights of the first layer, (F, 4, K)."""
        return self.first.weight

    def _units(self, one_hot: Tensor) -> Tensor:
        units: Tensor = self.activation(self.first.add_bias(self.first(one_hot)))
        return units

    def first_layer(self, one_hot: Tensor) -> FeatureMap:
        """Give the activations of the filters at every base, (N, F, L)."""
        return FeatureMap(self._units(one_hot).mT, self.first.field)

    def attention_maps(self, one_hot: Tensor) -> list[AttentionMap]:
        """Give the weights of every head at every base, (N, H, L); padding has none."""
        units = self._units(one_hot)
        valid = valid_units(one_hot, units.shape[-2], self.first.field)
        weights = self.attention.weights(units, valid).mT
        return [AttentionMap("attention", weights, self.first.field)]

    def forward(self, one_hot: Tensor) -> Tensor:
        """Map one-hot (..., 4, L) to logits (...)."""
        units = self._units(one_hot)
        valid = valid_units(one_hot, units.shape[-2], self.first.field)
        context = self.dropout(self.attention(units, valid)).unsqueeze(-2)
        hidden = self.dropout(self.hidden_activation(self.hidden(context)))
        logits: Tensor = self.output(hidden).squeeze((-2, -1))
        return logits
