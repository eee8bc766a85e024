"""Gradients integrated along the way from a baseline, in steps as fine as each part of it needs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from motiflens.attribution.base import (
    Attributions,
    Floats,
    as_input,
    checked,
    explaining,
    logits_and_gradient,
    logits_in_batches,
)
from motiflens.attribution.blocks import by_blocks
from motiflens.attribution.references import OffSimplex, against, even_baseline, explained
from motiflens.errors import InputError

Doubles = NDArray[np.float64]

#: The share of the output's difference that completeness may miss before more steps are taken.
TOLERANCE = 0.01
#: The share of all rises and falls along the way that all misses together may make, as they
#: cannot cancel.
MISSES = 0.02
#: Points at most; what then is missing stands in ``convergence_delta``.
MOST_POINTS = 1025
#: Intervals are not halved below this part of the way, which float32 could not tell apart.
NARROWEST = 2.0**-20
#: The gradient of the start is taken this far along the way. At the start itself every window of
#: the baseline is the same: which of them a maximum chooses is a matter of rounding.
NEAR = 2.0**-8
#: Error of a logit in float32, as a share of the largest along the way.
ROUNDING = 1e-6
#: Bytes of the gradients that are kept for sequences worked on together.
KEPT = 2**26


def integrated_gradients(
    module: nn.Module,
    one_hot: Floats | Tensor,
    target: int = 0,
    *,
    off_simplex: OffSimplex = "removed",
    n_steps: int = 32,
    batch_size: int = 64,
    baseline: Callable[[Floats], Floats] = even_baseline,
    points: Sequence[Doubles] | None = None,
) -> Attributions:
    """Explain by the mean gradient along the straight way from a baseline, times the difference.

    The baseline is 1/4 of every base, and zero at N and padding: it is no sequence in particular,
    needs no chance, and lies, with the whole way, on the simplex of the bases. As it is even,
    m_b − Σ_c m_c r_c has no off-simplex part: contributions are ``hypothetical × one_hot``, and add
    up to logit(x) − logit(baseline), either way. Of another baseline ``hypothetical`` alone is
    corrected.

    The integral is Simpson's sum over intervals of the way. The gradients of an interval should
    add up to the difference of the logits at its ends, so what each interval misses is known. The
    intervals that hold the worst half of all misses are halved, with every earlier point used
    again, until two things hold: the contributions miss no more than 1 % of the logits'
    difference, and the misses of all intervals, none set off against another, are no more than
    2 % of all that the logit rises and falls along the way. It ends at 1,025 points, or with those
    of ``n_steps`` where these are more. ``convergence_delta`` tells what the contributions miss,
    and ``points`` where gradients were taken.

    Parameters
    ----------
    module
        Any module from (N, 4, L) to logits (N,) or (N, T).
    one_hot
        (N, 4, L).
    target
        Column of the logits.
    off_simplex
        ``removed`` takes the mean over the bases from ``hypothetical``, not from contributions.
    n_steps
        Steps to begin with, rounded up to an even number.
    batch_size
        Points a forward pass.
    baseline
        From sequences (N, 4, L) to their baselines of the same shape.
    points
        As an earlier explanation chose them, to take the same again.

    Raises
    ------
    InputError
        For a wrong input, target or output of the model.

    References
    ----------
    Sundararajan, Taly, Yan, arXiv:1703.01365 (2017), eq. 1 and 3.
    """
    sequences = checked(one_hot)
    starts = baseline(sequences)
    gradients = np.zeros_like(sequences)
    difference = np.zeros(len(sequences))
    to_begin = _checked(points, len(sequences)) or [_even_points(n_steps)] * len(sequences)
    taken = [np.zeros(0)] * len(sequences)
    block = max(1, KEPT // (MOST_POINTS * sequences.itemsize * 4 * sequences.shape[2]))

    def work(rows: slice) -> None:
        at_starts = logits_in_batches(module, starts[rows], target, batch_size)
        ways = _begun(sequences[rows], starts[rows], at_starts)
        find = partial(_with_points, module, target=target, batch_size=batch_size)
        ways = find(ways, to_begin[rows])
        if points is None:
            ways = _refined(ways, find)
        for row, way in enumerate(ways, start=rows.start):
            gradients[row], taken[row] = way.mean_gradient, way.at
            difference[row] = way.rises.sum()

    with explaining(module):
        by_blocks(module, len(sequences), block, work)
    found = against(gradients, starts)
    result = explained("integrated_gradients", sequences, found, off_simplex, difference)
    return replace(result, points=tuple(taken))


@dataclass(frozen=True)
class _Way:
    """A straight way, and what is known at P of its points.

    Points 2i and 2i + 2 are the ends of interval i, and 2i + 1 is its middle.

    Parameters
    ----------
    start, change
        Where the way begins and what lies between its ends, (4, L).
    at
        The points as parts of the way, in order, (P,).
    at_start
        The logit at the start.
    logits, slopes, gradients
        At the points, (P,), (P,) and (P, 4, L); a slope is how fast the logit rises on the way.
    """

    start: Floats
    change: Floats
    at_start: float
    at: Doubles
    logits: Doubles
    slopes: Doubles
    gradients: Floats

    @property
    def widths(self) -> Doubles:
        """Of the intervals, as parts of the way."""
        return np.diff(self.at[::2])

    @property
    def rises(self) -> Doubles:
        """What the logit gains in each interval."""
        return np.diff(self.logits[2::2], prepend=self.at_start)

    @property
    def mean_gradient(self) -> Floats:
        """Simpson's sum over all intervals, (4, L)."""
        shares = np.zeros(len(self.at))
        shares[:-2:2] += self.widths / 6
        shares[1::2] = self.widths * 4 / 6
        shares[2::2] += self.widths / 6
        mean: Floats = np.tensordot(shares.astype(np.float32), self.gradients, 1)
        return mean

    @property
    def misses(self) -> Doubles:
        """What the gradients of each interval add up to, less the difference of the logits."""
        sums = self.slopes[:-2:2] + 4 * self.slopes[1::2] + self.slopes[2::2]
        misses: Doubles = sums * self.widths / 6 - self.rises
        return misses

    def halves(self) -> Doubles:
        """Give the middles of the halves of the intervals to halve; none where all is well."""
        misses, largest = self.misses, np.abs(self.logits).max()
        sizes = np.maximum(np.abs(misses) - ROUNDING * largest, 0)
        allowed = TOLERANCE * abs(self.rises.sum()) + 10 * ROUNDING * largest
        if abs(misses.sum()) <= allowed and sizes.sum() <= MISSES * np.abs(self.rises).sum():
            return np.zeros(0)
        sizes[self.widths <= NARROWEST] = 0
        worst = np.argsort(-sizes, kind="stable")
        n_halved = 1 + int(np.searchsorted(np.cumsum(sizes[worst]), sizes.sum() / 2))
        n_halved = min(n_halved, max(0, MOST_POINTS - len(self.at)) // 2)
        halved = np.sort(worst[:n_halved])
        middles = (self.at[:-1] + self.at[1:]) / 2
        halves: Doubles = middles.reshape(-1, 2)[halved[sizes[halved] > 0]].ravel()
        return halves

    def joined(self, at: Doubles, logits: Doubles, gradients: Floats) -> _Way:
        """Give the way with more of its points known."""
        places = np.searchsorted(self.at, at)
        slopes = np.einsum("pbl,bl->p", gradients, self.change, dtype=np.float64)
        return replace(
            self,
            at=np.insert(self.at, places, at),
            logits=np.insert(self.logits, places, logits),
            slopes=np.insert(self.slopes, places, slopes),
            gradients=np.insert(self.gradients, places, gradients, axis=0),
        )


def _checked(points: Sequence[Doubles] | None, n: int) -> Sequence[Doubles] | None:
    fit = points is None or (len(points) == n and all(len(row) % 2 for row in points))
    if not fit:
        raise InputError(
            f"there is an odd number of points for each of the {n} sequences",
            got=f"points for {len(points or ())}, of {sorted(map(len, points or ()))}",
            remedy="pass the points of an explanation of the same sequences",
        )
    return points


def _even_points(n_steps: int) -> Doubles:
    """Give the points of an even number of steps."""
    return np.linspace(0, 1, 2 * max(1, -(-n_steps // 2)) + 1)


def _begun(ends: Floats, starts: Floats, at_starts: Doubles) -> list[_Way]:
    """Give the ways from starts to ends (N, 4, L) before any point of them is known."""
    none, no_gradients = np.zeros(0), np.zeros((0, *ends.shape[1:]), dtype=np.float32)
    return [
        _Way(start, change, float(logit), none, none, none, no_gradients)
        for start, change, logit in zip(starts, ends - starts, at_starts, strict=True)
    ]


def _refined(
    ways: list[_Way], find: Callable[[list[_Way], list[Doubles]], list[_Way]]
) -> list[_Way]:
    """Halve intervals of all ways until none has any to halve."""
    points = [way.halves() for way in ways]
    while any(map(len, points)):
        ways = find(ways, points)
        # A way that got no new points has not changed, and is done.
        points = [way.halves() if len(new) else new for way, new in zip(ways, points, strict=True)]
    return ways


def _with_points(
    module: nn.Module, ways: list[_Way], points: Sequence[Doubles], *, target: int, batch_size: int
) -> list[_Way]:
    """Find logits and gradients at new points, those of all ways in common batches."""
    bounds = np.cumsum([0, *map(len, points)])
    owners, at = np.repeat(np.arange(len(ways)), np.diff(bounds)), np.concatenate(points)
    logits, gradients = np.zeros(len(at)), np.zeros((len(at), *ways[0].start.shape), np.float32)
    starts, changes = (np.stack([vars(way)[key] for way in ways]) for key in ("start", "change"))
    for first in range(0, len(at), batch_size):
        rows = slice(first, first + batch_size)
        parts = np.maximum(at[rows, None, None], NEAR).astype(np.float32)
        x = starts[owners[rows]] + parts * changes[owners[rows]]
        found = logits_and_gradient(module, as_input(module, x), target)
        logits[rows], gradients[rows] = (tensor.detach().cpu().numpy() for tensor in found)
    own = [slice(*pair) for pair in itertools.pairwise(bounds)]
    return [
        way.joined(at[rows], logits[rows], gradients[rows]) if rows.start < rows.stop else way
        for way, rows in zip(ways, own, strict=True)
    ]
