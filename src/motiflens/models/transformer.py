"""A Transformer over bases: self-attention is all that joins one base with another."""

from __future__ import annotations

from torch import Tensor, nn

from motiflens.models.base import AttentionMap, ReceptiveField, SequenceModel, valid_units
from motiflens.models.layers import LayerNorm, Linear
from motiflens.models.self_attention import Block, MaskedMax, neighbours, self_attention_maps

BASE = ReceptiveField(0, 1, 1)


class Transformer(SequenceModel):
    """Bases are embedded one by one, blocks of self-attention, the largest value over all bases.

    There are no absolute positions: heads know offsets only, so a motif is learned once for all
    the positions where it may lie, and a sequence may be of any length.

    Parameters
    ----------
    n_blocks
        Blocks of attention and feed-forward layers.
    n_channels
        Channels of a base.
    n_heads
        Heads of a block; before training they look at neighbouring bases, one each.
    n_hidden
        Width of the feed-forward part of a block.
    max_offset
        Offsets beyond it are not told apart.
    """

    def __init__(
        self,
        *,
        n_blocks: int = 2,
        n_channels: int = 32,
        n_heads: int = 4,
        n_hidden: int = 32,
        max_offset: int = 16,
    ) -> None:
        super().__init__()
        self.embedding = Linear(4, n_channels)
        self.blocks = nn.ModuleList(
            Block(n_channels, neighbours(n_heads, n_heads**number), max_offset, n_hidden)
            for number in range(n_blocks)
        )
        self.norm = LayerNorm(n_channels)
        self.pool = MaskedMax()
        self.output = Linear(n_channels, 1)

    def attention_maps(self, one_hot: Tensor) -> list[AttentionMap]:
        """Return the attention of every block, (N, H, L) received and (N, H, L, L) in full."""
        valid = valid_units(one_hot, one_hot.shape[-1], BASE)
        return self_attention_maps(self.blocks, self.embedding(one_hot.mT), valid, BASE)

    def forward(self, one_hot: Tensor) -> Tensor:
        """Map one-hot (..., 4, L) to logits (...)."""
        valid = valid_units(one_hot, one_hot.shape[-1], BASE)
        x = self.embedding(one_hot.mT)
        for block in self.blocks:
            x = block(x, valid)
        return self.output(self.pool(self.norm(x), valid).unsqueeze(-2)).squeeze((-2, -1))
