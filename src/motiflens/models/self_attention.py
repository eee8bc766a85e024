"""Self-attention whose heads look at offsets: Transformer blocks for any number of units.

Units lie in the last axis but one, ``(..., U, C)``, so that one model and many replicas run the
same code. Softmax is a module of its own, so that other weights can be put in the place of what it
gives.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from motiflens.models.base import AttentionMap, ReceptiveField
from motiflens.models.blocked_attention import attend
from motiflens.models.layers import LayerNorm, Linear, is_unwatched

#: Steepness of a head's initial look: 0.86 of the weight lies on the one offset it starts at.
STEEPNESS = 4.0


class RelativeBias(nn.Module):
    """A learned number for each head and each offset from query to key, clipped at an end.

    It is added to the scores (Raffel et al. 2020, with an offset a bucket; clipped as by Shaw et
    al. 2018). Head h starts as ``-4 log(1 + |offset - offsets[h]|)``: it looks at one offset, as
    the heads of d'Ascoli et al. (2021) do, so that a layer starts as a convolution; the logarithm
    (Chi et al. 2022) gives the same look at any length, and no offset is out of reach.

    Parameters
    ----------
    offsets
        The offset in units, key minus query, that each head looks at before training.
    max_offset
        K: all offsets beyond ±K share the number of ±K.
    """

    def __init__(self, offsets: tuple[int, ...], max_offset: int) -> None:
        super().__init__()
        offset = torch.arange(-max_offset, max_offset + 1)
        away = (offset - torch.tensor(offsets).unsqueeze(-1)).abs()
        self.table = nn.Parameter(-STEEPNESS * torch.log1p(away.float()))

    def forward(self, n_units: int) -> Tensor:
        """Return (H, U, U), or (R, H, U, U) of replicas: query i, key j, number of offset j - i."""
        max_offset = self.table.shape[-1] // 2
        if torch.compiler.is_compiling():  # one graph for any number of units
            units = torch.arange(n_units, device=self.table.device)
            offset = (units - units.unsqueeze(-1)).clamp(-max_offset, max_offset)
            return self.table[..., offset + max_offset]
        beyond = n_units - 1 - max_offset
        if beyond > 0:
            shape = (*self.table.shape[:-1], beyond)
            first, last = self.table[..., :1].expand(shape), self.table[..., -1:].expand(shape)
            row = torch.cat([first, self.table, last], dim=-1)
        else:
            row = self.table[..., -beyond : 2 * max_offset + 1 + beyond]
        return row.unfold(-1, n_units, 1).flip(-2)


class SelfAttention(nn.Module):
    """Scaled dot-product attention of many heads (Vaswani et al. 2017, eq. 1), with offsets.

    score(i, j) = q_i · k_j / √D + bias(j - i) for each head, D = C / H; softmax over the valid
    keys j; the weighted sum of the values of all heads is projected back to C channels.

    Parameters
    ----------
    n_channels
        Channels C; a multiple of the number of heads.
    offsets
        The offset each head looks at before training; as many as heads, H.
    max_offset
        Offsets beyond it are not told apart.
    """

    def __init__(self, n_channels: int, offsets: tuple[int, ...], max_offset: int) -> None:
        super().__init__()
        self.n_heads = len(offsets)
        # Without bias: that of the keys would shift all scores of a query alike, to no effect.
        self.project = Linear(n_channels, 3 * n_channels, bias=False)
        self.positions = RelativeBias(offsets, max_offset)
        self.softmax = nn.Softmax(dim=-1)
        self.output = Linear(n_channels, n_channels)

    def _parts(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return query, scaled, key and value of every head, (..., H, U, D)."""
        projected = self.project(x).unflatten(-1, (3, self.n_heads, -1))
        query, key, value = projected.movedim(-3, 0).transpose(-3, -2)
        return query * query.shape[-1] ** -0.5, key, value

    def _weights(self, query: Tensor, key: Tensor, valid: Tensor) -> Tensor:
        scores = query @ key.mT + self.positions(valid.shape[-1]).unsqueeze(-4)
        # Added, the mask costs a quarter of what masked_fill does: its gradient is never computed.
        return self.softmax(scores + _barred(valid, query.dtype)[..., None, None, :])

    def weights(self, x: Tensor, valid: Tensor) -> Tensor:
        """Return the weight of each key for each query: x (..., U, C) → (..., H, U, U)."""
        query, key, _ = self._parts(x)
        return self._weights(query, key, valid)

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Map x (..., U, C) to the same shape; only units of ``valid`` (..., U) are looked at."""
        query, key, value = self._parts(x)
        if self._is_plain(x):
            mixed = self._in_blocks(query, key, value, valid)
        else:
            mixed = self._weights(query, key, valid) @ value
        return self.output(mixed.transpose(-3, -2).flatten(-2))

    def _is_plain(self, x: Tensor) -> bool:
        """Return whether nobody looks at the weights, and the CPU computes them."""
        softmax = self.softmax
        return (
            is_unwatched(x)
            and x.device.type == "cpu"
            and not torch.is_autocast_enabled("cpu")
            and type(softmax) is nn.Softmax
            and not (softmax._forward_hooks or softmax._forward_pre_hooks)
        )

    def _in_blocks(self, query: Tensor, key: Tensor, value: Tensor, valid: Tensor) -> Tensor:
        """Mix the values as :func:`attend` does, (..., H, U, D)."""
        n_units, bias = valid.shape[-1], self.positions(valid.shape[-1])
        n_replicas = len(bias) if bias.ndim == 4 else 1
        shape = (n_replicas, -1, self.n_heads, *query.shape[-2:])
        heads = [
            one.reshape(shape).transpose(1, 2).flatten(0, 1).mT.contiguous()
            for one in (query, key, value)
        ]
        barred = None
        if not bool(valid.all()):
            rows = _barred(valid, query.dtype).reshape(n_replicas, 1, -1, n_units)
            barred = rows.expand(-1, self.n_heads, -1, -1).flatten(0, 1)
        query_, key_, value_ = heads
        mixed = attend(query_, key_, value_, bias.reshape(-1, n_units, n_units), barred)
        by_head = mixed.mT.reshape(n_replicas, self.n_heads, -1, *query.shape[-2:])
        return by_head.transpose(1, 2).reshape(query.shape)


def _barred(valid: Tensor, dtype: torch.dtype) -> Tensor:
    """Return minus infinity for what is not valid, and 0 for what is."""
    return torch.zeros_like(valid, dtype=dtype).masked_fill(~valid, float("-inf"))


class Block(nn.Module):
    """One Transformer block with the norm before each layer (Xiong et al. 2020, fig. 1b).

    Parameters
    ----------
    n_channels, offsets, max_offset
        As in :class:`SelfAttention`.
    n_hidden
        Width of the layer between the two of the feed-forward layers.
    """

    def __init__(
        self, n_channels: int, offsets: tuple[int, ...], max_offset: int, n_hidden: int
    ) -> None:
        super().__init__()
        self.attention_norm = LayerNorm(n_channels)
        self.attention = SelfAttention(n_channels, offsets, max_offset)
        self.hidden_norm = LayerNorm(n_channels)
        self.hidden = Linear(n_channels, n_hidden)
        self.activation = nn.ReLU()
        self.output = Linear(n_hidden, n_channels)

    def weights(self, x: Tensor, valid: Tensor) -> Tensor:
        """Return the weight of each key for each query, (..., H, U, U)."""
        return self.attention.weights(self.attention_norm(x), valid)

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Map x (..., U, C) to the same shape; only units of ``valid`` (..., U) are looked at."""
        x = x + self.attention(self.attention_norm(x), valid)
        return x + self.output(self.activation(self.hidden(self.hidden_norm(x))))


class MaskedMax(nn.Module):
    """The largest value of each channel over the valid units."""

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Map (..., U, C), valid (..., U) to (..., C)."""
        return x.masked_fill(~valid.unsqueeze(-1), float("-inf")).amax(-2)


def neighbours(n_heads: int, spacing: int) -> tuple[int, ...]:
    """Return one offset a head, ``spacing`` units from one to the next, 0 in the middle."""
    return tuple(spacing * (head - (n_heads - 1) // 2) for head in range(n_heads))


def self_attention_maps(
    blocks: nn.ModuleList, x: Tensor, valid: Tensor, field: ReceptiveField
) -> list[AttentionMap]:
    """Return the attention of every block: ``full``, and what each unit gets of it as ``weights``.

    Parameters
    ----------
    blocks
        Of :class:`Block`.
    x
        (N, U, C), what goes into the first block.
    valid
        (N, U), bool. The weights are means over the valid queries.
    field
        The bases of a unit of x; that of a unit of a later block, too, whose query has gathered
        more by attention alone.
    """
    maps = []
    asked = valid.to(x.dtype) / valid.sum(-1, keepdim=True)
    for number, block in enumerate(blocks, start=1):
        assert isinstance(block, Block)
        full = block.weights(x, valid)
        received = (asked[:, None, None, :] @ full).squeeze(-2)
        maps.append(AttentionMap(f"block {number}", received, field, full))
        x = block(x, valid)
    return maps
