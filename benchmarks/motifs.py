"""How well each route recovers implanted motifs, over twelve grammars of JASPAR motifs.

    python -m benchmarks.motifs [--quick] [--seeds 2] [--output runs/bench-motifs]

Of every grammar and seed one file of results is written; those that exist are not made again, so
that a call that was cut off goes on. The table is printed as markdown.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from motiflens.attribution import attribute
from motiflens.datasets import SequenceDataset, split_at_random
from motiflens.files import write_whole
from motiflens.matrices import Motif, information
from motiflens.models import BothStrands, SequenceModel
from motiflens.motifs import find_motifs, jaspar_core, recover
from motiflens.motifs.routes import Evidence, windows_around_maximum
from motiflens.pipeline.discovering import discover_motifs, of_each_class
from motiflens.simulation import Grammar, MotifUse, Spacing, simulate
from motiflens.training import Job, recipe_for, train

ROUTES = ("filters", "attention", "saliency", "ism")
SIMILAR, ALIKE, MIN_BITS, N_EXPLAINED = 0.9, 0.6, 10.0, 300


@dataclass(frozen=True)
class Case:
    """A grammar of the table: what its motifs are drawn into."""

    n_motifs: int
    length: int
    gc: float
    negatives: str = "random"
    spaced: bool = False


CASES = (
    Case(1, 50, 0.50),
    Case(1, 100, 0.35, "shuffled"),
    Case(1, 200, 0.65, "decoys"),
    Case(1, 500, 0.50),
    Case(2, 50, 0.65, "shuffled"),
    Case(2, 100, 0.50, "decoys"),
    Case(2, 200, 0.35, spaced=True),
    Case(2, 500, 0.50, "shuffled"),
    Case(3, 100, 0.50, "decoys"),
    Case(3, 200, 0.65, "shuffled", spaced=True),
    Case(4, 200, 0.50),
    Case(4, 500, 0.35, "decoys"),
)
QUICK = (0, 5)


def draw_grammar(case: Case, seed: int, n: int) -> Grammar:
    """Draw motifs that differ from each other; each is in 70 % of the positives, or the one in all.

    With ``decoys`` another motif is in positives and negatives alike, and is to be found by none.
    """
    generator = np.random.default_rng([seed, case.n_motifs, case.length])
    motifs: list[Motif] = []
    wanted = case.n_motifs + (case.negatives == "decoys")
    pool = [m for m in jaspar_core() if information(m.ppm).sum() >= MIN_BITS and m.width <= 16]
    while len(motifs) < wanted:
        drawn = pool[int(generator.integers(len(pool)))]
        if not motifs or recover(drawn.ppm, motifs).similarity < ALIKE:
            motifs.append(drawn)
    share = 1.0 if case.n_motifs == 1 else 0.7
    uses = [MotifUse(m, probability=share, strands="both") for m in motifs]
    at, gc = (1 - case.gc) / 2, case.gc / 2
    first_two = [m.name for m in motifs[:2]]
    return Grammar(
        motifs=tuple(uses[: case.n_motifs]),
        n=n,
        length=case.length,
        background=(at, gc, gc, at),
        negatives=case.negatives,
        decoys=tuple(replace(use, probability=0.7) for use in uses[case.n_motifs :]),
        decoys_in_positives=case.negatives == "decoys",
        spacing=(Spacing(*first_two, 2, 10),) if case.spaced else (),
        seed=seed,
    )


def measure(case: Case, seed: int, *, n: int = 3000) -> dict[str, object]:
    """Train a model on a grammar and take every route; what each finds, beside the truth."""
    grammar = draw_grammar(case, seed, n)
    truths = [use.motif for use in grammar.motifs]
    dataset = split_at_random(simulate(grammar), test=0.2, seed=seed)
    started = time.perf_counter()
    models = train_models(dataset, seed)
    seconds = {"training": time.perf_counter() - started}
    rest = dataset.subset(np.asarray(dataset.split) != "test")
    routes: dict[str, list[np.ndarray]] = {}
    for route in (*ROUTES, "deeplift_shap", "discovery"):
        started = time.perf_counter()
        routes[route] = take(route, models, rest, dataset.part("test"))
        seconds[route] = time.perf_counter() - started
    return {
        "case": vars(case),
        "seed": seed,
        "truths": [f"{m.name} {m.alt_name} {m.consensus}" for m in truths],
        "seconds": seconds,
        "routes": {route: judge(found, truths) for route, found in routes.items()},
    }


def train_models(dataset: SequenceDataset, seed: int) -> list[SequenceModel]:
    """Train two replicas of `attention`, the one model that serves every route."""
    recipe = replace(recipe_for("attention", both_strands=True), min_steps=800, refit=False)
    trained = train(dataset, Job("attention", (seed, seed + 1), recipe), threads=1)
    return [BothStrands(one.model) for one in trained]


def take(
    route: str, models: Sequence[SequenceModel], rest: SequenceDataset, test: SequenceDataset
) -> list[np.ndarray]:
    """Give the matrices that a route finds."""
    positives = of_each_class(rest, N_EXPLAINED)
    positives = positives.subset(positives.labels > 0)
    if route == "discovery":
        found = discover_motifs(models, rest, test, n_explained=2 * N_EXPLAINED).found
        return [one.motif.ppm for one in found if one.motif.direction == "positive"]
    if route == "deeplift_shap":
        evidence = Evidence(models[0], positives, "both")
        found = attribute(models[0], evidence.one_hot, route, n_references=5)
        windows = windows_around_maximum(np.maximum(found.track, 0))
        return [motif.ppm for motif in evidence.align(windows, route)]
    return [m.ppm for m in find_motifs(models[0], positives, [route], strands="both")[route]]


def judge(found: Sequence[np.ndarray], truths: Sequence[Motif]) -> dict[str, object]:
    """Tell which truths are found, and how many found motifs are none of them.

    A truth is found by the motif most similar to it, at least `SIMILAR`. A found motif is false
    if it is similar to no truth by `ALIKE`: between the two it is a part, or a poor copy.
    """
    best = [max((recover(ppm, [t]).similarity for ppm in found), default=0.0) for t in truths]
    matched = [recover(ppm, truths) for ppm in found]
    return {
        "similarity": best,
        "found_similarity": [one.similarity for one in matched],
        "recovered": sum(value >= SIMILAR for value in best),
        "n_truths": len(truths),
        "n_found": len(found),
        "n_false": sum(one.similarity < ALIKE for one in matched),
        "offsets": [abs(one.offset) for one in matched if one.similarity >= SIMILAR],
    }


def table(results: Sequence[dict]) -> str:
    """Write the table over all grammars and seeds as markdown."""
    routes = list(results[0]["routes"])
    lines = [
        "| route | recall at 0.9 | precision | false | mean similarity | mean offset | seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    for route in routes:
        of = [one["routes"][route] for one in results]
        truths, found = sum(o["n_truths"] for o in of), sum(o["n_found"] for o in of)
        recovered, false = sum(o["recovered"] for o in of), sum(o["n_false"] for o in of)
        similarity = np.mean([value for o in of for value in o["similarity"]])
        offsets = [value for o in of for value in o["offsets"]]
        seconds = np.mean([one["seconds"][route] for one in results])
        lines.append(
            f"| {route} | {recovered} of {truths} ({100 * recovered / truths:.0f} %) "
            f"| {100 * (found - false) / max(found, 1):.0f} % | {false} of {found} "
            f"| {similarity:.3f} | {np.mean(offsets) if offsets else float('nan'):.1f} "
            f"| {seconds:.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="two grammars, one seed")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--output", type=Path, default=Path("runs/bench-motifs"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.output.mkdir(parents=True, exist_ok=True)
    results = []
    for seed in range(1 if options.quick else options.seeds):
        for number in QUICK if options.quick else range(len(CASES)):
            path = options.output / f"grammar{number:02d}-seed{seed}.json"
            if not path.is_file():
                found = measure(CASES[number], seed)
                write_whole(path, json.dumps(found, indent=1).encode())
                print(path.name, found["seconds"], found["routes"]["discovery"], flush=True)
            results.append(json.loads(path.read_text(encoding="utf-8")))
    print(table(results))


if __name__ == "__main__":
    main()
