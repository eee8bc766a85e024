"""Two runs side by side: what differs in their settings, scores, motifs and verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from motiflens.files import write_whole
from motiflens.plots import logo
from motiflens.report.discovery import name_of
from motiflens.report.filters import likeness
from motiflens.report.findings import best_model, may_claim
from motiflens.report.headline import ensemble_score, motif_sentence, score_in_words
from motiflens.report.page import render
from motiflens.report.parts import (
    MISSING,
    NO_METRICS,
    NO_MOTIFS,
    NO_TRUST,
    Block,
    Cell,
    Figure,
    Grid,
    Row,
    Section,
    Table,
    Text,
    held,
    percent,
)
from motiflens.report.provenance import written
from motiflens.report.summary import Summary
from motiflens.report.trust import WORDS, level_of, name_of_method
from motiflens.results import Results
from motiflens.results.motifs import ConfirmedMotif
from motiflens.version import __version__

#: Likeness from which two motifs are set beside each other.
ALIKE_FROM = 0.6
NOT_SETTINGS = {"command", "notes"}
SCORES = {"mcc": "MCC", "auroc": "AUROC", "auprc": "AUPRC", "accuracy": "Accuracy"}


def write_pair(first: Path | str, second: Path | str, path: Path | str) -> Path:
    """Write a page with two runs side by side, from their directories alone.

    Parameters
    ----------
    first, second
        Run directories.
    path
        The page to write.

    Raises
    ------
    InputError
        A directory holds no run, or a file in it is damaged.
    """
    runs = [Results(first), Results(second)]
    sections = [
        Section(id, title, blocks, "section")
        for id, title, blocks in (
            ("scores", "How good is it?", _scores(runs)),
            ("motifs", "Motifs", _motifs(runs)),
            ("trust", "How far to trust the explanations", _trust(runs)),
            ("settings", "Settings that differ", _settings(runs)),
        )
        if blocks
    ]
    page = render(_summary(runs), sections)
    write_whole(Path(path), page.encode("utf-8", errors="replace"))
    return Path(path)


def _called(run: Results) -> str:
    return run.path.resolve().name


def _summary(runs: Sequence[Results]) -> Summary:
    first, second = map(_called, runs)
    headline = [f"Two runs: A is {first}, B is {second}."]
    facts = []
    for letter, run in zip("AB", runs, strict=True):
        model = best_model(run)
        score = ensemble_score(run, model) if model else None
        if model and score:
            headline.append(f"{letter}: {model} reaches AUROC {score_in_words(score)}.")
        if sentence := motif_sentence(run):
            headline.append(sentence)
        facts.append((letter, run.provenance.run.data or MISSING))
    return Summary(f"{first} beside {second}", __version__, facts, headline)


def _scores(runs: Sequence[Results]) -> list[Block]:
    rows = []
    for letter, run in zip("AB", runs, strict=True):
        for model in held(run, NO_METRICS).models:
            scores = [ensemble_score(run, model, metric) for metric in SCORES]
            rows.append(
                [f"{letter}: {model}", *(score_in_words(s) if s else MISSING for s in scores)]
            )
    if not rows:
        return []
    caption = (
        "Ensembles on the test split of their own run, with 95 % intervals over its sequences. "
        "Where test splits differ, scores differ for that alone."
    )
    return [Table(["Model", *SCORES.values()], rows, "Test scores", caption)]


def _motifs(runs: Sequence[Results]) -> list[Block]:
    """Set the motifs of the first run beside those most like them in the second."""
    first, second = (held(run, NO_MOTIFS).discovery for run in runs)
    if not first and not second:
        return []
    left = list(second)
    blocks: list[Block] = []
    rows = []
    for motif in first:
        like = [likeness(np.array(motif.ppm), np.array(other.ppm)) for other in left]
        twin = left.pop(int(np.argmax(like))) if like and max(like) >= ALIKE_FROM else None
        rows.append(_row(motif, twin, max(like) if twin else None))
        blocks.append(
            Row([_figure(m, f"{x}: {m.name}") for x, m in (("A", motif), ("B", twin)) if m])
        )
    for motif in left:
        rows.append(_row(None, motif, None))
        blocks.append(Row([_figure(motif, f"B: {motif.name}")]))
    caption = "Likeness: the largest correlation of two matrices, over offsets and strands."
    head = ["A", "In positives", "B", "In positives", "Likeness"]
    return [Table(head, rows, "Motifs matched", caption), *blocks]


def _row(
    first: ConfirmedMotif | None, second: ConfirmedMotif | None, like: float | None
) -> list[str]:
    cells = []
    for motif in (first, second):
        named = MISSING if motif is None else f"{motif.consensus}: {name_of(motif)}"
        cells += [named, percent(motif.positives_with_site if motif else None)]
    return [*cells, MISSING if like is None else f"{like:.2f}"]


def _figure(motif: ConfirmedMotif, title: str) -> Figure:
    return Figure(logo(np.array(motif.ppm, dtype=float), title=title), title, kind="tile")


def _trust(runs: Sequence[Results]) -> list[Block]:
    models = [
        (f"{letter}: {name}", model, may_claim(run, name))
        for letter, run in zip("AB", runs, strict=True)
        for name, model in held(run, NO_TRUST).models.items()
    ]
    methods = dict.fromkeys(method for _, model, _ in models for method in model.methods)
    rows = []
    for method in methods:
        levels = [
            level_of(method, m) if may or method not in m.methods else "no" for _, m, may in models
        ]
        cells = [Cell(MISSING if one == "none" else WORDS[one], one) for one in levels]
        rows.append((name_of_method(method), cells))
    head = ["Method", *(name for name, _, _ in models)]
    return [Grid(head, rows, "What may be claimed, by method and model")] if rows else []


def _settings(runs: Sequence[Results]) -> list[Block]:
    tables = [run.provenance.as_table() for run in runs]
    keys = dict.fromkeys(
        (group, key) for table in tables for group in table for key in table[group]
    )
    rows = []
    for group, key in keys:
        if key in NOT_SETTINGS:
            continue
        values = [written(table.get(group, {}).get(key, MISSING)) for table in tables]
        if values[0] != values[1]:
            rows.append([key if group == "run" else f"{group}.{key}", *values])
    if not rows:
        return [Text("All settings are the same.")]
    return [Table(["Setting", "A", "B"], rows, "Settings that differ")]
