"""Train with a checkpoint and be killed on the way; run by test_checkpoint.py as a process.

Every training is a fork of this process, which has loaded PyTorch already: so a kill costs a
fraction of a second. It prints how often it killed, and the sha256 of the weights of a training
that was never killed and of the one that was.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.toy_models import planted

from motiflens import files
from motiflens.training import Job, Recipe, Trained, checkpoint, train_all

RECIPE = Recipe(
    epochs=20,
    batch_size=8,
    schedule="cosine",
    weight_decay=0.01,
    metric="auprc",
    refit=True,
    rc_augment=True,
    max_shift=2,
    mutation_rate=0.01,
)
JOBS = [Job("attention", (3, 4), RECIPE), Job("cnn", (0,), RECIPE)]


def result(trained: list[list[Trained]]) -> str:
    """Fingerprint weights and histories, without the seconds."""
    digest = hashlib.sha256()
    for one in (one for job in trained for one in job):
        for value in one.model.state_dict().values():
            digest.update(value.numpy().tobytes())
        losses = [(e.train_loss, e.valid_loss, e.valid_auprc) for e in one.history]
        digest.update(repr((one.best_epoch, losses)).encode())
    return digest.hexdigest()


def train_in_a_fork(folder: Path | None, output: Path, dies_in_write: int = 0) -> int:
    """Begin to train in another process; it may kill itself within its n-th write."""
    pid = os.fork()
    if pid:
        return pid
    if dies_in_write:
        writes = []

        def replace(aside: str, path: Path) -> None:
            writes.append(path)
            if len(writes) == dies_in_write:
                Path(aside).write_bytes(Path(aside).read_bytes()[:1000])  # half a file
                os.kill(os.getpid(), signal.SIGKILL)
            os.rename(aside, path)

        files.os.replace = replace
    trained = train_all(planted(), JOBS, threads=2, checkpoint=folder)
    output.write_text(result(trained))
    os._exit(0)


def killed(pid: int, seconds: float) -> bool:
    """Kill a process after a time; tell whether it was still at work."""
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL


def main(n_kills: int, n_in_writes: int, seed: int) -> None:
    """Kill at random moments, then within writes, then let it come to its end."""
    checkpoint.SECONDS = 0.01
    random.seed(seed)
    with tempfile.TemporaryDirectory() as name:
        folder, output, plain = (Path(name) / part for part in ("state", "killed", "plain"))
        os.waitpid(train_in_a_fork(None, plain), 0)
        at_random = sum(
            killed(train_in_a_fork(folder, output), random.uniform(0.05, 0.25))
            for _ in range(n_kills)
        )
        in_writes = sum(
            os.waitstatus_to_exitcode(
                os.waitpid(train_in_a_fork(folder, output, random.randint(1, 12)), 0)[1]
            )
            == -signal.SIGKILL
            for _ in range(n_in_writes)
        )
        unfinished = not output.exists()
        os.waitpid(train_in_a_fork(folder, output), 0)
        print(at_random, in_writes, unfinished, plain.read_text(), output.read_text())


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
