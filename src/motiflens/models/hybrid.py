"""Filters, then a Transformer over what they find."""

from __future__ import annotations

from torch import Tensor, nn

from motiflens.models.base import AttentionMap, valid_units
from motiflens.models.filters import FilterModel, Filters
from motiflens.models.layers import LayerNorm, Linear, first_activation
from motiflens.models.self_attention import Block, MaskedMax, neighbours, self_attention_maps


class Hybrid(FilterModel):
    """Filters at every base find motifs, self-attention relates them, the largest values decide.

    Parameters
    ----------
    n_filters, kernel_size
        Filters of the first layer; they are the channels of the blocks.
    activation
        ``"relu"`` or ``"exponential"``, of the first layer.
    n_blocks
        Blocks of attention and feed-forward layers.
    n_heads
        Heads of a block.
    n_hidden
        Width of the feed-forward part of a block.
    max_offset
        Offsets beyond it, in bases, are not told apart.
    """

    def __init__(
        self,
        *,
        n_filters: int = 32,
        kernel_size: int = 15,
        activation: str = "relu",
        n_blocks: int = 1,
        n_heads: int = 4,
        n_hidden: int = 32,
        max_offset: int = 64,
    ) -> None:
        super().__init__()
        self.min_length = kernel_size
        self.first = Filters(n_filters, kernel_size, same=True)
        self.activation = first_activation(activation)
        offsets = neighbours(n_heads, kernel_size // 2)
        self.blocks = nn.ModuleList(
            Block(n_filters, offsets, max_offset, n_hidden) for _ in range(n_blocks)
        )
        self.norm = LayerNorm(n_filters)
        self.pool = MaskedMax()
        self.output = Linear(n_filters, 1)

    def attention_maps(self, one_hot: Tensor) -> list[AttentionMap]:
        """Return the attention of every block, (N, H, L) received and (N, H, L, L) in full."""
        units = self.activations(one_hot)
        valid = valid_units(one_hot, units.shape[-2], self.first.field)
        return self_attention_maps(self.blocks, units, valid, self.first.field)

    def forward(self, one_hot: Tensor) -> Tensor:
        """Map one-hot (..., 4, L) to logits (...)."""
        x = self.activations(one_hot)
        valid = valid_units(one_hot, x.shape[-2], self.first.field)
        for block in self.blocks:
            x = block(x, valid)
        return self.output(self.pool(self.norm(x), valid).unsqueeze(-2)).squeeze((-2, -1))
