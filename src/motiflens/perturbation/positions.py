"""How the effect of a motif depends on its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from motiflens.errors import InputError
from motiflens.perturbation.backgrounds import Floats, as_codes
from motiflens.perturbation.effects import Effect, differences
from motiflens.perturbation.inserting import Insert, oriented, placed, strands_of, word_of

N_PLACES = 25


@dataclass(frozen=True)
class Position:
    """The effect of a motif whose first base is ``starts[k]`` (0-based) is ``effects[k]``."""

    motif: str
    starts: tuple[int, ...]
    effects: tuple[Effect, ...]


def position(
    module: nn.Module,
    motif: str,
    background: Floats | Tensor,
    *,
    starts: Sequence[int] | None = None,
    strands: str = "forward",
    target: int = 0,
) -> Position:
    """Put a motif at one place after the other of the same backgrounds.

    Parameters
    ----------
    module
        Any module from (N, 4, L) to logits; left as it was found.
    motif
        A word over A, C, G, T.
    background
        One-hot (N, 4, L).
    starts
        First bases; None for up to 25 from the first to the last that every sequence has.
    strands
        ``"forward"``, ``"reverse"``, or ``"both"`` for the mean of the two.
    target
        Column of the logits.

    Raises
    ------
    InputError
        As :func:`marginal_effect`, and when there are no starts.
    """
    codes, lengths = as_codes(background)
    word = word_of(motif, lengths)
    if starts is None:
        last = int(lengths.min()) - len(word)
        chosen = np.unique(np.linspace(0, last, N_PLACES).round().astype(int)).tolist()
    else:
        chosen = [int(start) for start in starts]
    if not chosen:
        raise InputError("there is a start to try", got="none", remedy="give one or more")
    by_strand = []
    for strand in strands_of(strands):
        turned = oriented(word, strand)
        filled = (
            placed(codes, lengths, [Insert(turned, np.full(len(codes), start))]) for start in chosen
        )
        by_strand.append(differences(module, codes, filled, target))
    effects = tuple(Effect.of(row) for row in np.mean(by_strand, axis=0))
    return Position(motif.upper(), tuple(chosen), effects)
