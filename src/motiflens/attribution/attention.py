"""Attention as an explanation: the weight of each base, by what every unit really sees."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from motiflens.attribution.base import Attributions, Floats, as_input, checked, evaluating, known
from motiflens.errors import InputError
from motiflens.models.base import SequenceModel, lay_on_bases


def attention_on_bases(
    module: nn.Module, one_hot: Floats | Tensor, *, batch_size: int = 64
) -> Floats:
    """Lay every attention map on the bases and average over heads and maps.

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
        float32 (N, L), which sums to 1 over the bases of a sequence, padding included.

    Raises
    ------
    InputError
        If the model has no attention.
    """
    sequences = checked(one_hot)
    weights = np.zeros((sequences.shape[0], sequences.shape[2]), dtype=np.float32)
    with evaluating(module), torch.inference_mode():
        for start in range(0, len(sequences), batch_size):
            x = as_input(module, sequences[start : start + batch_size])
            maps = module.attention_maps(x) if isinstance(module, SequenceModel) else []
            if not maps:
                raise InputError(
                    "attention is read from a model that has attention maps",
                    got=f"a {type(module).__name__} without any",
                    remedy="choose another method, such as ism or saliency",
                )
            laid = [lay_on_bases(m.weights, m.field, x.shape[-1]).mean(dim=1) for m in maps]
            found = torch.stack(laid).mean(dim=0)
            weights[start : start + batch_size] = found.float().cpu().numpy()
    return weights


def attention(
    module: nn.Module, one_hot: Floats | Tensor, target: int = 0, *, batch_size: int = 64
) -> Attributions:
    """Explain by the attention weight of each base; it is the same for every target.

    Raises
    ------
    InputError
        As :func:`attention_on_bases`.
    """
    sequences = checked(one_hot)
    weights = attention_on_bases(module, sequences, batch_size=batch_size)
    return Attributions("attention", sequences, sequences * weights[:, None] * known(sequences))
