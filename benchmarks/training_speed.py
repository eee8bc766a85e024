"""Training time a replicate: the tutorial's loop against ours, in one run on one machine.

Part of ``make bench``; alone: ``python -m benchmarks.training_speed``. The first epoch of either
is a warm-up and is not timed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import product

import numpy as np
import torch

from benchmarks.rows import Row, row
from benchmarks.tutorial_loop import TutorialAttention, TutorialCNN, train_tutorial
from motiflens import simulate
from motiflens.datasets import SequenceDataset, split_at_random
from motiflens.simulation import tutorial_grammar
from motiflens.training import Job, Recipe, n_cores, train

EPOCHS = 4
REPLICATES = 20
PLAIN_REPLICATES = 3
TURNS = 3
MODELS = {"tutorial-cnn": TutorialCNN, "tutorial-attention": TutorialAttention}

Clock = Callable[[], float]
Timing = Callable[[str, SequenceDataset, int, Clock], float]


def seconds_of_the_plain_loop(
    name: str, data: SequenceDataset, threads: int, clock: Clock = time.perf_counter
) -> float:
    """Median seconds an epoch of one replicate of the tutorial's loop."""
    torch.set_num_threads(threads)
    parts = [data.part(part) for part in ("train", "test")]
    tensors = [torch.as_tensor(a) for part in parts for a in (part.one_hot(), part.labels)]
    times = []
    for seed in range(PLAIN_REPLICATES):
        seconds = []
        for epochs in (1, 1 + EPOCHS):
            started = clock()
            train_tutorial(MODELS[name], *tensors, epochs=epochs, seed=seed)
            seconds.append(clock() - started)
        times.append((seconds[1] - seconds[0]) / EPOCHS)
    return float(np.median(times))


def seconds_of_ours(
    name: str, data: SequenceDataset, threads: int, clock: Clock = time.perf_counter
) -> float:
    """Seconds an epoch and replicate of ours, all replicates at once."""
    seconds = []
    for epochs in (1, 1 + EPOCHS):
        recipe = Recipe(epochs=epochs, validation_fraction=0.0)
        started = clock()
        train(data, Job(name, tuple(range(REPLICATES)), recipe), threads=threads)
        seconds.append(clock() - started)
    return (seconds[1] - seconds[0]) / EPOCHS / REPLICATES


def measure() -> list[Row]:
    """Time an epoch and replicate of both models together, on one thread and on every core.

    On every core the loop takes the threads it is faster with: they often slow it down.
    """
    data = tutorial_data()
    cores = n_cores()
    of: tuple[Timing, Timing] = (seconds_of_the_plain_loop, seconds_of_ours)
    threads, clocks = (1, cores), (time.process_time, time.perf_counter)
    seconds = np.zeros((TURNS, len(of), len(threads)))
    for turn, name in product(range(TURNS), MODELS):
        for (i, timing), (j, n) in product(enumerate(of), enumerate(threads)):
            seconds[turn, i, j] += timing(name, data, n, clocks[j])
    plain, ours = seconds.transpose(1, 2, 0)
    work = f"the tutorial's two models, an epoch and replicate of {REPLICATES}"
    n = len(data)
    peer = "the tutorial's loop"
    return [
        row(f"{work}, one thread", [*ours[0]], [*plain[0]], peer, goal="≥ 8", n=n),
        row(
            f"{work}, all cores",
            [*ours[1]],
            [*plain.min(axis=0)],
            peer,
            goal="≥ 12 on two cores",
            threads=cores,
            n=n,
            clock="wall",
        ),
    ]


def tutorial_data() -> SequenceDataset:
    """Simulate the tutorial's data, a fifth of it for testing."""
    return split_at_random(simulate(tutorial_grammar(), 0), test=0.2, seed=0)


def main() -> None:
    """Print the table."""
    data = tutorial_data()
    cores = n_cores()
    print(
        f"torch {torch.__version__}, {cores} cores; seconds an epoch and replicate, evaluation in"
    )
    print(f"{'':<20}{'plain, 1 thread':>17}{f'plain, {cores}':>10}", end="")
    print(f"{'ours, 1 thread':>16}{f'ours, {cores}':>9}{'1 to 1':>9}{f'1 to {cores}':>9}", end="")
    print(f"{f'{cores} to {cores}':>9}")
    sums = np.zeros(4)
    for name in MODELS:
        row = np.array(
            [
                seconds_of_the_plain_loop(name, data, 1),
                seconds_of_the_plain_loop(name, data, cores),
                seconds_of_ours(name, data, 1),
                seconds_of_ours(name, data, cores),
            ]
        )
        sums += row
        print_row(name, row)
    print_row("both models", sums)
    print(f"ratios: threads of the plain loop to threads of ours; {cores} to {cores} takes the")
    print("faster of the plain loop's two times")


def print_row(name: str, row: np.ndarray) -> None:
    ratios = row[0] / row[2], row[0] / row[3], row[:2].min() / row[3]
    print(f"{name:<20}{row[0]:>17.4f}{row[1]:>10.4f}{row[2]:>16.4f}{row[3]:>9.4f}", end="")
    print("".join(f"{ratio:>9.1f}" for ratio in ratios), flush=True)


if __name__ == "__main__":
    main()
