"""Seconds of saturation mutagenesis, ours and tangermeme's fast one, on the same weights.

Both run in one process and one thread, in turn; the seconds are those of the processor, medians.
tangermeme does not try its fast way where a job would take less than 30 s, so its threshold is set
to 0. What it takes to capture a module counts on both sides. Of the weights, those drawn for a new
model: trained ones let more filters through, so that ours takes a little longer on `cnn`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from motiflens.attribution import saturation_mutagenesis
from motiflens.models import build_model

#: Sequences of one call, by their length.
SEQUENCES = {50: 16, 200: 8, 600: 4, 1000: 2}
LINE = (
    "| {model} | {length} | {sequences} | {ours_seconds:.3f} | {tangermeme_seconds:.2f} | "
    "{ratio:.1f} | {tangermeme_fast} | {largest_difference:.1e} | {largest_effect:.1e} |"
)
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


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def compared(name: str, length: int, module: nn.Module, repeats: int) -> dict[str, object]:
    """Time both on one model, in turn, and hold their effects against each other."""
    theirs = importlib.import_module("tangermeme.saturation_mutagenesis")
    theirs._FAST_MIN_SECONDS = 0.0
    module.eval()
    x, column = one_hot(SEQUENCES[length], length), Column(module).eval()
    given = module if name.endswith("-like") else column
    effects = saturation_mutagenesis(module, x.numpy(), threads=1)  # warms up
    times: dict[str, list[float]] = {"ours": [], "tangermeme": []}
    for _ in range(repeats):
        times["ours"].append(seconds(lambda: saturation_mutagenesis(module, x.numpy(), threads=1)))
        with warnings.catch_warnings(record=True) as fell_back:
            warnings.simplefilter("always")
            start = time.process_time()
            before, after = theirs.saturation_mutagenesis(
                given, x, device="cpu", raw_outputs=True, fast=True
            )
            times["tangermeme"].append(time.process_time() - start)
    other = (after - before[:, None, None]).squeeze(-1).numpy()
    ours, tangermeme = (statistics.median(times[side]) for side in ("ours", "tangermeme"))
    return {
        "model": name,
        "length": length,
        "sequences": SEQUENCES[length],
        "ours_seconds": ours,
        "tangermeme_seconds": tangermeme,
        "ratio": tangermeme / ours,
        "tangermeme_fast": not fell_back,
        "largest_difference": float(np.abs(effects - other).max()),
        "largest_effect": float(np.abs(effects).max()),
    }


def measured(models: Sequence[str] = (), repeats: int = 3) -> Iterator[dict[str, object]]:
    """Compare both on every model, or on those named, one after another."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for name, length, module in cases():
            if not models or name in models:
                yield compared(name, length, module, repeats)
    finally:
        torch.set_num_threads(threads)


def measure(models: Sequence[str] = (), repeats: int = 3) -> list[dict[str, object]]:
    """Compare both on every model, or on those named."""
    return list(measured(models, repeats))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, and write it as JSON where asked."""
    parser = argparse.ArgumentParser(prog="benchmarks.mutagenesis_speed", description=__doc__)
    parser.add_argument("--models", nargs="+", default=[])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args(arguments)
    rows = []
    print(
        "| model | bases | sequences | ours, s | tangermeme, s | ratio | its fast way | "
        "largest difference | largest effect |\n|---|---|---|---|---|---|---|---|---|",
        flush=True,
    )
    for row in measured(asked.models, asked.repeats):
        print(LINE.format(**row), flush=True)
        rows.append(row)
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
