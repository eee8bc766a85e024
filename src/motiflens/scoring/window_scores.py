"""The mean logit of the seeds of a model, for windows of a sequence."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from motiflens.scoring.models import ModuleScorer
from motiflens.scoring.scorer import Scorer
from motiflens.scoring.shared_windows import Floats32, Positions, SharedWindows
from motiflens.sequences import Codes

#: Bases of the windows that are laid out at a time.
BASES_AT_ONCE = 2**20


class WindowScores(Protocol):
    """Scores windows of one length."""

    def scores(self, codes: Codes, starts: Positions) -> Floats32:
        """Return the logits (W,) of windows that begin at ``starts`` (W,), ascending, of codes."""
        ...


class OneByOne:
    """Every window as a sequence of its own, in batches: for any model."""

    def __init__(self, scorer: Scorer) -> None:
        self.scorer = scorer

    def scores(self, codes: Codes, starts: Positions) -> Floats32:
        """Return the mean logits (W,) of all seeds."""
        length, logits = self.scorer.length, np.empty(len(starts), dtype=np.float32)
        at_once = max(1, BASES_AT_ONCE // length)
        for first in range(0, len(starts), at_once):
            own = slice(first, first + at_once)
            windows = codes[starts[own, None] + np.arange(length)]
            lengths = np.full(len(windows), length, dtype=np.int32)
            logits[own] = self.scorer.logits(windows, lengths).mean(axis=0)
        return logits


class Mean:
    """The mean over seeds whose windows share their activations."""

    def __init__(self, seeds: list[SharedWindows]) -> None:
        self.seeds = seeds

    def scores(self, codes: Codes, starts: Positions) -> Floats32:
        """Return the mean logits (W,) of all seeds."""
        by_seed = [seed.scores(codes, starts).astype(np.float64) for seed in self.seeds]
        return np.mean(by_seed, axis=0).astype(np.float32)


def window_scores(scorer: ModuleScorer) -> WindowScores:
    """Choose how windows are scored: with shared activations where the model allows it.

    These are models that are filters, the largest activation of each, and a head, with a floor
    under the activations (``cnn`` with ReLU), on a CPU.
    """
    seeds = scorer.pooled_filters() if scorer.device.type == "cpu" else []
    if not seeds or any(pooled.floor is None for pooled in seeds):
        return OneByOne(scorer)
    return Mean([SharedWindows(pooled, scorer.length) for pooled in seeds])
