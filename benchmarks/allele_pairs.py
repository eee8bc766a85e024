"""Which of two alleles C/EBPβ binds: a model of microarrays beside JASPAR's matrix.

`python -m benchmarks.allele_pairs`: a `cnn` of two seeds on both strands, trained on Cebpb's
protein-binding microarray (HK; ME is its test), scores by `predict` both files of the strain pairs
of C/EBPβ peaks in mouse macrophages (MAGGIE). The data lie in the folder beside the repository.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import motiflens as ml
from benchmarks.peers import ROOT
from motiflens.motifs import Motif, jaspar_core
from motiflens.scoring.records import Record, open_records

DATA = ROOT.parent / "shared" / "data"
PAIRS = ("BALB_CEBPB_spec_C57", "C57_CEBPB_spec_BALB")
LONGEST = 10_000

Floats = NDArray[np.float64]


def train(folder: Path) -> None:
    """Train as a user would, unless it is done."""
    if (folder / "comparison.json").is_file():
        return
    arrays = DATA / "pbm_dream5"
    command = [sys.executable, "-m", "motiflens", "train", arrays / "Cebpb_HK.txt.gz"]
    command += ["--test", arrays / "Cebpb_ME.txt.gz", "--signal-column", "2", "--model", "cnn"]
    command += ["--seeds", "2", "--strands", "both", "-o", folder]
    subprocess.run(list(map(str, command)), check=True)


def pairs_of(name: str) -> tuple[list[Record], list[Record]]:
    """Return the bound and the other allele of each pair."""
    stem = DATA / "maggie_variants" / f"MouseMacrophage_LDTF__CEBPB__{name}"
    bound, other = (
        list(open_records(Path(f"{stem}_{kind}.fa.gz")).read(LONGEST)) for kind in ("ref", "mut")
    )
    assert len(bound) == len(other)
    return bound, other


def best_hits(records: list[Record], motif: Motif) -> Floats:
    """Return the largest log-odds of a motif's sites on either strand of each sequence."""
    log_odds = np.log2((motif.ppm + 1e-3) / (1 + 4e-3) / 0.25)
    matrices = [np.pad(one, ((0, 1), (0, 0))) for one in (log_odds, log_odds[::-1, ::-1])]
    width = log_odds.shape[1]
    found = []
    for record in records:
        codes = np.frombuffer(record.codes, np.uint8)
        windows = np.lib.stride_tricks.sliding_window_view(codes, width)
        found.append(max(float(m[windows, np.arange(width)].sum(1).max()) for m in matrices))
    return np.array(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, default=Path("runs/cebpb"))
    folder = parser.parse_args().run
    train(folder)
    motif = next(motif for motif in jaspar_core() if motif.alt_name == "CEBPB")
    differ, hits, logits = [], [], []
    for name in PAIRS:
        pair = pairs_of(name)
        differ.append(np.array([a.codes != b.codes for a, b in zip(*pair, strict=True)]))
        hits.append(best_hits(pair[0], motif) - best_hits(pair[1], motif))
        stem = DATA / "maggie_variants" / f"MouseMacrophage_LDTF__CEBPB__{name}"
        scores = [ml.predict(folder, f"{stem}_{kind}.fa.gz")["logit"] for kind in ("ref", "mut")]
        logits.append((scores[0] - scores[1]).to_numpy())
    known = np.concatenate(differ)
    matrix, model = np.concatenate(hits)[known], np.concatenate(logits)[known]
    apart = np.abs(matrix) > 1e-6
    print(f"{len(known):,} pairs, of which {known.sum():,} differ; {motif.name} {motif.alt_name}")
    print("| pairs | n | matrix: bound allele higher | equal | model: bound allele higher |")
    print("|---|---|---|---|---|")
    for what, rows in (("best hit differs", apart), ("all that differ", np.ones_like(apart))):
        own, other = ((scores[rows] > 0).mean() for scores in (model, matrix * apart))
        equal = 1 - apart[rows].mean()
        print(f"| {what} | {rows.sum():,} | {other:.1%} | {equal:.1%} | {own:.1%} |")


if __name__ == "__main__":
    main()
