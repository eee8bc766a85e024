"""Attention as an explanation: the weight of each base, by what every unit really sees."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from motiflens.attribution.base import Attributions, Floats, as_input, checked, evaluating, known
from motiflens.errors import InputError
from motiflens.models.base import (
    AttentionMap,
    SequenceModel,
    lay_on_bases,
    mirrored,
    other_strand,
    valid_units,
)

#: From one batch (N, 4, L) and its attention maps to weights that lie on bases, (N, H, L), by name.
Reading = Callable[[Tensor, list[AttentionMap]], dict[str, Tensor]]


def attention_of_heads(
    module: nn.Module, one_hot: Floats | Tensor, *, batch_size: int = 64
) -> dict[str, Floats]:
    """Lay the attention of every layer and head on the bases.

    Of a model that reads both strands it is the mean over both, laid on the bases of the given one.

    Parameters
    ----------
    module
        A ``SequenceModel`` with attention.
    one_hot
        (N, 4, L).
    batch_size
        Sequences a forward pass.

    Returns
    -------
    weights
        Layer → float32 (N, H, L), which sums to 1 over the bases, padding included.

    Raises
    ------
    InputError
        If the model has no attention.
    """
    return _read(module, checked(one_hot), _each_layer, batch_size)


def attention_on_bases(
    module: nn.Module, one_hot: Floats | Tensor, *, batch_size: int = 64
) -> Floats:
    """Average :func:`attention_of_heads` over heads and layers, (N, L); errors are the same."""
    layers = attention_of_heads(module, one_hot, batch_size=batch_size).values()
    mean: Floats = np.mean([weights.mean(axis=1) for weights in layers], axis=0)
    return mean


def attention(
    module: nn.Module, one_hot: Floats | Tensor, target: int = 0, *, batch_size: int = 64
) -> Attributions:
    """Explain by the attention weight of each base; it is the same for every target.

    Raises
    ------
    InputError
        As :func:`attention_of_heads`.
    """
    sequences = checked(one_hot)
    weights = attention_on_bases(module, sequences, batch_size=batch_size)
    return Attributions("attention", sequences, sequences * weights[:, None] * known(sequences))


def rollout(
    module: nn.Module, one_hot: Floats | Tensor, target: int = 0, *, batch_size: int = 64
) -> Attributions:
    """Explain by attention followed through stacked layers; it is the same for every target.

    Of each layer the heads are averaged and mixed half and half with the identity, which stands
    for the connection around the layer; the product of all layers tells how much of each unit's
    input a unit of the last layer holds. The mean over the units that are not padding is laid on
    the bases they see.

    Parameters
    ----------
    module
        A ``SequenceModel`` of self-attention, such as ``hybrid`` or ``transformer``.
    one_hot
        (N, 4, L).
    target
        Of no consequence.
    batch_size
        Sequences a forward pass.

    Raises
    ------
    InputError
        If the model has no self-attention.

    References
    ----------
    Abnar, Zuidema, arXiv:2005.00928 (2020), eq. 1.
    """
    sequences = checked(one_hot)
    weights = _read(module, sequences, _rolled_out, batch_size)["rollout"]
    return Attributions("rollout", sequences, sequences * weights * known(sequences))


def _read(
    module: nn.Module, sequences: Floats, reading: Reading, batch_size: int
) -> dict[str, Floats]:
    """Read attention maps batch by batch; without sequences a single N tells the layers."""
    n, length = len(sequences), sequences.shape[2]
    batches = sequences if n else np.zeros((1, 4, length), dtype=np.float32)
    parts: list[dict[str, Tensor]] = []
    with evaluating(module), torch.inference_mode():
        for start in range(0, len(batches), batch_size):
            x = as_input(module, batches[start : start + batch_size])
            found = reading(x, _maps(module, x))
            if isinstance(module, SequenceModel) and module.both_strands:
                found = _with_other_strand(module, x, found, reading)
            parts.append(found)
    return {
        name: torch.cat([part[name] for part in parts]).float().cpu().numpy()[:n]
        for name in parts[0]
    }


def _maps(module: nn.Module, x: Tensor) -> list[AttentionMap]:
    maps = module.attention_maps(x) if isinstance(module, SequenceModel) else []
    if not maps:
        raise InputError(
            "attention is read from a model that has attention maps",
            got=f"a {type(module).__name__} without any",
            remedy="choose another method, such as ism or saliency",
        )
    return maps


def _with_other_strand(
    module: nn.Module, x: Tensor, found: dict[str, Tensor], reading: Reading
) -> dict[str, Tensor]:
    """Average weights (N, H, L) with those of the other strand, base by base."""
    other = other_strand(x)
    reverse = reading(other, _maps(module, other))
    places = mirrored(x).unsqueeze(-2)
    return {
        name: (weights + reverse[name].gather(-1, places.expand_as(weights))) / 2
        for name, weights in found.items()
    }


def _each_layer(x: Tensor, maps: list[AttentionMap]) -> dict[str, Tensor]:
    return {m.layer: lay_on_bases(m.weights, m.field, x.shape[-1]) for m in maps}


def _rolled_out(x: Tensor, maps: list[AttentionMap]) -> dict[str, Tensor]:
    field = maps[0].field
    held: Tensor | None = None
    for layer in maps:
        if layer.full is None or layer.field != field:
            raise InputError(
                "rollout follows self-attention, every unit looking at every unit of its layer",
                got=f"{layer.layer} without that",
                remedy="choose attention, or a model such as hybrid or transformer",
            )
        identity = torch.eye(layer.full.shape[-1], dtype=x.dtype, device=x.device)
        mixed = (layer.full.mean(dim=1) + identity) / 2
        held = mixed if held is None else mixed @ held
    assert held is not None
    valid = valid_units(x, held.shape[-1], field).to(x.dtype)
    shares = (valid / valid.sum(-1, keepdim=True)).unsqueeze(-2)
    return {"rollout": lay_on_bases(shares @ held, field, x.shape[-1])}
