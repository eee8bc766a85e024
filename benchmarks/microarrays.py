"""Protein-binding microarrays as numbers: trained on one array, tested on the other.

`python -m benchmarks.microarrays`: for each factor of DREAM5's arrays, `motiflens compare` with
`--task regression --strands both` (probes are double-stranded) on array HK, tested on ME, beside
ridge regressions on counts of 6-mers and of 8-mers (both strands; the penalty chosen on a quarter
of HK). The data lie in the folder beside the
repository; a factor that is done in the folder of runs is not trained again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import ROOT
from motiflens.auditing.baselines import on_both_strands
from motiflens.auditing.predicted_numbers import best_ridge
from motiflens.io.binding_arrays import read_signals
from motiflens.metrics import evaluate_numbers
from motiflens.results import Results
from motiflens.results.tracks import best_validated

ARRAYS = ROOT.parent / "shared" / "data" / "pbm_dream5"
FACTORS = ("Cebpb", "Egr2", "Foxj2")
KMERS = (6, 8)
SEED = 0


def train(factor: str, folder: Path, models: str, seeds: int) -> float:
    """Train as a user would, unless it is done; return the seconds of the processor."""
    results = Results(folder)
    if not results.holds("regression"):
        command = [sys.executable, "-m", "motiflens", "compare", ARRAYS / f"{factor}_HK.txt.gz"]
        command += ["--test", ARRAYS / f"{factor}_ME.txt.gz", "--signal-column", "2"]
        command += ["--task", "regression", "--strands", "both", "--models", models]
        command += ["--seeds", seeds, "--threads", 1, "-o", folder]
        subprocess.run(list(map(str, command)), check=True, stdout=sys.stderr)
    used = results.timings.used
    assert isinstance(used, dict)
    return sum(stage.processor_seconds for stage in used.values())


def ridges(factor: str) -> tuple[dict[str, Any], dict[str, float]]:
    """Score ridge regressions on counts of k-mers: their scores, and seconds of the processor."""
    arrays = [ARRAYS / f"{factor}_{name}.txt.gz" for name in ("HK", "ME")]
    known, other = (on_both_strands(read_signals(path, signal_column=2)[0]) for path in arrays)
    predicted, seconds = {}, {}
    for k in KMERS:
        started = time.process_time()
        predicted[f"{k}-mer ridge"] = best_ridge(known, (k,))(known)(other)
        seconds[f"{k}-mer ridge"] = time.process_time() - started
    generator = np.random.default_rng(SEED)
    return evaluate_numbers(other.labels, predicted, generator=generator)[0], seconds


def measure(factor: str, runs: Path, models: str, seeds: int) -> list[dict[str, Any]]:
    """Return a row for each model and baseline of a factor."""
    seconds = train(factor, runs / factor, models, seeds)
    results = Results(runs / factor)
    best = best_validated(results)
    rows = [
        {"factor": factor, "model": name, "seeds": len(model.seeds), "chosen": name == best,
         "seconds of all": seconds}
        | {metric: _triple(getattr(model.test, metric)) for metric in ("spearman", "pearson")}
        for name, model in results.regression.models.items()
    ]  # fmt: skip
    scores, took = ridges(factor)
    rows += [
        {"factor": factor, "model": name, "seconds": took[name]}
        | {m: [found[m][end] for end in ("value", "low", "high")] for m in ("spearman", "pearson")}
        for name, found in scores.items()
    ]
    return rows


def _triple(estimate: Any) -> list[float]:
    return [estimate.value, estimate.low, estimate.high]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("runs/microarrays"))
    parser.add_argument("--factors", nargs="+", default=FACTORS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--models", default="cnn,attention")
    given = parser.parse_args()
    for factor in given.factors:
        for row in measure(factor, given.runs, given.models, given.seeds):
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
