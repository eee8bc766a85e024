"""Sequences that motifs are put into."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from motiflens.attribution.base import checked
from motiflens.errors import InputError
from motiflens.sequences import PAD, Codes, Lengths, one_hot
from motiflens.shuffles import dinucleotide_shuffle

N_BACKGROUNDS = 100

Floats = NDArray[np.float32]


def random_background(length: int, *, n: int = N_BACKGROUNDS, seed: int = 0) -> Floats:
    """Draw sequences of independent bases, each as likely as the next: one-hot (n, 4, length).

    Raises
    ------
    InputError
        If there is to be no sequence, or no base.
    """
    _require_some(n, length)
    generator = np.random.default_rng(seed)
    return one_hot(generator.integers(4, size=(n, length), dtype=np.uint8))


def shuffled_background(
    sequences: Floats | Tensor, *, n: int = N_BACKGROUNDS, seed: int = 0
) -> Floats:
    """Shuffle given sequences so that each keeps its dinucleotide counts.

    Parameters
    ----------
    sequences
        One-hot (N, 4, L).
    n
        Number of backgrounds: the sequences are taken in turn, as often as needed.
    seed
        Of the shuffles.

    Returns
    -------
    one_hot
        (n, 4, L); N and padding keep their places.

    Raises
    ------
    InputError
        For input that is not one-hot, or when there is to be no sequence.
    """
    codes, lengths = as_codes(sequences)
    _require_some(min(n, len(codes)), codes.shape[1])
    rows = np.resize(np.arange(len(codes)), n)
    generator = np.random.default_rng(seed)
    return one_hot(dinucleotide_shuffle(codes[rows], lengths[rows], generator))


def as_codes(sequences: Floats | Tensor) -> tuple[Codes, Lengths]:
    """Turn one-hot (N, 4, L) into codes (N, L) and lengths (N,), to the last known base.

    Raises
    ------
    InputError
        For input that is not one-hot.
    """
    values = checked(sequences)
    known = values.any(axis=1)
    codes: Codes = np.where(known, values.argmax(axis=1), PAD).astype(np.uint8)
    places = np.arange(1, codes.shape[1] + 1, dtype=np.int32)
    return codes, (known * places).max(axis=1).astype(np.int32)


def _require_some(n: int, length: int) -> None:
    if n < 1 or length < 1:
        raise InputError(
            "there is at least one background of at least one base",
            got=f"{n} of {length} bases",
            remedy=f"ask for {N_BACKGROUNDS} as long as the model's sequences",
        )
