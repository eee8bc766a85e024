"""Explanations scored against implanted truth: method × architecture × grammar × draw of motifs.

Run with ``make bench-explain``. A positive holds one site of each of 1, 3 or 6 JASPAR motifs, a
negative some of them but never all, both hold three decoys, on either strand of 200 random bases.
Every draw takes other motifs, sequences and initial weights. The sites are drawn from their
matrices, so a single site may be weak, and no model can be perfect.

True bases are the columns of `STRONG_BITS` or more of the sites of a positive's own motifs; weaker
columns are left out. Base AUROC and AUPRC rank bases by the signed contribution of the base that is
there, position AUROC by the norm over the four bases.

With ``--switches`` it measures instead, on 5,000 sequences, what each choice of hyperparameters or
recipe does to the explanations of ``cnn`` and ``attention``.

Each trained model and each figure is a file of its own in the output folder, and the same call
goes on where an earlier one ended. Nothing is chosen by what is measured here.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from benchmarks.grammars import LENGTH, make_data, true_log_odds, usable
from motiflens.attribution import METHODS, attribute
from motiflens.datasets import SequenceDataset
from motiflens.errors import InputError
from motiflens.evidence import true_bases
from motiflens.evidence.tracks import base_scores
from motiflens.files import write_whole
from motiflens.metrics import score
from motiflens.models import BothStrands, SequenceModel, build_model
from motiflens.motifs import Motif
from motiflens.motifs.database import jaspar_core
from motiflens.training import Job, predict_logits, recipe_for, train

METRICS = (
    "base_auroc",
    "base_auprc",
    "position_auroc",
    "completeness_error",
    "seconds_per_1000",
)


@dataclass(frozen=True)
class Switch:
    """What is not as by default: hyperparameters of the model, fields of the recipe."""

    hyperparameters: dict[str, Any] = field(default_factory=dict)
    recipe: dict[str, Any] = field(default_factory=dict)


SWITCHES = {
    "default": Switch(),
    "exponential first layer": Switch({"activation": "exponential"}),
    "filters of 9": Switch({"kernel_size": 9}),
    "filters of 27": Switch({"kernel_size": 27}),
    "input noise 0.2": Switch(recipe={"input_noise": 0.2}),
    "mutation rate 0.05": Switch(recipe={"mutation_rate": 0.05}),
    "pools of 4": Switch({"pool_size": 4}),
    "attention entropy 0.1": Switch(recipe={"attention_entropy": 0.1}),
}
NEED_ATTENTION = ("pools of 4", "attention entropy 0.1")


@dataclass(frozen=True)
class Case:
    """One data set and one model on it."""

    n_motifs: int
    draw: int
    model: str
    switch: str = "default"

    @property
    def name(self) -> str:
        """Of its files."""
        made = f"motifs{self.n_motifs}-draw{self.draw}-{self.model}"
        return made if self.switch == "default" else f"{made}-{self.switch.replace(' ', '_')}"

    @property
    def job(self) -> Job:
        """How its model is trained."""
        switch = SWITCHES[self.switch]
        recipe = replace(recipe_for(self.model, both_strands=True), **switch.recipe)
        return Job(self.model, (self.draw,), recipe, hyperparameters=switch.hyperparameters)


def fitted(case: Case, data: SequenceDataset, folder: Path) -> tuple[SequenceModel, dict[str, Any]]:
    """Train the model of a case, or load it; give its scores too."""
    weights, record = folder / f"{case.name}.safetensors", folder / f"{case.name}.json"
    both = case.job.settings.rc_average
    if not record.is_file():
        (trained,) = train(data, case.job, threads=1)
        test = data.part("test")
        logits = predict_logits(trained.model, test, both_strands=both)
        save_file(trained.model.state_dict(), weights)
        facts = {
            "test_auroc": score(test.labels, logits)["auroc"],
            "epochs": len(trained.history),
            "train_seconds": trained.seconds,
            "n_test": len(test),
        }
        write_json(record, facts)
    model = build_model(case.model, length=LENGTH, seed=case.draw, **case.job.hyperparameters)
    model.load_state_dict(load_file(weights))
    found: dict[str, Any] = json.loads(record.read_text())
    return (BothStrands(model).eval() if both else model), found


def explained(
    method: str, model: SequenceModel, positives: SequenceDataset, motifs: list[Motif]
) -> dict[str, Any]:
    """Explain the positives by one method and score their bases."""
    one_hot = positives.one_hot()
    started = time.perf_counter()
    try:
        found = attribute(model, one_hot, method)
    except InputError as error:
        return {"refused": str(error)}
    seconds = time.perf_counter() - started
    delta = found.convergence_delta
    return {
        **scored(found.track, found.hypothetical, positives, motifs),
        "completeness_delta": None if delta is None else float(np.median(np.abs(delta))),
        "seconds_per_1000": 1000 * seconds / len(one_hot),
        "n": len(one_hot),
    }


def scored(
    track: NDArray[np.floating],
    hypothetical: NDArray[np.floating] | None,
    positives: SequenceDataset,
    motifs: list[Motif],
) -> dict[str, float]:
    """Score an explanation's bases, signed, and its positions, against the true ones."""
    assert positives.sites is not None
    truth = true_bases(positives.sites, motifs, positives.lengths, positives.codes.shape[1])
    auroc, auprc = base_scores(track, truth) or (np.nan, np.nan)
    important = track if hypothetical is None else importance(hypothetical)
    positions, _ = base_scores(important, truth) or (np.nan, np.nan)
    return {"base_auroc": auroc, "base_auprc": auprc, "position_auroc": positions}


def importance(hypothetical: NDArray[np.floating]) -> NDArray[np.floating]:
    """Give how much the base at a position matters, (N, L), whichever it is.

    It is the norm over the four bases of what each would contribute, less their mean. A site may
    hold a base that its motif hardly has: it contributes little or against the site, and yet the
    model looks at its place.
    """
    centred = hypothetical - hypothetical.mean(axis=1, keepdims=True)
    norm: NDArray[np.floating] = np.linalg.norm(centred, axis=1)
    return norm


def known_truth(
    n_motifs: int, draw: int, pool: Sequence[Motif], asked: argparse.Namespace
) -> dict[str, Any]:
    """Score the true matrices themselves: what no error at all would reach."""
    data, motifs = make_data(pool, n_motifs, draw, asked.sequences)
    positives = first_of_test(data, 1, asked.explained)
    values = true_log_odds(positives, motifs)
    track = (values * positives.one_hot()).sum(axis=1)
    case = vars(Case(n_motifs, draw, "true matrices"))
    row = scored(track, values, positives, motifs)
    return {**case, "method": "log-odds", **row, "n": len(positives)}


def first_of_test(data: SequenceDataset, label: int, n: int) -> SequenceDataset:
    """Give the first n sequences of a class of the test part."""
    test = data.part("test")
    return test.subset(np.flatnonzero(test.labels == label)[:n])


def measured(
    case: Case, pool: Sequence[Motif], asked: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    """Yield one row a method, from its file where an earlier call has left it."""
    made = None
    for method in asked.methods:
        path = asked.output / f"{case.name}-{method}.json"
        if not path.is_file():
            made = made or _prepared(case, pool, asked)
            model, facts, positives, motifs = made
            row = explained(method, model, positives, motifs)
            delta = row.pop("completeness_delta", None)
            gap = facts["logit_gap"]  # 0 of a model that learnt nothing
            row["completeness_error"] = delta / gap if delta is not None and gap else None
            write_json(path, {**vars(case), "method": method, **facts, **row})
        yield json.loads(path.read_text())


def _prepared(
    case: Case, pool: Sequence[Motif], asked: argparse.Namespace
) -> tuple[SequenceModel, dict[str, Any], SequenceDataset, list[Motif]]:
    """Give a trained model, what is known of it, the positives to explain and their motifs."""
    data, motifs = make_data(pool, case.n_motifs, case.draw, asked.sequences)
    model, facts = fitted(case, data, asked.output)
    positives, negatives = (first_of_test(data, label, asked.explained) for label in (1, 0))
    means = [predict_logits(model, part).mean() for part in (positives, negatives)]
    return model, {**facts, "logit_gap": float(means[0] - means[1])}, positives, motifs


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a record, whole or not at all."""
    write_whole(path, (json.dumps({"schema_version": 1, **content}, indent=1) + "\n").encode())


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Lay the means over draws out as a Markdown table."""
    lines = [
        "| motifs | model | switch | method | draws | test AUROC | base AUROC, signed "
        "| base AUPRC, signed | position AUROC, norm over bases | completeness error "
        "| s per 1,000 |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    groups: dict[tuple[int, str, str, str], list[dict[str, Any]]] = {}
    for row in rows:
        key = row["n_motifs"], row["model"], row.get("switch", "default"), row["method"]
        groups.setdefault(key, []).append(row)
    for (n_motifs, *words), found in groups.items():
        cells = [_cell(found, key) for key in ("test_auroc", *METRICS)]
        head = [str(n_motifs), *words, str(len(found))]
        lines.append("| " + " | ".join(head + cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(rows: Sequence[dict[str, Any]], key: str) -> str:
    """Give the mean of the draws, and from two draws on their range."""
    values = [row[key] for row in rows if row.get(key) is not None]
    if not values:
        return "–"
    digits = {"completeness_error": ".1e", "seconds_per_1000": ".0f"}.get(key, ".3f")
    mean, low, high = (format(f(values), digits) for f in (np.mean, min, max))
    return mean if len(values) == 1 or low == high else f"{mean} ({low}–{high})"


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.explain", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("runs/bench-explain"))
    parser.add_argument("--grammars", type=int, nargs="+", default=[3, 1, 6])
    parser.add_argument("--models", nargs="+", default=["cnn", "attention"])
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--sequences", type=int, default=20_000)
    parser.add_argument("--explained", type=int, default=100)
    parser.add_argument("--quick", action="store_true", help="one draw, 2,000 sequences")
    parser.add_argument("--switches", action="store_true", help="on 5,000 sequences")
    found = parser.parse_args(arguments)
    if found.switches:
        found.grammars, found.sequences = [3], 5000
        found.output = found.output / "switches"
    if found.quick:
        found.draws, found.sequences, found.explained = 1, 2000, 20
        found.output = found.output / "quick"
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is missing, then print the table and write it beside the figures."""
    asked = parsed(arguments)
    asked.output.mkdir(parents=True, exist_ok=True)
    pool = usable(jaspar_core())
    rows: list[dict[str, Any]] = []
    for n_motifs in asked.grammars:
        for draw in range(asked.draws):
            rows.append(known_truth(n_motifs, draw, pool, asked))
            for model in asked.models:
                for switch in SWITCHES if asked.switches else ("default",):
                    if model != "attention" and switch in NEED_ATTENTION:
                        continue
                    for row in measured(Case(n_motifs, draw, model, switch), pool, asked):
                        rows.append(row)
                        print(json.dumps(row), flush=True)
    text = table(rows)
    write_whole(asked.output / "table.md", text.encode())
    write_json(asked.output / "table.json", {"rows": rows})
    print(text, end="")


if __name__ == "__main__":
    main()
