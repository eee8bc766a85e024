"""How fast sequences of a file are scored, beside the bare model on one-hot that is ready.

`python -m benchmarks.predict_rate`: a `cnn` of two seeds on both strands, untrained (its time does
not depend on its weights), one thread, 100,000 × 100 bp.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.rows import Row, in_turns, row
from motiflens.models import BothStrands, build_model
from motiflens.scoring.models import BASES_AT_ONCE, ModuleScorer
from motiflens.scoring.prediction_files import write_predictions
from motiflens.scoring.records import open_records
from motiflens.sequences import decode, one_hot

N, LENGTH = 100_000, 100
#: The bare model's time over ours was to be this or more.
GOAL = 0.8
AT_ONCE = BASES_AT_ONCE["cpu"] // LENGTH


def scorer() -> ModuleScorer:
    members = tuple(
        BothStrands(build_model("cnn", length=LENGTH, seed=seed)).eval() for seed in (0, 1)
    )
    facts: dict[str, Any] = {"name": "cnn", "sha256": "", "n_seeds": 2, "both_strands": True}
    least = members[0].min_length
    return ModuleScorer(
        **facts, min_length=least, length=LENGTH, members=members, device=torch.device("cpu")
    )


def measure(n: int = N // 5, repeats: int = 3) -> list[Row]:
    """Time both, in turns, on one thread."""
    torch.set_num_threads(1)
    codes = np.random.default_rng(0).integers(0, 4, (n, LENGTH)).astype(np.uint8)
    model, ready = scorer(), torch.from_numpy(one_hot(codes))
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder, "in.fa"), Path(folder, "out.tsv")
        texts = decode(codes, np.full(n, LENGTH, np.int32))
        path.write_text("".join(f">s{i}\n{text}\n" for i, text in enumerate(texts)))

        def ours() -> None:
            write_predictions(model, open_records(path), out)

        def bare() -> None:
            with torch.inference_mode():
                for batch in torch.split(ready, AT_ONCE):
                    for member in model.members:
                        member(batch)

        bare()
        seconds = in_turns(ours, bare, repeats=repeats)
    work = "sequences of FASTA scored into a table, cnn, 2 seeds, both strands"
    note = f"theirs: the bare model on ready one-hot; rate {n / np.median(seconds[0]):,.0f} / s"
    return [row(work, *seconds, None, n=n, note=note, goal=f"a ratio of {GOAL} or more")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=N)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    (found,) = measure(given.n, given.repeats)
    print(f"{os.cpu_count()} cores, one used: {found}")


if __name__ == "__main__":
    main()
