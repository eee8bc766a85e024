"""Motifs put into sequences: the sequences, and how far the logit moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor, nn

from motiflens.errors import InputError
from motiflens.perturbation.effects import (
    Background,
    Doubles,
    Floats,
    Insert,
    Starts,
    effect_of,
    orient,
)
from motiflens.results.experiments import Effect
from motiflens.sequences import Codes, one_hot
from motiflens.shuffles import dinucleotide_shuffle

N_BACKGROUNDS = 100


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
        One-hot (N, 4, L), taken in turn, as often as needed.
    n
        Number of backgrounds.
    seed
        Of the shuffles.

    Returns
    -------
    one_hot
        (n, 4, L); N and padding keep their positions.

    Raises
    ------
    InputError
        For input that is not one-hot, or when there is to be no sequence.
    """
    background = Background.of(sequences)
    _require_some(min(n, len(background.codes)), background.codes.shape[1])
    rows = np.resize(np.arange(len(background.codes)), n)
    generator = np.random.default_rng(seed)
    return one_hot(
        dinucleotide_shuffle(background.codes[rows], background.lengths[rows], generator)
    )


def _require_some(n: int, length: int) -> None:
    if n < 1 or length < 1:
        raise InputError(
            f"{n} backgrounds of {length} bases are none",
            remedy=f"ask for {N_BACKGROUNDS} as long as the model's sequences",
            argument=("n", "length"),
        )


def substitute(
    sequences: Floats | Tensor, motif: str, start: ArrayLike, *, strand: str = "+"
) -> Floats:
    """Put a motif in place of the bases of every sequence.

    Parameters
    ----------
    sequences
        One-hot (N, 4, L).
    motif
        A string over A, C, G, T.
    start
        First base, 0-based: one number, or one for each sequence (N,).
    strand
        ``"-"`` puts the reverse complement.

    Returns
    -------
    one_hot
        (N, 4, L), a copy.

    Raises
    ------
    InputError
        For input that is not one-hot, a motif with other letters, or a start at which the motif
        is not on the sequence.
    """
    background = Background.of(sequences)
    codes = orient(background.motif(motif), strand)
    return one_hot(background.place([Insert(codes, check_start(start, len(background.codes)))]))


def check_start(start: ArrayLike, n: int) -> Starts:
    """Return the starts (n,), by one number for all or by one for each, or refuse them."""
    starts = np.asarray(start)
    if starts.shape not in ((), (n,)) or not np.issubdtype(starts.dtype, np.integer):
        raise InputError(
            f"a start of {starts.dtype} of shape {starts.shape} is neither one whole number nor "
            f"one for each of the {n} sequences",
            remedy="count bases from 0",
            argument="start",
        )
    return np.broadcast_to(starts, (n,)).astype(np.int64)


def marginal_effect(
    module: nn.Module,
    motif: str,
    background: Floats | Tensor,
    *,
    start: int | None = None,
    strands: str = "forward",
    target: int = 0,
) -> Effect:
    """Measure how far one motif moves the logit of sequences that it is put into.

    Parameters
    ----------
    module, strands, target
        See :mod:`motiflens.perturbation.effects`.
    motif
        A string over A, C, G, T.
    background
        One-hot (N, 4, L), as of :func:`random_background` or :func:`shuffled_background`.
    start
        First base of the motif; None for the middle of each sequence.

    Raises
    ------
    InputError
        For a background that is not one-hot, a motif with other letters, one that does not fit,
        or a target that the model does not have.
    """
    inside = Background.of(background)
    return effect_of(motif_differences(module, motif, inside, start, strands, target))


def motif_differences(
    module: nn.Module,
    motif: str,
    inside: Background,
    start: int | None,
    strands: str,
    target: int,
) -> Doubles:
    """Return how far a motif moves the logit of each sequence (N,); see `marginal_effect`."""
    codes = inside.motif(motif)
    first = inside.middle(len(codes)) if start is None else check_start(start, len(inside.codes))

    def layouts(strand: str) -> list[list[Insert]]:
        return [[Insert(orient(codes, strand), first)]]

    return inside.effects(module, strands, layouts, target)[0]


@dataclass(frozen=True)
class MismatchProfile:
    """The effect of a motif, and of the motif with one base changed.

    Parameters
    ----------
    motif
        The motif.
    intact
        Effect of the motif itself.
    substitutions
        For each position the effects of A, C, G and T there; at the motif's own base that of the
        motif.
    """

    motif: str
    intact: Effect
    substitutions: tuple[tuple[Effect, ...], ...]

    @property
    def loss(self) -> tuple[float, ...]:
        """For each position, the fraction of the effect that its substitutions cost on average.

        0 everywhere where the motif has no effect.
        """
        whole = self.intact.mean
        sums = [sum(effect.mean for effect in row) - whole for row in self.substitutions]
        return tuple(1 - total / 3 / whole if whole else 0.0 for total in sums)


def mismatch_profile(
    module: nn.Module,
    motif: str,
    background: Floats | Tensor,
    *,
    strands: str = "forward",
    target: int = 0,
) -> MismatchProfile:
    """Put a motif and all its single substitutions into the middle of the same backgrounds.

    Parameters and errors are those of :func:`marginal_effect`.
    """
    inside = Background.of(background)
    codes = inside.motif(motif)
    first = inside.middle(len(codes))

    def layouts(strand: str) -> Iterator[list[Insert]]:
        for variant in (codes, *mismatches(codes)):
            yield [Insert(orient(variant, strand), first)]

    intact, *changed = map(effect_of, inside.effects(module, strands, layouts, target))
    rows = [[intact] * 4 for _ in codes]
    for index, effect in enumerate(changed):
        position, step = divmod(index, 3)
        rows[position][(int(codes[position]) + 1 + step) % 4] = effect
    return MismatchProfile(motif.upper(), intact, tuple(map(tuple, rows)))


def mismatches(codes: Codes) -> Codes:
    """Return all single substitutions, (3 W, W), those of one position together."""
    width = len(codes)
    mutants: Codes = np.tile(codes, (width, 3, 1))
    position = np.arange(width)
    mutants[position, :, position] = (codes[:, None] + np.arange(1, 4)) % 4
    return mutants.reshape(3 * width, width)
