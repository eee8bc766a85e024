"""A data set for training: codes, and the one-hot batches made of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from motiflens.datasets import SequenceDataset
from motiflens.sequences import ONE_HOT
from motiflens.training.augmentation import reverse_complement


@dataclass(frozen=True)
class EncodedData:
    """Codes (N, L), lengths (N,), labels (N,) and the one-hot rows of the codes.

    The table is on the device that computes, and so are the others, unless the codes are
    memory-mapped: these stay in their file, and a batch is copied when it is needed.
    """

    codes: Tensor
    lengths: Tensor
    labels: Tensor
    table: Tensor

    @staticmethod
    def of(dataset: SequenceDataset, device: str | torch.device, dtype: torch.dtype) -> EncodedData:
        """Put a data set on a device, or keep it in its memory-mapped file."""
        place = "cpu" if isinstance(dataset.codes, np.memmap) else device
        return EncodedData(
            torch.as_tensor(dataset.codes, device=place),
            torch.as_tensor(dataset.lengths, device=place),
            torch.as_tensor(dataset.labels, device=place, dtype=dtype),
            torch.as_tensor(ONE_HOT, device=device, dtype=dtype),
        )

    def take(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Give codes (..., L), lengths (...) and labels (...) of rows (...), on the device."""
        place, device = rows.to(self.codes.device), self.table.device
        return (
            self.codes[place].to(device),
            self.lengths[place].to(device),
            self.labels[place].to(device),
        )

    def one_hot(self, codes: Tensor) -> Tensor:
        """Turn codes (..., L) into one-hot (..., 4, L); N and padding are zero columns."""
        return nn.functional.embedding(codes.int(), self.table).mT

    def logits(self, model: nn.Module, rows: Tensor, *, both_strands: bool) -> Tensor:
        """Compute the logits of rows, or the mean over each sequence and its other strand."""
        codes, lengths, _ = self.take(rows)
        logits: Tensor = model(self.one_hot(codes))
        if both_strands:
            other: Tensor = model(self.one_hot(reverse_complement(codes, lengths)))
            logits = (logits + other) / 2
        return logits
