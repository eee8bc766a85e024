"""Logits of sequences from a trained model."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from motiflens.datasets import SequenceDataset
from motiflens.training.batches import EncodedData
from motiflens.training.loop import Trained


def predict_trained(trained: Trained, dataset: SequenceDataset) -> NDArray[np.float64]:
    """Compute the logits (N,) of a trained model, on both strands where it was trained so."""
    both = trained.job.settings.rc_average
    return predict_logits(trained.model, dataset, both_strands=both)


def predict_logits(
    model: nn.Module,
    dataset: SequenceDataset,
    *,
    batch_size: int = 256,
    both_strands: bool = False,
) -> NDArray[np.float64]:
    """Compute the logits of every sequence, in evaluation mode and without gradients.

    Only codes are held for the whole data set; one-hot is made batch by batch, where the model is.

    Parameters
    ----------
    model
        From one-hot (N, 4, L) to logits (N,) or (N, T).
    dataset
        N sequences.
    batch_size
        Sequences a forward pass.
    both_strands
        Give the mean over a sequence and its reverse complement, as a model trained with
        ``Recipe.rc_average`` is to be used.

    Returns
    -------
    ndarray
        float64 (N,) or (N, T).
    """
    training = model.training
    parameter = next(model.parameters())
    data = EncodedData.of(dataset, parameter.device, parameter.dtype)
    model.eval()
    try:
        with torch.inference_mode():
            parts = [
                data.logits(model, rows, both_strands=both_strands).cpu()
                for rows in torch.split(torch.arange(len(dataset)), batch_size)
            ]
    finally:
        model.train(training)
    logits: NDArray[np.float64] = torch.cat(parts).double().numpy()
    return logits
