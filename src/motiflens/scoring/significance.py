"""p-values and q-values of calls, from the calls in shuffled sequences, pooled over tiles."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Steps a nat in which evidence is counted: p-values are exact to 1.6 % of a nat.
STEPS = 64


ROW = np.dtype(
    [("sequence", "<i8"), ("start", "<i8"), ("motif", "<i4"), ("reverse", "?")]
    + [(name, "<f8") for name in ("log_odds", "similarity", "contribution", "evidence")]
)
NULL_ROW = np.dtype([("motif", "<i4"), ("evidence", "<f8")])


class TileCalls(NamedTuple):
    """Calls of a tile: ``rows`` (H,) of :data:`ROW`, and ``null`` of its shuffles.

    ``n_windows`` (M,) are those of each motif in the sequences themselves.
    """

    rows: np.ndarray
    null: np.ndarray
    n_windows: np.ndarray

    def to_bytes(self) -> bytes:
        """Return them as they are kept."""
        sizes = np.array([len(part) for part in self], dtype="<i8")
        return b"".join(part.tobytes() for part in (sizes, *self))

    @staticmethod
    def from_bytes(content: bytes) -> TileCalls:
        """Read what :meth:`to_bytes` gave."""
        sizes = np.frombuffer(content, "<i8", 3).tolist()
        at, parts = 24, []
        for size, kind in zip(sizes, (ROW, NULL_ROW, np.dtype("<i8")), strict=True):
            parts.append(np.frombuffer(content, kind, size, at))
            at += size * kind.itemsize
        return TileCalls(*parts)


class Significance:
    """Counts of the calls of each motif by their evidence, in sequences and in their shuffles.

    That is all that p-values and q-values need, so calls can be written away as they are made.

    Parameters
    ----------
    n_motifs
        M.
    n_shuffles
        Of each sequence.
    """

    def __init__(self, n_motifs: int, n_shuffles: int) -> None:
        self._n_shuffles = n_shuffles
        self._n_windows = np.zeros(n_motifs, dtype=np.int64)
        self._counts = np.zeros((2, n_motifs, 1), dtype=np.int64)

    def add(self, calls: TileCalls) -> None:
        """Count the calls of a tile."""
        self._n_windows += calls.n_windows
        for which, rows in enumerate((calls.rows, calls.null)):
            step = steps_of(rows["evidence"])
            more = int(step.max(initial=0)) + 1 - self._counts.shape[2]
            if more > 0:
                self._counts = np.pad(self._counts, ((0, 0), (0, 0), (0, more)))
            np.add.at(self._counts[which], (rows["motif"], step), 1)
        self.__dict__.pop("_values", None)

    def of(self, motif: Ints, evidence: Floats) -> tuple[Floats, Floats]:
        """Return the p-values and the q-values of calls that were counted, (H,) each."""
        p, q = self._values
        step = steps_of(evidence)
        return p[motif, step], q[motif, step]

    @cached_property
    def _values(self) -> tuple[Floats, Floats]:
        """P and q (M, S) of each step: Benjamini and Hochberg (1995), over all windows."""
        found, null = np.cumsum(self._counts[:, :, ::-1], axis=2)[:, :, ::-1]
        n_windows = self._n_windows[:, None]
        p = np.minimum((null + 1) / (self._n_shuffles * n_windows + 1), 1.0)
        expected = p * n_windows / np.maximum(found, 1)
        # Who asks for less evidence may have a lower rate: the least of all lower thresholds.
        q = np.minimum.accumulate(np.minimum(expected, 1.0), axis=1)
        return p, q


def steps_of(evidence: Floats) -> Ints:
    """Return evidence in whole steps, rounded down."""
    return np.floor(evidence * STEPS).astype(np.int64)
