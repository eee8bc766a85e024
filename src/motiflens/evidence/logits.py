"""Logits of one target, batch by batch, from a module left as it was found."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from motiflens.attribution.result import Floats
from motiflens.models.calling import as_input, evaluating, logits_of

BATCH_SIZE = 256


def logits_in_batches(module: nn.Module, one_hot: Floats, target: int) -> NDArray[np.float64]:
    """Compute the logits (N,) of one target for one-hot (N, 4, L), in evaluation mode.

    Raises
    ------
    InputError
        For a target out of range, or logits that are not finite.
    """
    logits = np.zeros(len(one_hot))
    with evaluating(module), torch.inference_mode():
        for start in range(0, len(one_hot), BATCH_SIZE):
            x = as_input(module, one_hot[start : start + BATCH_SIZE])
            found = logits_of(module, x, target).double().cpu().numpy()
            logits[start : start + BATCH_SIZE] = found
    return logits
