"""Time and memory from explanations to named motifs: 5,000 sequences of 200 bases.

    python -m benchmarks.discovery_speed

Ten motifs of JASPAR lie in the positives, each in three of ten. The explanations are planted: what
each base adds by the true matrices, with noise. Then everything is measured that follows an
explanation: seqlets and motifs, their evidence in 5,000 other sequences, their names.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from benchmarks.grammars import draw_motifs, true_log_odds, usable
from benchmarks.memory import peak, tell
from motiflens.attribution import Attributions
from motiflens.datasets import SequenceDataset
from motiflens.discovery import discover_motifs, measure_enrichment
from motiflens.motifs import Motif, jaspar_core, name_motifs, recover
from motiflens.simulation import Grammar, MotifUse, simulate

N, LENGTH, N_MOTIFS, SHARE, NOISE = 5_000, 200, 10, 0.3, 0.1
MOST_SECONDS, MOST_BYTES, SIMILAR = 60.0, 2e9, 0.9


def explained(data: SequenceDataset, motifs: list[Motif]) -> Attributions:
    """Explain sequences by the true matrices, in bits, with Gaussian noise on every value."""
    hypothetical = true_log_odds(data, motifs).astype(np.float32)
    generator = np.random.default_rng(0)
    hypothetical += NOISE * generator.standard_normal(hypothetical.shape, dtype=np.float32)
    one_hot = data.one_hot()
    return Attributions("planted", one_hot, one_hot * hypothetical, hypothetical)


def main() -> None:
    """Print the figures; the exit status is 1 when time or memory went over the limit."""
    motifs = draw_motifs(usable(jaspar_core()), N_MOTIFS, np.random.default_rng(0))
    uses = tuple(MotifUse(motif, probability=SHARE, strands="both") for motif in motifs)
    data = simulate(Grammar(uses, n=2 * N, length=LENGTH), 0)
    first, second = (data.subset(np.arange(start, 2 * N, 2)) for start in (0, 1))
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

    hit = {}
    for motif, one, match in zip(found, evidence, names, strict=True):
        closest = recover(motif.ppm, motifs)
        hit[closest.truth] = max(hit.get(closest.truth, 0.0), closest.similarity)
        name = "unknown" if match is None else match.name
        share = f"{one.positives_with_site:.0%} of positives"
        print(f"{motif.consensus:<24}{name:<18}{closest.similarity:.2f}  {share}")
    n_found = sum(similarity >= SIMILAR for similarity in hit.values())
    print(f"{n_found} of {N_MOTIFS} true motifs at similarity {SIMILAR} or more")
    sys.exit(seconds > MOST_SECONDS or peak() > MOST_BYTES)


if __name__ == "__main__":
    main()
