"""Gradients at points of straight paths, and their weighted sums."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from motiflens.attribution.base import logits_and_gradient
from motiflens.attribution.pooled import FilterScan
from motiflens.attribution.result import Floats
from motiflens.models.calling import as_input
from motiflens.models.kmer_sums import largest

Doubles = NDArray[np.float64]
Rows = NDArray[np.intp]


class Paths(Protocol):
    """P straight paths, and what is known at the points that were asked for."""

    def evaluate(self, owners: Rows, fractions: Doubles) -> tuple[Doubles, Doubles]:
        """Return the logits at M points, and how fast they rise along the path there.

        Parameters
        ----------
        owners
            The path of each point, (M,), in order.
        fractions
            How far along it, (M,).
        """
        ...

    def mean_gradients(self, owners: Rows, weights: Doubles) -> Floats:
        """Return the sums (P, 4, L) of the gradients at all points so far, by path and weighted."""
        ...


class ModulePaths:
    """Paths through any module: every point is a pass through all of it.

    Parameters
    ----------
    module
        From (N, 4, L) to logits.
    starts, changes
        Where each path begins, and what lies between its ends, (P, 4, L).
    target, batch_size
        Column of the logits, and points a pass.
    """

    def __init__(
        self, module: nn.Module, starts: Floats, changes: Floats, target: int, batch_size: int
    ) -> None:
        self.module, self.starts, self.changes = module, starts, changes
        self.target, self.batch_size = target, batch_size
        self.gradients: list[Floats] = []

    def evaluate(self, owners: Rows, fractions: Doubles) -> tuple[Doubles, Doubles]:
        """Return logits and slopes (M,); see :class:`Paths`."""
        logits, slopes = np.zeros(len(owners)), np.zeros(len(owners))
        for first in range(0, len(owners), self.batch_size):
            rows = slice(first, first + self.batch_size)
            start, change = self.starts[owners[rows]], self.changes[owners[rows]]
            fraction = fractions[rows, None, None].astype(np.float32)
            x = as_input(self.module, start + fraction * change)
            at_points = logits_and_gradient(self.module, x, self.target)
            logits[rows], gradients = (tensor.detach().cpu().numpy() for tensor in at_points)
            slopes[rows] = np.einsum("pbl,pbl->p", gradients, change, dtype=np.float64)
            self.gradients.append(gradients.astype(np.float32, copy=False))
        return logits, slopes

    def mean_gradients(self, owners: Rows, weights: Doubles) -> Floats:
        """Return weighted sums (P, 4, L); see :class:`Paths`."""
        sums, first = np.zeros_like(self.starts), 0
        for gradients in self.gradients:
            rows = slice(first, first + len(gradients))
            np.add.at(sums, owners[rows], weights[rows, None, None] * gradients)
            first = rows.stop
        return sums


class FilterPaths:
    """Paths through a model of the largest activation of each filter.

    Activations lie on straight lines between those of both ends. Zero columns of both ends are
    the same.

    Parameters
    ----------
    scan
        The filters.
    starts, ends
        (P, 4, L) and (E, 4, L), one-hot but for starts that are said not to be.
    end_of
        The end of each path, (P,).
    one_hot
        Whether starts are one-hot.
    """

    def __init__(
        self,
        scan: FilterScan,
        starts: Tensor,
        ends: Tensor,
        end_of: Rows,
        *,
        one_hot: bool = True,
    ) -> None:
        self.scan, self.sequences = scan, ends[torch.from_numpy(end_of).to(ends.device)]
        self.n_strands = 2 if scan.both_strands else 1
        with torch.no_grad():
            self.at_starts = scan.activations(scan.strands(starts), one_hot=one_hot)
            self.at_ends = scan.activations(scan.strands(ends))
        strands = np.arange(self.n_strands)[:, None]
        self.end_of = (end_of + strands * len(ends)).ravel()
        self.pruned = []
        if not one_hot and scan.for_cache:
            activations = self.at_starts, self.at_ends[self.end_of]
            equal = scan.units_on_even(scan.strands(starts))
            self.pruned = list(map(_one_of_equals, *activations, equal))
        self.coefficients: list[Tensor] = []
        self.units: list[Tensor] = []

    @staticmethod
    def bytes_of_point(scan: FilterScan) -> int:
        """Return what is kept of a point: of each filter a coefficient and its unit."""
        each = scan.flat.element_size() + torch.int32.itemsize
        return (2 if scan.both_strands else 1) * len(scan.flat) * each

    def logits_at_starts(self) -> Doubles:
        """Return the logits where the paths begin, (P,)."""
        with torch.no_grad():
            logits = self.scan.head(largest(self.at_starts)[0])
            return self.scan.mean_over_strands(logits).double().cpu().numpy()

    def evaluate(self, owners: Rows, fractions: Doubles) -> tuple[Doubles, Doubles]:
        """Return logits and slopes (M,); see :class:`Paths`."""
        shape = (self.n_strands, len(owners))
        with torch.no_grad():
            values, units, rises = self._maxima(self._of_strands(owners), fractions)
            logits, gradient = self.scan.head_gradient(values)
            slopes = (gradient * rises).sum(-1, dtype=torch.float64)
        self.coefficients.append(gradient.view(*shape, -1))
        self.units.append(units.to(torch.int32).view(*shape, -1))
        means = (values.view(shape).double().mean(0).cpu().numpy() for values in (logits, slopes))
        return next(means), next(means)

    def mean_gradients(self, owners: Rows, weights: Doubles) -> Floats:
        """Return weighted sums (P, 4, L); see :class:`Paths`."""
        with torch.no_grad():
            coefficients, units = (torch.cat(one, 1) for one in (self.coefficients, self.units))
            device = coefficients.device
            weighted = torch.from_numpy(weights).to(device, coefficients.dtype)
            sums = self.scan.to_bases(
                (coefficients * weighted.unsqueeze(-1)).flatten(0, 1),
                units.flatten(0, 1),
                torch.from_numpy(self._of_strands(owners)).to(device),
                self.n_strands * len(self.sequences),
                self.sequences.shape[-1],
            )
            return self.scan.forward_strand(sums, self.sequences).float().cpu().numpy()

    def _of_strands(self, owners: Rows) -> Rows:
        """Return the rows of the paths on each strand: those of the other one follow."""
        strands = np.arange(self.n_strands)[:, None]
        return (owners + strands * len(self.sequences)).ravel()

    def _maxima(self, owners: Rows, fractions: Doubles) -> tuple[Tensor, Tensor, Tensor]:
        """Return largest activations, their units, and how fast they rise on the path, (M, F)."""
        fraction = torch.from_numpy(np.tile(fractions, self.n_strands)).to(self.scan.flat)
        found = []
        for rows, start, end, units in self._lines(owners):
            between = torch.lerp(start, end, fraction[rows, None, None])
            values, chosen = largest(between)
            of_each = chosen.unsqueeze(1)
            lines = [one.expand_as(between).gather(1, of_each) for one in (start, end)]
            if units is not None:
                chosen = units.expand_as(between).gather(1, of_each).squeeze(1)
            found.append((values, chosen, (lines[1] - lines[0]).squeeze(1)))
        values, units, rises = (torch.cat(one) for one in zip(*found, strict=True))
        return values, units, rises

    def _lines(self, owners: Rows) -> Iterator[tuple[slice, Tensor, Tensor, Tensor | None]]:
        """Yield points that are worked on together, and the activations at both ends of each.

        On a CPU those of one path are, so that nothing is copied for each point.
        """
        at_once = self.scan.rows_at_once(self.sequences.shape[-1])
        if not self.scan.for_cache:
            for first in range(0, len(owners), at_once):
                rows = slice(first, min(first + at_once, len(owners)))
                own = owners[rows]
                yield rows, self.at_starts[own], self.at_ends[self.end_of[own]], None
            return
        bounds = [0, *(np.flatnonzero(np.diff(owners)) + 1).tolist(), len(owners)]
        for low, high in itertools.pairwise(bounds):
            start, end, units = self._of_path(int(owners[low]))
            for first in range(low, high, at_once):
                yield slice(first, min(first + at_once, high)), start, end, units

    def _of_path(self, own: int) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return the activations at both ends of a path that may be largest, and their units."""
        if self.pruned:
            return self.pruned[own]
        end = int(self.end_of[own])
        return self.at_starts[own : own + 1], self.at_ends[end : end + 1], None


def _one_of_equals(start: Tensor, end: Tensor, equal: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Keep of units that start alike the one that ends highest, as the others never lie above it.

    Parameters
    ----------
    start, end
        Activations at both ends of a path, (U, F).
    equal
        The units that start alike, (U,), bool.

    Returns
    -------
    start, end, units
        Of the V units that are left, (1, V, F).
    """
    others = (~equal).nonzero()
    units = others.expand(-1, end.shape[-1])
    if len(others) < len(end):
        alike = equal.nonzero().squeeze(-1)
        units = torch.cat([alike[largest(end[alike])[1]].unsqueeze(0), units])
    return start.gather(0, units).unsqueeze(0), end.gather(0, units).unsqueeze(0), units[None]
