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
DEPENDS = {"ranking": "the ranking", "logits": "the logits, not the ranking", "no": "neither"}

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
        blocks += [
            _heads_table(name, heads) for name in attentive if (heads := _heads(models[name]))
        ]
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
    rows = []
    for name in names:
        attention = models[name]["attention"]
        tested = [("all", attention)]
        if attention.get("marking"):
            tested.append(("heads that mark bases", attention["marking"]))
        rows += [
            [name, which, words, *_replaced(test[kind]), _depends(test)]
            for which, test in tested
            for kind, words in REPLACED.items()
        ]
    caption = (
        "Test AUROC with the model's own attention minus that with the other, with a 95 % interval "
        "over sequences: below 0 the other ranks better. Change of the logit: mean absolute "
        "change, in standard deviations of the logit. The ranking can stay where the logits move, "
        "as every model's does that ranks without fault either way."
    )
    head = ["Model", "Attention", "is given", "AUROC lost", "Change of the logit", "Depends on it"]
    return Table(head, rows, "Attention replaced", caption)


def _heads(model: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the heads that were replaced one by one; none in runs of before, or of a single one."""
    heads: list[dict[str, Any]] = model["attention"].get("heads") or []
    return heads if len(heads) > 1 else []


def _heads_table(name: str, heads: list[dict[str, Any]]) -> Table:
    rows = [
        [
            one["layer"],
            NOTHING if one["head"] is None else str(one["head"]),
            _number(one["fraction_above_null"]),
            _number(one["base_auroc"]),
            "yes" if one["marks"] else "no",
            *_replaced(one["uniform"]),
            *_replaced(one["permuted"]),
            _depends(one),
        ]
        for one in heads
    ]
    caption = (
        "Each head replaced alone, on fewer sequences the more heads there are; the intervals hold "
        "for all of them together. A head marks bases where its map stands out from the null and, "
        "where the true bases are known, lies on them."
    )
    head = ["Layer", "Head", "Above the null", "Base AUROC", "Marks bases",
            "AUROC lost, same weights", "Change of the logit",
            "AUROC lost, permuted", "Change of the logit", "Depends on it"]  # fmt: skip
    return Table(head, rows, f"Heads of attention: {name}", caption)


def _replaced(found: dict[str, Any]) -> list[str]:
    return [interval(_loss(found), 3), _number(found["logit_change"])]


def _depends(test: dict[str, Any]) -> str:
    """Name what depends on attention; runs of before do not say it."""
    return DEPENDS.get(test.get("depends", ""), NOTHING)


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
    orders |= {method: found["deletion_curve"] for method, found in model["methods"].items()}
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
