"""What an attribution compares a sequence with, and what it then says of all four bases."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from motiflens.attribution.base import known_mask
from motiflens.attribution.result import Attributions, Floats
from motiflens.io.inputs import codes_of
from motiflens.sequences import one_hot as encode_one_hot
from motiflens.sequences import reverse_complement
from motiflens.shuffles import dinucleotide_shuffle

#: Sequences that are shuffled, and worked on by one thread, at a time.
TOGETHER = 32


def shuffled_references(sequences: Floats, n_references: int, seed: int) -> Floats:
    """Shuffle every sequence several times, each shuffle with its dinucleotide counts.

    N and padding keep their positions. The shuffles of a sequence depend on it and on the seed
    alone, so that it gets the same in any batch and in any order; those of its reverse complement
    are the reverse complements of its own.

    Parameters
    ----------
    sequences
        (N, 4, L).
    n_references
        Shuffles R of each sequence.
    seed
        Decides the shuffles.

    Returns
    -------
    references
        (N, R, 4, L).
    """
    shuffled = np.empty((len(sequences), n_references, *sequences.shape[1:]), dtype=np.float32)
    for first in range(0, len(sequences), TOGETHER):
        rows = slice(first, first + TOGETHER)
        shuffled[rows] = _shuffled(sequences[rows], n_references, seed)
    return shuffled


def _shuffled(sequences: Floats, n_references: int, seed: int) -> Floats:
    forward, _ = codes_of(sequences)
    reverse, _ = codes_of(reverse_complement(sequences))
    texts = [[row.tobytes() for row in strand] for strand in (forward, reverse)]
    turned = np.array([other < own for own, other in zip(*texts, strict=True)])
    first = np.where(turned[:, None], reverse, forward)
    generators = [np.random.default_rng([seed, zlib.crc32(row.tobytes())]) for row in first]
    copies = np.repeat(first, n_references, axis=0)
    lengths = np.full(len(copies), sequences.shape[2], dtype=np.int32)
    shuffled = encode_one_hot(dinucleotide_shuffle(copies, lengths, generators))
    shuffled = shuffled.reshape(len(sequences), n_references, *sequences.shape[1:])
    shuffled[turned] = reverse_complement(shuffled[turned])
    return shuffled


def even_baseline(sequences: Floats) -> Floats:
    """Return 1/4 of every base where the base is known, and zero at N and padding, (N, 4, L)."""
    return np.broadcast_to(known_mask(sequences) / 4, sequences.shape).astype(np.float32)


def correct_gradient(hypothetical: Floats) -> Floats:
    """Take the mean over the four bases from (N, 4, L).

    One-hot columns lie on a simplex, and the component of a gradient that points off it is
    arbitrary (Majdandzic, Rajesh, Koo, Genome Biol 24:109, 2023).
    """
    return hypothetical - hypothetical.mean(axis=1, keepdims=True)


def explain_difference(
    method: str,
    sequences: Floats,
    by_base: Floats,
    difference: NDArray[np.floating],
    *,
    gradient_correction: bool,
) -> Attributions:
    """Return the explanation of a method that compares with a reference.

    The correction is one of gradients. It would turn m_b − Σ m r, what a base contributes in place
    of the reference's, into m_b − mean of m, and the contributions would no longer add up to the
    difference of the logits: so ``hypothetical`` alone is corrected.

    Parameters
    ----------
    method
        Its name.
    sequences, by_base
        One-hot, and what :func:`subtract_reference` returns, (N, 4, L).
    difference
        What the contributions should add up to, (N,).
    gradient_correction
        Whether the mean over the bases is taken from ``hypothetical``.
    """
    by_base = by_base * known_mask(sequences)
    contributions = by_base * sequences
    delta = contributions.sum(axis=(1, 2), dtype=np.float64) - difference
    return Attributions(
        method,
        sequences,
        contributions,
        correct_gradient(by_base) if gradient_correction else by_base,
        delta.astype(np.float32),
        difference.astype(np.float32),
    )


def subtract_reference(multipliers: Floats, references: Floats) -> Floats:
    """Return what each base would contribute in place of the reference's: m_b − Σ_c m_c r_c.

    Parameters
    ----------
    multipliers, references
        (..., 4, L).

    Returns
    -------
    hypothetical
        (..., 4, L); at the observed bases it adds up to Σ m (x − r).
    """
    return multipliers - (multipliers * references).sum(axis=-2, keepdims=True)
