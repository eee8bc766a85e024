"""Attention on and beside the motif."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from motiflens.errors import InputError
from motiflens.sequences import Site

N_BOOTSTRAP = 1000

Floats = NDArray[np.float64]


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

    A base's weight is its fraction of its sequence's attention times the number of bases, so that
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
            f"{len(rows)} rows of weights, {len(sites)} lists of sites and {len(unit_weights)} "
            "rows of unit weights do not fit each other",
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
    stretched = stretched_to(unit_weights[torch.from_numpy(first)], rows.shape[1])
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
    """Scale attention so that uniform is 1 on every base of the sequence; NaN of only N."""
    real = np.arange(weights.shape[1]) < lengths[:, None]
    inside = np.where(real, weights, 0.0)
    total = inside.sum(axis=1, keepdims=True)
    fractions = np.full(inside.shape, np.nan)
    np.divide(inside, total, out=fractions, where=total > 0)
    return fractions * lengths[:, None]


def _null(
    weights: Floats,
    lengths: NDArray[np.int64],
    masks: NDArray[np.bool_],
    generator: np.random.Generator,
) -> Floats:
    """Return each negative's mean attention under the sites of a positive, as far as it reaches."""
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


def stretched_to(unit_weights: Tensor, length: int) -> Floats:
    """Interpolate (N, U) to (N, L) as the tutorial does; a unit's weight lands on wrong bases."""
    rows = unit_weights.detach().double().unsqueeze(1)
    laid = nn.functional.interpolate(rows, size=length, mode="linear", align_corners=False)
    return laid[:, 0].cpu().numpy()


def _mean(values: Floats) -> float | None:
    return float(values.mean()) if values.size else None
