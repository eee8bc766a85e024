"""The section on trust: what each method may claim of each model, and the checks behind it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set

from msgspec import UNSET

from motiflens.plots import line_chart
from motiflens.report.findings import may_claim
from motiflens.report.parts import (
    MISSING,
    Absent,
    Block,
    Bullets,
    Cell,
    Figure,
    Grid,
    Heading,
    Part,
    Section,
    Table,
    Text,
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
    RuleTest,
)

DEPENDS = {"ranking": "the ranking", "logits": "the logits, not the ranking", "no": "neither"}
CHANCE = "random order"
#: Fraction of positives above the null from which a claim holds for most of them; as the verdict's.
IN_MOST_FROM = 0.5
CLAIMED = re.compile("bases may be claimed by ([^;]*)")
METHODS = {
    "saliency": "saliency",
    "tutorial-saliency": "saliency as in the tutorial",
    "input_x_gradient": "input × gradient",
    "integrated_gradients": "integrated gradients",
    "expected_gradients": "expected gradients",
    "deeplift_shap": "DeepLIFT/SHAP",
    "ism": "mutagenesis",
    "attention": "attention weights",
    "rollout": "attention rollout",
}
HOW_TO_READ = (
    "A method may be claimed base by base if its track is stronger on positives than on the null, "
    "and if replacing bases in its order lowers the prediction sooner than a random order does. "
    "Open a cell for its figures. A claim is about the model, not yet about biology."
)
IN_ORDER = re.compile("only in their order, being as strong in the null, by ([^;]*)")
#: What a grid says of each level.
WORDS = {
    "claim": "may be claimed",
    "some": "in some positives",
    "order": "order only",
    "no": "no",
    "none": "does not apply",
}


def trust_parts(results: Results) -> list[Part]:
    """Lay out everything that `trust.json` holds: a grid of judgements, and the checks in folds."""
    if not results.holds("trust"):
        return [Absent("How far to trust the explanations", "motiflens trust")]
    trust = results.trust
    if not trust.models:
        return []
    attention = {n: m.attention for n, m in trust.models.items() if m.attention is not None}
    verdicts = Bullets([f"{name}: {model.verdict}." for name, model in trust.models.items()])
    parts: list[Part] = [
        Text(HOW_TO_READ),
        _grid(trust.models, {name for name in trust.models if may_claim(results, name)}),
        Section("verdicts", "The verdicts in words", [verdicts, *_refused(trust.models)]),
    ]
    if attention:
        # A single head is all of the attention.
        heads = [_heads_table(n, one.heads) for n, one in attention.items() if len(one.heads) > 1]
        title = "Attention replaced, as a whole and head by head"
        parts.append(Section("heads", title, [_attention_table(attention), *heads]))
    checked: list[Block] = []
    for name, model in trust.models.items():
        checked += [Heading(name), _methods_table(model)]
        checked += [_rule_table(model.rule)] if model.rule is not UNSET else []
        checked += _deletion(name, model, trust.fractions)
    return [*parts, Section("checks", "The figures of every method, and deletion curves", checked)]


def name_of_method(method: str) -> str:
    """Name a method as papers do; its id where it is not known."""
    return METHODS.get(method, method)


def _grid(models: Mapping[str, ModelTrust], claimable: Set[str]) -> Grid:
    methods = {method: None for m in models.values() for method in (*m.methods, *m.refused)}
    rows = [
        (
            name_of_method(method),
            [_cell(method, one, name in claimable) for name, one in models.items()],
        )
        for method in methods
    ]
    return Grid(["Method", *models], rows, "What may be claimed, by method and model")


def level_of(method: str, model: ModelTrust) -> str:
    """Return what the verdict of a model says of one method: a key of ``WORDS``."""
    if method not in model.methods:
        return "none"
    if model.may_claim is False or model.verdict.startswith("nothing may be claimed"):
        return "no"
    if method == "attention":
        return _level_of_attention(model)
    if method in _claimed(model):
        return "claim" if model.methods[method].fraction_above_null >= IN_MOST_FROM else "some"
    in_order = IN_ORDER.search(model.verdict)
    return "order" if in_order and method in _names_in(in_order[1]) else "no"


def _claimed(model: ModelTrust) -> Sequence[str]:
    """Name the methods that claim bases; files of before 0.3 say it in words alone."""
    if model.bases_claimed_by is not UNSET:
        return model.bases_claimed_by
    return [name for text in CLAIMED.findall(model.verdict) for name in _names_in(text)]


def _names_in(words: str) -> list[str]:
    return re.split(", | and ", words)


def _level_of_attention(model: ModelTrust) -> str:
    first = next((part for part in model.verdict.split("; ") if "attention" in part), "")
    if "marks" not in first or first.startswith("attention explains nothing"):
        return "no"
    return "some" if first.startswith("in some positives only") else "claim"


def _cell(method: str, model: ModelTrust, claimable: bool) -> Cell:
    level = level_of(method, model) if claimable else "no"
    found = model.methods.get(method)
    if found is None:
        why = model.refused.get(method)
        return Cell(WORDS["none"] if why else MISSING, "none", [("Why", why)] if why else [])
    in_random_order = model.random_order.deletion_auc if model.random_order else None
    facts = [
        ("Above the null", number(found.fraction_above_null, 2)),
        ("Base AUROC", number(found.base_auroc, 2)),
        ("Deletion area", number(found.deletion_auc, 2)),
        ("Deletion area in random order", number(in_random_order, 2)),
        ("Rank correlation with mutagenesis", number(found.ism_rank_correlation, 2)),
        ("Rank correlation of seeds", number(found.seed_rank_correlation, 2)),
    ]
    return Cell(WORDS[level], level, [(name, text) for name, text in facts if text != MISSING])


def _refused(models: Mapping[str, ModelTrust]) -> list[Block]:
    refused = [
        f"{name}: {method} was refused: {reason}."
        for name, model in models.items()
        for method, reason in model.refused.items()
    ]
    return [Text("Methods that do not apply:"), Bullets(refused)] if refused else []


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


def _rule_table(test: RuleTest) -> Table:
    scores = {"the motifs taken out": test.logit, **test.methods}
    rows = [
        [
            name,
            interval(one.score, one.low, one.high),
            number(one.fall, 2),
            MISSING if one is test.logit else "yes" if name in test.claimed_by else "no",
        ]
        for name, one in scores.items()
    ]
    caption = (
        f"The rule: {test.words}. It is broken in {test.n} positives, all else left as it is, "
        f"which makes {test.n_pairs} pairs. Rule score: fraction of the pairs in which what the "
        "motifs contribute, with its sign, falls; 0.5 by chance, and a rule is claimed from 0.9 "
        "on. Below, a method shows places, not rules. First row: what the logit loses without the "
        "motifs, the model's own answer; where it is below 0.9, nothing is claimed. Lost: the "
        "median, as a fraction of the larger value; 1 where nothing is left, above 1 where the "
        "sign turns."
    )
    head = ["Method", "Rule score", "Lost", "Rule may be claimed"]
    return Table(head, rows, "A rule kept and broken", caption)


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
