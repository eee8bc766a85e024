"""Seconds of saturation mutagenesis, ours and tangermeme's fast one, on the same weights.

Both run in one process and one thread, in turn; the seconds are those of the processor, medians.
tangermeme does not try its fast way where a job would take less than 30 s, so its threshold is set
to 0. What it takes to capture a module counts on both sides. Of the weights, those drawn for a new
model: trained ones let more filters through, so that ours takes a little longer on `cnn`.
"""

from __future__ import annotations

import argparse
import importlib
import time
import warnings
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.rows import REPEATS, Row, row
from motiflens.attribution import saturation_mutagenesis
from motiflens.models import build_model

#: Sequences of one call, by their length.
SEQUENCES = {50: 16, 200: 8, 600: 4, 1000: 2}
#: Least ratio asked for, by model and length.
GOALS = {
    ("cnn", 50): 20, ("cnn", 200): 40, ("cnn", 1000): 200,
    ("attention", 50): 15, ("attention", 200): 15, ("attention", 1000): 40,
    ("basset-like", 200): 1.5, ("basset-like", 600): 1.5, ("bpnet-like", 1000): 1.5,
}  # fmt: skip
OURS = ("cnn", "attention", "tutorial-cnn", "tutorial-attention")


class BPNetLike(nn.Module):
    """Dilated residual convolutions, their mean, one logit (after Avsec et al. 2021)."""

    def __init__(self, n_channels: int = 64, n_layers: int = 8) -> None:
        super().__init__()
        self.first = nn.Conv1d(4, n_channels, 21, padding=10)
        dilations = [2**layer for layer in range(1, n_layers + 1)]
        self.layers = nn.ModuleList(
            nn.Conv1d(n_channels, n_channels, 3, padding=d, dilation=d) for d in dilations
        )
        self.output = nn.Linear(n_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map one-hot (N, 4, L) to logits (N, 1)."""
        x = torch.relu(self.first(x))
        for layer in self.layers:
            x = x + torch.relu(layer(x))
        return self.output(x.mean(-1))


def basset_like(length: int) -> nn.Module:
    """Build three convolutions with pools and two hidden layers (after Kelley et al. 2016)."""
    layers: list[nn.Module] = []
    for n_channels, n_filters, width, pool in [
        (4, 300, 19, 3),
        (300, 200, 11, 4),
        (200, 200, 7, 4),
    ]:
        layers += [
            nn.Conv1d(n_channels, n_filters, width, padding=width // 2),
            nn.BatchNorm1d(n_filters),
            nn.ReLU(),
            nn.MaxPool1d(pool),
        ]
    layers += [nn.Flatten(), nn.Linear(200 * (length // 3 // 4 // 4), 1000), nn.ReLU()]
    layers += [nn.Dropout(0.3), nn.Linear(1000, 1000), nn.ReLU(), nn.Dropout(0.3)]
    return nn.Sequential(*layers, nn.Linear(1000, 1))


class Column(nn.Module):
    """Give the logits of a module as a column, as tangermeme wants them."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        """Map one-hot (N, 4, L) to logits (N, 1)."""
        return self.module(x).view(len(x), 1)


def cases() -> list[tuple[str, int, nn.Module]]:
    """Build the models with their lengths."""
    found: list[tuple[str, int, nn.Module]] = [
        (name, length, build_model(name, length=length, seed=0))
        for name in OURS
        for length in (50, 200, 1000)
    ]
    torch.manual_seed(0)
    found += [("basset-like", length, basset_like(length)) for length in (200, 600)]
    return [*found, ("bpnet-like", 1000, BPNetLike())]


def one_hot(n: int, length: int) -> Tensor:
    codes = torch.randint(0, 4, (n, length), generator=torch.Generator().manual_seed(0))
    return nn.functional.one_hot(codes, 4).float().mT.contiguous()


def compared(name: str, length: int, module: nn.Module, repeats: int) -> Row:
    """Time both on one model, in turn, and hold their effects against each other."""
    module.eval()
    x = one_hot(SEQUENCES[length], length)
    given = module if name.endswith("-like") else Column(module).eval()
    effects = saturation_mutagenesis(module, x.numpy(), threads=1)  # warms up
    ours, theirs = [], []
    for _ in range(repeats):
        start = time.process_time()
        saturation_mutagenesis(module, x.numpy(), threads=1)
        ours.append(time.process_time() - start)
        start = time.process_time()
        others, fast = by_tangermeme(given, x)
        theirs.append(time.process_time() - start)
    way = "its fast way" if fast else "its fast way fell back to whole passes"
    difference, largest = (float(np.abs(a).max()) for a in (effects - others, effects))
    goal = GOALS.get((name, length))
    return row(
        f"mutagenesis, {name}, {length:,} bp",
        ours,
        theirs,
        "tangermeme",
        n=SEQUENCES[length],
        goal="" if goal is None else f"≥ {goal}",
        note=f"{way}; effects differ by {difference:.0e}, the largest is {largest:.0e}",
    )


def by_tangermeme(module: nn.Module, x: Tensor) -> tuple[np.ndarray, bool]:
    """Return the effects (N, 4, L) that tangermeme finds, and whether by its fast way."""
    theirs = importlib.import_module("tangermeme.saturation_mutagenesis")
    theirs._FAST_MIN_SECONDS = 0.0
    with warnings.catch_warnings(record=True) as fell_back:
        warnings.simplefilter("always")
        before, after = theirs.saturation_mutagenesis(
            module, x, device="cpu", raw_outputs=True, fast=True
        )
    return (after - before[:, None, None]).squeeze(-1).numpy(), not fell_back


def measured(models: Sequence[str] = (), repeats: int = REPEATS) -> Iterator[Row]:
    """Compare both on every model, or on those named, one after another."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        # What its first call of a process takes is nobody's speed.
        by_tangermeme(Column(build_model("tutorial-cnn", length=50, seed=0)).eval(), one_hot(1, 50))
        for name, length, module in cases():
            if not models or name in models:
                yield compared(name, length, module, repeats)
    finally:
        torch.set_num_threads(threads)


def measure(models: Sequence[str] = (), repeats: int = REPEATS) -> list[Row]:
    """Compare both on every model, or on those named."""
    return list(measured(models, repeats))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the rows as they come."""
    parser = argparse.ArgumentParser(prog="benchmarks.mutagenesis_speed", description=__doc__)
    parser.add_argument("--models", nargs="+", default=[])
    parser.add_argument("--repeats", type=int, default=REPEATS)
    asked = parser.parse_args(arguments)
    for one in measured(asked.models, asked.repeats):
        print(one["work"], one["ours_seconds"], one["theirs_seconds"], one["ratio"], one["note"])


if __name__ == "__main__":
    main()
