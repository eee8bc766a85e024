"""Can attention replace the CNN? Learning curves of four architectures on five tasks.

    python -m benchmarks.models [--output runs/bench-models] [--tasks …] [--models …] [--seeds 3]

Run with ``make bench-models``. The tasks are in ``benchmarks/model_tasks.py``: the tutorial's, two
motifs whose order or distance decides, and two real sets where ``../shared/data`` is there. Every
model is trained by its default recipe on the first n sequences a seed draws, and scored on held-out
sequences; of the real sets these come from the training or validation parts, never from a test
part. Each line of ``rows.jsonl`` is one task, model and size with its seeds, each file beside it
holds the logits: the same call goes on where an earlier one ended. Seconds are of the processor, of
one thread. Nothing is chosen by what is measured here.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.model_tables import logits_file, tables
from benchmarks.model_tasks import TASKS, Task, gap_effects
from motiflens import score_rule
from motiflens.auditing.baselines import BASELINES
from motiflens.datasets import SequenceDataset
from motiflens.discovery import find_motifs
from motiflens.evidence import Controls, true_bases, trust_checks
from motiflens.files import write_whole
from motiflens.metrics import score
from motiflens.models import BothStrands, SequenceModel
from motiflens.motifs import recover
from motiflens.training import Job, Trained, recipe_for, train
from motiflens.training.loop import predict_trained

MODELS = ("cnn", "attention", "hybrid", "transformer")
N_EXPLAINED = 40


def points(task: Task, asked: argparse.Namespace) -> Iterator[tuple[int, str]]:
    """Give the sizes and models of a task, the largest size first: it answers most."""
    for size in sorted(asked.sizes or task.sizes, reverse=True):
        for model in asked.models:
            yield size, model


def measured(task: Task, size: int, name: str, folder: Path, n_seeds: int) -> dict[str, Any]:
    """Train the seeds of one model on so many sequences, and score them."""
    data = task.data()
    recipe = recipe_for(name, both_strands=task.both_strands)
    job = Job(name, tuple(range(n_seeds)), recipe, n_train=size, watch_test=False)
    started = time.process_time()
    trained = train(data, job, threads=1)
    seconds = (time.process_time() - started) / n_seeds
    test = data.part("test")
    logits = np.stack([predict_trained(one, test) for one in trained])
    np.save(folder / logits_file(task.name, size, name), logits)
    row: dict[str, Any] = {
        "task": task.name,
        "model": name,
        "n_train": size,
        "parameters": sum(p.numel() for p in trained[0].model.parameters()),
        "seconds": seconds,
        "epochs": [len(one.history) for one in trained],
        "scores": [score(test.labels, of_seed) for of_seed in logits],
    }
    if task.motifs:
        row["exact"] = [recovered(_module(one), task, test) for one in trained]
    if size == task.sizes[-1]:
        row |= explained(task, trained, test)
    return row


def _module(trained: Trained) -> SequenceModel:
    both = trained.job.settings.rc_average
    return BothStrands(trained.model).eval() if both else trained.model


def recovered(model: SequenceModel, task: Task, test: SequenceDataset) -> dict[str, list[str]]:
    """Give the true motifs that come out exactly, by route."""
    positives = test.subset(np.flatnonzero(test.labels == 1)[:N_EXPLAINED])
    found = find_motifs(model, positives, ["ism", "saliency", "attention"])
    return {
        route: [
            motif.name
            for motif in task.motifs
            if any(recover(one.ppm, [motif]).exact for one in motifs)
        ]
        for route, motifs in found.items()
    }


def explained(task: Task, trained: Sequence[Trained], test: SequenceDataset) -> dict[str, Any]:
    """Judge the first seed: what its attention is worth, and whether it knows the rule."""
    model = _module(trained[0])
    positives, negatives = (
        test.subset(np.flatnonzero(test.labels == label)[:N_EXPLAINED]) for label in (1, 0)
    )
    truth = None
    if positives.sites is not None:
        length = positives.codes.shape[1]
        truth = true_bases(positives.sites, task.motifs, positives.lengths, length)
    methods = ["ism", *(["attention"] if trained[0].job.architecture != "cnn" else [])]
    trust = trust_checks(
        model,
        positives.one_hot(),
        negatives.one_hot(),
        methods=methods,
        controls=Controls(truth=truth),
    )
    found: dict[str, Any] = {
        "verdict": trust.verdict,
        "depends": None if trust.attention is None else trust.attention.depends,
        "base_auroc": {name: one.base_auroc for name, one in trust.methods.items()},
        "above_null": {name: one.fraction_above_null for name, one in trust.methods.items()},
    }
    if len(task.motifs) == 2:
        found["gaps"] = [gap_effects(task, _module(one)) for one in trained]
        found["rule"] = [_rule(model, test)]
    return found


def _rule(model: SequenceModel, test: SequenceDataset) -> dict[str, float]:
    """Give the share of minimal pairs of which the logit falls, and of which mutagenesis shows."""
    found = score_rule(model, test, "ism", n=N_EXPLAINED)
    return {"logit": found.logit.score, "ism": found.methods["ism"].score}


def baselines(task: Task) -> dict[str, Any]:
    """Score the baselines, fitted on as many sequences as the largest size of the models."""
    data = task.data()
    rows = np.flatnonzero(np.asarray(data.split) == "train")
    part = data.subset(np.random.default_rng(0).permutation(rows)[: task.sizes[-1]])
    test, strands = data.part("test"), "both" if task.both_strands else "forward"
    scores = {
        name: score(test.labels, fit(part, np.random.default_rng(0), strands)(test))
        for name, fit in BASELINES.items()
    }
    return {"task": task.name, "n_train": task.sizes[-1], "baselines": scores}


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.models", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("runs/bench-models"))
    parser.add_argument("--tasks", nargs="+", default=list(TASKS))
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--sizes", type=int, nargs="+")
    parser.add_argument("--seeds", type=int, help="of every task; else what the task says")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is missing, line by line, then write and print the tables."""
    asked = parsed(arguments)
    asked.output.mkdir(parents=True, exist_ok=True)
    lines = asked.output / "rows.jsonl"
    rows = [json.loads(line) for line in lines.read_text().splitlines()] if lines.exists() else []
    done = {(row["task"], row["n_train"], row.get("model")) for row in rows}

    def keep(row: dict[str, Any]) -> None:
        rows.append(row)
        with lines.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        print(row["task"], row["n_train"], row.get("model", "baselines"), flush=True)

    for task in (TASKS[name] for name in asked.tasks):
        if not task.is_there():
            print(f"{task.name}: its data are not there", flush=True)
            continue
        if (task.name, task.sizes[-1], None) not in done:
            keep(baselines(task))
        for size, model in points(task, asked):
            if (task.name, size, model) not in done:
                keep(measured(task, size, model, asked.output, asked.seeds or task.seeds))
    text = tables(rows, asked.output)
    write_whole(asked.output / "tables.md", text.encode())
    print(text, end="")


if __name__ == "__main__":
    main()
