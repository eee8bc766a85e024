"""Words of k bases as numbers, the same for a word and its reverse complement."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from motiflens.errors import InputError
from motiflens.sequences import PAD, Codes

MAX_K = 31

Kmers = NDArray[np.uint64]


def canonical_kmers(codes: Codes, k: int) -> tuple[Kmers, NDArray[np.bool_]]:
    """Read every window of k bases, packed in two bits a base; the smaller of both strands.

    Parameters
    ----------
    codes
        uint8 (N, L).
    k
        Bases in a word, 1 to 31: the word and its reverse complement differ where k is odd.

    Returns
    -------
    kmers, known
        uint64 (N, max(L − k + 1, 0)), the word in base 4, and bool of the same shape: False where
        a window holds N or padding, and the word means nothing.

    Raises
    ------
    InputError
        For other k.
    """
    if not 1 <= k <= MAX_K:
        raise InputError(
            f"a word has 1 to {MAX_K} bases", got=str(k), remedy="choose a shorter or longer word"
        )
    n_windows = max(codes.shape[1] - k + 1, 0)
    unknown = np.zeros((len(codes), codes.shape[1] + 1), dtype=np.int32)
    np.cumsum(codes >= PAD, axis=1, out=unknown[:, 1:])
    known = unknown[:, k : k + n_windows] == unknown[:, :n_windows]
    base = np.minimum(codes, PAD - 1).astype(np.uint64)
    forward, backward = base[:, :n_windows], 3 - base[:, :n_windows]
    for offset in range(1, k):
        column = base[:, offset : offset + n_windows]
        forward = forward << np.uint64(2) | column
        backward = backward | (3 - column) << np.uint64(2 * offset)
    return np.minimum(forward, backward), known
