"""A data set on the device, and its one-hot batches."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from motiflens.datasets import SequenceDataset
from motiflens.sequences import ONE_HOT


@dataclass(frozen=True)
class EncodedData:
    """A data set on the device: codes (N, L), labels (N,) and the one-hot rows of the codes."""

    codes: Tensor
    labels: Tensor
    table: Tensor

    @staticmethod
    def of(dataset: SequenceDataset, device: str, dtype: torch.dtype) -> EncodedData:
        """Copy a data set to a device."""
        return EncodedData(
            torch.as_tensor(dataset.codes, device=device),
            torch.as_tensor(dataset.labels, device=device, dtype=dtype),
            torch.as_tensor(ONE_HOT, device=device, dtype=dtype),
        )

    def batch(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """One-hot (..., 4, L) and labels (...) of rows (...)."""
        bases = nn.functional.embedding(self.codes[rows].int(), self.table)
        return bases.mT, self.labels[rows]
