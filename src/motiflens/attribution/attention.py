"""Attention as an explanation: the weight of each base, by what every unit really sees."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from motiflens.attribution.base import known_mask
from motiflens.attribution.result import Attributions, Floats
from motiflens.errors import InputError
from motiflens.io.inputs import check_one_hot
from motiflens.models.base import (
    AttentionMap,
    SequenceModel,
    mirrored,
    other_strand,
    project_to_bases,
    valid_units,
)
from motiflens.models.calling import as_input, evaluating

#: From one batch (N, 4, L) and its attention maps to weights on bases, (N, H, L), by name.
Readout = Callable[[Tensor, list[AttentionMap]], dict[str, Tensor]]


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
    return _read(module, check_one_hot(one_hot), _each_layer, batch_size)


def attention_on_bases(
    module: nn.Module, one_hot: Floats | Tensor, *, batch_size: int = 64
) -> Floats:
    """Average :func:`attention_of_heads` over heads and layers, (N, L); errors are the same."""
    layers = attention_of_heads(module, one_hot, batch_size=batch_size).values()
    return np.asarray(np.mean([weights.mean(axis=1) for weights in layers], axis=0))


def attention(
    module: nn.Module, one_hot: Floats | Tensor, target: int = 0, *, batch_size: int = 64
) -> Attributions:
    """Explain by the attention weight of each base; it is the same for every target.

    Raises
    ------
    InputError
        As :func:`attention_of_heads`.
    """
    sequences = check_one_hot(one_hot)
    weights = attention_on_bases(module, sequences, batch_size=batch_size)
    return Attributions(
        "attention", sequences, sequences * weights[:, None] * known_mask(sequences)
    )


def rollout(
    module: nn.Module, one_hot: Floats | Tensor, target: int = 0, *, batch_size: int = 64
) -> Attributions:
    """Explain by attention followed through stacked layers; it is the same for every target.

    Of each layer the heads are averaged and mixed half and half with the identity, which stands
    for the connection around the layer; the product of all layers is how much of each unit's
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
    sequences = check_one_hot(one_hot)
    weights = _read(module, sequences, _rolled_out, batch_size)["rollout"]
    return Attributions("rollout", sequences, sequences * weights * known_mask(sequences))


def _read(
    module: nn.Module, sequences: Floats, readout: Readout, batch_size: int
) -> dict[str, Floats]:
    """Read attention maps batch by batch; without sequences a single N shows the layers."""
    n, length = len(sequences), sequences.shape[2]
    batches = sequences if n else np.zeros((1, 4, length), dtype=np.float32)
    batches_read: list[dict[str, Tensor]] = []
    with evaluating(module), torch.inference_mode():
        for start in range(0, len(batches), batch_size):
            x = as_input(module, batches[start : start + batch_size])
            weights = readout(x, _maps(module, x))
            if isinstance(module, SequenceModel) and module.both_strands:
                weights = _with_other_strand(module, x, weights, readout)
            batches_read.append(weights)
    return {
        name: torch.cat([batch[name] for batch in batches_read]).float().cpu().numpy()[:n]
        for name in batches_read[0]
    }


def _maps(module: nn.Module, x: Tensor) -> list[AttentionMap]:
    maps = module.attention_maps(x) if isinstance(module, SequenceModel) else []
    if not maps:
        raise InputError(
            f"this {type(module).__name__} has no attention maps",
            remedy="choose another method, such as ism or saliency",
            argument="method",
        )
    return maps


def _with_other_strand(
    module: nn.Module, x: Tensor, forward: dict[str, Tensor], readout: Readout
) -> dict[str, Tensor]:
    """Average weights (N, H, L) with those of the other strand, base by base."""
    other = other_strand(x)
    reverse = readout(other, _maps(module, other))
    positions = mirrored(x).unsqueeze(-2)
    return {
        name: (weights + reverse[name].gather(-1, positions.expand_as(weights))) / 2
        for name, weights in forward.items()
    }


def _each_layer(x: Tensor, maps: list[AttentionMap]) -> dict[str, Tensor]:
    return {m.layer: project_to_bases(m.weights, m.field, x.shape[-1]) for m in maps}


def _rolled_out(x: Tensor, maps: list[AttentionMap]) -> dict[str, Tensor]:
    field = maps[0].field
    held: Tensor | None = None
    for layer in maps:
        if layer.full is None or layer.field != field:
            raise InputError(
                f"the layer {layer.layer} is no self-attention, which rollout follows",
                remedy="choose attention, or a model such as hybrid or transformer",
                argument="method",
            )
        identity = torch.eye(layer.full.shape[-1], dtype=x.dtype, device=x.device)
        mixed = (layer.full.mean(dim=1) + identity) / 2
        held = mixed if held is None else mixed @ held
    assert held is not None
    valid = valid_units(x, held.shape[-1], field).to(x.dtype)
    queries = (valid / valid.sum(-1, keepdim=True)).unsqueeze(-2)
    return {"rollout": project_to_bases(queries @ held, field, x.shape[-1])}
