"""The report's section on trust: what `trust.json` says, and nothing that it does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from motiflens.plots.charts import CHANCE_COLOUR
from motiflens.report.parts import Bullets, Figure, Grid, Heading, Section, Table, Text
from motiflens.report.translate import translate
from pages import blocks_of, section_of
from synthetic_run import MODELS, write_run


def changed_run(directory: Path, **changed: object) -> Path:
    path = write_run(directory) / "trust.json"
    content = json.loads(path.read_text())
    content["models"]["attention"].update(changed)
    path.write_text(json.dumps(content))
    return directory


def fold(directory: Path, id: str, **changed: object) -> Section:
    return section_of(changed_run(directory, **changed), id)


def levels(directory: Path, **changed: object) -> dict[str, str]:
    """Return what the grid says of each method of one model."""
    (grid,) = (b for b in blocks_of(changed_run(directory, **changed)) if isinstance(b, Grid))
    column = list(grid.head).index("attention") - 1
    return {name: cells[column].level for name, cells in grid.rows}


def test_the_verdicts_are_in_the_order_of_the_run(tmp_path: Path) -> None:
    verdicts = fold(tmp_path, "verdicts").blocks[0]
    assert isinstance(verdicts, Bullets)
    assert verdicts.texts == [f"{m}: bases of {m} may be claimed by ism." for m in MODELS]


@pytest.mark.parametrize(
    ("verdict", "claimed", "wanted"),
    [("bases may be claimed by ism; only in their order, being as strong in the null, by saliency",
      ["ism"], ("no", "order", "claim")),
     ("attention marks bases of positives (0.9) and the prediction depends on it; in some "
      "positives only, bases may be claimed by saliency and ism", ["saliency", "ism"],
      ("claim", "claim", "claim")),
     ("in some positives only, attention marks bases (0.3) and the prediction depends on it", [],
      ("some", "no", "no")),
     ("attention explains nothing: the prediction is made without it, although it marks bases",
      None, ("no", "no", "no")),
     ("bases may be claimed by saliency and ism; checked on 9 positives", None,
      ("no", "claim", "claim")),
     ("nothing may be claimed: the model hardly tells positives from negatives", ["ism"],
      ("no", "no", "no"))],
)  # fmt: skip
def test_the_grid_says_what_the_verdict_says(tmp_path, verdict, claimed, wanted) -> None:
    """The fixture's methods stand above the null in 0.97 of the positives: in most of them."""
    changed = {"verdict": verdict} | ({} if claimed is None else {"bases_claimed_by": claimed})
    found = levels(tmp_path, **changed)
    assert tuple(found[m] for m in ("attention weights", "saliency", "mutagenesis")) == wanted


def test_a_method_that_few_positives_show_is_claimed_in_some(tmp_path: Path) -> None:
    path = changed_run(tmp_path, bases_claimed_by=["saliency", "ism"]) / "trust.json"
    content = json.loads(path.read_text())
    content["models"]["attention"]["methods"]["saliency"]["fraction_above_null"] = 0.4
    path.write_text(json.dumps(content))
    (grid,) = (b for b in blocks_of(tmp_path) if isinstance(b, Grid))
    cells = dict(grid.rows)
    assert [cell.level for cell in cells["saliency"]][-1] == "some"
    assert cells["mutagenesis"][-1].level == "claim"
    assert ("Above the null", "0.40") in cells["saliency"][-1].facts
    assert cells["attention weights"][0].facts[0] == ("Why", "there are no maps")


def test_attention_replaced_has_a_row_a_model_and_kind(tmp_path: Path) -> None:
    table = fold(tmp_path, "heads").blocks[0]
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == ["tutorial-attention"] * 2 + ["attention"] * 2
    assert table.rows[0][1:] == [
        "all", "every unit the same weight",
        "0.042 (0.031 to 0.055)".replace(" to ", "\xa0to\xa0"), "0.71", "–"
    ]  # fmt: skip
    assert table.head[-1] == "Depends on it"


def test_heads_have_a_table_and_those_that_mark_rows_of_their_own(tmp_path: Path) -> None:
    lost = {"auroc_loss": -0.042, "low": -0.055, "high": -0.031, "logit_change": 0.71}
    none = {"auroc_loss": 0.0, "low": 0.0, "high": 0.0, "logit_change": 0.02}
    heads = [
        {"layer": "block 1", "head": 1, "fraction_above_null": 0.9, "base_auroc": None,
         "marks": True, "uniform": none, "permuted": none, "depends": "no"},
        {"layer": "softmax 1", "head": None, "fraction_above_null": None, "base_auroc": None,
         "marks": False, "uniform": lost, "permuted": none, "depends": "ranking"},
    ]  # fmt: skip
    attention = {"uniform": lost, "permuted": none, "depends": "ranking", "heads": heads,
                 "marking": {"uniform": none, "permuted": none, "depends": "logits"}}  # fmt: skip
    whole, found = fold(tmp_path, "heads", attention=attention).blocks
    assert isinstance(whole, Table)
    assert [row[1] for row in whole.rows[2:]] == ["all"] * 2 + ["heads that mark bases"] * 2
    depends = ["the ranking"] * 2 + ["the logits, not the ranking"] * 2
    assert [row[-1] for row in whole.rows[2:]] == depends
    assert isinstance(found, Table)
    assert found.name == "Heads of attention: attention"
    loss = "−0.042 (−0.055 to −0.031)".replace(" to ", "\xa0to\xa0")
    assert found.rows == [
        ["block 1", "1", "0.90", "–", "yes", "0.000", "0.02", "0.000", "0.02", "neither"],
        ["softmax 1", "–", "–", "–", "no", loss, "0.71", "0.000", "0.02", "the ranking"],
    ]


def test_methods_have_a_table_and_a_curve_a_model(tmp_path: Path) -> None:
    blocks = fold(tmp_path, "checks").blocks
    assert [b.text for b in blocks if isinstance(b, Heading)] == list(MODELS)
    tables = [b for b in blocks if isinstance(b, Table) and b.name == "Methods checked"]
    assert [row[0] for row in tables[-1].rows] == ["random order", "attention", "saliency", "ism"]
    assert tables[-1].rows[0][1:] == ["–", "–", "–", "–", "0.11", "–", "–"]
    assert tables[-1].rows[2][1:] == ["0.97", "–", "0.58", "0.81", "0.06", "0.66", "0.52"]
    assert "97 positives" in tables[-1].caption
    figures = [b.name for b in blocks if isinstance(b, Figure)]
    assert figures == [f"Deletion curves: {model}" for model in MODELS]
    drawn = next(b.svg for b in blocks if isinstance(b, Figure))
    # One sample in the legend, one curve: random order alone is grey.
    assert drawn.count(f'stroke="{CHANCE_COLOUR}"') == 2


def test_a_rule_has_a_table_where_one_was_tested(tmp_path: Path) -> None:
    blocks = fold(tmp_path, "checks").blocks
    tables = [b for b in blocks if isinstance(b, Table) and b.name == "A rule kept and broken"]
    low, high = (
        f"{a} ({b}\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}{c})"
        for a, b, c in (("0.520", "0.460", "0.560"), ("0.960", "0.900", "1.000"))
    )
    assert [table.rows for table in tables] == [[
        ["the motifs taken out", high, "0.85", "–"],
        ["attention", low, "0.41", "no"],
        ["saliency", low, "0.41", "no"],
        ["ism", high, "0.85", "yes"],
    ]]  # fmt: skip
    assert "TAL1 lies 7 to 8 bases right of GATA" in tables[0].caption


SAID = [
    (
        "the rule that MA1.1 and MA2.1 are both needed may be claimed by ism and deeplift_shap "
        "(0.97 of 100 minimal pairs)",
        "可用 饱和突变、DeepLIFT/SHAP 断言规则：MA1.1、MA2.1 二者都必需（100 个最小对中的 0.97）",
    ),
    ("places, not rules, by saliency", "显著性 只给出位置，不给出规则"),
    (
        "places, not rules: no method may claim that B lies 8 bases right of A (at best ism, 0.55 "
        "of 100 minimal pairs, 0.5 by chance)",
        "只有位置，没有规则：没有方法可以断言：B 位于 A 右侧，相隔 8 个碱基（最好的是 饱和突变，"
        "100 个最小对中的 0.55，随机为 0.5）",
    ),
]


@pytest.mark.parametrize(("english", "chinese"), SAID, ids=["claimed", "by some", "none"])
def test_what_is_said_of_a_rule_is_said_in_chinese(english: str, chinese: str) -> None:
    assert translate(english) == chinese


def test_refusals_are_told(tmp_path: Path) -> None:
    _, words, refused = fold(tmp_path, "verdicts").blocks
    assert words == Text("Methods that do not apply:")
    assert isinstance(refused, Bullets)
    assert refused.texts[0] == "tutorial-cnn: attention was refused: there are no maps."


def test_a_model_whose_logit_does_not_fall_has_no_curve(tmp_path: Path) -> None:
    evidence = {
        "base_auroc": None, "base_auprc": None, "ism_rank_correlation": None,
        "ism_top_overlap": None, "deletion_curve": None,
        "fraction_above_null": 0.04, "deletion_auc": None, "seed_rank_correlation": None,
        "untrained": None,
    }  # fmt: skip
    changed = {"random_order": None, "methods": {"saliency": evidence}}
    blocks = fold(tmp_path, "checks", **changed).blocks
    figures = [b.name for b in blocks if isinstance(b, Figure)]
    assert figures == [f"Deletion curves: {model}" for model in MODELS[:-1]]
    table = next(b for b in reversed(blocks) if isinstance(b, Table))
    assert table.rows == [
        ["random order", *["–"] * 7],
        ["saliency", "0.04", *["–"] * 6],
    ]
