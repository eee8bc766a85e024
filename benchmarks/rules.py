"""Rules, not only places: minimal pairs × method × architecture × rule × draw of motifs.

Run with ``make bench-rules``. Two JASPAR motifs, their likeliest bases, on the forward strand of
100 random bases; what tells the classes apart is the relation of the two alone:

- ``and``: positives hold both, negatives one of them or none;
- ``order``: the first lies left of the second, in negatives right of it, 5 to 40 bases between;
- ``spacing``: the second lies 10 bases right of the first, in negatives at any other distance.

Positives of the test part are the kept half of a minimal pair; `motiflens.score_rule` breaks the
rule in them, and leaves all else as it is. Contributions count with their sign, summed over all
columns of the motifs. Models and recipes are the defaults for one strand; every draw takes other
motifs, sequences and initial weights. Each figure is a file of its own in the output folder, and
the same call goes on where an earlier one ended. Nothing is chosen by what is measured here.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from safetensors.torch import load_file, save_file

from benchmarks.explain import write_json
from benchmarks.grammars import BREAKING, RULE_LENGTH, make_rule_data, usable
from motiflens import score_rule
from motiflens.attribution import METHODS
from motiflens.datasets import SequenceDataset
from motiflens.errors import InputError
from motiflens.evidence.levels import RULE_FROM
from motiflens.files import write_whole
from motiflens.metrics import score
from motiflens.models import SequenceModel, build_model
from motiflens.motifs import Motif, jaspar_core
from motiflens.training import Job, predict_logits, recipe_for, train

MODELS = ("cnn", "attention", "hybrid")


def fitted(
    rule: str, draw: int, name: str, data: SequenceDataset, folder: Path
) -> tuple[SequenceModel, dict[str, Any]]:
    """Train a model, or load it; return its test AUROC too."""
    weights = folder / f"{rule}-{draw}-{name}.safetensors"
    record = weights.with_suffix(".json")
    if not record.is_file():
        (trained,) = train(data, Job(name, (draw,), recipe_for(name)), threads=1)
        test = data.part("test")
        auroc = score(test.labels, predict_logits(trained.model, test))["auroc"]
        save_file(trained.model.state_dict(), weights)
        write_json(record, {"test_auroc": auroc, "train_seconds": trained.seconds})
    model = build_model(name, length=RULE_LENGTH, seed=draw)
    model.load_state_dict(load_file(weights))
    return model.eval(), json.loads(record.read_text())


def measured(
    rule: str, draw: int, name: str, pool: Sequence[Motif], asked: argparse.Namespace
) -> list[dict[str, Any]]:
    """Return one row a method, from its file where an earlier call has left it."""
    rows, data, model, facts = [], None, None, {}
    for method in asked.methods:
        path = asked.output / f"{rule}-{draw}-{name}-{method}.json"
        if not path.is_file():
            if model is None:
                data = make_rule_data(pool, rule, draw, asked.sequences)
                model, facts = fitted(rule, draw, name, data, asked.output)
            found = scored(model, data.part("test"), method, asked.pairs)
            about = {"rule": rule, "draw": draw, "model": name, "method": method, **facts}
            write_json(path, {**about, **found})
        rows.append(json.loads(path.read_text()))
        print(json.dumps(rows[-1]), flush=True)
    return rows


def scored(
    model: SequenceModel, test: SequenceDataset, method: str, n_pairs: int
) -> dict[str, Any]:
    """Score one method; say so where it refuses the model."""
    started = time.process_time()
    try:
        found = score_rule(model, test, method, n=n_pairs)
    except InputError as error:
        return {"refused": str(error)}
    own = found.methods[method]
    return {
        "score": own.score,
        "low": own.low,
        "high": own.high,
        "fall": own.fall,
        "logit": found.logit.score,
        "n_pairs": found.n_pairs,
        "words": found.words,
        "seconds": time.process_time() - started,
    }


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Lay the figures out as a Markdown table, a column a rule and model, draws side by side.

    A cell holds the rule scores and, in brackets, the mean of what is lost; bold from `RULE_FROM`
    on in every draw.
    """
    columns: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        if "refused" not in row:
            columns.setdefault((row["rule"], row["model"]), []).append(row)
    methods = dict.fromkeys(row["method"] for own in columns.values() for row in own)
    lines = [
        "| | " + " | ".join(f"{rule}, {model}" for rule, model in columns) + " |",
        "|---" * (len(columns) + 1) + "|",
    ]
    for name, key in (("test AUROC", "test_auroc"), ("the motifs taken out", "logit")):
        cells = (
            _values([row for row in own if row["method"] == own[0]["method"]], key)
            for own in columns.values()
        )
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    for method in methods:
        cells = (
            _scores([row for row in own if row["method"] == method]) for own in columns.values()
        )
        lines.append(f"| `{method}` | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _values(rows: Sequence[dict[str, Any]], key: str) -> str:
    return ", ".join(f"{row[key]:.2f}" for row in rows)


def _scores(rows: Sequence[dict[str, Any]]) -> str:
    if not rows:
        return "–"
    bold = "**" if all(row["score"] >= RULE_FROM for row in rows) else ""
    lost = round(mean(row["fall"] for row in rows), 2) + 0.0  # no minus before 0.00
    return f"{bold}{_values(rows, 'score')}{bold} ({lost:.2f})".replace("-", "−")


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.rules", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("runs/bench-rules"))
    parser.add_argument("--rules", nargs="+", default=list(BREAKING))
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    parser.add_argument("--draws", type=int, default=2)
    parser.add_argument("--sequences", type=int, default=2000)
    parser.add_argument("--pairs", type=int, default=100)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is missing, then print the table and write it beside the figures."""
    asked = parsed(arguments)
    asked.output.mkdir(parents=True, exist_ok=True)
    pool = usable(jaspar_core())
    cases = [
        (rule, draw, name)
        for draw in range(asked.draws)
        for rule in asked.rules
        for name in asked.models
    ]
    rows = [row for case in cases for row in measured(*case, pool, asked)]
    rows.sort(key=lambda row: (asked.rules.index(row["rule"]), asked.models.index(row["model"])))
    text = table(rows)
    write_whole(asked.output / "table.md", text.encode())
    print(text, end="")


if __name__ == "__main__":
    main()
