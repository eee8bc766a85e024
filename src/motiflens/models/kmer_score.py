"""A partner of a model: a weight for each k-mer, summed over a sequence."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from motiflens.errors import InputError
from motiflens.models.base import AttentionMap, FeatureMap, SequenceModel

#: Sizes of k-mers: shorter ones say little, and longer ones are too rare to weigh.
SIZES = (2, 8)


class KmerScore(nn.Module):
    """The weights of all k-mers of a sequence, summed.

    It is linear in each column of the one-hot alone, so DeepLIFT's rule for products and exact
    substitutions follow from its gradient. A k-mer over an N or over padding weighs nothing.

    Parameters
    ----------
    size
        Bases of a k-mer, k. ``weight`` (4^k,) is in the order of the numbers that k-mers are to the
        base 4, and 0 before it is set, as ``bias`` is.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        least, most = SIZES
        if not least <= size <= most:
            raise InputError(
                f"kmer_size={size} is not between {least} and {most}",
                remedy="use 7, or leave it out for no k-mers",
                argument="kmer_size",
            )
        self.size = size
        # Buffers: no step of training moves them, and replicas of one group may share them.
        self.register_buffer("weight", torch.zeros(4**size))
        self.register_buffer("bias", torch.zeros(()))

    def forward(self, one_hot: Tensor) -> Tensor:
        """Map one-hot (..., 4, L) to scores (...)."""
        left, right = self.size // 2, self.size - self.size // 2
        n_kmers = one_hot.shape[-1] - self.size + 1
        first = _kmers(one_hot, 0, left, n_kmers)
        last = _kmers(one_hot, left, right, n_kmers)
        table = self.weight.view(4**left, 4**right)
        return ((first @ table) * last).sum((-2, -1)) + self.bias

    def mutants(self, one_hot: Tensor) -> Tensor:
        """Return the scores after every single substitution: one-hot (N, 4, L) to (N, 4, L)."""
        with torch.inference_mode(False), torch.enable_grad():
            x = one_hot.clone().requires_grad_()
            scores = self(x)
            (slope,) = torch.autograd.grad(scores.sum(), x)
        observed = (slope * one_hot).sum(-2, keepdim=True)
        return scores.detach()[:, None, None] + slope - observed


def _kmers(one_hot: Tensor, start: int, size: int, n: int) -> Tensor:
    """Return which k-mer begins at each of n bases from ``start`` on, one-hot (..., n, 4^size)."""
    bases = one_hot.mT
    kmers = bases[..., start : start + n, :]
    for position in range(start + 1, start + size):
        base = bases[..., position : position + n, :]
        kmers = (kmers.unsqueeze(-1) * base.unsqueeze(-2)).flatten(-2)
    return kmers


class WithKmers(SequenceModel):
    """A model and a score of k-mers beside it: their sum.

    Filters that are trained step by step and weights of k-mers that are fitted at once err in
    different ways. The score is 0 until training, which passes it by, has ended
    (:mod:`motiflens.training.kmers`).

    Parameters
    ----------
    model
        Any of ours.
    size
        Bases of a k-mer.
    """

    def __init__(self, model: SequenceModel, size: int) -> None:
        super().__init__()
        self.model, self.kmers = model, KmerScore(size)
        self.min_length = max(model.min_length, size)

    @property
    def filters(self) -> Tensor:
        """Weights of the first layer, (F, 4, K)."""
        return self.model.filters

    def first_layer(self, one_hot: Tensor) -> FeatureMap:
        """Return the activations of the model's first layer."""
        return self.model.first_layer(one_hot)

    def attention_maps(self, one_hot: Tensor) -> list[AttentionMap]:
        """Return the attention of the model."""
        return self.model.attention_maps(one_hot)

    def read(self, one_hot: Tensor) -> Any:
        """Return what the model reads, as long as there are no k-mers to read."""
        return one_hot if bool(self.kmers.weight.any()) else self.model.read(one_hot)

    def forward(self, x: Any) -> Tensor:
        """Map one-hot (..., 4, L), or what was read of it, to logits (...)."""
        logits: Tensor = self.model(x)
        if self.training or not isinstance(x, Tensor):
            return logits
        return logits + self.kmers(x)

    def single_mutant_logits(
        self, one_hot: Tensor, start: int = 0, end: int | None = None
    ) -> Tensor | None:
        """Return the logits after every single substitution, if the model has them."""
        logits = self.model.single_mutant_logits(one_hot, start, end)
        return None if logits is None else logits + self.kmers.mutants(one_hot)[..., start:end]
