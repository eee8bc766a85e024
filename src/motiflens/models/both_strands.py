"""Any of our models on both strands of a sequence."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from motiflens.models.base import (
    AttentionMap,
    FeatureMap,
    PooledFilters,
    SequenceModel,
    mirrored,
    other_strand,
)


class BothStrands(SequenceModel):
    """Average a model over both strands, so that a sequence and its complement score the same.

    Features and attention maps are those of the forward strand, tied to its bases; the attention
    on bases is the mean over both (:mod:`motiflens.attribution.attention`).

    Parameters
    ----------
    model
        Trained on both strands (``Recipe.rc_augment``).
    """

    both_strands = True

    def __init__(self, model: SequenceModel) -> None:
        super().__init__()
        self.model = model
        self.min_length = model.min_length
        self.train(model.training)

    @property
    def filters(self) -> Tensor:
        """Weights of the first layer, (F, 4, K)."""
        return self.model.filters

    def first_layer(self, one_hot: Tensor) -> FeatureMap:
        """Return the activations of the first layer on the forward strand."""
        return self.model.first_layer(one_hot)

    def attention_maps(self, one_hot: Tensor) -> list[AttentionMap]:
        """Return the attention on the forward strand."""
        return self.model.attention_maps(one_hot)

    def pooled_filters(self) -> PooledFilters | None:
        """Return the filters of the model, whose maxima are taken on both strands."""
        pooled = self.model.pooled_filters()
        return None if pooled is None else replace(pooled, both_strands=True)

    def forward(self, one_hot: Tensor) -> Tensor:
        """Map one-hot (N, 4, L) to the mean logits (N,) of both strands."""
        return (self.model(one_hot) + self.model(other_strand(one_hot))) / 2

    def single_mutant_logits(
        self, one_hot: Tensor, start: int = 0, end: int | None = None
    ) -> Tensor | None:
        """Return the logits after every single substitution, if the model has them."""
        forward = self.model.single_mutant_logits(one_hot, start, end)
        if forward is None:
            return None
        # Base b at position p of n bases is the complement of b at n - 1 - p on the other strand.
        positions = mirrored(one_hot)[..., start:end]
        first, last = int(positions.amin()), int(positions.amax())
        reverse = self.model.single_mutant_logits(other_strand(one_hot), first, last + 1)
        assert reverse is not None
        at = (positions - first).unsqueeze(-2).expand_as(forward)
        return (forward + reverse.flip(-2).gather(-1, at)) / 2
