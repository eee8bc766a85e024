"""What the GPU rows time, in the source that is on the path: the old state of it, or the new.

    python -m benchmarks.gpu_work NAME --device cuda [--data FILE --test FILE] [--small]

prints one JSON object, ``{"seconds": s, "rate": r}``, of one of `WORKS`. Only what both states
have may be called here. ``--small`` is for a test that the script runs, not for figures.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from motiflens.attribution import attribute
from motiflens.datasets import split_at_random
from motiflens.models import build_model
from motiflens.sequences import one_hot
from motiflens.simulation import simulate, tutorial_grammar
from motiflens.training import Job, Recipe, train

LEAST_SECONDS, MOST_EPOCHS = 2.0, 256
"""An epoch is timed as the difference of two trainings, of which the longer has more and more
epochs until that difference takes so long."""


@dataclass(frozen=True)
class Asked:
    """Where to compute, on what, and whether only to try it out."""

    device: str
    small: bool
    data: Path | None = None
    test: Path | None = None


def trained(model: str, n_seeds: int) -> Callable[[Asked], dict[str, float]]:
    """Return what trains many seeds at once on the tutorial's data: sequences a second."""

    def work(asked: Asked) -> dict[str, float]:
        data = split_at_random(simulate(tutorial_grammar(), 0), test=0.2, seed=0)
        if asked.small:
            data = data.subset(np.arange(0, len(data), 20))
        seeds = tuple(range(2 if asked.small else n_seeds))

        def seconds_of(epochs: int) -> float:
            recipe = Recipe(epochs=epochs, validation_fraction=0.0)
            job = Job(model, seeds, recipe, watch_test=False)
            return timed(lambda: train(data, job, device=asked.device), asked)

        seconds_of(1)
        first, epochs = seconds_of(1), 4
        seconds = seconds_of(1 + epochs) - first
        while not asked.small and seconds < LEAST_SECONDS and epochs < MOST_EPOCHS:
            epochs *= 4
            seconds = seconds_of(1 + epochs) - first
        n = len(data.part("train")) * len(seeds)
        return {"seconds": seconds / epochs, "rate": n * epochs / max(seconds, 1e-9)}

    return work


def explained(
    model: str, method: str, number: int, length: int
) -> Callable[[Asked], dict[str, float]]:
    """Return what explains random sequences by a model with initial weights: seconds.

    The first few are explained before, which also compiles or captures what is compiled.
    """

    def work(asked: Asked) -> dict[str, float]:
        n = 2 if asked.small else number
        bases = np.random.default_rng(0).integers(0, 4, (n, 60 if asked.small else length))
        sequences = one_hot(bases.astype(np.uint8))
        module = build_model(model, length=sequences.shape[2], seed=0).eval().to(asked.device)
        attribute(module, sequences[:4], method)
        seconds = timed(lambda: attribute(module, sequences, method), asked)
        return {"seconds": seconds, "rate": n / seconds}

    return work


def whole_run(asked: Asked) -> dict[str, float]:
    """Run the command on the file that was given: seconds, start of the process included."""
    assert asked.data is not None
    test = [] if asked.test is None else ["--test", str(asked.test)]
    few = ["--models", "cnn", "--sizes", "none", "--seeds", "1"] if asked.small else []
    with tempfile.TemporaryDirectory() as folder:
        command = ["run", str(asked.data), *test, "-o", folder, "--overwrite", *few]
        command = [sys.executable, "-m", "motiflens", *command, "--device", asked.device]
        started = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr[-500:])
        return {"seconds": time.perf_counter() - started}


def timed(work: Callable[[], object], asked: Asked) -> float:
    """Return the wall time of a call, all that it started on the device included."""
    started = time.perf_counter()
    work()
    if asked.device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter() - started


WORKS: dict[str, Callable[[Asked], dict[str, float]]] = {
    "attention-20": trained("attention", 20),
    "attention-100": trained("attention", 100),
    "mutagenesis": explained("attention", "ism", 32, 1000),
    "deeplift": explained("cnn", "deeplift_shap", 300, 200),
    "integrated": explained("cnn", "integrated_gradients", 300, 200),
    "run": whole_run,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the figures of one work."""
    parser = argparse.ArgumentParser(prog="benchmarks.gpu_work")
    parser.add_argument("name", choices=WORKS)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--test", type=Path)
    parser.add_argument("--small", action="store_true")
    given = parser.parse_args(arguments)
    asked = Asked(given.device, given.small, given.data, given.test)
    print(json.dumps(WORKS[given.name](asked)))


if __name__ == "__main__":
    main()
