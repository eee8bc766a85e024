"""Deletion and insertion: how soon the logit falls as a method's first bases are replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import t
from torch import nn

from motiflens.attribution.base import by_blocks
from motiflens.attribution.pooled import FilterScan, pooled_filters
from motiflens.attribution.result import Floats
from motiflens.models.calling import as_input, evaluating, logits_in_batches
from motiflens.results.trust import DeletionCurve

FRACTIONS = (0.0, 0.02, 0.04, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)
"""Fractions of the bases that are replaced; most bases that matter are among the first."""

BATCH_SIZE = 256
N_DRAWS = 2
RANDOM = "random"

Values = NDArray[np.float64]
#: From one-hot (N, 4, L) to logits (N,).
Score = Callable[[Floats], Values]


def eval_logits(module: nn.Module, one_hot: Floats, target: int) -> Values:
    """Return the logits (N,) of one target for one-hot (N, 4, L), in evaluation mode.

    Raises
    ------
    InputError
        For a target out of range, or logits that are not finite.
    """
    with evaluating(module):
        return logits_in_batches(module, one_hot, target, BATCH_SIZE)


@contextmanager
def scoring(module: nn.Module, target: int) -> Iterator[Score]:
    """Give the fastest way from one-hot (N, 4, L) to the logits (N,) that :func:`eval_logits` has.

    Where it is not by the module itself, logits differ by rounding, and a wrong target is not
    noticed.
    """
    pooled = pooled_filters(module)
    with evaluating(module), torch.inference_mode():
        if pooled is None:
            yield lambda one_hot: logits_in_batches(module, one_hot, target, BATCH_SIZE)
            return
        scan = FilterScan(pooled)
        yield lambda one_hot: scan.logits(as_input(module, one_hot)).double().cpu().numpy()


def deletion_curves(
    module: nn.Module,
    one_hot: Floats,
    tracks: Mapping[str, NDArray[np.floating]],
    *,
    target: int = 0,
    seed: int = 0,
) -> dict[str, DeletionCurve] | None:
    """Replace the bases in the order of each track, and in random order.

    A replaced base becomes one of the three others, each as likely; what becomes of each base is
    the same for all methods, and results are means over ``N_DRAWS`` draws. Equal values of a track
    are taken in random order.

    Parameters
    ----------
    module
        Any module from (N, 4, L) to logits.
    one_hot
        (N, 4, L).
    tracks
        Method → (N, L); the larger, the earlier a base is taken.
    target
        Column of the logits.
    seed
        Of replacements and random orders.

    Returns
    -------
    dict or None
        Method → :class:`DeletionCurve`, and ``"random"``; None where the mean logit does not fall
        when all bases are replaced, so that there is nothing to lose.

    References
    ----------
    Samek et al., IEEE TNNLS 28:2660 (2017); Petsiuk, Das & Saenko, RISE, BMVC 2018.
    """
    generator = np.random.default_rng(seed)
    known = one_hot.sum(axis=1) > 0
    replaced = [_replaced(one_hot, generator) for _ in range(N_DRAWS)]
    intact = eval_logits(module, one_hot, target)
    erased = np.mean([eval_logits(module, one, target) for one in replaced], axis=0)
    ends = (intact, erased)
    gap = float(intact.mean() - erased.mean())
    if not gap > 1e-6 * max(1.0, float(np.abs(intact).mean())):
        return None
    curves = {}
    with scoring(module, target) as score:
        for method, track in {RANDOM: generator.random(known.shape), **tracks}.items():
            taken = _ranks(track, known, generator)
            curves[method] = [
                np.stack([first, *_between(module, score, start, end, taken, known), last])
                for start, end, (first, last) in (
                    (one_hot, replaced, ends),
                    (replaced, one_hot, ends[::-1]),
                )
            ]
    reference = _areas(curves[RANDOM][0])
    return {
        method: _summary(deletion, insertion, reference, float(erased.mean()), gap)
        for method, (deletion, insertion) in curves.items()
    }


def _replaced(one_hot: Floats, generator: np.random.Generator) -> Floats:
    """Turn every base into one of the three others; zero columns stay."""
    shift = generator.integers(1, 4, size=(len(one_hot), one_hot.shape[2]))
    base = (one_hot.argmax(axis=1) + shift) % 4
    other = np.zeros_like(one_hot)
    np.put_along_axis(other, base[:, None], 1.0, axis=1)
    return other * one_hot.any(axis=1, keepdims=True)


def _ranks(
    track: NDArray[np.floating], known: NDArray[np.bool_], generator: np.random.Generator
) -> NDArray[np.intp]:
    """Rank bases from 0 in the order; those that are not known come last."""
    values = np.where(known, track, -np.inf)
    mixed = generator.random(known.shape).argsort(axis=1)
    order = np.argsort(-np.take_along_axis(values, mixed, axis=1), axis=1, kind="stable")
    ranks = np.empty_like(order)
    positions = np.broadcast_to(np.arange(known.shape[1]), known.shape)
    np.put_along_axis(ranks, np.take_along_axis(mixed, order, axis=1), positions, axis=1)
    return ranks


def _between(
    module: nn.Module,
    score: Score,
    start: Floats | list[Floats],
    end: Floats | list[Floats],
    ranks: NDArray[np.intp],
    known: NDArray[np.bool_],
) -> Values:
    """Logits (fractions, N) between sequences and others, mean over draws, without both ends."""
    steps = [
        (ranks < np.round(fraction * known.sum(axis=1, keepdims=True)), draw)
        for fraction in FRACTIONS[1:-1]
        for draw in range(N_DRAWS)
    ]
    logits = np.zeros((len(steps), len(ranks)))

    def work(rows: slice) -> None:
        for row in range(rows.start, rows.stop):
            first, draw = steps[row]
            before = start[draw] if isinstance(start, list) else start
            after = end[draw] if isinstance(end, list) else end
            mixed = np.where(first[:, None], after, before)
            logits[row] = score(mixed)

    by_blocks(module, len(steps), 1, work)
    return logits.reshape(-1, N_DRAWS, len(ranks)).mean(axis=1)


def _summary(
    deletion: Values, insertion: Values, reference: Values, erased: float, gap: float
) -> DeletionCurve:
    """Put curves (fractions, N) on the scale from all bases replaced (0) to none (1)."""
    gains = (reference - _areas(deletion)) / gap
    n = len(gains)
    half = float(t.isf(0.025, n - 1) * gains.std(ddof=1) / np.sqrt(n)) if n > 1 else None
    curves = [(curve.mean(axis=1) - erased) / gap for curve in (deletion, insertion)]
    falls, rises = (tuple(float(value) for value in curve) for curve in curves)
    gain = float(gains.mean())
    return DeletionCurve(
        deletion=falls,
        insertion=rises,
        deletion_auc=float(np.trapezoid(falls, FRACTIONS)),
        insertion_auc=float(np.trapezoid(rises, FRACTIONS)),
        gain=gain,
        gain_low=None if half is None else gain - half,
        gain_high=None if half is None else gain + half,
    )


def _areas(curve: Values) -> Values:
    """Area under the curve (fractions, N) of each sequence, (N,)."""
    areas: Values = np.asarray(np.trapezoid(curve, FRACTIONS, axis=0))
    return areas
