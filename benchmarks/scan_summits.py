"""How far the summits of a scan's peaks lie from the sites, on genomes whose sites are known.

    python -m benchmarks.scan_summits [--output runs/bench-summits] [--models cnn,attention]

Of each motif of JASPAR below, two seeds of each model are trained, on both strands, on 3,000
simulated sequences of 100 bases, half of them with a site. Sites are then put into 120,000 random
bases, one every 500 or so, and scanned. Beside the summits that are written stands the middle of
the best window. The middle of a site is that of its information, as some matrices are wide where
they say little.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.peers import ROOT
from motiflens.datasets import split_at_random
from motiflens.motifs import Motif, information
from motiflens.motifs.database import jaspar_core
from motiflens.scoring.genome_scans import scan_genome
from motiflens.settings import Settings
from motiflens.simulation import Grammar, MotifUse, simulate
from motiflens.stages.compare import compare

MOTIFS = ("GATA1", "MAX", "EBF1", "CTCF")
LENGTH, N, SIZE, APART = 100, 3000, 120_000, 500
#: Models whose windows share nothing take long.
STRIDES = {"cnn": 1, "attention": 5}


def train(motif: Motif, model: str, folder: Path) -> None:
    """Train two seeds on simulated sequences."""
    if not folder.exists():
        grammar = Grammar((MotifUse(motif, strands="both"),), n=N, length=LENGTH, seed=3)
        data = split_at_random(simulate(grammar), test=0.1, seed=0)
        compare(data, folder, Settings(models=(model,), seeds=2, strands="both", threads=1))


def plant(motif: Motif, path: Path) -> np.ndarray:
    """Write a random genome with sites, and return the middles of these."""
    generator = np.random.default_rng(11)
    codes, middles = generator.integers(0, 4, SIZE), []
    bits = information(motif.ppm)
    middle = float(bits @ np.arange(motif.width) / bits.sum())
    for block in range(APART, SIZE - APART, APART):
        start = block + int(generator.integers(APART // 4))
        site = [generator.choice(4, p=column / column.sum()) for column in motif.ppm.T]
        reverse = generator.random() < 0.5
        codes[start : start + motif.width] = 3 - np.array(site)[::-1] if reverse else site
        middles.append(start + (motif.width - 1 - middle if reverse else middle))
    path.write_text(">c\n" + "".join(np.array(list("ACGT"))[codes]) + "\n", "utf-8")
    return np.array(middles)


def distances(peaks: Path, middles: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return how far summits and middles of windows lie from the site in the window."""
    rows = [line.split("\t") for line in peaks.read_text("utf-8").splitlines()]
    start, end, offset = np.array([[row[1], row[2], row[9]] for row in rows], dtype=int).T
    nearest = middles[np.abs(middles[:, None] - (start + end - 1) / 2).argmin(axis=0)]
    half = width / 2
    held = (nearest - half >= start) & (nearest + half < end)
    summit, middle = (abs(start + at - nearest)[held] for at in (offset, LENGTH // 2))
    return summit, middle


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "runs" / "bench-summits")
    parser.add_argument("--models", default="cnn,attention")
    parser.add_argument("--motifs", default=",".join(MOTIFS))
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    pool = {motif.alt_name: motif for motif in jaspar_core()}
    print("| motif | model | maxima with a site | summit | middle of the window |")
    print("|---|---|---:|---:|---:|")
    for name in given.motifs.split(","):
        genome = given.output / f"{name}.fa"
        middles = plant(pool[name], genome)
        for model in given.models.split(","):
            base = given.output / f"{name}-{model}"
            train(pool[name], model, base)
            files = base.with_suffix(".bw"), base.with_suffix(".narrowPeak")
            scan_genome(
                *(base, genome, files[0]), peaks=files[1], fdr=1.0, stride=STRIDES[model],
                threads=1, overwrite=True,
            )  # fmt: skip
            found = distances(files[1], middles, pool[name].width)
            quantiles = (" / ".join(f"{q:g}" for q in np.quantile(d, (0.5, 0.9))) for d in found)
            width = pool[name].width
            print(f"| {name}, {width} bp | {model} | {len(found[0])} |", end=" ")
            print(" | ".join(quantiles), "|", flush=True)


if __name__ == "__main__":
    main()
