"""A run of every architecture, small and barely trained, and the bench that serves it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from starlette.testclient import TestClient

from motiflens.app.guard import Bucket, Guard, Rules
from motiflens.app.launch import first_views
from motiflens.app.page import bench_page, first_inside
from motiflens.app.served import Bench
from motiflens.app.server import PATHS, build
from motiflens.settings import Settings
from motiflens.stages.compare import compare
from toy_models import planted

EXPONENTIAL = {"n_filters": 14, "kernel_size": 8, "activation": "exponential"}
MODELS = {
    "cnn": {"n_filters": 24, "kernel_size": 9},
    "attention": {**EXPONENTIAL, "n_heads": 3, "n_hidden": 5},
    "hybrid": {"n_filters": 12, "kernel_size": 7, "n_blocks": 2, "n_heads": 2, "n_hidden": 5},
    "transformer": {"n_channels": 12, "n_blocks": 2, "n_heads": 3, "n_hidden": 5},
    "tutorial-cnn": {},
    "tutorial-attention": {},
}
PORT, TOKEN = 8765, "a-token-of-a-test"
NAMED = {"authorization": f"Bearer {TOKEN}"}


def make_served_run(folder: Path, *, models: Iterable[str] = MODELS, seeds: int = 2) -> Path:
    """Train every architecture for an epoch on windows of 37 bases, on both strands."""
    hyperparameters = {name: {**MODELS[name], "recipe": {"epochs": 1}} for name in models}
    settings = Settings(
        models=tuple(models), seeds=seeds, sizes=(), threads=1, strands="both",
        hyperparameters=hyperparameters, motif="GATTACCA",
    )  # fmt: skip
    return compare(planted(), folder, settings).path


def guarded(bench: Bench, bucket: Bucket | None = None) -> Guard:
    """Return the application of a bench, which all may ask as often as they like."""
    free = bucket or Bucket(rate=1e6, burst=1e6)
    rules = Rules(TOKEN, frozenset({f"127.0.0.1:{PORT}"}), frozenset(PATHS), bucket=free)
    page = bench_page(bench, first_views(bench), first_inside(bench))
    return build(bench, page, rules, threads=1)


client_of = partial(
    TestClient,
    base_url=f"http://127.0.0.1:{PORT}",
    headers=NAMED,
    raise_server_exceptions=False,
)
