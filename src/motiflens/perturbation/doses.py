"""How the effect of a motif grows with its copies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from motiflens.errors import InputError
from motiflens.perturbation.backgrounds import Floats, as_codes
from motiflens.perturbation.effects import Effect, differences
from motiflens.perturbation.inserting import (
    Insert,
    Places,
    oriented,
    placed,
    require_room,
    strands_of,
    word_of,
)
from motiflens.sequences import Lengths

MAX_COPIES = 5


@dataclass(frozen=True)
class Dose:
    """The effect of ``copies[k]`` copies of a motif is ``effects[k]``."""

    motif: str
    copies: tuple[int, ...]
    effects: tuple[Effect, ...]


def dose(
    module: nn.Module,
    motif: str,
    background: Floats | Tensor,
    *,
    max_copies: int = MAX_COPIES,
    strands: str = "forward",
    target: int = 0,
    seed: int = 0,
) -> Dose:
    """Put 1, 2, … copies of a motif into the same backgrounds.

    The copies lie at random places without overlap; where k copies lie, one more joins them.

    Parameters
    ----------
    module
        Any module from (N, 4, L) to logits; left as it was found.
    motif
        A word over A, C, G, T.
    background
        One-hot (N, 4, L).
    max_copies
        Most copies.
    strands
        Of all copies: ``"forward"``, ``"reverse"``, or ``"both"`` for the mean of the two.
    target
        Column of the logits.
    seed
        Of the places.

    Raises
    ------
    InputError
        As :func:`marginal_effect`, and where all copies do not fit side by side.
    """
    codes, lengths = as_codes(background)
    word = word_of(motif, lengths)
    if max_copies < 1:
        raise InputError("a dose is one copy or more", got=str(max_copies), remedy="ask for 5")
    require_room(len(word) * max_copies, f"{max_copies} copies of {len(word)}", lengths)
    places = _places(len(word), max_copies, lengths, np.random.default_rng(seed))
    numbers = range(1, max_copies + 1)
    by_strand = []
    for strand in strands_of(strands):
        inserts = [Insert(oriented(word, strand), place) for place in places]
        filled = (placed(codes, lengths, inserts[:number]) for number in numbers)
        by_strand.append(differences(module, codes, filled, target))
    effects = tuple(Effect.of(row) for row in np.mean(by_strand, axis=0))
    return Dose(motif.upper(), tuple(numbers), effects)


def _places(
    width: int, copies: int, lengths: Lengths, generator: np.random.Generator
) -> list[Places]:
    """Draw the starts (N,) of each copy, in random order along each sequence."""
    free = lengths.astype(np.int64) - width * copies
    drawn = generator.integers(free[:, None] + 1, size=(len(lengths), copies))
    starts = np.sort(drawn, axis=1) + width * np.arange(copies)
    return list(generator.permuted(starts, axis=1).T)
