"""Which rows of a data set a replica uses, and the batches and predictions made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from motiflens.datasets import (
    LabelScale,
    SequenceDataset,
    bound_groups,
    draw,
    split_by_groups,
)
from motiflens.errors import InputError
from motiflens.models.calling import evaluating, told_by_length
from motiflens.sequences import ONE_HOT
from motiflens.training.regularization import other_strand

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class SplitRows:
    """Row numbers of one replica: ``train``, ``valid`` (may be empty) and ``test``."""

    train: Rows
    valid: Rows
    test: Rows


def take_splits(
    dataset: SequenceDataset,
    *,
    validation_fraction: float,
    n_train: int | None,
    seed: int,
    fold: int | None = None,
) -> SplitRows:
    """Take the rows of one replica from the split, or the folds, of a data set.

    Parameters
    ----------
    dataset
        With a split; its ``valid`` rows are used where it has some: all, or with ``n_train``
        as many of them as would be held out, drawn by the seed.
    validation_fraction
        Otherwise, the fraction of the training rows that is held out to choose the epoch: the
        same rows for every model and seed, and whole groups of a data set that has some.
    n_train
        Use only this many training rows, drawn by the seed, validation rows included unless the
        data set has ``valid`` rows of its own; None for all.
    seed
        Of the replica.
    fold
        The one that is held out in place of the test split, the others being trained on; None for
        the split.

    Returns
    -------
    SplitRows

    Raises
    ------
    InputError
        If the data set has no split, or fewer training rows than ``n_train``.
    """
    if dataset.split is None:
        raise InputError(
            "the data set has no split", remedy="split it first: motiflens.split(dataset)"
        )
    split = dataset.split
    if fold is not None:
        assert dataset.folds is not None, "who names a fold has cut folds"
        split = np.array(["", "train", "test"])[(dataset.folds > 0) * 1 + (dataset.folds == fold)]
    rows = {name: np.flatnonzero(split == name) for name in ("train", "valid", "test")}
    train, valid = rows["train"], rows["valid"]
    if n_train is not None:
        if not 2 <= n_train <= len(train):
            raise InputError(
                f"a training size of {n_train} is not between 2 and the {len(train)} training "
                "sequences",
                remedy="choose one that is",
                argument="sizes",
            )
        train = draw(dataset.classes, train, n_train, np.random.default_rng(seed))
    if validation_fraction == 0.0:
        return SplitRows(train, np.empty(0, dtype=np.int64), rows["test"])
    size = _validation_size(validation_fraction, train)
    if n_train is not None and len(valid) > size:
        valid = draw(dataset.classes, valid, size, np.random.default_rng(seed))
    if len(valid) == 0:
        valid = hold_out(dataset, train, validation_fraction)
        train = np.setdiff1d(train, valid)
    return SplitRows(train, valid, rows["test"])


def hold_out(dataset: SequenceDataset, train: Rows, fraction: float) -> Rows:
    """Hold out training rows for validation: whole groups where the data set has some that fit."""
    size = _validation_size(fraction, train)
    if dataset.groups is not None:
        groups = bound_groups(np.arange(len(train)), dataset.groups[train])
        try:
            held_out = split_by_groups(
                dataset.subset(train), groups, test=size / len(train), seed=0
            )
            return np.asarray(train[held_out.split == "test"])
        except InputError:  # groups too large, or a class too small
            pass
    return draw(dataset.classes, train, size, np.random.default_rng(0))


def _validation_size(fraction: float, train: Rows) -> int:
    return max(2, round(fraction * len(train)))


def label_scale(dataset: SequenceDataset) -> LabelScale | None:
    """Return the scale of the training labels of a regression; None in two classes, or of none."""
    if not dataset.is_regression or dataset.split is None:
        return None
    learnt = dataset.labels[dataset.split == "train"]
    return LabelScale.of(learnt) if len(learnt) else None


@dataclass(frozen=True, eq=False)
class EncodedData:
    """Codes (N, L), lengths (N,), labels (N,) and the one-hot rows of the codes.

    Labels of a regression are standardised, by a scale; there is none in two classes. The table is
    on the device that computes, and so are the others, unless the codes are memory-mapped: these
    stay in their file, and a batch is copied when it is needed.
    """

    codes: Tensor
    lengths: Tensor
    labels: Tensor
    table: Tensor
    scale: LabelScale | None = None

    @staticmethod
    def of(dataset: SequenceDataset, device: str | torch.device, dtype: torch.dtype) -> EncodedData:
        """Put a data set on a device, or keep it in its memory-mapped file."""
        home = "cpu" if isinstance(dataset.codes, np.memmap) else device
        scale = label_scale(dataset)
        labels = dataset.labels if scale is None else scale.standardise(dataset.labels)
        return EncodedData(
            torch.as_tensor(dataset.codes, device=home),
            torch.as_tensor(dataset.lengths, device=home),
            torch.as_tensor(labels, device=home, dtype=dtype),
            torch.as_tensor(ONE_HOT, device=device, dtype=dtype),
            scale,
        )

    def take(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return codes (..., L), lengths (...) and labels (...) of rows (...), on the device."""
        index, device = rows.to(self.codes.device), self.table.device
        return (
            self.codes[index].to(device),
            self.lengths[index].to(device),
            self.labels[index].to(device),
        )

    def one_hot(self, codes: Tensor) -> Tensor:
        """Turn codes (..., L) into one-hot (..., 4, L); N and padding are zero columns."""
        return nn.functional.embedding(codes.int(), self.table).mT

    def logits(
        self, model: Callable[[Tensor], Tensor], rows: Tensor, *, both_strands: bool
    ) -> Tensor:
        """Compute the logits of rows, or the mean over each sequence and its other strand."""
        codes, lengths, _ = self.take(rows)
        logits = model(self.one_hot(codes))
        if both_strands:
            other = model(self.one_hot(other_strand(codes, lengths)))
            logits = (logits + other) / 2
        return logits


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
        Return the mean over a sequence and its reverse complement, as a model trained with
        ``Recipe.rc_average`` is to be used.

    Returns
    -------
    ndarray
        float64 (N,) or (N, T).
    """
    parameter = next(model.parameters(), torch.zeros(0))
    data = EncodedData.of(dataset, parameter.device, parameter.dtype)
    length = dataset.codes.shape[1]
    batches = []
    with evaluating(model), torch.inference_mode(), told_by_length(length):
        for rows in torch.split(torch.arange(len(dataset)), batch_size):
            logits = data.logits(model, rows, both_strands=both_strands)
            _require_rows(logits, len(rows))
            batches.append(logits.cpu())
    return torch.cat(batches).double().numpy()


def _require_rows(logits: object, n: int) -> None:
    """Refuse what is not one row of logits a sequence."""
    told = f"a {type(logits).__name__}"
    if isinstance(logits, Tensor):
        if logits.ndim in (1, 2) and len(logits) == n:
            return
        told = f"shape {tuple(logits.shape)}"
    raise InputError(
        f"the model returned {told} for {n} sequences",
        remedy="wrap it so that it returns logits (N,) or (N, T), one row a sequence",
    )
