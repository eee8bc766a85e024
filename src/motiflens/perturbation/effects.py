"""How inserts move a logit: the difference to the same sequence without them, and its mean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from motiflens.attribution.base import as_input, evaluating, logits_of
from motiflens.sequences import Codes, one_hot

BATCH_SIZE = 1024

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Effect:
    """A mean change of the logit, over backgrounds.

    Parameters
    ----------
    mean
        Of logit after minus logit before.
    standard_error
        Of the mean, over the backgrounds; 0 of a single one.
    n
        Number of backgrounds.
    """

    mean: float
    standard_error: float
    n: int

    @staticmethod
    def of(differences: Floats) -> Effect:
        """Sum up the differences of N backgrounds, (N,)."""
        n = len(differences)
        error = float(differences.std(ddof=1) / np.sqrt(n)) if n > 1 else 0.0
        return Effect(float(differences.mean()), error, n)


def logits_of_codes(module: nn.Module, codes: Codes, target: int) -> Floats:
    """Compute the logits (N,) of codes (N, L) in batches; the module is left as it was found."""
    logits = np.zeros(len(codes))
    with evaluating(module), torch.inference_mode():
        for start in range(0, len(codes), BATCH_SIZE):
            x = as_input(module, one_hot(codes[start : start + BATCH_SIZE]))
            found = logits_of(module, x, target).double().cpu().numpy()
            logits[start : start + BATCH_SIZE] = found
    return logits


def differences(module: nn.Module, before: Codes, after: Iterable[Codes], target: int) -> Floats:
    """Give logit after minus logit before, (K, N), for K changes of the same N sequences (N, L)."""
    logits = logits_of_codes(module, before, target)
    return np.stack([logits_of_codes(module, codes, target) - logits for codes in after])
