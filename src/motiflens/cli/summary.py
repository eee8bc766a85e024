"""What a command prints of what it found."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import motiflens
from motiflens.cli.progress import is_first_process

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
    """Print what a run found: a line for each model, or one JSON object."""
    if not is_first_process():
        return
    models: dict[str, Any] = {}
    for name, found in made.comparison["models"].items():
        metrics = ("accuracy", "auroc", "auprc", "mcc")
        models[name] = {metric: found["summary"][metric]["mean"] for metric in metrics}
    if (made.path / "motifs.json").is_file():
        for name, found in made.motifs["models"].items():
            routes = found["seeds"][0]["routes"]
            models[name]["motifs"] = {
                route: motifs[0]["consensus"] if motifs else None
                for route, motifs in routes.items()
            }
    if (made.path / "trust.json").is_file():
        for name, found in made.read_json("trust.json")["models"].items():
            models[name]["verdict"] = found["verdict"]
    crossed, discovered = _crossed(made), _discovered(made)
    if as_json:
        found = {"run": str(made.path), "models": models, "motifs": discovered, **crossed}
        print(json.dumps(found))
        return
    for name, values in models.items():
        scores = f"accuracy {values['accuracy']:.4f}  AUROC {values['auroc']:.4f}"
        motif = values.get("motifs", {}).get("ism")
        print(f"{name:<20} {scores}" + (f"  motif {motif}" if motif else ""))
        if "verdict" in values:
            print(f"{name:<20} {values['verdict']}")
    print_motifs(discovered)
    for name, trained_on in crossed.get("crossing", {}).items():
        for kind, tested_on in trained_on.items():
            scores = ", ".join(f"{other} {auroc:.4f}" for other, auroc in tested_on.items())
            print(f"{name:<20} trained against {kind}, AUROC against {scores}")


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
