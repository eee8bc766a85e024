"""Data sets, one after the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from motiflens.datasets.dataset import SequenceDataset
from motiflens.datasets.labels import CLASSIFICATION, REGRESSION
from motiflens.datasets.loci import Loci
from motiflens.sequences import encode


def concatenate(parts: Sequence[SequenceDataset]) -> SequenceDataset:
    """Put data sets one after the other.

    Numbers in one part make a regression of all. Split and sites stay where all parts have them;
    coordinates and groups stay where one part has them, and are unknown for the others. Rows of
    different parts with one number in ``groups`` belong together.
    """
    split = [part.split for part in parts if part.split is not None]
    sites = [part.sites for part in parts if part.sites is not None]
    places = [part.coordinates or Loci.unknown(len(part)) for part in parts]
    codes, lengths = encode([text for part in parts for text in part.sequences()])
    return SequenceDataset(
        codes,
        lengths,
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.names for part in parts]),
        np.concatenate(split) if len(split) == len(parts) else None,
        tuple(row for part in sites for row in part) if len(sites) == len(parts) else None,
        Loci.join(places) if any(part.coordinates for part in parts) else None,
        _join_groups(parts),
        REGRESSION if any(part.is_regression for part in parts) else CLASSIFICATION,
    )


def _join_groups(parts: Sequence[SequenceDataset]) -> NDArray[np.int64] | None:
    if all(part.groups is None for part in parts):
        return None
    alone = [np.full(len(part), -1, dtype=np.int64) for part in parts]
    given = zip(parts, alone, strict=True)
    return np.concatenate([own if part.groups is None else part.groups for part, own in given])
