"""The shortcut test: does a model know the order of a motif, or only its bases."""

from __future__ import annotations

from typing import Literal

import numpy as np
from torch import nn

from motiflens.attribution.base import reporting
from motiflens.errors import InputError
from motiflens.perturbation.effects import Background, Doubles, Insert, effect_of
from motiflens.perturbation.insert import mismatches
from motiflens.progress import Progress
from motiflens.results.motifs import Shortcut

LENGTH = 200
"""Bases of a background where the model does not say."""

N_SHUFFLES = 20
"""Shuffles of the motif that are tried."""

ORDER_AT_MOST, COMPOSITION_FROM = 1 / 3, 2 / 3
"""Fraction of the motif's effect that its shuffles, or a homopolymer, keep in each verdict."""

MIN_STANDARD_ERRORS = 5.0

Outcome = Literal["order", "part", "composition", "no effect"]


def shortcut_test(
    model: nn.Module,
    motif: str,
    *,
    length: int | None = None,
    n_backgrounds: int = 100,
    target: int = 0,
    seed: int = 0,
    progress: Progress | bool = False,
) -> Shortcut:
    """Test whether a model has learnt the order of a motif's bases or only its composition.

    The motif, its shuffles, the four homopolymers and all its single mismatches are inserted
    into the same uniformly random backgrounds at the same random positions. The verdict is
    "order is learnt" where shuffles and the best homopolymer both keep at most a third of the
    motif's effect, "composition only" where the shuffles keep two thirds or more, "in part"
    between, and "no effect" where the motif's mean effect is not 5 standard errors from 0. Shuffles
    that move the logit the other way keep nothing of the effect. It is a test of the model:
    one that does not tell its classes apart has learnt nothing, whatever the motif does in it.

    Parameters
    ----------
    model
        Any module from one-hot (N, 4, L) to logits (N,) or (N, T).
    motif
        A string over A, C, G, T.
    length
        Bases of a background; None for those that the model was trained on, or 200.
    n_backgrounds
        Number of backgrounds.
    target
        Column of the logits.
    seed
        Of backgrounds, positions and shuffles.
    progress
        Told how far the work has come; True for a line on stderr.

    Raises
    ------
    InputError
        For a motif with other letters, one longer than the sequences, or fewer than two
        backgrounds.
    """
    length = length or getattr(model, "length", None) or LENGTH
    if n_backgrounds < 2:
        raise InputError(
            f"n_backgrounds={n_backgrounds} give no error of the mean",
            remedy="ask for 100",
            argument="n_backgrounds",
        )
    generator = np.random.default_rng(seed)
    background = Background(
        generator.integers(4, size=(n_backgrounds, length), dtype=np.uint8),
        np.full(n_backgrounds, length, dtype=np.int32),
    )
    codes = background.motif(motif)
    start = generator.integers(length - len(codes) + 1, size=n_backgrounds)
    shuffles = generator.permuted(np.tile(codes, (N_SHUFFLES, 1)), axis=1)
    homopolymers = np.repeat(np.arange(4, dtype=np.uint8)[:, None], len(codes), axis=1)
    inserts = np.concatenate([codes[None], shuffles, homopolymers, mismatches(codes)])
    with reporting(progress, "shortcut test", len(inserts), "changes"):
        effects = background.effects(
            model, "forward", lambda _: ([Insert(insert, start)] for insert in inserts), target
        )
    mean = effects.mean(axis=1)
    own = effect_of(effects[0])
    effect, error = own.mean, own.standard_error
    fractions = mean / effect if effect else np.zeros(len(mean))
    shuffled, of_bases, changed = np.split(fractions[1:], [N_SHUFFLES, N_SHUFFLES + 4])
    loss = 1 - changed.reshape(len(codes), 3).mean(axis=1)
    by_base = dict(zip("ACGT", of_bases.tolist(), strict=True))
    kept = float(shuffled.mean())
    outcome, verdict = _verdict(effect, error, kept, by_base, loss)
    return Shortcut(
        motif=motif.upper(),
        motif_effect=effect,
        standard_error=error,
        low=effect - 1.96 * error,
        high=effect + 1.96 * error,
        outcome=outcome,
        shuffled_fraction=kept,
        homopolymer_fraction=max(by_base.values()),
        homopolymer_fractions=by_base,
        mismatch_loss=tuple(loss.tolist()),
        verdict=verdict,
    )


def _verdict(
    effect: float, error: float, shuffled: float, homopolymers: dict[str, float], loss: Doubles
) -> tuple[Outcome, str]:
    if not abs(effect) > MIN_STANDARD_ERRORS * error:
        words = f"it moves the logit by {effect:.2f} ± {error:.2f} (standard error)"
        return "no effect", f"the motif has no effect: {words}"
    base, homopolymer = max(homopolymers.items(), key=lambda pair: pair[1])
    figures = (
        f"the motif moves the logit by {effect:.1f}, its shuffles by {_percent(shuffled)} of that, "
        f"poly-{base} by {_percent(homopolymer)}; a single mismatch costs "
        f"{_whole(loss.min())} to {_whole(loss.max())}"
    )
    if shuffled >= COMPOSITION_FROM:
        return "composition", f"composition only: {figures}"
    if max(shuffled, homopolymer) <= ORDER_AT_MOST:
        return "order", f"order is learnt: {figures}"
    return "part", f"order is learnt in part: {figures}"


def _percent(fraction: float) -> str:
    """Write a fraction of an effect; one that goes the other way is none of it."""
    return f"none ({fraction:.0%})" if round(fraction, 2) < 0 else _whole(fraction)


def _whole(fraction: float) -> str:
    """Write a fraction as whole per cent, none of it "-0%"."""
    return f"{round(fraction, 2) + 0.0:.0%}"
