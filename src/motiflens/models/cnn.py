"""A convolutional network: filters, then the largest activation of each filter anywhere."""

from __future__ import annotations

from torch import Tensor, nn

from motiflens.models.base import PooledFilters, valid_units
from motiflens.models.filters import FilterModel, Filters
from motiflens.models.kmer_sums import Windows, max_activations
from motiflens.models.layers import Dropout, Linear, first_activation
from motiflens.models.mutants_of_max import hidden_of_max_mutants


class CNN(FilterModel):
    """Filters at every base, their largest value over the sequence, one hidden layer (DeepBind).

    The largest value over all positions makes the model as good on a sequence of any length:
    positions on padding are masked. Many filters that start as random k-mers cover what several
    factors bind, as gapped k-mers do; half as many lose up to a hundredth of AUROC.

    Parameters
    ----------
    n_filters, kernel_size
        Filters of the first layer.
    activation
        ``"relu"`` or ``"exponential"``, of the first layer.
    n_hidden
        Width of the hidden layer.
    dropout
        Fraction of the pooled and of the hidden values that is zeroed in training.
    """

    def __init__(
        self,
        *,
        n_filters: int = 512,
        kernel_size: int = 19,
        activation: str = "relu",
        n_hidden: int = 32,
        dropout: float = 0.4,
    ) -> None:
        super().__init__()
        self.min_length = kernel_size
        self.first = Filters(n_filters, kernel_size, same=True)
        self.first.init_from_kmers()
        self.activation = first_activation(activation)
        self.dropout = Dropout(dropout)
        self.hidden = Linear(n_filters, n_hidden)
        self.hidden_activation = nn.ReLU()
        self.output = Linear(n_hidden, 1)

    def read(self, one_hot: Tensor) -> Tensor | Windows:
        """Return what the filters see."""
        return self.first.read(one_hot)

    def forward(self, x: Tensor | Windows) -> Tensor:
        """Map one-hot (..., 4, L), or what was read of it, to logits (...)."""
        if isinstance(x, Windows):
            largest = max_activations(self.first.weight, x)
        else:
            valid = valid_units(x, x.shape[-1], self.first.field)
            largest = self.first.max_activations(x, valid)
        return self._head(largest.unsqueeze(-2)).squeeze((-2, -1))

    def single_mutant_logits(
        self, one_hot: Tensor, start: int = 0, end: int | None = None
    ) -> Tensor:
        """Return the logits after every single substitution, (N, 4, end − start)."""
        valid = valid_units(one_hot, one_hot.shape[-1], self.first.field)
        pooled, change = hidden_of_max_mutants(
            self.first, self.activation, self.hidden.weight, one_hot, valid
        )
        hidden = self.hidden(pooled)[:, None, None] + change
        return self.output(self.hidden_activation(hidden[:, start:end])).squeeze(-1).mT

    def pooled_filters(self) -> PooledFilters:
        """Return the filters, and what follows their largest activations."""

        def head(largest: Tensor) -> Tensor:
            return self._head(largest).squeeze(-1)

        # ReLU follows the bias.
        floor = -self.first.bias if isinstance(self.activation, nn.ReLU) else None
        return PooledFilters(self.first.weight, self.first.field, head, floor=floor)

    def _head(self, largest: Tensor) -> Tensor:
        """Map the largest activations (..., F), without bias, to logits (..., 1)."""
        # Bias and activation keep the order of values, so they may follow the maximum.
        pooled = self.dropout(self.activation(self.first.add_bias(largest)))
        return self.output(self.dropout(self.hidden_activation(self.hidden(pooled))))
