"""True sites found by hits called from contributions, beside Fi-NeMo and a scan of the matrices.

    python -m benchmarks.annotate [--grammars 0,5] [--seed 0] [--finemo ENV/bin/python]

Over the twelve grammars of `benchmarks.motifs`: of each a run of two seeds of ``cnn`` is made, its
motifs are found, and the test split, positives and negatives, is searched for them by every way.
Each call has a rank; of all thresholds that leave at most 5 % of the calls false, the one that
finds most true sites counts. Fi-NeMo, which is not part of this project, reads the same motifs and
contributions in an environment of its own; its calls are ranked by each of its three scores.
Of every grammar one file of results is written; those that exist are not made again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.motifs import ALIKE, CASES, describe, draw_grammar
from motiflens.datasets import SequenceDataset, split_at_random
from motiflens.discovery.held_out import discover_and_confirm
from motiflens.discovery.written import write_discovery
from motiflens.files import write_whole
from motiflens.hits import find_hits
from motiflens.motifs import Motif, recover
from motiflens.runs import Run
from motiflens.scoring.annotate import annotate
from motiflens.scoring.annotator import Annotator
from motiflens.sequences import one_hot
from motiflens.settings import Settings
from motiflens.simulation import simulate
from motiflens.stages.compare import compare

N, TEST, FALSE = 2_500, 0.2, 0.05
#: Of the models: a quarter of the filters and half of the steps of the default.
N_FILTERS, MIN_STEPS, N_EXPLAINED = 128, 600, 400
#: Fraction of the shorter of a call and a true site that they share, at least.
SHARED = 0.5
#: p-value of the scan; the rank does the rest.
P = 1e-2

FINEMO = """
import sys, h5py, numpy as np
from finemo.main import call_hits
folder = sys.argv[1]
arrays = np.load(folder + "/motifs.npz")
with h5py.File(folder + "/motifs.h5", "w") as file:
    for name in arrays.files:
        group = file.create_group("pos_patterns/pattern_" + name)
        group["contrib_scores"] = arrays[name].T
call_hits(folder + "/regions.npz", None, folder + "/motifs.h5", None, None, None, None, folder)
"""
RANKS = ("hit_similarity", "hit_importance", "hit_coefficient")


def measure(number: int, seed: int, folder: Path, finemo: Path | None) -> dict[str, Any]:
    """Make a run of a grammar, search its test split by every way; what each finds."""
    case = CASES[number]
    grammar = draw_grammar(case, seed, N)
    data = split_at_random(simulate(grammar), test=TEST, seed=seed)
    started = time.process_time()
    run = make_run(replace(data, sites=None), folder / f"run{number:02d}-seed{seed}")
    test, seconds = data.part("test"), {"run": time.process_time() - started}
    truths, found = [use.motif for use in grammar.motifs], dict[str, float]()
    began = time.process_time()
    annotator = Annotator(run, test)
    called = annotate(run, test, fdr=1.0, threads=1)
    seconds["annotate"] = time.process_time() - began
    row = dict(zip(test.names.tolist(), range(len(test)), strict=True))
    called["sequence"] = called["chrom"].map(row)
    truth_of = {m.name: truth_like(m, truths) for m in annotator.motifs}
    judged = judge(called, truth_of, test)
    found["annotate"] = sites_found(judged, called["evidence"].to_numpy())
    hits = scan(annotator.motifs, test)
    found["scan"] = sites_found(judge(hits, truth_of, test), -hits["p_value"].to_numpy())
    if finemo is not None:
        calls = call_by_finemo(annotator, test, finemo)
        judged_too = judge(calls, truth_of, test)
        for name in RANKS:
            found[f"finemo {name}"] = sites_found(judged_too, calls[name].to_numpy())
    assert test.sites is not None
    significant = called["q_value"].to_numpy() <= FALSE
    return {
        "case": describe(case),
        "seed": seed,
        "n_sites": sum(map(len, test.sites)),
        "motifs": {m.name: f"{m.consensus} {truth_of[m.name]}" for m in annotator.motifs},
        "found": found,
        "at_fdr": {
            "calls": int(significant.sum()),
            "false": int((judged[significant] < 0).sum()),
            "sites": len(set(judged[significant].tolist()) - {-1}),
        },
        "seconds": seconds,
    }


def make_run(data: SequenceDataset, output: Path) -> Run:
    """Train two seeds of a small ``cnn`` on both strands, and find their motifs."""
    changes = {"cnn": {"n_filters": N_FILTERS, "recipe": {"min_steps": MIN_STEPS}}}
    settings = Settings(
        models=("cnn",), seeds=2, strands="both", threads=1, hyperparameters=changes
    )
    run = compare(data, output, settings)
    is_test = np.asarray(run.dataset.split) == "test"
    parts = [run.dataset.subset(np.flatnonzero(mask)) for mask in (~is_test, is_test)]
    models = [run.model("cnn", seed) for seed in run.results.models["cnn"]]
    discovery = discover_and_confirm(models, *parts, n_explained=N_EXPLAINED)
    run.results.path_of("discovery").parent.mkdir(exist_ok=True)
    write_discovery(discovery, run.results.path_of)
    return run


def truth_like(motif: Motif, truths: Sequence[Motif]) -> str:
    """Return the name of the true motif that a found one is like; empty for none."""
    like = recover(motif.ppm, truths)
    return like.truth if like.similarity >= ALIKE else ""


def scan(motifs: Sequence[Motif], test: SequenceDataset) -> pd.DataFrame:
    """Search the matrices alone."""
    hits = find_hits(motifs, test, p=P, background="sequences")
    return hits.assign(motif_id=[motifs[index].name for index in hits["motif"]])


def call_by_finemo(annotator: Annotator, test: SequenceDataset, python: Path) -> pd.DataFrame:
    """Call hits by Fi-NeMo: its defaults, the same motifs and contributions."""
    codes = test.codes
    width = max(motif.width for motif in annotator.motifs)
    # CWMs have one width there, so the ends of sequences need room for what is added to them.
    right = width + (codes.shape[1] + 2 * width) % 2
    track = np.pad(annotator.caller.explain(codes), ((0, 0), (width, right)))
    bases = np.pad(one_hot(codes), ((0, 0), (0, 0), (width, right))).astype(np.int8)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.savez(folder / "regions.npz", sequences=bases, contributions=track.astype(np.float16))
        cwms = {
            str(index): np.pad(motif.cwm, ((0, 0), (0, width - motif.width)))
            for index, motif in enumerate(annotator.motifs)
            if motif.cwm is not None
        }
        np.savez(folder / "motifs.npz", **cwms)
        subprocess.run([python, "-W", "ignore", "-c", FINEMO, folder], check=True)
        calls = pd.read_csv(folder / "hits.tsv", sep="\t", keep_default_na=False)
    numbers = calls["motif_name"].str.rpartition("_")[2].astype(int)
    return pd.DataFrame(
        {
            "sequence": calls["peak_id"],
            "start": calls["start"] - width,
            "end": calls["end"] - width,
            "motif_id": [annotator.motifs[number].name for number in numbers],
            **{name: calls[name] for name in RANKS},
        }
    )


def judge(calls: pd.DataFrame, truth_of: Mapping[str, str], test: SequenceDataset) -> np.ndarray:
    """Return of each call the number of the true site that it finds, or -1: (H,)."""
    assert test.sites is not None
    first = np.cumsum([0, *map(len, test.sites)])
    found = np.full(len(calls), -1)
    columns = (calls[name].tolist() for name in ("sequence", "start", "end", "motif_id"))
    for index, (row, start, end, motif) in enumerate(zip(*columns, strict=True)):
        for number, site in enumerate(test.sites[row]):
            shared = min(end, site.end) - max(start, site.start)
            shorter = min(end - start, site.end - site.start)
            if site.name == truth_of[motif] and shared >= SHARED * shorter:
                found[index] = first[row] + number
    return found


def sites_found(judged: np.ndarray, rank: np.ndarray) -> float:
    """Return how many true sites are found with at most 5 % of the calls false.

    A second call of a site that is found already counts neither way.
    """
    order = np.argsort(-rank, kind="stable")
    judged, rank = judged[order], rank[order]
    first = np.zeros(len(judged), dtype=bool)
    first[np.unique(judged, return_index=True)[1]] = True
    true, false = np.cumsum(first & (judged >= 0)), np.cumsum(judged < 0)
    last = np.append(rank[1:] != rank[:-1], True) if len(rank) else first
    good = last & (false <= FALSE * (true + false))
    return float(true[good].max(initial=0))


def table(results: Sequence[Mapping[str, Any]]) -> str:
    """Write the fraction of true sites that each way finds, as markdown."""
    ways = list(results[0]["found"])
    lines = [f"| grammar | true sites | {' | '.join(ways)} |", "|---|---|" + "---|" * len(ways)]
    for one in results:
        n_sites = one["n_sites"]
        cells = " | ".join(f"{100 * one['found'][way] / n_sites:.1f} %" for way in ways)
        lines.append(f"| {one['case']} | {n_sites} | {cells} |")
    total = sum(one["n_sites"] for one in results)
    sums = [sum(one["found"][way] for one in results) for way in ways]
    cells = " | ".join(f"{100 * found / total:.1f} %" for found in sums)
    lines.append(f"| all | {total} | {cells} |")
    calls, false = (sum(one["at_fdr"][name] for one in results) for name in ("calls", "false"))
    lines.append(f"\nAt q ≤ 0.05: {calls} calls, {false} of them false.")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--grammars", default=",".join(map(str, range(len(CASES)))))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--finemo", type=Path, help="python of an environment with finemo")
    parser.add_argument("--output", type=Path, default=Path("runs/bench-annotate"))
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    results = []
    for number in map(int, options.grammars.split(",")):
        path = options.output / f"grammar{number:02d}-seed{options.seed}.json"
        if not path.is_file():
            found = measure(number, options.seed, options.output, options.finemo)
            write_whole(path, json.dumps(found, indent=1).encode())
        results.append(json.loads(path.read_text(encoding="utf-8")))
        print(json.dumps(results[-1]), flush=True)
    print(table(results))


if __name__ == "__main__":
    main()
