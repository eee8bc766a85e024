"""Train on several processes; run by test_distributed.py under ``torchrun``.

Every process writes the losses it saw and the sha256 of its weights into a folder.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from tests.killed_training import result
from tests.toy_models import planted

from motiflens.training import Job, Recipe, Trained, checkpoint, distributed, train
from motiflens.training.batches import Batch
from motiflens.training.fit import Fit

# 81 training rows: the last batch of an epoch is one row, which one of two processes has to do.
RECIPE = Recipe(
    epochs=3, batch_size=16, rc_augment=True, max_shift=2, class_weights="balanced", refit=True
)
JOB = Job("attention", (0, 3, 5), RECIPE)


class Stopped(Exception):
    """Stands for the end of the processes."""


def losses(trained: list[Trained]) -> list[list[float]]:
    """Give what makes the loss curves, seed by seed."""
    return [[v for e in one.history for v in (e.train_loss, e.valid_loss)] for one in trained]


def interrupted(folder: Path, steps: int) -> list[Trained]:
    """Train, stop every process in a step, and go on from the checkpoint."""
    checkpoint.SECONDS = 0.0
    step, begun = Fit.step, []

    def stopping(fit: Fit, batch: Batch) -> None:
        begun.append(batch)
        if len(begun) > steps:
            raise Stopped
        step(fit, batch)

    Fit.step = stopping
    try:
        train(planted(shorter=True), JOB, checkpoint=folder)
    except Stopped:
        Fit.step = step
    return train(planted(shorter=True), JOB, checkpoint=folder)


def main(folder: Path) -> None:
    """Train in single and double precision, and once more with a stop."""
    with distributed.connected():
        single = train(planted(shorter=True), JOB)
        double = train(planted(shorter=True), JOB, dtype=torch.float64)
        found = {
            "processes": distributed.n_processes(),
            "single": losses(single),
            "double": losses(double),
            "weights": result([single]),
            "interrupted": result([interrupted(folder / "state", 9)]),
        }
        path = folder / f"{distributed.process()}.json"
        path.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
