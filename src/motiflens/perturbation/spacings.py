"""Two motifs together: the gap between them and their orientation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from motiflens.errors import InputError
from motiflens.perturbation.backgrounds import Floats, as_codes
from motiflens.perturbation.effects import Effect, differences
from motiflens.perturbation.effects import Floats as Differences
from motiflens.perturbation.inserting import (
    Insert,
    middle,
    oriented,
    placed,
    require_room,
    strands_of,
    word_of,
)
from motiflens.sequences import Codes, Lengths

GAPS = tuple(range(0, 21, 2))
ORIENTATIONS = ("++", "+-", "-+", "--")


@dataclass(frozen=True)
class Spacing:
    """What two motifs do together.

    Parameters
    ----------
    first, second
        The motifs.
    gaps
        Bases between them.
    together
        Orientation → for each gap the effect of the pair. In orientation ``"+-"`` the first motif
        lies on the forward strand and left of the second, which lies on the reverse strand.
    interaction
        Orientation → for each gap the effect of the pair less the effects of each of them alone
        at the same place: 0 where they add up.
    """

    first: str
    second: str
    gaps: tuple[int, ...]
    together: dict[str, tuple[Effect, ...]]
    interaction: dict[str, tuple[Effect, ...]]


def spacing(
    module: nn.Module,
    first: str,
    second: str,
    background: Floats | Tensor,
    *,
    gaps: Sequence[int] = GAPS,
    orientations: Sequence[str] = ORIENTATIONS,
    strands: str = "forward",
    target: int = 0,
) -> Spacing:
    """Put two motifs at several gaps and orientations into the middle of the same backgrounds.

    Parameters
    ----------
    module
        Any module from (N, 4, L) to logits; left as it was found.
    first, second
        Words over A, C, G, T; ``first`` lies left of ``second``.
    background
        One-hot (N, 4, L).
    gaps
        Bases between the two.
    orientations
        Of ``"++"``, ``"+-"``, ``"-+"``, ``"--"``: strand of the first, strand of the second.
    strands
        ``"forward"``; ``"reverse"`` puts the reverse complement of the pair as a whole, ``"both"``
        gives the mean of the two.
    target
        Column of the logits.

    Raises
    ------
    InputError
        As :func:`marginal_effect`, for a gap below 0, one that does not fit, or another
        orientation.
    """
    codes, lengths = as_codes(background)
    words = word_of(first, lengths), word_of(second, lengths)
    _check(gaps, orientations)
    widest = max(gaps)
    width = len(words[0]) + widest + len(words[1])
    require_room(width, f"two motifs {widest} bases apart, {width} together,", lengths)
    together, interaction = {}, {}
    for orientation in orientations:
        found = np.mean(
            [
                _pairs(module, codes, lengths, words, gaps, orientation, strand, target)
                for strand in strands_of(strands)
            ],
            axis=0,
        )
        together[orientation] = tuple(Effect.of(pair) for pair, _, _ in found)
        interaction[orientation] = tuple(Effect.of(pair - a - b) for pair, a, b in found)
    return Spacing(first.upper(), second.upper(), tuple(gaps), together, interaction)


def _check(gaps: Sequence[int], orientations: Sequence[str]) -> None:
    if not gaps or min(gaps) < 0:
        raise InputError(
            "gaps are whole numbers of at least 0", got=f"{list(gaps)}", remedy="give one or more"
        )
    wrong = [one for one in orientations if one not in ORIENTATIONS]
    if wrong or not orientations:
        raise InputError(
            f"orientations are of {', '.join(ORIENTATIONS)}",
            got=f"{list(orientations)}",
            remedy="choose one or more",
        )


def _pairs(
    module: nn.Module,
    codes: Codes,
    lengths: Lengths,
    words: tuple[Codes, Codes],
    gaps: Sequence[int],
    orientation: str,
    strand: str,
    target: int,
) -> Differences:
    """Give the effects of the pair, the first alone and the second alone: (gaps, 3, N)."""
    turned = [oriented(word, side) for word, side in zip(words, orientation, strict=True)]
    if strand == "-":  # the whole block read from its other end
        turned = [oriented(word, "-") for word in reversed(turned)]
    left, right = turned

    def layouts() -> list[list[Insert]]:
        found = []
        for gap in gaps:
            start = middle(len(left) + gap + len(right), lengths)
            pair = [Insert(left, start), Insert(right, start + len(left) + gap)]
            found += [pair, pair[:1], pair[1:]]
        return found

    filled = (placed(codes, lengths, inserts) for inserts in layouts())
    return differences(module, codes, filled, target).reshape(len(gaps), 3, len(codes))
