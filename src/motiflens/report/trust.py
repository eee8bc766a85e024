"""The section on trust: a verdict for each model, and the checks that it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from motiflens.plots import line_chart
from motiflens.report.parts import (
    MISSING,
    Block,
    Bullets,
    Figure,
    Heading,
    Section,
    Table,
    Text,
    absent,
    interval,
    number,
)
from motiflens.results import Results
from motiflens.results.trust import (
    AttentionTest,
    HeadTest,
    MarkingTest,
    MethodTrust,
    ModelTrust,
    Replacement,
)

DEPENDS = {"ranking": "the ranking", "logits": "the logits, not the ranking", "no": "neither"}
CHANCE = "random order"
HOW_TO_READ = (
    "A verdict for each model, made of the figures below. Bases may be claimed by a method whose "
    "track is stronger on positives than on the null, if replacing bases in its order lowers the "
    "prediction sooner than a random order does. A claim is about the model, not yet about biology."
)


def trust_section(results: Results) -> Section:
    """Lay out everything that `trust.json` holds."""
    title = "How far to trust the explanations"
    if not results.holds("trust"):
        return absent("trust", title, "motiflens trust")
    models = results.trust.models
    attention = {name: m.attention for name, m in models.items() if m.attention is not None}
    verdicts = Bullets([f"{name}: {model.verdict}." for name, model in models.items()])
    blocks: list[Block] = [Text(HOW_TO_READ), verdicts]
    blocks += [_attention_table(attention)] if attention else []
    # A single head is all of the attention.
    blocks += [_heads_table(n, test.heads) for n, test in attention.items() if len(test.heads) > 1]
    for name, model in models.items():
        blocks += [Heading(name), _methods_table(model)]
        blocks += _deletion(name, model, results.trust.fractions)
    refused = [
        f"{name}: {method} was refused: {reason}."
        for name, model in models.items()
        for method, reason in model.refused.items()
    ]
    blocks += [Text("Methods that do not apply:"), Bullets(refused)] if refused else []
    return Section("trust", title, blocks)


def _attention_table(models: Mapping[str, AttentionTest]) -> Table:
    rows = []
    for name, attention in models.items():
        tests: list[tuple[str, AttentionTest | MarkingTest]] = [("all", attention)]
        if attention.marking:
            tests.append(("heads that mark bases", attention.marking))
        for which, test in tests:
            for words, replaced in (
                ("every unit the same weight", test.uniform),
                ("its weights permuted", test.permuted),
            ):
                rows.append([name, which, words, *_replaced(replaced), _depends(test.depends)])
    caption = (
        "Test AUROC with the model's own attention minus that with the other, with a 95 % interval "
        "over sequences: below 0 the other ranks better. Change of the logit: mean absolute "
        "change, in standard deviations of the logit. The ranking can stay where the logits move, "
        "as every model's does that ranks without a mistake either way."
    )
    head = ["Model", "Attention", "is given", "AUROC lost", "Change of the logit", "Depends on it"]
    return Table(head, rows, "Attention replaced", caption)


def _heads_table(name: str, heads: Sequence[HeadTest]) -> Table:
    rows = [
        [
            test.layer,
            MISSING if test.head is None else str(test.head),
            number(test.fraction_above_null, 2),
            number(test.base_auroc, 2),
            "yes" if test.marks else "no",
            *_replaced(test.uniform),
            *_replaced(test.permuted),
            _depends(test.depends),
        ]
        for test in heads
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


def _replaced(test: Replacement) -> list[str]:
    return [interval(test.auroc_loss, test.low, test.high), number(test.logit_change, 2)]


def _depends(depends: str | None) -> str:
    """Name what depends on attention; older runs do not."""
    return DEPENDS.get(depends or "", MISSING)


def _methods_table(model: ModelTrust) -> Table:
    head = ["Method", "Above the null", "Base AUROC", "Base AUROC, untrained", "Base AUPRC",
            "Deletion area", "Rank correlation with mutagenesis",
            "Rank correlation of seeds"]  # fmt: skip
    area = number(model.random_order.deletion_auc if model.random_order else None, 2)
    rows = [[CHANCE, *[MISSING] * 4, area, MISSING, MISSING]]
    rows += [[method, *_figures(trust)] for method, trust in model.methods.items()]
    caption = (
        "Above the null: fraction of positives whose strongest 10 bases exceed the 95th percentile "
        "of negatives and of shuffled positives; 0.05 by chance. Base AUROC and AUPRC: bases "
        "against the true ones, where these are known; untrained: of the model before training. "
        "Deletion area: the lower, the sooner the logit falls as first bases are replaced. Rank "
        f"correlations are Spearman's. Means over {model.n} positives."
    )
    return Table(head, rows, "Methods checked", caption)


def _figures(method: MethodTrust) -> list[str]:
    values = (
        method.fraction_above_null,
        method.base_auroc,
        method.untrained.base_auroc if method.untrained else None,
        method.base_auprc,
        method.deletion_auc,
        method.ism_rank_correlation,
        method.seed_rank_correlation,
    )
    return [number(value, 2) for value in values]


def _deletion(name: str, model: ModelTrust, fractions: Sequence[float]) -> list[Figure]:
    """Draw how the logit falls along the order of each method."""
    orders = {CHANCE: model.random_order}
    orders |= {method: trust.deletion_curve for method, trust in model.methods.items()}
    curves = {
        order: (fractions, curve.deletion, curve.deletion, curve.deletion)
        for order, curve in orders.items()
        if curve is not None
    }
    if not curves:
        return []
    title = f"Deletion curves: {name}"
    x_label, y_label = "fraction of bases replaced", "logit that is left"
    svg = line_chart(curves, title, x_label, y_label, chance=CHANCE)
    caption = (
        f"First bases of each method replaced by others, mean over {model.n} positives: 1 is the "
        "logit of the sequences as they are, 0 that of sequences with all bases replaced."
    )
    return [Figure(svg, title, caption)]
