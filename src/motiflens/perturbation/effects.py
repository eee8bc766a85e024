"""How a change of sequences moves a logit: the same sequences with and without it.

In this package ``module`` is any module from (N, 4, L) to logits, and is left as it was found;
``target`` is the column of its logits, ``strands`` is ``"forward"``, ``"reverse"``, or ``"both"``
for the mean of the two, and ``seed`` decides whatever is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from motiflens.attribution.base import count_done
from motiflens.errors import InputError, one_of
from motiflens.io.inputs import check_one_hot, codes_of
from motiflens.models.calling import evaluating, logits_in_batches
from motiflens.results.experiments import Effect
from motiflens.sequences import PAD, Codes, Lengths, encode, one_hot

BATCH_SIZE = 1024

#: What ``strands`` may be → the strands whose effects are averaged.
STRANDS = {"forward": "+", "reverse": "-", "both": "+-"}

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Starts = NDArray[np.int64]


class Insert(NamedTuple):
    """Codes (W,), as they are to be read in the sequence, and the first base in each of N (N,)."""

    codes: Codes
    start: Starts


def effect_of(differences: Doubles) -> Effect:
    """Sum up the differences of N backgrounds, (N,); the standard error of a single one is 0."""
    n = len(differences)
    error = float(differences.std(ddof=1) / np.sqrt(n)) if n > 1 else 0.0
    return Effect(mean=float(differences.mean()), standard_error=error, n=n)


@dataclass(frozen=True)
class Background:
    """Sequences that motifs are put into: codes (N, L), and lengths to the last known base."""

    codes: Codes
    lengths: Lengths

    @staticmethod
    def of(sequences: Floats | Tensor | Background) -> Background:
        """Read one-hot (N, 4, L), or raise :class:`InputError`."""
        if isinstance(sequences, Background):
            return sequences
        return Background(*codes_of(check_one_hot(sequences)))

    def motif(self, motif: str) -> Codes:
        """Return a motif's codes (W,), or raise :class:`InputError` if it cannot be put in."""
        if not isinstance(motif, str):
            problem = f"a {type(motif).__name__} is no motif to put in"
            raise InputError(problem, remedy="give its letters, such as motif.consensus")
        codes: Codes = encode([motif])[0][0]
        if codes.size == 0 or (codes == PAD).any():
            raise InputError(
                f"the motif {motif!r} is no string over A, C, G and T",
                remedy="write its most frequent bases",
                argument="motif",
            )
        self.require_room(len(codes), f"a motif of {len(codes)} bases")
        return codes

    def require_room(self, width: int, what: str) -> None:
        """Refuse what is wider than the shortest sequence."""
        if not len(self.lengths):
            raise InputError(
                "there is no sequence to insert a motif into", remedy="give one sequence or more"
            )
        if width > (shortest := int(self.lengths.min())):
            raise InputError(
                f"{what} do not fit into the shortest background of {shortest} bases",
                remedy="give a shorter motif, fewer copies, smaller gaps or longer sequences",
            )

    def middle(self, width: int) -> Starts:
        """Return the start of what is ``width`` wide and lies in the middle of each sequence."""
        return (self.lengths.astype(np.int64) - width) // 2

    def place(self, inserts: Sequence[Insert]) -> Codes:
        """Copy the codes with the inserts in place of their bases; later ones lie on top."""
        filled = self.codes.copy()
        for codes, start in inserts:
            outside = (start < 0) | (start + len(codes) > self.lengths)
            if outside.any():
                row = int(np.argmax(outside))
                raise InputError(
                    f"{len(codes)} bases at {int(start[row])} reach out of the "
                    f"{int(self.lengths[row])} bases of sequence {row + 1}",
                    remedy="count bases from 0, up to the sequence's length less the motif's",
                    argument="start",
                )
            columns = start[:, None] + np.arange(len(codes))
            filled[np.arange(len(filled))[:, None], columns] = codes
        return filled

    def effects(
        self,
        module: nn.Module,
        strands: str,
        layouts: Callable[[str], Iterable[Sequence[Insert]]],
        target: int,
    ) -> Doubles:
        """Return the differences (K, N) that K layouts make, from a strand, mean over strands."""
        one_of("a choice of strands", strands, STRANDS, argument="strands")
        by_strand = [
            differences(module, self.codes, map(self.place, layouts(strand)), target)
            for strand in STRANDS[strands]
        ]
        return np.asarray(np.mean(by_strand, axis=0))


def orient(codes: Codes, strand: str) -> Codes:
    """Return codes 0 to 3 as they read on the forward strand when they lie on ``strand``."""
    one_of("a strand", strand, ("+", "-"), argument="strand")
    return codes if strand == "+" else 3 - codes[::-1]


def differences(module: nn.Module, before: Codes, after: Iterable[Codes], target: int) -> Doubles:
    """Return logit after minus logit before, (K, N), for K changes of N sequences (N, L)."""
    logits, changed = logits_of_codes(module, before, target), []
    for codes in after:
        changed.append(logits_of_codes(module, codes, target) - logits)
        count_done(1)
    return np.stack(changed)


def logits_of_codes(module: nn.Module, codes: Codes, target: int) -> Doubles:
    """Return the logits (N,) of codes (N, L), whose one-hot is made batch by batch."""
    batches = range(0, len(codes), BATCH_SIZE)
    with evaluating(module):
        logits = [
            logits_in_batches(module, one_hot(codes[start : start + BATCH_SIZE]), target)
            for start in batches
        ]
    return np.concatenate([np.zeros(0), *logits])
