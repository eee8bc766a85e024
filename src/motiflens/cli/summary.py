"""What a command prints of what it found."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import motiflens
from motiflens.cli.progress import is_first_process
from motiflens.report.headline import best_baseline, ensemble, leak, motif_sentence, with_interval
from motiflens.report.parts import TO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from motiflens.runs import Run


def finish(made: Run, *, as_json: bool) -> None:
    """Write the report of a run and print what it found."""
    if not is_first_process():
        return
    path = motiflens.write_report(made.path)
    summarise(made, as_json=as_json)
    print(f"report: {path}", file=sys.stderr)


def summarise(made: Run, *, as_json: bool) -> None:
    """Print what a run found: lines for each model, or one JSON object."""
    if not is_first_process():
        return
    models = {name: _of_model(made, name) for name in made.comparison["models"]}
    metrics, audit = _content(made, "metrics.json"), _content(made, "audit.json")
    trivial, seen = best_baseline(metrics.get("baselines") or {}), leak(audit)
    crossed, discovered = _crossed(made), _discovered(made)
    if as_json:
        found = {"run": str(made.path), "models": models, "motifs": discovered, **crossed}
        found["best_baseline"] = trivial and {"name": trivial[0], "auroc": trivial[1]}
        print(json.dumps({**found, "leak": seen}))
        return
    for name, values in models.items():
        print(f"{name:<20} {_scores(values)}")
    if trivial is not None:
        print(f"{'best baseline':<20} AUROC {trivial[1]:.4f}, {trivial[0]}")
    if seen is not None:
        print(f"{'leak':<20} {seen}")
    for name, values in models.items():
        if "verdict" in values:
            print(f"{name:<20} {values['verdict']}")
    _print_discovered(made, discovered)
    for name, trained_on in crossed.get("crossing", {}).items():
        for kind, tested_on in trained_on.items():
            scores = ", ".join(f"{other} {auroc:.4f}" for other, auroc in tested_on.items())
            print(f"{name:<20} trained against {kind}, AUROC against {scores}")


def _of_model(made: Run, name: str) -> dict[str, Any]:
    """Give a model's scores as means over seeds and of the ensemble, its motifs and verdict."""
    summary = made.comparison["models"][name]["summary"]
    values: dict[str, Any] = {
        metric: summary[metric]["mean"] for metric in ("accuracy", "auroc", "auprc", "mcc")
    }
    metrics = _content(made, "metrics.json")
    values["ensemble"] = {one: ensemble(metrics, name, one) for one in ("accuracy", "auroc")}
    if found := _content(made, "motifs.json").get("models", {}).get(name):
        routes = found["seeds"][0]["routes"]
        values["motifs"] = {
            route: motifs[0]["consensus"] if motifs else None for route, motifs in routes.items()
        }
    if found := _content(made, "trust.json").get("models", {}).get(name):
        values["verdict"] = found["verdict"]
    return values


def _scores(values: dict[str, Any]) -> str:
    """Write the ensemble's scores with their intervals, or the means over seeds without."""
    words = []
    for metric, name in (("accuracy", "accuracy"), ("auroc", "AUROC")):
        score = values["ensemble"][metric] or {"value": values[metric]}
        words.append(f"{name} {with_interval(score, 4)}".replace(TO, " to "))
    return "  ".join(words)


def _content(made: Run, name: str) -> dict[str, Any]:
    """Read a JSON file of a run; empty where it is not there yet."""
    return made.read_json(name) if (made.path / name).is_file() else {}


def _print_discovered(made: Run, discovered: Sequence[dict[str, Any]]) -> None:
    """Print the motifs that held-out sequences confirm, or that they confirm none."""
    if discovered:
        print_motifs(discovered)
    elif "discovery" in _content(made, "motifs.json"):
        print(f"{'motifs':<20} {motif_sentence(made.motifs, {})}")


def _discovered(made: Run) -> list[dict[str, Any]]:
    """Give the discovered motifs, best first, with their names and shares."""
    if not (made.path / "motifs.json").is_file():
        return []
    return [in_short(entry) for entry in made.motifs.get("discovery", [])]


def in_short(entry: dict[str, Any]) -> dict[str, Any]:
    """Give what is printed of a discovered motif."""
    return {
        "consensus": entry["consensus"],
        "name": (entry["match"] or {}).get("name"),
        "family": (entry["match"] or {}).get("family"),
        "direction": entry["direction"],
        "positives": entry["positives_with_site"],
        "negatives": entry["negatives_with_site"],
        "q_value": entry["q_value"],
    }


def counted(n: int, what: str) -> str:
    """Write a number of things: "1 motif", "2 motifs"."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def print_motifs(entries: Sequence[dict[str, Any]]) -> None:
    """Print discovered motifs, a line each."""
    for entry in entries:
        shares = f"{entry['positives']:.1%} of positives, {entry['negatives']:.1%} of negatives"
        name = entry["name"] or "unknown"
        name += f" (family {entry['family']})" if entry["family"] else ""
        print(f"{entry['consensus']:<20} {name}, in {shares}")


def _crossed(made: Run) -> dict[str, Any]:
    """Give the AUROC of each model, trained against a kind of negatives, on every kind."""
    if not (made.path / "crossing.json").is_file():
        return {}
    models = made.read_json("crossing.json")["models"]
    return {
        "crossing": {
            name: {
                kind: {
                    other: scores["auroc"]["value"] for other, scores in row["tested_on"].items()
                }
                for kind, row in found["trained_on"].items()
            }
            for name, found in models.items()
        }
    }
