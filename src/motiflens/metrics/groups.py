"""Groups of examples that are not independent: a whole group counts as one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from motiflens.errors import InputError


@dataclass(frozen=True, eq=False)
class Groups:
    """Examples parted into groups.

    Attributes
    ----------
    of
        (N,) the group of each example, numbered from 0 by first appearance.
    n
        How many groups there are.
    """

    of: NDArray[np.intp]
    n: int

    def effective_size(self, members: NDArray[np.bool_]) -> float:
        """Give the number of independent examples that members (N,) are worth.

        (Σ size)² / Σ size² over groups (Kish 1965, *Survey Sampling*): the members of a group tell
        the same. It is their number where every group has one.
        """
        sizes = np.bincount(self.of[members]).astype(np.float64)
        return float(sizes.sum() ** 2 / (sizes**2).sum())

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Add values (N,) group by group (n,)."""
        return np.bincount(self.of, weights=values, minlength=self.n).astype(np.float64)


def checked_groups(groups: ArrayLike | None, n_examples: int) -> Groups:
    """Give groups numbers by first appearance; None makes every example its own.

    Raises
    ------
    InputError
        When there is not one whole number for each example.
    """
    if groups is None:
        return Groups(np.arange(n_examples), n_examples)
    given = np.asarray(groups)
    if given.shape != (n_examples,) or not np.issubdtype(given.dtype, np.integer):
        raise InputError(
            "groups are one whole number for each example",
            got=f"shape {given.shape} of {given.dtype} for {n_examples} examples",
            remedy="give the group of every example, as homology_groups does",
        )
    _, first, inverse = np.unique(given, return_index=True, return_inverse=True)
    number = np.empty(len(first), dtype=np.intp)
    number[np.argsort(first)] = np.arange(len(first))
    return Groups(number[inverse], len(first))
