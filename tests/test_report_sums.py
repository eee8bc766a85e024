"""The report's table of what contributions miss of the differences that they explain."""

from __future__ import annotations

import json
from pathlib import Path

from motiflens.report.parts import Table, Text
from motiflens.report.reading import read_run
from motiflens.report.sums import sums
from synthetic_run import write_run

CHECKS = {
    "saliency": {"completeness": None, "completeness_note": None},
    "deeplift_shap": {"completeness": 2e-9, "completeness_note": None},
    "expected_gradients": {"completeness": 0.087, "completeness_note": "the contributions miss"},
}


def run_with(directory: Path, methods: dict[str, object]) -> Path:
    write_run(directory)
    for path in (directory / "attributions").glob("*/checks.json"):
        path.unlink()
    content = {"schema_version": 1, "methods": methods, "refused": {}}
    (directory / "attributions" / "cnn" / "checks.json").write_text(json.dumps(content))
    return directory


def test_every_method_that_promises_a_sum_has_a_row(tmp_path: Path) -> None:
    (table,) = sums(read_run(run_with(tmp_path, CHECKS))).blocks
    assert isinstance(table, Table)
    assert [(row[0], *row[2:]) for row in table.rows] == [
        ("cnn, deeplift_shap", "0.00 %", "adds up"),
        ("cnn, expected_gradients", "8.70 %", "the contributions miss"),
    ]


def test_checks_of_an_older_version_are_not_shown(tmp_path: Path) -> None:
    old = {"deeplift_shap": {"completeness": 2e-9}}
    (text,) = sums(read_run(run_with(tmp_path, old))).blocks
    assert isinstance(text, Text)
    assert "motiflens explain" in text.text
