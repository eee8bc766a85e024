"""The tasks of `benchmarks.models`: what is simulated, and which parts of real sets are used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from benchmarks.peers import ROOT
from motiflens.datasets import SequenceDataset, concatenate, split_at_random
from motiflens.io.read import read
from motiflens.motifs import Motif
from motiflens.perturbation import random_background, spacing_effect
from motiflens.simulation import Grammar, MotifUse, Spacing, simulate, tutorial_grammar

SHARED = ROOT.parent / "shared" / "data"
HELD_OUT = 1000
#: The two motifs of order and spacing; no filter of `cnn` or `attention` sees both whole.
PAIR = (Motif.from_string("TGACTCAG", name="A"), Motif.from_string("GATTGCAC", name="B"))
RULE_LENGTH, N_PAIRS = 56, 3200
ANY_GAP, ONE_GAP, OTHER_GAPS = (10, 20), (12, 14), ((4, 10), (16, 22))
#: Bases left free at both ends, so that no k-mer at a motif is cut off there more often in a class.
MARGIN = 8
GAPS = tuple(range(4, 23))


@dataclass(frozen=True, eq=False)
class Task:
    """One data set, with a test split that scores, and the sizes that are trained on.

    Parameters
    ----------
    name
        In tables.
    data
        Makes or reads it, split in train and test.
    sizes
        Training sequences, the fewest first.
    seeds
        Models of each size.
    motifs
        The true ones, where they are known.
    source
        The file it is read from, None where it is simulated.
    """

    name: str
    data: Callable[[], SequenceDataset]
    sizes: tuple[int, ...]
    seeds: int
    motifs: tuple[Motif, ...] = ()
    source: Path | None = None

    @property
    def both_strands(self) -> bool:
        """Whether models read both strands."""
        return self.source is not None

    def is_there(self) -> bool:
        """Whether its data can be made or read."""
        return self.source is None or self.source.is_file()


def tutorial() -> SequenceDataset:
    """Simulate the tutorial's data: one motif anywhere in half of the sequences."""
    n = 3200 + HELD_OUT
    return split_at_random(simulate(tutorial_grammar(n=n), 0), test=HELD_OUT / n, seed=0)


def pairs(first: Motif, second: Motif, gaps: tuple[int, int], n: int, seed: int) -> SequenceDataset:
    """Simulate sequences that hold both motifs, the second right of the first."""
    uses = [
        MotifUse(motif, start_min=MARGIN, start_max=RULE_LENGTH - MARGIN - motif.width)
        for motif in (first, second)
    ]
    spacing = Spacing(first.name, second.name, *gaps)
    grammar = Grammar(
        tuple(uses), n=n, length=RULE_LENGTH, positive_fraction=1.0, spacing=(spacing,)
    )
    return simulate(grammar, seed)


def related(rule: str) -> Callable[[], SequenceDataset]:
    """Return what simulates data in which all sequences hold both, and their relation decides."""

    def simulated() -> SequenceDataset:
        half = (N_PAIRS + HELD_OUT) // 2
        if rule == "order":
            parts = [pairs(*PAIR, ANY_GAP, half, 0), pairs(*PAIR[::-1], ANY_GAP, half, 1)]
        else:
            # Each of its own seed: of one, rows of both would share their background.
            others = zip(OTHER_GAPS, (1, 2), strict=True)
            nearer, farther = (pairs(*PAIR, gaps, half // 2, seed) for gaps, seed in others)
            parts = [pairs(*PAIR, ONE_GAP, half, 0), nearer, farther]
        labels = np.repeat([1.0, 0.0], half)
        data = replace(concatenate(parts), labels=labels)
        return split_at_random(data, test=HELD_OUT / (2 * half), seed=0)

    return simulated


def _jund() -> SequenceDataset:
    return split_at_random(read(SHARED / "fastsk_tfbs" / "JUND.train.fasta"), test=0.2, seed=0)


def _gue() -> SequenceDataset:
    folder = SHARED / "gue" / "tf" / "0"
    return read(folder / "train.csv.gz", test=folder / "dev.csv")


def gap_effects(task: Task, model: nn.Module) -> dict[str, list[float]]:
    """Put both motifs into random sequences at many gaps, in both orders; give the mean effects."""
    first, second = (motif.consensus for motif in task.motifs)
    background = random_background(RULE_LENGTH, n=50)
    found = {}
    for words, motifs in (("AB", (first, second)), ("BA", (second, first))):
        effect = spacing_effect(model, motifs, background, gaps=GAPS, orientations=("++",))
        found[words] = [one.mean for one in effect.together["++"]]
    return {**found, "gaps": list(GAPS)}


def shows_rule(task: str, effects: dict[str, Sequence[float]]) -> bool:
    """Return whether every pair that keeps the rule has a larger effect than all that break it."""
    gaps = np.asarray(effects["gaps"])

    def within(*ranges: tuple[int, int]) -> NDArray[np.bool_]:
        return np.any([(low <= gaps) & (gaps <= high) for low, high in ranges], axis=0)

    first, swapped = np.asarray(effects["AB"]), np.asarray(effects["BA"])
    if task == "order":
        return bool(first[within(ANY_GAP)].min() > swapped[within(ANY_GAP)].max())
    return bool(first[within(ONE_GAP)].min() > first[within(*OTHER_GAPS)].max())


TASKS = {
    task.name: task
    for task in (
        Task(
            "tutorial",
            tutorial,
            (50, 100, 200, 400, 800, 1600),
            5,
            (Motif.from_string("CGACCGAACTCC"),),
        ),
        Task("order", related("order"), (200, 800, 3200), 2, PAIR),
        Task("spacing", related("spacing"), (200, 800, 3200), 2, PAIR),
        Task("JUND", _jund, (400, 1600), 2, (), SHARED / "fastsk_tfbs/JUND.train.fasta"),
        Task("GUE tf/0", _gue, (400, 1600), 2, (), SHARED / "gue/tf/0/dev.csv"),
    )
}
