"""A model that reads both strands: the mean of its logits on a sequence and on its complement."""

from __future__ import annotations

from torch import Tensor

from motiflens.models.base import AttentionMap, FeatureMap, SequenceModel, mirrored, other_strand

__all__ = ["BothStrands", "other_strand"]


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
        """Give the activations of the first layer on the forward strand."""
        return self.model.first_layer(one_hot)

    def attention_maps(self, one_hot: Tensor) -> list[AttentionMap]:
        """Give the attention on the forward strand."""
        return self.model.attention_maps(one_hot)

    def forward(self, one_hot: Tensor) -> Tensor:
        """Map one-hot (N, 4, L) to the mean logits (N,) of both strands."""
        logits: Tensor = (self.model(one_hot) + self.model(other_strand(one_hot))) / 2
        return logits

    def mutant_logits(self, one_hot: Tensor) -> Tensor | None:
        """Give the logits after every single substitution, (N, 4, L), if the model has them."""
        forward = self.model.mutant_logits(one_hot)
        reverse = self.model.mutant_logits(other_strand(one_hot))
        if forward is None or reverse is None:
            return None
        # Base b at position p of n bases is the complement of b at n - 1 - p on the other strand.
        places = mirrored(one_hot).unsqueeze(-2).expand_as(reverse)
        return (forward + reverse.flip(-2).gather(-1, places)) / 2
