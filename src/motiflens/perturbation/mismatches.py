"""What every single mismatch of a motif costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from motiflens.perturbation.backgrounds import Floats, as_codes
from motiflens.perturbation.effects import Effect, differences
from motiflens.perturbation.inserting import Insert, middle, oriented, placed, strands_of, word_of
from motiflens.sequences import Codes


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
        """For each position, the share of the effect that its three substitutions cost on average.

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

    Parameters
    ----------
    module
        Any module from (N, 4, L) to logits; left as it was found.
    motif
        A word over A, C, G, T.
    background
        One-hot (N, 4, L).
    strands
        ``"forward"``, ``"reverse"``, or ``"both"`` for the mean of the two.
    target
        Column of the logits.

    Raises
    ------
    InputError
        As :func:`marginal_effect`.
    """
    codes, lengths = as_codes(background)
    word = word_of(motif, lengths)
    variants = [word, *mismatches(word)]
    place = middle(len(word), lengths)
    found = np.mean(
        [
            differences(
                module,
                codes,
                (placed(codes, lengths, [Insert(oriented(v, strand), place)]) for v in variants),
                target,
            )
            for strand in strands_of(strands)
        ],
        axis=0,
    )
    effects = [Effect.of(row) for row in found]
    rows = [[effects[0]] * 4 for _ in word]
    for index, effect in enumerate(effects[1:]):
        position, step = divmod(index, 3)
        rows[position][(int(word[position]) + 1 + step) % 4] = effect
    return MismatchProfile(motif.upper(), effects[0], tuple(map(tuple, rows)))


def mismatches(word: Codes) -> Codes:
    """Give all single substitutions, (3 W, W), those of one position together."""
    width = len(word)
    mutants: Codes = np.tile(word, (width, 3, 1))
    position = np.arange(width)
    mutants[position, :, position] = (word[:, None] + np.arange(1, 4)) % 4
    flat: Codes = mutants.reshape(3 * width, width)
    return flat
