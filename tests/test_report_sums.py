"""The report's table of what contributions miss of the differences that they explain."""

from __future__ import annotations

import json
from pathlib import Path

from motiflens.report.explain import sums_section
from motiflens.report.parts import Absent, Section, Table
from motiflens.results import Results
from synthetic_run import write_run

OTHERS = {"strands": None, "precision": 1e-7}
CHECKS = {
    "saliency": OTHERS | {"completeness": None, "completeness_note": None},
    "deeplift_shap": OTHERS | {"completeness": 2e-9, "completeness_note": None},
    "expected_gradients": OTHERS
    | {"completeness": 0.087, "completeness_note": "the contributions miss"},
}


def run_with(directory: Path, methods: dict[str, object]) -> Path:
    write_run(directory)
    for path in (directory / "attributions").glob("*/checks.json"):
        path.unlink()
    content = {"schema_version": 1, "methods": methods, "refused": {}}
    (directory / "attributions" / "cnn" / "checks.json").write_text(json.dumps(content))
    return directory


def test_every_method_that_promises_a_sum_has_a_row(tmp_path: Path) -> None:
    fold = sums_section(Results(run_with(tmp_path, CHECKS)))
    assert isinstance(fold, Section)
    (table,) = fold.blocks
    assert isinstance(table, Table)
    assert [(row[0], *row[2:]) for row in table.rows] == [
        ("cnn, deeplift_shap", "0.00 %", "adds up"),
        ("cnn, expected_gradients", "8.70 %", "the contributions miss"),
    ]


def test_checks_of_an_older_version_are_not_shown(tmp_path: Path) -> None:
    old = {"deeplift_shap": OTHERS | {"completeness": 2e-9}}
    absent = sums_section(Results(run_with(tmp_path, old)))
    assert isinstance(absent, Absent)
    assert absent.command == "motiflens explain"
