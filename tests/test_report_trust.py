"""The report's section on trust: what `trust.json` says, and nothing that it does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from motiflens.plots.charts import CHANCE_COLOUR
from motiflens.report.findings import claims
from motiflens.report.page import lay_out
from motiflens.report.parts import Bullets, Figure, Heading, Section, Table, Text
from motiflens.results import Results
from synthetic_run import MODELS, write_run


def section(directory: Path, **changed: object) -> Section:
    path = write_run(directory) / "trust.json"
    content = json.loads(path.read_text())
    content["models"]["attention"].update(changed)
    path.write_text(json.dumps(content))
    return next(one for one in lay_out(Results(directory)) if one.id == "trust")


def test_the_verdicts_come_first_in_the_order_of_the_run(tmp_path: Path) -> None:
    how_to_read, verdicts = section(tmp_path).blocks[:2]
    assert isinstance(how_to_read, Text)
    assert isinstance(verdicts, Bullets)
    assert verdicts.texts == [f"{m}: bases of {m} may be claimed by ism." for m in MODELS]


@pytest.mark.parametrize(
    ("verdict", "told", "supported"),
    [
        ("attention marks bases (0.9 of positives); bases may be claimed by ism",
         "attention: attention marks bases; bases may be claimed by ism.", True),
        ("nothing may be claimed: the model hardly tells positives from negatives (AUROC 0.5)",
         "attention: nothing may be claimed: the model hardly tells positives from negatives.",
         False),
    ],
)  # fmt: skip
def test_the_first_screen_repeats_the_verdicts(tmp_path, verdict, told, supported) -> None:
    section(tmp_path, verdict=verdict)
    found = claims(Results(tmp_path))
    assert found is not None
    assert told in found.text
    assert found.text.endswith("share 31 bases with training: the score is partly memory.")
    assert found.supported is supported


@pytest.mark.parametrize(("methods", "supported"), [([], False), (["ism"], True)])
def test_a_claim_is_supported_by_the_methods_and_not_by_words(tmp_path, methods, supported) -> None:
    path = write_run(tmp_path) / "trust.json"
    content = json.loads(path.read_text())
    for model in content["models"].values():
        model["bases_claimed_by"] = methods
    path.write_text(json.dumps(content))
    found = claims(Results(tmp_path))
    assert found is not None
    assert found.supported is supported


def test_attention_replaced_has_a_row_a_model_and_kind(tmp_path: Path) -> None:
    table = section(tmp_path).blocks[2]
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
    whole, found = section(tmp_path, attention=attention).blocks[2:4]
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
    blocks = section(tmp_path).blocks
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


def test_refusals_are_told(tmp_path: Path) -> None:
    *_, words, refused = section(tmp_path).blocks
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
    blocks = section(tmp_path, random_order=None, methods={"saliency": evidence}).blocks
    figures = [b.name for b in blocks if isinstance(b, Figure)]
    assert figures == [f"Deletion curves: {model}" for model in MODELS[:-1]]
    table = next(b for b in reversed(blocks) if isinstance(b, Table))
    assert table.rows == [
        ["random order", *["–"] * 7],
        ["saliency", "0.04", *["–"] * 6],
    ]
