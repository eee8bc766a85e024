"""Time and memory from explanations to named motifs: 5,000 sequences of 200 bases.

    python -m benchmarks.discovery_speed

and, as part of `make bench`, seqlets to motifs beside modisco-lite, of the same explanations.

Ten motifs of JASPAR lie in the positives, each in three of ten. The explanations are planted: what
each base adds by the true matrices, with noise. Then everything is measured that follows an
explanation: seqlets and motifs, their evidence in 5,000 other sequences, their names.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.grammars import draw_motifs, true_log_odds, usable
from benchmarks.memory import peak, tell
from benchmarks.rows import Row, other_process, row, timed
from motiflens.attribution import Attributions
from motiflens.datasets import SequenceDataset
from motiflens.discovery import discover_motifs, measure_enrichment
from motiflens.discovery.modisco import SETTINGS, TRIM
from motiflens.motifs import Motif, jaspar_core, name_motifs, recover
from motiflens.simulation import Grammar, MotifUse, simulate

N, LENGTH, N_MOTIFS, SHARE, NOISE = 5_000, 200, 10, 0.3, 0.1
WARM_UP = 500
MOST_SECONDS, MOST_BYTES, SIMILAR = 60.0, 2e9, 0.9


def planted() -> tuple[list[Motif], SequenceDataset, SequenceDataset]:
    """Simulate two sets of `N` sequences with the same ten motifs; give the motifs too."""
    motifs = draw_motifs(usable(jaspar_core()), N_MOTIFS, np.random.default_rng(0))
    uses = tuple(MotifUse(motif, probability=SHARE, strands="both") for motif in motifs)
    data = simulate(Grammar(uses, n=2 * N, length=LENGTH), 0)
    return motifs, *(data.subset(np.arange(start, 2 * N, 2)) for start in (0, 1))


def explained(data: SequenceDataset, motifs: list[Motif]) -> Attributions:
    """Explain sequences by the true matrices, in bits, with Gaussian noise on every value."""
    hypothetical = true_log_odds(data, motifs).astype(np.float32)
    generator = np.random.default_rng(0)
    hypothetical += NOISE * generator.standard_normal(hypothetical.shape, dtype=np.float32)
    one_hot = data.one_hot()
    return Attributions("planted", one_hot, one_hot * hypothetical, hypothetical)


def n_found(matrices: Iterable[np.ndarray], motifs: list[Motif]) -> int:
    """Count the true motifs that one of the matrices found is like by `SIMILAR`."""
    closest = [recover(matrix, motifs) for matrix in matrices]
    return len({one.truth for one in closest if one.similarity >= SIMILAR})


def measure() -> list[Row]:
    """Time seqlets to motifs, modisco-lite with the settings of its command on the same arrays.

    Theirs is compiled on a first call that is not timed, and gets one turn fewer: it is slow.
    """
    motifs, first, _ = planted()
    given = explained(first, motifs)
    arrays = given.one_hot, given.hypothetical
    some = Attributions(
        "planted", *(a[:WARM_UP] for a in (given.one_hot, given.contributions, given.hypothetical))
    )
    ours, theirs, found = [], [], []
    with other_process() as call:
        discover_motifs(some), call(modisco, *(a[:WARM_UP] for a in arrays))
        for turn in range(3):
            ours.append(timed(lambda: found.append(discover_motifs(given))))
            if turn < 2:
                seconds, matrices = call(modisco, *arrays)
                theirs.append(seconds)
    counts = n_found([motif.ppm for motif in found[-1]], motifs), n_found(matrices, motifs)
    note = f"true motifs found, of {N_MOTIFS}: ours {counts[0]}, theirs {counts[1]}"
    work = f"discovery, {N:,} × {LENGTH} bp, seqlets to motifs"
    return [row(work, ours, theirs, "modisco-lite", n=N, goal="≥ 10", note=note)]


def modisco(one_hot: np.ndarray, hypothetical: np.ndarray) -> tuple[float, list[np.ndarray]]:
    """Run modisco-lite, no flanks added to 200 bases: its seconds, and its matrices, trimmed."""
    arrays = one_hot.transpose(0, 2, 1), hypothetical.transpose(0, 2, 1)
    find, found = import_module("modiscolite.tfmodisco").TFMoDISco, []
    seconds = timed(lambda: found.extend(find(*arrays, **SETTINGS)))
    return seconds, [trimmed(pattern) for patterns in found for pattern in patterns or []]


def trimmed(pattern: Any) -> np.ndarray:
    """Return the base frequencies of a pattern, cut as in modisco's own report."""
    size = np.abs(pattern.contrib_scores).sum(axis=1)
    kept = np.flatnonzero(size >= TRIM * size.max())
    return pattern.sequence[kept[0] : kept[-1] + 1].T


def main() -> None:
    """Print the figures; the exit status is 1 when time or memory went over the limit."""
    motifs, first, second = planted()
    attributions = explained(first, motifs)
    tell("sequences and explanations made", time.perf_counter())

    started = begun = time.perf_counter()
    found = discover_motifs(attributions)
    tell(f"{len(found)} motifs of {len(first):,} sequences", started)
    started = time.perf_counter()
    evidence = measure_enrichment(found, first, second)
    tell(f"evidence in {len(second):,} others", started)
    started = time.perf_counter()
    names = name_motifs(found)
    tell("names", started)
    tell("all of it", begun)
    seconds = time.perf_counter() - begun

    for motif, one, match in zip(found, evidence, names, strict=True):
        closest = recover(motif.ppm, motifs)
        name = "unknown" if match is None else match.name
        share = f"{one.positives_with_site:.0%} of positives"
        print(f"{motif.consensus:<24}{name:<18}{closest.similarity:.2f}  {share}")
    n_true = n_found([motif.ppm for motif in found], motifs)
    print(f"{n_true} of {N_MOTIFS} true motifs at similarity {SIMILAR} or more")
    sys.exit(seconds > MOST_SECONDS or peak() > MOST_BYTES)


if __name__ == "__main__":
    main()
