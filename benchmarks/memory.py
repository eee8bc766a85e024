"""Memory of training on a data set that does not fit into it.

Five million sequences of 200 bases are made while they are converted, then a CNN takes 2,000 steps
over random rows of the mapped file, with checkpoints. Run with
``python -m benchmarks.memory [FOLDER]``; it needs 3 GB in FOLDER (by default, that of temporary
files) and removes what it wrote.
"""

from __future__ import annotations

import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from motiflens.io.mapped import Entry, convert_streaming
from motiflens.training import Job, Recipe, train

N_SEQUENCES, LENGTH, STEPS, BATCH_SIZE = 5_000_000, 200, 2_000, 32
TEST_EVERY = 2_500
MOTIF = b"TGACTCA"
LIMIT = 2e9


def entries(n: int) -> Iterator[Entry]:
    """Make sequences as they are asked for; every second one has the motif."""
    generator = np.random.default_rng(0)
    letters = np.frombuffer(b"ACGT", dtype=np.uint8)
    for start in range(0, n, 10_000):
        bases = letters[generator.integers(0, 4, (min(10_000, n - start), LENGTH))]
        places = generator.integers(0, LENGTH - len(MOTIF), len(bases))
        for row in range(1, len(bases), 2):
            bases[row, places[row] : places[row] + len(MOTIF)] = np.frombuffer(MOTIF, np.uint8)
        text = bases.tobytes().decode()
        for row in range(len(bases)):
            part = "test" if (start + row) % TEST_EVERY < 2 else "train"
            sequence = text[row * LENGTH : (row + 1) * LENGTH]
            yield Entry(sequence, float(row % 2), split=part)


def peak() -> float:
    """Largest resident memory of this process so far, in bytes; mapped pages count."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def tell(what: str, started: float) -> None:
    seconds = time.perf_counter() - started
    print(f"{what:<50}{seconds:>8.1f} s   peak {peak() / 1e9:.2f} GB", flush=True)


def main(folder: Path) -> None:
    """Print the figures; the exit status is 1 when memory went over the limit."""
    free = shutil.disk_usage(folder).free
    needed = 3 * N_SEQUENCES * LENGTH
    if free < needed:
        sys.exit(f"{folder} has {free / 1e9:.1f} GB free, of {needed / 1e9:.1f} GB needed")
    started = time.perf_counter()
    tell("start", started)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        data = convert_streaming(entries(N_SEQUENCES), Path(name) / "large.motiflens")
        size = sum(path.stat().st_size for path in Path(name).rglob("*.npy"))
        tell(f"converted {len(data):,} x {LENGTH} bp, {size / 1e9:.2f} GB", started)
        recipe = Recipe(epochs=1, batch_size=BATCH_SIZE, validation_fraction=0.0)
        job = Job("cnn", (0,), recipe, n_train=STEPS * BATCH_SIZE)
        trained = train(data, job, checkpoint=Path(name) / "checkpoint")[0]
        tell(f"trained {STEPS:,} steps of {BATCH_SIZE} random rows", started)
        last = trained.history[-1]
        print(f"loss {last.train_loss:.3f}, test accuracy {last.test_accuracy:.3f}")
    sys.exit(peak() > LIMIT)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.gettempdir()))
