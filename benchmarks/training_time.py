"""One seed of `cnn` beside a gapped k-mer SVM, both trained on CTCF and scored once on its test.

The SVM is gkmsvm-lite with the settings of its command. It scores slowly, so only some of the test
sequences; training alone is timed.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from benchmarks.data import read_ctcf
from benchmarks.rows import Row, other_process, row, timed
from motiflens.datasets import SequenceDataset
from motiflens.training import Job, Trained, recipe_for, train
from motiflens.training.loop import predict_trained

N_SCORED, WARM_UP = 200, 200


def ours(data: SequenceDataset, seed: int = 0) -> Trained:
    """Train one seed as `run` does, on both strands; the test part is not looked at."""
    recipe = recipe_for("cnn", both_strands=True)
    return train(data, Job("cnn", (seed,), recipe, watch_test=False), threads=1)[0]


def theirs(
    data: SequenceDataset, scored: SequenceDataset | None = None
) -> tuple[float, np.ndarray | None]:
    """Train an SVM on the training part; give its seconds, and its scores of what is asked for."""
    from gkmsvm.train import train_gkmsvm

    part = data.part("train")
    classes = [part.subset(np.flatnonzero(part.labels == label)).sequences() for label in (1, 0)]
    svms: list[Any] = []
    seconds = timed(lambda: svms.append(train_gkmsvm(*classes, device="cpu")))
    return seconds, None if scored is None else np.asarray(svms[0](scored.one_hot())).ravel()


def measure() -> list[Row]:
    """Time both, twice theirs and three times ours, in turns."""
    with tempfile.TemporaryDirectory() as folder:
        data, what = read_ctcf(Path(folder))
    test = data.part("test")
    some = test.subset(np.linspace(0, len(test) - 1, N_SCORED).astype(int))
    rows = np.flatnonzero(np.asarray(data.split) == "train")
    few = data.subset(rows[np.linspace(0, len(rows) - 1, WARM_UP).astype(int)])
    own: list[Trained] = []
    seconds: tuple[list[float], list[float]] = ([], [])
    with other_process() as call:
        call(theirs, few), ours(few)
        for turn in range(3):
            seconds[0].append(timed(lambda: own.append(ours(data))))
            if turn < 2:
                spent, scores = call(theirs, data, some if turn == 1 else None)
                seconds[1].append(spent)
    auroc = roc_auc_score(test.labels, predict_trained(own[-1], test))
    other = roc_auc_score(some.labels, scores)
    note = f"test AUROC {auroc:.3f} of {len(test):,}; theirs {other:.3f} of {N_SCORED} of them" + (
        f"; {what}" if what != "FastSK CTCF" else ""
    )
    work = f"training one seed of cnn, {what}; theirs a gapped k-mer SVM"
    n = len(data.part("train"))
    return [
        row(work, *seconds, "gkmsvm-lite", n=n, goal="≥ 1, AUROC ≥ 0.96", note=note),
        row("one seed of cnn, the same alone", seconds[0], [], None, n=n, goal="≤ 3 s"),
    ]
