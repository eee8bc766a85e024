"""The section on trust: a verdict for each model, and the checks that it rests on."""

from __future__ import annotations

from typing import Any

from motiflens.plots import line_chart
from motiflens.plots.curves import Curve
from motiflens.report.parts import (
    NOTHING,
    Block,
    Bullets,
    Figure,
    Heading,
    Section,
    Table,
    Text,
    absent,
    finite,
    interval,
    signed,
)
from motiflens.report.reading import Run
from motiflens.report.scores import ordered

REPLACED = {"uniform": "every unit the same weight", "permuted": "its weights permuted"}

HOW_TO_READ = (
    "A verdict for each model, made of the figures below. Bases may be claimed by a method whose "
    "track is stronger on positives than on the null, if replacing bases in its order lowers the "
    "prediction sooner than a random order does. A claim is about the model, not yet about biology."
)


def trust_section(run: Run) -> Section:
    """Lay out everything that `trust.json` holds."""
    title = "How far to trust the explanations"
    models = run.trust.get("models", {})
    if not models:
        return absent("trust", title, "trust.json", "motiflens trust")
    names = ordered(run, models)
    verdicts = [f"{name}: {models[name]['verdict']}." for name in names]
    blocks: list[Block] = [Text(HOW_TO_READ), Bullets(verdicts)]
    attentive = [name for name in names if models[name].get("attention")]
    if attentive:
        blocks.append(_attention_table(models, attentive))
    for name in names:
        blocks += [Heading(name), _methods_table(models[name])]
        blocks += [figure] if (figure := _deletion(run, name)) is not None else []
    refused = [
        f"{name}: {method} was refused: {reason}."
        for name in names
        for method, reason in models[name].get("refused", {}).items()
    ]
    if refused:
        blocks += [Text("Methods that do not apply:"), Bullets(refused)]
    return Section("trust", title, blocks)


def _attention_table(models: dict[str, Any], names: list[str]) -> Table:
    rows = [
        [
            name,
            words,
            interval(_loss(models[name]["attention"][kind]), 3),
            _number(models[name]["attention"][kind]["logit_change"]),
        ]
        for name in names
        for kind, words in REPLACED.items()
    ]
    caption = (
        "Test AUROC with the model's own attention minus that with the other, with a 95 % "
        "bootstrap interval over sequences. Change of the logit: mean absolute change, in standard "
        "deviations of the logit. Where nothing is lost, the prediction does not depend on it."
    )
    head = ["Model", "Attention is given", "AUROC lost", "Change of the logit"]
    return Table(head, rows, "Attention replaced", caption)


def _loss(replaced: dict[str, Any]) -> dict[str, Any]:
    return {"mean": replaced["auroc_loss"], "low": replaced["low"], "high": replaced["high"]}


def _methods_table(model: dict[str, Any]) -> Table:
    head = ["Method", "Above the null", "Base AUROC", "Base AUROC, untrained", "Base AUPRC",
            "Deletion area", "Rank correlation with mutagenesis",
            "Rank correlation of seeds"]  # fmt: skip
    area = _number((model["random_order"] or {}).get("deletion_auc"))
    rows = [["random order", *[NOTHING] * 4, area, NOTHING, NOTHING]]
    rows += [[method, *_figures(found)] for method, found in model["methods"].items()]
    caption = (
        "Above the null: fraction of positives whose strongest 10 bases exceed the 95th percentile "
        "of negatives and of shuffled positives; 0.05 by chance. Base AUROC and AUPRC: bases "
        "against the true ones, where these are known; untrained: of the model before training. "
        "Deletion area: the lower, the sooner the logit falls as first bases are replaced. Rank "
        f"correlations are Spearman's. Means over {model['n']} positives."
    )
    return Table(head, rows, "Methods checked", caption)


def _figures(found: dict[str, Any]) -> list[str]:
    values = [
        found["fraction_above_null"],
        found["base_auroc"],
        (found["untrained"] or {}).get("base_auroc"),
        found["base_auprc"],
        found["deletion_auc"],
        found["ism_rank_correlation"],
        found["seed_rank_correlation"],
    ]
    return list(map(_number, values))


def _number(value: Any) -> str:
    return signed(value, 2) if finite(value) else NOTHING


def _deletion(run: Run, name: str) -> Figure | None:
    """Draw how the logit falls along the order of each method."""
    model, fractions = run.trust["models"][name], run.trust["fractions"]
    chance = "random order"
    orders = {chance: model["random_order"]}
    orders |= {method: found["erasure"] for method, found in model["methods"].items()}
    curves: dict[str, Curve] = {
        order: (fractions, found["deletion"], found["deletion"], found["deletion"])
        for order, found in orders.items()
        if found
    }
    if not curves:
        return None
    title = f"Deletion curves: {name}"
    x_label, y_label = "fraction of bases replaced", "logit that is left"
    svg = line_chart(curves, title, x_label, y_label, chance=chance)
    caption = (
        f"First bases of each method replaced by others, mean over {model['n']} positives: 1 is "
        "the logit of the sequences as they are, 0 that of sequences with all bases replaced."
    )
    return Figure(svg, title, caption)
