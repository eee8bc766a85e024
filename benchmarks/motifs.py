"""How well each route recovers implanted motifs, over twelve grammars of JASPAR motifs.

    python -m benchmarks.motifs [--quick] [--seeds 2] [--processes 2] [--output runs/bench-motifs]

Of every grammar and seed one file of results is written; those that exist are not made again, so
that a call that was cut off goes on. The cases are shared out among processes of one thread each.
The tables are printed as markdown; their seconds are of the processor.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from motiflens.pipeline.discovering import Discovery, discover_motifs

from motiflens.attribution import Attributions
from motiflens.datasets import SequenceDataset, split_at_random
from motiflens.discovery import find_motifs
from motiflens.discovery.routes import Evidence, windows_around_maximum
from motiflens.files import write_whole
from motiflens.models import BothStrands, SequenceModel
from motiflens.motifs import Motif, information, jaspar_core, recover
from motiflens.simulation import Grammar, MotifUse, Spacing, simulate
from motiflens.training import Job, n_cores, recipe_for, train

LOOKING = ("filters", "attention", "saliency", "ism")
"""Routes that look at one maximum of each of `N_LOOKED_AT` positives."""

ROUTES = (*LOOKING, "deeplift_shap", "modisco", "discovery")
"""The last three read one explanation, of at most `N_EXPLAINED` sequences of either class."""

SIMILAR, ALIKE, MIN_BITS = 0.9, 0.6, 10.0
N_LOOKED_AT, N_EXPLAINED = 200, 600


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


def measure(
    case: Case, seed: int, *, n: int = 3000, min_steps: int = 800, routes: Sequence[str] = ROUTES
) -> dict[str, object]:
    """Train a model on a grammar and take every route; what each finds, beside the truth."""
    grammar = draw_grammar(case, seed, n)
    truths = [use.motif for use in grammar.motifs]
    dataset = split_at_random(simulate(grammar), test=0.2, seed=seed)
    started = time.process_time()
    models = train_models(dataset, seed, min_steps)
    seconds = {"training": time.process_time() - started}
    rest = dataset.subset(np.asarray(dataset.split) != "test")
    started = time.process_time()
    discovered = discover_motifs(models, rest, dataset.part("test"), n_explained=N_EXPLAINED)
    seconds["discovery"] = time.process_time() - started
    found: dict[str, list[np.ndarray]] = {}
    for route in routes:
        started = time.process_time()
        found[route] = take(route, models[0], discovered)
        seconds.setdefault(route, time.process_time() - started)
    return {
        "case": vars(case),
        "seed": seed,
        "truths": [f"{m.name} {m.alt_name} {m.consensus}" for m in truths],
        "seconds": seconds,
        "routes": {route: judge(ppms, truths) for route, ppms in found.items()},
    }


def train_models(dataset: SequenceDataset, seed: int, min_steps: int) -> list[SequenceModel]:
    """Train two replicas of `attention`, the one model that serves every route."""
    recipe = recipe_for("attention", both_strands=True)
    recipe = replace(recipe, min_steps=min_steps, refit=False)
    trained = train(dataset, Job("attention", (seed, seed + 1), recipe), threads=1)
    return [BothStrands(one.model) for one in trained]


def take(route: str, model: SequenceModel, discovered: Discovery) -> list[np.ndarray]:
    """Give the matrices that a route finds."""
    if route == "discovery":
        found = [finding.motif for finding in discovered.found]
        return [motif.ppm for motif in found if motif.direction == "positive"]
    all_of_them, rows = discovered.explained, np.flatnonzero(discovered.explained.labels > 0)
    if route in LOOKING:
        rows = rows[np.linspace(0, len(rows), min(N_LOOKED_AT, len(rows)), False, dtype=int)]
    known = discovered.attributions
    own = Attributions(
        known.method, known.one_hot[rows], known.contributions[rows], known.hypothetical[rows]
    )
    evidence = Evidence(model, all_of_them.subset(rows), "both", {own.method: own})
    if route == "deeplift_shap":
        windows = windows_around_maximum(np.maximum(evidence.attribution(route).track, 0))
        return [motif.ppm for motif in evidence.align(windows, route)]
    found = find_motifs(
        model, evidence.positives, [route], strands="both", attributions=evidence.attributions
    )
    return [motif.ppm for motif in found[route]]


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
    lines = [
        "| route | recall at 0.9 | precision | false | mean similarity | mean offset | seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    for route in results[0]["routes"]:
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


def table_of_grammars(results: Sequence[dict]) -> str:
    """Write what every route recovers of each grammar, over its seeds, as markdown.

    ``3/4 +1`` is three of four true motifs, and one false one.
    """
    routes = list(results[0]["routes"])
    lines = [f"| grammar | {' | '.join(routes)} |", "|---|" + "---|" * len(routes)]
    for case in CASES:
        own = [one for one in results if one["case"] == vars(case)]
        cells = []
        for of in ([one["routes"][route] for one in own] for route in routes):
            false = sum(o["n_false"] for o in of)
            recovered, truths = sum(o["recovered"] for o in of), sum(o["n_truths"] for o in of)
            cells.append(f"{recovered}/{truths}" + (f" +{false}" if false else ""))
        if own:
            lines.append(f"| {describe(case)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def describe(case: Case) -> str:
    """Say a grammar in a few words."""
    spaced = ", spaced" if case.spaced else ""
    return (
        f"{case.n_motifs} in {case.length} bp, GC {100 * case.gc:.0f} %, {case.negatives}{spaced}"
    )


def run_case(number: int, seed: int, path: Path) -> Path:
    """Measure a case and write its file."""
    found = measure(CASES[number], seed)
    write_whole(path, json.dumps(found, indent=1).encode())
    return path


def prepare_process() -> None:
    """Give a process one thread: two processes use two cores, two threads of one do not."""
    torch.set_num_threads(1)
    os.environ["NUMBA_NUM_THREADS"] = "1"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="two grammars, one seed")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--processes", type=int, default=n_cores())
    parser.add_argument("--output", type=Path, default=Path("runs/bench-motifs"))
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    cases = [
        (number, seed, options.output / f"grammar{number:02d}-seed{seed}.json")
        for seed in range(1 if options.quick else options.seeds)
        for number in (QUICK if options.quick else range(len(CASES)))
    ]
    missing = [case for case in cases if not case[2].is_file()]
    missing.sort(key=lambda case: -CASES[case[0]].length)  # the dear ones first, to end together
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.processes, spawn, prepare_process) as pool:
        for done in [pool.submit(partial(run_case, *case)) for case in missing]:
            print(done.result().name, flush=True)
    results = [json.loads(path.read_text(encoding="utf-8")) for _, _, path in cases]
    print(table(results), table_of_grammars(results), sep="\n\n")
    print(f"\n{sum(sum(one['seconds'].values()) for one in results) / 60:.0f} minutes of one core")


if __name__ == "__main__":
    main()
