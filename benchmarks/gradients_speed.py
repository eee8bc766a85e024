"""Seconds of DeepLIFT/SHAP and integrated gradients of `cnn`, beside captum's and tangermeme's.

Run with ``python -m benchmarks.gradients_speed``. All take turns in one process on one thread, on
one strand of the same random sequences of 200 bases; seconds are those of the processor. Weights
are those that training begins with. DeepLIFT/SHAP gets the same 20 shuffled references, whose
drawing is in nobody's time; integrated gradients the same baseline, 1/4 of every base, and the
same number of points. The peers follow modules, not functions, and get the same weights as
``nn.Conv1d``, ``nn.ReLU``, ``nn.MaxPool1d`` and ``nn.Linear``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from statistics import median
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor, nn

from motiflens.attribution import deeplift, deeplift_shap, integrated_gradients
from motiflens.attribution.references import even_baseline, shuffled_references
from motiflens.models import build_model
from motiflens.models.cnn import CNN

LENGTH, N_REFERENCES, N_POINTS = 200, 20, 65
#: What the goal is stated for; fewer are timed, as the time grows with their number.
N_OF_GOAL, GOAL = 1000, ">= 1.5"


def of_modules(model: CNN, length: int) -> nn.Module:
    """Return the same model made of modules that the peers have rules for."""
    n_filters, _, kernel_size = model.filters.shape
    convolution = nn.Conv1d(4, n_filters, kernel_size, padding="same")
    with torch.no_grad():
        convolution.weight.copy_(model.first.weight)
        convolution.bias.copy_(model.first.bias)
    hidden = [nn.Linear(*layer.weight.shape[::-1]) for layer in (model.hidden, model.output)]
    for layer, own in zip(hidden, (model.hidden, model.output), strict=True):
        layer.load_state_dict(own.state_dict())
    pooled = nn.Sequential(convolution, nn.ReLU(), nn.MaxPool1d(length), nn.Flatten())
    return nn.Sequential(*pooled, hidden[0], nn.ReLU(), hidden[1]).eval()


def in_turns(works: dict[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Return the median seconds of each, after a first call that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for repeat in range(repeats + 1):
        for name, work in works.items():
            started = time.process_time()
            work()
            if repeat:
                seconds[name].append(time.process_time() - started)
    return {name: median(values) for name, values in seconds.items()}


def deeplift_works(model: CNN, x: np.ndarray) -> dict[str, Callable[[], Any]]:
    """Return DeepLIFT/SHAP by ours and by the peers that are installed."""
    plain, given = of_modules(model, LENGTH), shuffled_references(x, N_REFERENCES, 0)

    def ours() -> np.ndarray:
        place = {"first": 0}

        def drawn(rows: np.ndarray, n_references: int, seed: int) -> np.ndarray:
            place["first"] += len(rows)
            return given[place["first"] - len(rows) : place["first"]]

        with mock.patch.object(deeplift, "shuffled_references", drawn):
            return deeplift_shap(model, x, n_references=N_REFERENCES).contributions

    works: dict[str, Callable[[], Any]] = {"ours": ours}
    tensor, references = torch.from_numpy(x), torch.from_numpy(given)
    if installed("captum"):
        from captum.attr import DeepLift

        pairs = tensor.repeat_interleave(N_REFERENCES, 0)
        method = DeepLift(plain)

        def by_captum() -> Tensor:
            parts = [
                method.attribute(one.clone(), baselines=start, target=0)
                for one, start in zip(
                    pairs.split(64), references.flatten(0, 1).split(64), strict=True
                )
            ]
            return torch.cat(parts).view_as(references).mean(1)

        works["captum"] = by_captum
    if installed("tangermeme"):
        from tangermeme.deep_lift_shap import deep_lift_shap

        works["tangermeme"] = lambda: deep_lift_shap(
            plain, tensor, references=references, batch_size=64, device="cpu", only_warn=True
        )
    return works


def integrated_works(model: CNN, x: np.ndarray) -> dict[str, Callable[[], Any]]:
    """Return integrated gradients by ours and by captum."""
    plain, points = of_modules(model, LENGTH), [np.linspace(0, 1, N_POINTS)] * len(x)
    works: dict[str, Callable[[], Any]] = {
        "ours": lambda: integrated_gradients(model, x, points=points).contributions
    }
    if installed("captum"):
        from captum.attr import IntegratedGradients

        method, start = IntegratedGradients(plain), torch.from_numpy(even_baseline(x))
        works["captum"] = lambda: method.attribute(
            torch.from_numpy(x),
            baselines=start,
            target=0,
            n_steps=N_POINTS,
            internal_batch_size=64,
        )
    return works


def installed(package: str) -> bool:
    """Return whether a peer is there."""
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


def measure(n: int = 32, repeats: int = 3) -> list[dict[str, Any]]:
    """Return one row for each method and peer."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        model = build_model("cnn", length=LENGTH, seed=0).eval()
        assert isinstance(model, CNN)
        codes = np.random.default_rng(0).integers(4, size=(n, LENGTH))
        x = np.ascontiguousarray(np.eye(4, dtype=np.float32)[codes].transpose(0, 2, 1))
        rows = []
        for name, works in (
            (f"DeepLIFT/SHAP, {N_REFERENCES} references", deeplift_works(model, x)),
            (f"integrated gradients, {N_POINTS} points", integrated_works(model, x)),
        ):
            seconds = in_turns(works, repeats)
            rows += [
                {
                    "work": f"{name}, cnn, {LENGTH} bp",
                    "ours_seconds": seconds["ours"],
                    "theirs_seconds": theirs,
                    "ratio": theirs / seconds["ours"],
                    "peer": peer,
                    "peer_version": version(peer),
                    "threads": 1,
                    "n": n,
                    "repeats": repeats,
                    "clock": "process",
                    "goal": GOAL,
                    "note": f"stated for {N_OF_GOAL:,} sequences, with whose number time grows",
                }
                for peer, theirs in seconds.items()
                if peer != "ours"
            ]
        return rows
    finally:
        torch.set_num_threads(before)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="benchmarks.gradients_speed", description=__doc__)
    parser.add_argument("--sequences", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args(arguments)
    print("| work | peer | theirs, ms a sequence | ours | ratio |\n|---|---|---|---|---|")
    for row in measure(asked.sequences, asked.repeats):
        theirs, ours = (1000 * row[key] / row["n"] for key in ("theirs_seconds", "ours_seconds"))
        peer = f"{row['peer']} {row['peer_version']}"
        print(f"| {row['work']} | {peer} | {theirs:.2f} | {ours:.2f} | {row['ratio']:.1f} |")


if __name__ == "__main__":
    main()
