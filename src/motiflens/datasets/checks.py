"""What holds of every data set, and what a run asks of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from motiflens.errors import InputError
from motiflens.sequences import PAD, Codes, Lengths

if TYPE_CHECKING:
    from motiflens.datasets.dataset import SequenceDataset


def check_shapes(dataset: SequenceDataset) -> None:
    """Raise an InputError unless every part has an entry for every sequence."""
    n = len(dataset.codes)
    sizes = {
        "lengths": np.shape(dataset.lengths),
        "labels": np.shape(dataset.labels),
        "names": np.shape(dataset.names),
        "split": (n,) if dataset.split is None else np.shape(dataset.split),
        "sites": (n,) if dataset.sites is None else (len(dataset.sites),),
        "coordinates": (n,) if dataset.coordinates is None else (len(dataset.coordinates),),
        "groups": (n,) if dataset.groups is None else np.shape(dataset.groups),
    }
    wrong = [f"{what} {size}" for what, size in sizes.items() if size != (n,)]
    if dataset.codes.ndim != 2 or dataset.codes.dtype != np.uint8 or wrong:
        raise InputError(
            f"codes {dataset.codes.dtype} {dataset.codes.shape} do not go with {', '.join(wrong)}",
            remedy="give uint8 codes (N, L), and as many entries of all else as sequences",
        )


def check_codes(codes: Codes, lengths: Lengths) -> None:
    """Raise an InputError unless codes and lengths go together."""
    width = codes.shape[1]
    if len(codes) and (lengths.min() < 1 or lengths.max() > width):
        problem = f"a length of {lengths.min()} or {lengths.max()} in codes of {width} columns"
    elif codes.size and codes.max() > PAD:
        problem = f"the code {codes.max()}"
    elif (codes < PAD)[np.arange(width) >= lengths[:, None]].any():
        problem = "a base beyond the end of a sequence"
    else:
        return
    raise InputError(f"there is {problem}", remedy="make the codes with motiflens.sequences.encode")


def check_values(what: str, values: NDArray[np.generic], allowed: Sequence[object]) -> None:
    """Raise an InputError for a value that is not allowed."""
    wrong = np.flatnonzero(~np.isin(values, np.array(allowed)))
    if wrong.size:
        raise InputError(
            f"the {what} {values[wrong[0]].item()!r} is not {' or '.join(map(str, allowed))}",
            f"for sequence {wrong[0] + 1}",
        )


def require_two_classes(dataset: SequenceDataset, part: str | None = None) -> None:
    """Raise an InputError unless both labels occur, in a part or in all data."""
    labels = dataset.labels if part is None else dataset.labels[dataset.split == part]
    found = np.unique(labels)
    if len(found) < 2:
        problem = "there are no sequences"
        if len(found):
            problem = f"all {len(labels)} sequences have label {found[0]:g}"
        raise InputError(
            problem,
            "" if part is None else f"in the split {part}",
            remedy="add sequences of the other class, for instance by a file of negatives",
        )


def require_at_least(dataset: SequenceDataset, width: int, what: str) -> None:
    """Raise an InputError when a sequence is shorter than ``what``, which is ``width`` wide."""
    if len(dataset) and dataset.lengths.min() < width:
        shortest = int(dataset.lengths.argmin())
        raise InputError(
            f"{dataset.names[shortest]} has {dataset.lengths[shortest]} bases, fewer than the "
            f"{width} of {what}",
            remedy=f"drop the shorter sequences, or take a smaller width than {width}",
        )
