"""Softmax, normalisations and attention, written out in operations that have a rule of their own.

``x`` is a :class:`motiflens.attribution.rules.DualTensor` tensor; each function takes what its
namesake in torch takes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from motiflens.errors import InputError


def softmax(x: Any, dim: int, _stacklevel: int = 3, dtype: torch.dtype | None = None) -> Any:
    """Write softmax as the exponential of its logarithm, so that nothing overflows."""
    return log_softmax(x, dim, dtype=dtype).exp()


def log_softmax(x: Any, dim: int, _stacklevel: int = 3, dtype: torch.dtype | None = None) -> Any:
    """Write the logarithm of softmax."""
    x = x if dtype is None else x.to(dtype)
    return x - x.logsumexp(dim, keepdim=True)


def _normal(x: Any, dims: tuple[int, ...], eps: float) -> Any:
    centred = x - x.mean(dims, keepdim=True)
    return centred * (centred.square().mean(dims, keepdim=True) + eps).rsqrt()


def _scaled(x: Any, weight: Any, bias: Any) -> Any:
    x = x if weight is None else x * weight
    return x if bias is None else x + bias


def layer_norm(
    x: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """Write layer normalisation."""
    return _scaled(_normal(x, tuple(range(-len(normalized_shape), 0)), eps), weight, bias)


def rms_norm(x: Any, normalized_shape: Any, weight: Any = None, eps: float | None = None) -> Any:
    """Write root-mean-square normalisation."""
    dims = tuple(range(-len(normalized_shape), 0))
    eps = torch.finfo(x.dtype).eps if eps is None else eps
    return _scaled(x * (x.square().mean(dims, keepdim=True) + eps).rsqrt(), weight, None)


def group_norm(
    x: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """Write group normalisation."""
    grouped = _normal(x.unflatten(1, (num_groups, -1)).flatten(2), (-1,), eps)
    by_channel = (-1, *(1,) * (x.ndim - 2))
    vectors = (None if v is None else v.view(by_channel) for v in (weight, bias))
    return _scaled(grouped.reshape(x.shape), *vectors)


def glu(x: Any, dim: int = -1) -> Any:
    """Write the gated linear unit."""
    passed, gate = x.chunk(2, dim)
    return passed * gate.sigmoid()


def _additive(mask: Any, *, kept: bool) -> Any:
    """Turn a mask, of which True is ``kept`` or left out, into what is added to the scores."""
    if mask is None or mask.is_floating_point():
        return mask
    out = ~mask if kept else mask
    return torch.zeros(mask.shape, device=mask.device).masked_fill(out, float("-inf"))


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """Write attention as two products and a softmax."""
    if dropout_p > 0 or enable_gqa:
        raise without_rule("scaled_dot_product_attention with dropout or grouped queries")
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    scores = (query * scale) @ key.mT
    if is_causal:
        attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=query.device).tril()
    mask = _additive(attn_mask, kept=True)
    return torch.softmax(scores if mask is None else scores + mask, -1) @ value


def multi_head_attention_forward(
    query: Any,
    key: Any,
    value: Any,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Any,
    in_proj_bias: Any,
    bias_k: Any,
    bias_v: Any,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Any,
    out_proj_bias: Any,
    *,
    training: bool = True,
    key_padding_mask: Any = None,
    need_weights: bool = True,
    attn_mask: Any = None,
    average_attn_weights: bool = True,
    **rest: Any,
) -> tuple[Any, Any]:
    """Write ``nn.MultiheadAttention``; inputs lie as (U, N, C) or, unbatched, (U, C)."""
    rest_used = [key for key in ("static_k", "static_v") if rest.get(key) is not None]
    if bias_k is not None or add_zero_attn or rest_used or (training and dropout_p > 0):
        raise without_rule("multi_head_attention_forward with dropout or keys of its own")
    separate = rest.get("use_separate_proj_weight", False)
    names = ("q_proj_weight", "k_proj_weight", "v_proj_weight")
    weights = [rest[name] for name in names] if separate else in_proj_weight.chunk(3)
    biases = (None,) * 3 if in_proj_bias is None else in_proj_bias.chunk(3)
    batched = query.ndim == 3

    def by_head(x: Any, weight: Any, bias: Any) -> Any:
        x = functional.linear(x if batched else x.unsqueeze(1), weight, bias)
        return x.unflatten(-1, (num_heads, -1)).permute(1, 2, 0, 3)  # (N, H, U, D)

    q, k, v = map(by_head, (query, key, value), weights, biases)
    scores = (q * q.shape[-1] ** -0.5) @ k.mT
    if (mask := _additive(attn_mask, kept=False)) is not None:
        scores = scores + (mask if mask.ndim == 2 else mask.unflatten(0, (-1, num_heads)))
    if (mask := _additive(key_padding_mask, kept=False)) is not None:
        scores = scores + (mask if batched else mask.unsqueeze(0))[:, None, None, :]
    weights_of_keys = torch.softmax(scores, -1)
    mixed = (weights_of_keys @ v).permute(2, 0, 1, 3).flatten(-2)
    output = functional.linear(
        mixed if batched else mixed.squeeze(1), out_proj_weight, out_proj_bias
    )
    if not need_weights:
        return output, None
    attention = weights_of_keys if batched else weights_of_keys.squeeze(0)
    return output, attention.mean(-3) if average_attn_weights else attention


def without_rule(operation: str) -> InputError:
    """Return the error for an operation that DeepLIFT has no rule for."""
    return InputError(
        f"deeplift_shap has no rule for {operation}",
        remedy="choose integrated_gradients, expected_gradients or ism for this model",
        argument="method",
    )


COMPOSITES: dict[str, Callable[..., Any]] = {
    composite.__name__: composite
    for composite in (
        softmax,
        log_softmax,
        layer_norm,
        rms_norm,
        group_norm,
        glu,
        scaled_dot_product_attention,
        multi_head_attention_forward,
    )
}
