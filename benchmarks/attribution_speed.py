"""Seconds and memory of every method of explanation, on the default models of the benchmark.

Run with ``make bench-attribution``. The models are those of ``make bench-explain`` on its grammar
of three motifs, trained first where that has not been run: integrated gradients take the more steps
the more a model bends, so that untrained weights would cost less. The explained sequences, of 200
bases, are the first of the test part; checks are on, as by default.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from benchmarks.explain import Case, fitted
from benchmarks.grammars import make_data, usable
from benchmarks.memory import peak
from motiflens.attribution import METHODS, Attributions, attribute
from motiflens.datasets import SequenceDataset
from motiflens.errors import InputError
from motiflens.models import SequenceModel
from motiflens.motifs.database import jaspar_core
from motiflens.training import n_cores

WARM_UP = 8


def held(found: Attributions) -> int:
    """Bytes of a result."""
    return sum(part.nbytes for part in vars(found).values() if isinstance(part, np.ndarray))


def measured(model: SequenceModel, one_hot: np.ndarray) -> tuple[np.ndarray, int]:
    """Print the seconds of each method, those of the clock and of all cores; give sums and bytes.

    The bytes are those of the largest result; each is dropped before the next is made.
    """
    total, largest = np.zeros(2), 0
    for method in METHODS:
        try:
            attribute(model, one_hot[:WARM_UP], method)
        except InputError as refusal:
            print(f"| {method} | refused: {refusal.problem} | |", flush=True)
            continue
        before = np.array([time.perf_counter(), time.process_time()])
        largest = max(largest, held(attribute(model, one_hot, method)))
        seconds = np.array([time.perf_counter(), time.process_time()]) - before
        print(f"| {method} | {seconds[0]:.1f} | {seconds[1]:.1f} |", flush=True)
        total += seconds
    return total, largest


def measure(name: str, data: SequenceDataset, asked: argparse.Namespace) -> None:
    """Print the table of one model for each number of sequences, and how its memory grows."""
    model, _ = fitted(Case(3, 0, name), data, asked.output)
    one_hot = data.part("test").one_hot()
    peaks = []
    for n in asked.explained:
        print(f"\n| {name}, {n:,} sequences | seconds | seconds of all cores |\n|---|---|---|")
        total, result = measured(model, one_hot[:n])
        print(f"| all | {total[0]:.1f} | {total[1]:.1f} |")
        peaks.append((peak(), result))
        print(
            f"\npeak {peaks[-1][0] / 1e6:.0f} MB, largest result {result / 1e6:.1f} MB", flush=True
        )
    grown, of_result = np.subtract(peaks[-1], peaks[0]) / 1e6
    print(f"from the first to the last number the peak grows by {grown:.1f} MB", end=", ")
    print(f"the largest result by {of_result:.1f} MB", flush=True)


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.attribution_speed", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("runs/bench-explain"))
    parser.add_argument("--models", nargs="+", default=["cnn", "attention"])
    parser.add_argument("--sequences", type=int, default=20_000, help="of the data set")
    parser.add_argument("--explained", type=int, nargs="+", default=[250, 1000])
    parser.add_argument("--threads", type=int, default=n_cores())
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    asked = parsed(arguments)
    asked.output.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(asked.threads)
    print(f"torch {torch.__version__}, {asked.threads} of {n_cores()} cores")
    data, _ = make_data(usable(jaspar_core()), 3, 0, asked.sequences)
    for name in asked.models:
        measure(name, data, asked)


if __name__ == "__main__":
    main()
