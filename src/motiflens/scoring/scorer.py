"""A model in use: the logits of its seeds, and what is known of how it was trained."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motiflens.datasets import CLASSIFICATION, REGRESSION, SequenceDataset
from motiflens.results.scores import Calibration
from motiflens.sequences import PAD, Codes, Lengths

Floats = NDArray[np.float64]

#: Quantiles of the training sequences' GC fraction, outside which a sequence is of other kind.
GC_QUANTILES = (0.005, 0.995)


@dataclass(frozen=True)
class TrainedOn:
    """What the training sequences were like.

    Parameters
    ----------
    shortest, longest
        In bases.
    gc_low, gc_high
        Quantiles :data:`GC_QUANTILES` of the fraction of G and C among their known bases.
    """

    shortest: int
    longest: int
    gc_low: float
    gc_high: float

    @staticmethod
    def of(dataset: SequenceDataset) -> TrainedOn:
        """Look at the training split of a data set; at all of one without a split."""
        training = dataset if dataset.split is None else dataset.part("train")
        low, high = np.quantile(gc_fraction(training.codes), GC_QUANTILES)
        lengths = training.lengths
        return TrainedOn(int(lengths.min()), int(lengths.max()), float(low), float(high))


def gc_fraction(codes: Codes) -> Floats:
    """Return the fraction of G and C among the known bases of codes (N, L); 0 without any."""
    known = (codes < PAD).sum(axis=1)
    return np.asarray(((codes == 1) | (codes == 2)).sum(axis=1) / np.maximum(known, 1))


@dataclass(frozen=True, kw_only=True)
class Scorer(ABC):
    """A model in use.

    Parameters
    ----------
    name
        Of the architecture or module.
    sha256
        Of its weights and how it is built: two scorers with the same one score alike.
    n_seeds
        Models whose mean logit is the score.
    min_length
        Bases of the shortest sequence that it takes.
    length
        Bases of a window: those of the longest training sequence, or of the only length that the
        model takes.
    both_strands
        Whether a sequence and its reverse complement score the same.
    only_length
        Whether the model takes no other length; shorter sequences are padded to it.
    takes_padding
        Whether zero columns behind a sequence leave its logit as it is.
    trained_on
        None where it is not known.
    calibration
        From mean logits to probabilities; None where it is not known.
    task
        ``classification``, or ``regression``: then logits are predicted labels.
    """

    name: str
    sha256: str
    n_seeds: int
    min_length: int
    length: int
    both_strands: bool
    only_length: bool = False
    takes_padding: bool = True
    trained_on: TrainedOn | None = None
    calibration: Calibration | None = None
    task: str = CLASSIFICATION

    @property
    def is_regression(self) -> bool:
        """Whether logits are predicted labels, which are no probabilities."""
        return self.task == REGRESSION

    @abstractmethod
    def logits(self, codes: Codes, lengths: Lengths) -> Floats:
        """Return the logits of every seed.

        Parameters
        ----------
        codes
            uint8 (N, L): 0 to 3 for A, C, G, T, and 4 for N and for padding at the right.
        lengths
            (N,), in bases, at least ``min_length`` each.

        Returns
        -------
        logits
            float64 (S, N). They depend neither on the other sequences nor on the padding.
        """

    def at_lengths(
        self, forward: Callable[[Codes], Floats], codes: Codes, lengths: Lengths
    ) -> Floats:
        """Return ``forward`` (N, L) → (S, N) of all rows, padded or cut where it has to be.

        They are padded where the model takes one length only, and cut to their lengths where it
        does not know padding, and sequences of several lengths are there.
        """
        if self.only_length and codes.shape[1] < self.length:
            missing = self.length - codes.shape[1]
            codes = np.pad(codes, ((0, 0), (0, missing)), constant_values=PAD)
            return forward(codes)
        if self.takes_padding or bool((lengths == codes.shape[1]).all()):
            return forward(codes)
        logits = np.zeros((self.n_seeds, len(codes)))
        for length in np.unique(lengths).tolist():
            rows = np.flatnonzero(lengths == length)
            logits[:, rows] = forward(np.ascontiguousarray(codes[rows, :length]))
        return logits


def plan_of(scorer: Scorer) -> dict[str, Any]:
    """Return what a plan says of a model and its windows."""
    return {"model": scorer.name, "seeds": scorer.n_seeds, "window": scorer.length}
