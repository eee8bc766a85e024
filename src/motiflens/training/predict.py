"""Logits of sequences from a trained model."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from motiflens.datasets import SequenceDataset


def predict_logits(
    model: nn.Module, dataset: SequenceDataset, *, batch_size: int = 256
) -> NDArray[np.float64]:
    """Compute the logits of every sequence, in evaluation mode and without gradients.

    Parameters
    ----------
    model
        From one-hot (N, 4, L) to logits (N,) or (N, T).
    dataset
        N sequences.
    batch_size
        Sequences a forward pass.

    Returns
    -------
    ndarray
        float64 (N,) or (N, T).
    """
    training = model.training
    model.eval()
    device = next(model.parameters()).device
    try:
        with torch.inference_mode():
            parts = [
                model(
                    torch.as_tensor(
                        dataset.one_hot(np.arange(start, min(start + batch_size, len(dataset)))),
                        device=device,
                    )
                ).cpu()
                for start in range(0, len(dataset), batch_size)
            ]
    finally:
        model.train(training)
    logits: NDArray[np.float64] = torch.cat(parts).double().numpy()
    return logits
