"""What the checks of one model are made on: sequences of each kind, and what else is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import nn

from motiflens.attribution import Attributions, attribute
from motiflens.attribution.result import Floats
from motiflens.errors import InputError
from motiflens.evidence.rules import MinimalPairs, Rule, Sites, minimal_pairs
from motiflens.evidence.tracks import LEFT_OUT, MOTIF, OUTSIDE, shuffled
from motiflens.io.inputs import Sequences, one_hot
from motiflens.sequences import evenly

MAX_POSITIVES, MIN_POSITIVES = 100, 40
"""Positives that every method explains, of short and of long sequences, as far as there are some.

Half as many negatives and shuffled positives are its null, also of fewer positives, and an eighth
as many positives are explained of other seeds and before training: what each costs grows with the
square of the length.
"""

N_PAIRS = 100
"""Minimal pairs of a rule at most."""

MAX_WORK = 4_000_000
"""Positives times the square of their length: ``MAX_POSITIVES`` of 200 bases."""


@dataclass(frozen=True, eq=False)
class Controls:
    """What an explanation can be held against, besides a null of other sequences.

    Parameters
    ----------
    truth
        (N, L), of the explained positives: 1 on the bases of the true motifs, 0 elsewhere, -1 on
        bases that count as neither, as :func:`true_bases` returns it.
    seeds
        The same architecture, trained with other seeds.
    untrained
        The same architecture before training.
    attributions
        By method, of the explained positives in the same order, where they are there already.
    explained
        Positives (N, 4, L) to choose those to explain from, where they are not those to score.
    rule, sites
        The rule by which the sites tell the classes apart, as :func:`find_rule` returns it, and
        the sites of the explained positives.
    """

    truth: ArrayLike | None = None
    seeds: Sequence[nn.Module] = ()
    untrained: nn.Module | None = None
    attributions: Mapping[str, Attributions] = field(default_factory=dict)
    explained: Sequences | None = None
    rule: Rule | None = None
    sites: Sites | None = None


@dataclass(frozen=True, eq=False)
class Case:
    """One model, and the sequences on which it is explained: ``rows`` of the positives."""

    module: nn.Module
    rows: NDArray[np.intp]
    positives: Floats
    negatives: Floats
    shuffled: Floats
    truth: NDArray[np.int8] | None
    controls: Controls
    target: int
    pairs: MinimalPairs | None = None

    @property
    def sets(self) -> tuple[Floats, Floats, Floats]:
        """The positives, and the sequences of both nulls."""
        return self.positives, self.negatives, self.shuffled

    @property
    def few(self) -> NDArray[np.intp]:
        """Positives that are explained of other models too, as rows of ``positives``."""
        return evenly(len(self.positives), max(1, len(self.positives) // 8))

    @property
    def known(self) -> NDArray[np.bool_]:
        """Mark the bases that are no N and no padding, (N, L)."""
        return np.asarray(self.positives.sum(axis=1) > 0)

    def explain(
        self,
        method: str,
        one_hot: Floats,
        module: nn.Module | None = None,
        *,
        checks: bool = False,
    ) -> Attributions:
        """Explain sequences of this model, or of another one."""
        chosen = self.module if module is None else module
        return attribute(chosen, one_hot, method, target=self.target, checks=checks)


def checked(held_out: Sequences, name: str) -> Floats:
    """Return the held-out sequences of one class as one-hot (N, 4, L), at least one."""
    sequences = one_hot(held_out)
    if len(sequences) == 0:
        raise InputError(
            f"there are no {name}", remedy="give held-out sequences of both classes", argument=name
        )
    return sequences


def case_of(
    module: nn.Module,
    explained: Floats,
    held_out: Floats,
    controls: Controls,
    *,
    target: int,
    seed: int,
) -> Case:
    """Choose the sequences that are explained, and shuffle those of a null."""
    n = int(np.clip(MAX_WORK // explained.shape[2] ** 2, MIN_POSITIVES, MAX_POSITIVES))
    rows = evenly(len(explained), n)
    truth = controls.truth
    marks = None if truth is None else _checked_truth(truth, explained)[rows]
    positives, negatives = explained[rows], held_out[evenly(len(held_out), n // 2)]
    # Few positives are shuffled several times each: a small null is a coarse one.
    turns = np.resize(evenly(len(positives), n // 2), n // 2)
    null = shuffled(positives[turns], seed)
    pairs = _pairs(positives, rows, controls, seed)
    return Case(module, rows, positives, negatives, null, marks, controls, target, pairs)


def _pairs(
    positives: Floats, rows: NDArray[np.intp], controls: Controls, seed: int
) -> MinimalPairs | None:
    """Break the known rule in the explained positives; None where there is none to break."""
    if controls.rule is None or controls.sites is None:
        return None
    sites = [controls.sites[row] for row in rows.tolist()]
    try:
        return minimal_pairs(positives, sites, controls.rule, n=N_PAIRS, seed=seed)
    except InputError:  # none keeps it, or none has room to break it
        return None


def _checked_truth(truth: ArrayLike, positives: Floats) -> NDArray[np.int8]:
    marks = np.asarray(truth)
    expected = (positives.shape[0], positives.shape[2])
    if marks.shape != expected or not np.isin(marks, (MOTIF, OUTSIDE, LEFT_OUT)).all():
        wrong = "has values other than 1, 0 and -1"
        if marks.shape != expected:
            wrong = f"has shape {marks.shape}, the positives {expected}"
        raise InputError(f"truth {wrong}", remedy="make it with true_bases", argument="truth")
    return marks.astype(np.int8)
