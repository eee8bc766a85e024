"""How the cost of training, attribution and discovery grows with the length and the number.

One thread, a planted motif, untrained weights: what is timed does not depend on what was learnt,
but for integrated gradients, which are not among it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.rows import Row, in_turns, row
from motiflens.attribution import Attributions, attribute
from motiflens.datasets import SequenceDataset, split_at_random
from motiflens.discovery import discover_motifs
from motiflens.models import build_model
from motiflens.motifs import Motif
from motiflens.simulation import Grammar, MotifUse, simulate
from motiflens.training import Job, Recipe, train

LENGTHS = (50, 100, 200, 500, 1000)
NUMBER, LENGTH = 400, 200
NUMBERS = (100, 400, 1_600, 6_400)
MOTIF, NOISE = "TGACTCAGCA", 0.1
BATCH = 32
MODEL = "cnn"


def cases() -> Iterator[tuple[int, int]]:
    """Yield number and length: one grows while the other stays."""
    yield from ((NUMBER, length) for length in LENGTHS)
    yield from ((number, LENGTH) for number in NUMBERS if number != NUMBER)


def make(number: int, length: int) -> SequenceDataset:
    """Simulate sequences, half of them with the motif."""
    return simulate(Grammar((MotifUse(Motif.from_string(MOTIF)),), n=number, length=length), 0)


def training(data: SequenceDataset) -> Callable[[], object]:
    """Return one epoch of one seed, without validation."""
    split = split_at_random(data, test=0.1, seed=0)
    recipe = Recipe(epochs=1, batch_size=BATCH, validation_fraction=0.0)
    return lambda: train(split, Job(MODEL, (0,), recipe, watch_test=False), threads=1)


def attribution(method: str) -> Callable[[SequenceDataset], Callable[[], object]]:
    """Return what explains the sequences by a method."""

    def of(data: SequenceDataset) -> Callable[[], object]:
        model, one_hot = build_model(MODEL, length=data.codes.shape[1], seed=0), data.one_hot()
        return lambda: attribute(model, one_hot, method)

    return of


def discovery(data: SequenceDataset) -> Callable[[], object]:
    """Return discovery from an explanation that shows the motif, with noise."""
    one_hot = data.one_hot()
    hypothetical = NOISE * np.random.default_rng(0).standard_normal(one_hot.shape)
    assert data.sites is not None
    for sequence, sites in enumerate(data.sites):
        for site in sites:
            hypothetical[sequence, :, site.start : site.end] += one_hot[
                sequence, :, site.start : site.end
            ]
    hypothetical = hypothetical.astype(np.float32)
    given = Attributions("planted", one_hot, one_hot * hypothetical, hypothetical)
    return lambda: discover_motifs(given)


WORKS: dict[str, Callable[[SequenceDataset], Callable[[], object]]] = {
    "an epoch of cnn, one seed": training,
    "saliency of cnn": attribution("saliency"),
    "DeepLIFT/SHAP of cnn": attribution("deeplift_shap"),
    "mutagenesis of cnn": attribution("ism"),
    "discovery, seqlets to motifs": discovery,
}


def measure() -> list[Row]:
    """Time every work at every number and length; ``length`` is in the rows too."""
    found = []
    for name, of in WORKS.items():
        of(make(20, 50))()
        for number, length in cases():
            work = of(make(number, length))
            # The smallest are timed more often: a hiccup would double them.
            repeats = 3 if number * length <= NUMBER * LENGTH else 1
            (seconds,) = in_turns(work, repeats=repeats)
            label = f"{name}, {number:,} × {length:,} bp"
            found.append(row(label, seconds, [], None, n=number, length=length, scaling=name))
    return found
