"""Gradients integrated along the path from a baseline, in steps as fine as it needs there."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from motiflens.attribution.base import by_blocks, bytes_kept, explaining
from motiflens.attribution.paths import FilterPaths, ModulePaths, Paths
from motiflens.attribution.pooled import FilterScan, pooled_filters
from motiflens.attribution.references import even_baseline, explain_difference, subtract_reference
from motiflens.attribution.result import Attributions, Floats
from motiflens.errors import InputError
from motiflens.io.inputs import check_one_hot
from motiflens.models.calling import as_input, logits_in_batches

Doubles = NDArray[np.float64]
Rows = NDArray[np.intp]

#: The fraction of the logits' difference that completeness may miss before more steps are taken.
TOLERANCE = 0.01
#: The fraction of all rises and falls along the path that all residuals together may make, as they
#: cannot cancel.
MAX_RESIDUALS = 0.02
#: Points at most; what then is missing stands in ``convergence_delta``.
MAX_POINTS = 1025
#: Intervals are not halved below this fraction of the path, which float32 could not tell apart.
MIN_WIDTH = 2.0**-20
#: The gradient of the start is taken this far along the path. At the start itself every window of
#: the baseline is the same: which of them a maximum chooses is a matter of rounding.
FIRST_POINT = 2.0**-8
#: Error of a logit in float32, as a fraction of the largest along the path.
ROUNDING = 1e-6


def integrated_gradients(
    module: nn.Module,
    one_hot: Floats | Tensor,
    target: int = 0,
    *,
    gradient_correction: bool = True,
    n_steps: int = 32,
    batch_size: int = 64,
    baseline: Callable[[Floats], Floats] = even_baseline,
    points: Sequence[Doubles] | None = None,
) -> Attributions:
    """Explain by the mean gradient along the straight path from a baseline, times the difference.

    The baseline is 1/4 of every base, and zero at N and padding: it is no sequence in particular,
    needs no chance, and lies, with the whole path, on the simplex of the bases. As it is even,
    m_b − Σ_c m_c r_c needs no correction: contributions are ``hypothetical × one_hot``, and add
    up to logit(x) − logit(baseline), either way. Of another baseline ``hypothetical`` alone is
    corrected.

    The integral is Simpson's sum over intervals of the path. The gradients of an interval should
    add up to the difference of the logits at its ends, so the residual of each is known. The
    intervals that hold the worst half of all residuals are halved, with every earlier point used
    again, until two things hold: the contributions miss no more than 1 % of the logits'
    difference, and the residuals of all intervals, none set off against another, are no more than
    2 % of all that the logit rises and falls along the way. It ends at 1,025 points, or with those
    of ``n_steps`` where these are more. ``convergence_delta`` is what the contributions miss,
    and ``points`` where gradients were taken.

    Parameters
    ----------
    module
        Any module from (N, 4, L) to logits (N,) or (N, T).
    one_hot
        (N, 4, L).
    target
        Column of the logits.
    gradient_correction
        Take the mean over the bases from ``hypothetical``, not from contributions.
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
    sequences = check_one_hot(one_hot)
    starts = baseline(sequences)
    n = len(sequences)
    gradients, difference, taken = np.zeros_like(sequences), np.zeros(n), [np.zeros(0)] * n
    if points is not None and not (len(points) == n and all(len(row) % 2 for row in points)):
        raise InputError(
            f"{sorted(map(len, points))} points of {len(points)} sequences do not fit {n}",
            remedy="pass the points of an explanation of the same sequences",
            argument="points",
        )
    to_begin = points or [np.linspace(0, 1, 2 * max(1, -(-n_steps // 2)) + 1)] * n
    known = [(one.max(axis=1, initial=0) > 0) for one in (starts, sequences)]
    pooled = pooled_filters(module) if np.array_equal(*known) else None
    scan = None if pooled is None else FilterScan(pooled)

    def paths_of(rows: slice) -> Paths:
        if scan is None:
            changes = sequences[rows] - starts[rows]
            return ModulePaths(module, starts[rows], changes, target, batch_size)
        ends, begin = (as_input(module, one[rows]) for one in (sequences, starts))
        return FilterPaths(scan, begin, ends, np.arange(len(ends)), one_hot=False)

    def work(rows: slice) -> None:
        at_starts = logits_in_batches(module, starts[rows], target, batch_size)
        paths = paths_of(rows)
        followed = _evaluate(paths, list(map(_Path.begin, at_starts)), to_begin[rows])
        if points is None:
            followed = _refine(paths, followed)
        n_known = sum(len(path.points) for path in followed)
        owners, weights = np.zeros(n_known, dtype=np.intp), np.zeros(n_known)
        for row, path in enumerate(followed):
            owners[path.rows], weights[path.rows] = row, path.weights
            taken[rows.start + row] = path.points
            difference[rows.start + row] = path.increments.sum()
        gradients[rows] = paths.mean_gradients(owners, weights)

    with explaining(module):
        by_blocks(module, n, _block(scan, sequences), work)
    by_base, correction = subtract_reference(gradients, starts), gradient_correction
    explained = explain_difference(
        "integrated_gradients", sequences, by_base, difference, gradient_correction=correction
    )
    return replace(explained, points=tuple(taken))


def _block(scan: FilterScan | None, sequences: Floats) -> int:
    """Return how many sequences are worked on together: those whose points can be kept."""
    of_point = sequences[:1].nbytes if scan is None else FilterPaths.bytes_of_point(scan)
    device = torch.device("cpu") if scan is None else scan.flat.device
    return max(1, bytes_kept(device) // (MAX_POINTS * max(1, of_point)))


@dataclass(frozen=True)
class _Path:
    """A straight path, and what is known at P of its points.

    Points 2i and 2i + 2 are the ends of interval i, and 2i + 1 is its middle.

    Parameters
    ----------
    at_start
        The logit at the start.
    points
        As fractions of the path, in order, (P,).
    logits, slopes
        At the points, (P,); a slope is how fast the logit rises on the path.
    rows
        Which of all points that were evaluated, of any path, they are, (P,).
    """

    at_start: float
    points: Doubles
    logits: Doubles
    slopes: Doubles
    rows: Rows

    @staticmethod
    def begin(at_start: float) -> _Path:
        """Return a path before any point of it is known."""
        none = np.zeros(0)
        return _Path(float(at_start), none, none, none, np.zeros(0, dtype=np.intp))

    @property
    def widths(self) -> Doubles:
        """Of the intervals, as fractions of the path."""
        return np.diff(self.points[::2])

    @property
    def increments(self) -> Doubles:
        """What the logit gains in each interval."""
        return np.diff(self.logits[2::2], prepend=self.at_start)

    @property
    def weights(self) -> Doubles:
        """Of the points in Simpson's sum over all intervals."""
        weights = np.zeros(len(self.points))
        weights[:-2:2] += self.widths / 6
        weights[1::2] = self.widths * 4 / 6
        weights[2::2] += self.widths / 6
        return weights

    @property
    def residuals(self) -> Doubles:
        """What the gradients of each interval add up to, less the difference of the logits."""
        sums = self.slopes[:-2:2] + 4 * self.slopes[1::2] + self.slopes[2::2]
        return sums * self.widths / 6 - self.increments

    def midpoints(self) -> Doubles:
        """Return the middles of the halves of the intervals to halve; none where all is well."""
        residuals, largest = self.residuals, np.abs(self.logits).max()
        sizes = np.maximum(np.abs(residuals) - ROUNDING * largest, 0)
        allowed = TOLERANCE * abs(self.increments.sum()) + 10 * ROUNDING * largest
        all_allowed = MAX_RESIDUALS * np.abs(self.increments).sum()
        if abs(residuals.sum()) <= allowed and sizes.sum() <= all_allowed:
            return np.zeros(0)
        sizes[self.widths <= MIN_WIDTH] = 0
        worst = np.argsort(-sizes, kind="stable")
        n_halved = 1 + int(np.searchsorted(np.cumsum(sizes[worst]), sizes.sum() / 2))
        n_halved = min(n_halved, max(0, MAX_POINTS - len(self.points)) // 2)
        halved = np.sort(worst[:n_halved])
        middles = (self.points[:-1] + self.points[1:]) / 2
        return middles.reshape(-1, 2)[halved[sizes[halved] > 0]].ravel()

    def insert(self, points: Doubles, logits: Doubles, slopes: Doubles, rows: Rows) -> _Path:
        """Return the path with more of its points known."""
        if not len(points):
            return self
        indices = np.searchsorted(self.points, points)
        return replace(
            self,
            points=np.insert(self.points, indices, points),
            logits=np.insert(self.logits, indices, logits),
            slopes=np.insert(self.slopes, indices, slopes),
            rows=np.insert(self.rows, indices, rows),
        )


def _refine(paths: Paths, followed: list[_Path]) -> list[_Path]:
    """Halve intervals of all paths until none has any to halve."""
    points = [path.midpoints() for path in followed]
    while any(map(len, points)):
        followed = _evaluate(paths, followed, points)
        # A path that got no new points has not changed, and is done.
        points = [
            path.midpoints() if len(new) else new
            for path, new in zip(followed, points, strict=True)
        ]
    return followed


def _evaluate(paths: Paths, followed: list[_Path], points: Sequence[Doubles]) -> list[_Path]:
    """Compute logits and slopes at new points, those of all paths together."""
    bounds = np.cumsum([0, *map(len, points)])
    owners = np.repeat(np.arange(len(followed)), np.diff(bounds))
    fractions = np.maximum(np.concatenate(points), FIRST_POINT)
    first = sum(len(path.points) for path in followed)
    logits, slopes = paths.evaluate(owners, fractions)
    rows = np.arange(first, first + len(owners))
    own = [slice(*pair) for pair in itertools.pairwise(bounds)]
    return [
        path.insert(new, logits[one], slopes[one], rows[one])
        for path, new, one in zip(followed, points, own, strict=True)
    ]
