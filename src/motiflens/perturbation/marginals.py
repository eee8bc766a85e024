"""The marginal effect of a motif."""

from __future__ import annotations

from torch import Tensor, nn

from motiflens.perturbation.backgrounds import Floats, as_codes
from motiflens.perturbation.effects import Effect, differences
from motiflens.perturbation.inserting import (
    Insert,
    middle,
    oriented,
    placed,
    places_of,
    strands_of,
    word_of,
)


def marginal_effect(
    module: nn.Module,
    motif: str,
    background: Floats | Tensor,
    *,
    start: int | None = None,
    strands: str = "forward",
    target: int = 0,
) -> Effect:
    """Tell how far one motif moves the logit of sequences that it is put into.

    Parameters
    ----------
    module
        Any module from (N, 4, L) to logits; left as it was found.
    motif
        A word over A, C, G, T.
    background
        One-hot (N, 4, L), as of :func:`random_background` or :func:`shuffled_background`.
    start
        First base of the motif; None for the middle of each sequence.
    strands
        ``"forward"``, ``"reverse"``, or ``"both"`` for the mean of the two.
    target
        Column of the logits.

    Raises
    ------
    InputError
        For a background that is not one-hot, a motif with other letters, one that does not fit,
        or a target that the model does not have.
    """
    codes, lengths = as_codes(background)
    word = word_of(motif, lengths)
    place = middle(len(word), lengths) if start is None else places_of(start, len(codes))
    filled = (
        placed(codes, lengths, [Insert(oriented(word, strand), place)])
        for strand in strands_of(strands)
    )
    return Effect.of(differences(module, codes, filled, target).mean(axis=0))
