"""The shortcut test: does a model know the order of a motif, or only its bases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from torch import nn

from motiflens.errors import InputError
from motiflens.perturbation.effects import Effect, Floats, differences
from motiflens.perturbation.inserting import Insert, placed, word_of
from motiflens.perturbation.mismatches import mismatches
from motiflens.sequences import Codes

N_SHUFFLES = 20
"""Shuffles of the motif that are tried."""

ORDER_AT_MOST, COMPOSITION_FROM = 1 / 3, 2 / 3
"""Share of the motif's effect that its shuffles, or a homopolymer, keep in each verdict."""

MIN_STANDARD_ERRORS = 5.0

Outcome = Literal["order", "part", "composition", "no effect"]


@dataclass(frozen=True)
class ShortcutTest:
    """What of a motif moves the logit, over random backgrounds.

    Parameters
    ----------
    motif
        The inserted motif.
    motif_effect
        Mean of logit with the motif minus logit without it.
    standard_error
        Of ``motif_effect``, over the backgrounds.
    shuffled_fraction
        Mean effect of the motif's shuffles over ``motif_effect``.
    homopolymer_fractions
        The same of a run of each base, as long as the motif.
    mismatch_loss
        For each position, 1 minus the mean effect of its three substitutions over
        ``motif_effect``.
    outcome
        ``order``, ``part``, ``composition`` or ``no effect``: what the verdict says, in a word.
    verdict
        One sentence, with its figures.
    """

    motif: str
    motif_effect: float
    standard_error: float
    shuffled_fraction: float
    homopolymer_fractions: dict[str, float]
    mismatch_loss: tuple[float, ...]
    outcome: Outcome
    verdict: str

    @property
    def low(self) -> float:
        """Lower end of the 95 % interval of ``motif_effect``, over the backgrounds."""
        return self.motif_effect - 1.96 * self.standard_error

    @property
    def high(self) -> float:
        """Upper end of it."""
        return self.motif_effect + 1.96 * self.standard_error

    @property
    def homopolymer_fraction(self) -> float:
        """The fraction of the most effective homopolymer."""
        return max(self.homopolymer_fractions.values())


def shortcut_test(
    module: nn.Module,
    motif: str,
    *,
    length: int,
    n_backgrounds: int = 100,
    target: int = 0,
    seed: int = 0,
) -> ShortcutTest:
    """Tell whether a model has learnt the order of a motif's bases or only its composition.

    The motif, its shuffles, the four homopolymers and all its single mismatches are inserted
    into the same uniformly random backgrounds at the same random places. The verdict is
    "order is learnt" where shuffles and the best homopolymer both keep at most a third of the
    motif's effect, "composition only" where the shuffles keep two thirds or more, "in part"
    between, and "no effect" where the motif's mean effect is not 5 standard errors from 0. Shuffles
    that move the logit the other way keep nothing of the effect. It is a test of the model:
    one that does not tell its classes apart has learnt nothing, whatever the motif does in it.

    Parameters
    ----------
    module
        Any module from (N, 4, L) to logits; left as it was found.
    motif
        A word over A, C, G, T.
    length
        Length of the backgrounds, in bases.
    n_backgrounds
        Number of backgrounds.
    target
        Column of the logits.
    seed
        Of backgrounds, places and shuffles.

    Raises
    ------
    InputError
        For a motif with other letters, one longer than the sequences, or fewer than two
        backgrounds.
    """
    word = word_of(motif, np.array([length], dtype=np.int32))
    if n_backgrounds < 2:
        raise InputError(
            "the shortcut test takes two backgrounds or more",
            got=str(n_backgrounds),
            remedy="ask for 100",
        )
    generator = np.random.default_rng(seed)
    background = generator.integers(4, size=(n_backgrounds, length), dtype=np.uint8)
    place = generator.integers(length - len(word) + 1, size=n_backgrounds)
    inserts = np.concatenate(
        [word[None], _shuffles(word, generator), _homopolymers(len(word)), mismatches(word)]
    )
    lengths = np.full(n_backgrounds, length, dtype=np.int32)
    filled = (placed(background, lengths, [Insert(insert, place)]) for insert in inserts)
    effects = differences(module, background, filled, target)
    mean = effects.mean(axis=1)
    own = Effect.of(effects[0])
    effect, error = own.mean, own.standard_error
    fractions = mean / effect if effect else np.zeros(len(mean))
    shuffled, homopolymers, changed = np.split(fractions[1:], [N_SHUFFLES, N_SHUFFLES + 4])
    loss = 1 - changed.reshape(len(word), 3).mean(axis=1)
    by_base = dict(zip("ACGT", homopolymers.tolist(), strict=True))
    kept = float(shuffled.mean())
    outcome, verdict = _verdict(effect, error, kept, by_base, loss)
    return ShortcutTest(
        motif.upper(), effect, error, kept, by_base, tuple(loss.tolist()), outcome, verdict
    )


def _shuffles(word: Codes, generator: np.random.Generator) -> Codes:
    shuffled: Codes = generator.permuted(np.tile(word, (N_SHUFFLES, 1)), axis=1)
    return shuffled


def _homopolymers(width: int) -> Codes:
    return np.repeat(np.arange(4, dtype=np.uint8)[:, None], width, axis=1)


def _verdict(
    effect: float, error: float, shuffled: float, homopolymers: dict[str, float], loss: Floats
) -> tuple[Outcome, str]:
    if not abs(effect) > MIN_STANDARD_ERRORS * error:
        words = f"it moves the logit by {effect:.2f} ± {error:.2f} (standard error)"
        return "no effect", f"the motif has no effect: {words}"
    base, homopolymer = max(homopolymers.items(), key=lambda pair: pair[1])
    figures = (
        f"the motif moves the logit by {effect:.1f}, its shuffles by {_share(shuffled)} of that, "
        f"poly-{base} by {_share(homopolymer)}; a single mismatch costs {loss.min():.0%} to "
        f"{loss.max():.0%}"
    )
    if shuffled >= COMPOSITION_FROM:
        return "composition", f"composition only: {figures}"
    if max(shuffled, homopolymer) <= ORDER_AT_MOST:
        return "order", f"order is learnt: {figures}"
    return "part", f"order is learnt in part: {figures}"


def _share(share: float) -> str:
    """Write a share of an effect; one that goes the other way is none of it."""
    return f"none ({share:.0%})" if round(share, 2) < 0 else f"{share:.0%}"
