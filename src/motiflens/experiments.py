"""Experiments on trained models: the shortcut test, and attention on and beside the motif."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from motiflens.attribution.base import as_input, evaluating, logits_of
from motiflens.errors import InputError
from motiflens.sequences import PAD, Codes, Site, encode, one_hot

N_SHUFFLES = 20
"""Shuffles of the motif that are tried."""

ORDER_AT_MOST, COMPOSITION_FROM = 1 / 3, 2 / 3
"""Share of the motif's effect that its shuffles, or a homopolymer, keep in each verdict."""

MIN_STANDARD_ERRORS = 5.0
N_BOOTSTRAP = 1000
BATCH_SIZE = 1024

Floats = NDArray[np.float64]


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
    verdict
        One sentence, with its figures.
    """

    motif: str
    motif_effect: float
    standard_error: float
    shuffled_fraction: float
    homopolymer_fractions: dict[str, float]
    mismatch_loss: tuple[float, ...]
    verdict: str

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
    between, and "no effect" where the motif's mean effect is not 5 standard errors from 0.

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
    word = _motif_codes(motif, length)
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
        [word[None], _shuffles(word, generator), _homopolymers(len(word)), _mismatches(word)]
    )
    effects = _effects(module, background, place, inserts, target)
    mean = effects.mean(axis=1)
    effect = float(mean[0])
    error = float(effects[0].std(ddof=1) / np.sqrt(n_backgrounds))
    fractions = mean / effect if effect else np.zeros(len(mean))
    shuffled, homopolymers, mismatches = np.split(fractions[1:], [N_SHUFFLES, N_SHUFFLES + 4])
    loss = 1 - mismatches.reshape(len(word), 3).mean(axis=1)
    by_base = dict(zip("ACGT", homopolymers.tolist(), strict=True))
    verdict = _verdict(effect, error, float(shuffled.mean()), by_base, loss)
    return ShortcutTest(
        motif.upper(), effect, error, float(shuffled.mean()), by_base, tuple(loss.tolist()), verdict
    )


def _motif_codes(motif: str, length: int) -> Codes:
    codes, _ = encode([motif])
    word: Codes = codes[0]
    if word.size == 0 or (word == PAD).any():
        raise InputError(
            "the motif of the shortcut test is a word over A, C, G and T",
            got=repr(motif),
            remedy="write its most frequent bases",
        )
    if word.size > length:
        raise InputError(
            f"the motif fits into the sequences of {length} bases",
            got=f"a motif of {word.size}",
            remedy="give a shorter motif or longer sequences",
        )
    return word


def _shuffles(word: Codes, generator: np.random.Generator) -> Codes:
    shuffled: Codes = generator.permuted(np.tile(word, (N_SHUFFLES, 1)), axis=1)
    return shuffled


def _homopolymers(width: int) -> Codes:
    return np.repeat(np.arange(4, dtype=np.uint8)[:, None], width, axis=1)


def _mismatches(word: Codes) -> Codes:
    """Give all single substitutions, (3 W, W), those of one position together."""
    width = len(word)
    mutants: Codes = np.tile(word, (width, 3, 1))
    position = np.arange(width)
    mutants[position, :, position] = (word[:, None] + np.arange(1, 4)) % 4
    flat: Codes = mutants.reshape(3 * width, width)
    return flat


def _effects(
    module: nn.Module, background: Codes, place: NDArray[np.int64], inserts: Codes, target: int
) -> Floats:
    """Logit with an insert minus logit without, (number of inserts, number of backgrounds)."""
    columns = place[:, None] + np.arange(inserts.shape[1])
    filled = np.repeat(background[None], len(inserts) + 1, axis=0)
    filled[1:, np.arange(len(background))[:, None], columns] = inserts[:, None]
    flat = filled.reshape(-1, background.shape[1])
    logits = np.zeros(len(flat))
    with evaluating(module), torch.inference_mode():
        for start in range(0, len(flat), BATCH_SIZE):
            x = as_input(module, one_hot(flat[start : start + BATCH_SIZE]))
            found = logits_of(module, x, target).double().cpu().numpy()
            logits[start : start + BATCH_SIZE] = found
    by_insert = logits.reshape(len(filled), -1)
    effects: Floats = by_insert[1:] - by_insert[0]
    return effects


def _verdict(
    effect: float, error: float, shuffled: float, homopolymers: dict[str, float], loss: Floats
) -> str:
    if not abs(effect) > MIN_STANDARD_ERRORS * error:
        return (
            f"the motif has no effect: it moves the logit by {effect:.2f} ± {error:.2f} "
            "(standard error)"
        )
    base, homopolymer = max(homopolymers.items(), key=lambda pair: pair[1])
    figures = (
        f"the motif moves the logit by {effect:.1f}, its shuffles by {shuffled:.0%} of that, "
        f"poly-{base} by {homopolymer:.0%}; a single mismatch costs {loss.min():.0%} to "
        f"{loss.max():.0%}"
    )
    if shuffled >= COMPOSITION_FROM:
        return f"composition only: {figures}"
    if max(shuffled, homopolymer) <= ORDER_AT_MOST:
        return f"order is learnt: {figures}"
    return f"order is learnt in part: {figures}"


def attention_contrast(
    weights: ArrayLike,
    sites: Sequence[Sequence[Site]],
    *,
    lengths: ArrayLike,
    null_weights: ArrayLike,
    null_lengths: ArrayLike,
    unit_weights: Tensor,
    seed: int = 0,
) -> dict[str, object]:
    """Compare attention on the true sites of positives with attention beside them.

    A base's weight is its share of its sequence's attention times the number of bases, so that
    1 is uniform attention, and models can be compared. The null lays the positives' sites, in
    random order, on negatives: what attention would show there without a motif. Means are over
    sequences, with a 95 % percentile bootstrap interval over sequences.

    Parameters
    ----------
    weights
        Attention on the bases of N positives (N, L), from ``attention_on_bases``.
    sites
        The true sites of each positive; those without any are left out.
    lengths
        Bases of each positive, (N,).
    null_weights, null_lengths
        The same of M negatives, (M, L) and (M,).
    unit_weights
        The weights of the units before they are laid on bases, (N, U), for the tutorial's own
        figure: stretched to L by linear interpolation, raw, over the first 100 positives.
    seed
        Of the order of the null's sites and of the bootstrap.

    Returns
    -------
    dict
        ``motif``, ``background``, ``null`` (each ``mean``, ``low``, ``high``), ``n`` (positives
        with sites) and ``stretched_first_100`` (``motif`` and ``background``, raw weights); None
        in place of a mean where there is nothing to average.

    Raises
    ------
    InputError
        If there is not one list of sites for each row of weights.
    """
    rows = np.asarray(weights, dtype=np.float64)
    if not len(rows) == len(sites) == len(unit_weights):
        raise InputError(
            "there are sites and unit weights for every sequence",
            got=f"{len(rows)} sequences, {len(sites)} lists of sites, {len(unit_weights)} rows",
            remedy="pass them for the same positives",
        )
    generator = np.random.default_rng(seed)
    sizes = np.asarray(lengths)
    on_site = _site_mask(sites, rows.shape[1])
    real = np.arange(rows.shape[1]) < sizes[:, None]
    chosen = np.flatnonzero(on_site.any(axis=1))
    relative = _relative(rows, sizes)[chosen]
    null = _null(np.asarray(null_weights), np.asarray(null_lengths), on_site[chosen], generator)
    first = chosen[:100]
    stretched = _stretched(unit_weights[torch.from_numpy(first)], rows.shape[1])
    beside = real & ~on_site
    return {
        "motif": _interval(_row_means(relative, on_site[chosen]), generator),
        "background": _interval(_row_means(relative, beside[chosen]), generator),
        "null": _interval(null, generator),
        "n": len(chosen),
        "stretched_first_100": {
            "motif": _mean(stretched[on_site[first]]),
            "background": _mean(stretched[beside[first]]),
        },
    }


def _site_mask(sites: Sequence[Sequence[Site]], length: int) -> NDArray[np.bool_]:
    mask = np.zeros((len(sites), length), dtype=np.bool_)
    for row, found in enumerate(sites):
        for site in found:
            mask[row, site.start : site.end] = True
    return mask


def _relative(weights: Floats, lengths: NDArray[np.int64]) -> Floats:
    """Scale attention so that uniform attention is 1 on every base of the sequence."""
    real = np.arange(weights.shape[1]) < lengths[:, None]
    inside = np.where(real, weights, 0.0)
    scaled: Floats = inside / inside.sum(axis=1, keepdims=True) * lengths[:, None]
    return scaled


def _null(
    weights: Floats,
    lengths: NDArray[np.int64],
    masks: NDArray[np.bool_],
    generator: np.random.Generator,
) -> Floats:
    """Give each negative's mean attention under the sites of a positive, as far as it reaches."""
    if len(weights) == 0 or len(masks) == 0:
        return np.zeros(0)
    order = generator.permutation(len(masks))
    laid = masks[np.resize(order, len(weights))]
    laid = laid & (np.arange(weights.shape[1]) < lengths[:, None])
    means = _row_means(_relative(weights.astype(np.float64), lengths), laid)
    return means[~np.isnan(means)]


def _row_means(values: Floats, mask: NDArray[np.bool_]) -> Floats:
    counts = mask.sum(axis=1)
    means = np.full(len(values), np.nan)
    np.divide((values * mask).sum(axis=1), counts, out=means, where=counts > 0)
    return means


def _interval(values: Floats, generator: np.random.Generator) -> dict[str, float] | None:
    values = values[~np.isnan(values)]
    if values.size == 0:
        return None
    draws = generator.integers(values.size, size=(N_BOOTSTRAP, values.size))
    low, high = np.quantile(values[draws].mean(axis=1), [0.025, 0.975])
    return {"mean": float(values.mean()), "low": float(low), "high": float(high)}


def _stretched(unit_weights: Tensor, length: int) -> Floats:
    """Interpolate (N, U) to (N, L) as the tutorial does; a unit's weight lands on wrong bases."""
    rows = unit_weights.detach().double().unsqueeze(1)
    laid = nn.functional.interpolate(rows, size=length, mode="linear", align_corners=False)
    stretched: Floats = laid[:, 0].cpu().numpy()
    return stretched


def _mean(values: Floats) -> float | None:
    return float(values.mean()) if values.size else None
