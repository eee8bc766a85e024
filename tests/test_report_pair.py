"""Two runs side by side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from motiflens.cli import main
from motiflens.report import write_pair, write_report
from pages import Page, change, row_of
from synthetic_run import MODELS, TRUTH, write_run


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    return write_run(tmp_path / "one"), write_run(tmp_path / "two")


def page_of(runs: tuple[Path, Path]) -> Page:
    return Page(write_pair(*runs, runs[0].parent / "pair.html").read_text(encoding="utf-8"))


def test_scores_of_both_stand_in_one_table(runs) -> None:
    value = {"value": 0.7, "low": 0.6, "high": 0.8}
    change(runs[1] / "metrics.json", lambda c: c["models"]["cnn"]["test"].update(mcc=value))
    page = page_of(runs)
    assert row_of(page, "A: cnn")[1] == "0.940 (0.910 to 0.950)"
    assert row_of(page, "B: cnn")[1] == "0.700 (0.600 to 0.800)"


def test_motifs_are_matched_on_either_strand_and_others_stand_alone(runs) -> None:
    def turn(content: dict) -> None:
        first, second = content["discovery"]
        first["ppm"] = [row[::-1] for row in first["ppm"][::-1]]
        # Its letters become those of no other motif.
        second.update(consensus="AAAAAA", ppm=[[1.0] * 6, [0.0] * 6, [0.0] * 6, [0.0] * 6])

    change(runs[1] / "motifs.json", turn)
    page = page_of(runs)
    assert row_of(page, f"{TRUTH}: unknown")[1:] == [
        "97.0 %",
        f"{TRUTH}: unknown",
        "97.0 %",
        "1.00",
    ]
    assert row_of(page, "CACGTGAC: USF1 (MA0093.4)")[1:] == ["97.0 %", "–", "–", "–"]
    assert row_of(page, "–", "–")[2:] == ["AAAAAA: USF1 (MA0093.4)", "97.0 %", "–"]
    assert page.tags.count("svg") == 4


def test_settings_that_differ_are_named_and_no_others(runs) -> None:
    path = runs[1] / "run.toml"
    path.write_text(path.read_text().replace("seed = 0", "seed = 7"))
    page = page_of(runs)
    settings = [row for row in page.cells if row[0].endswith("seed")]
    assert settings == [["seed", "0", "7"], ["configuration.seed", "0", "7"]]
    assert not any(row[0] == "configuration.split" for row in page.cells)


def test_verdicts_of_both_stand_in_one_grid(runs) -> None:
    claimed = {"bases_claimed_by": ["ism"]}
    change(runs[0] / "trust.json", lambda c: c["models"]["cnn"].update(claimed))
    told = {"verdict": "nothing may be claimed: it is by chance", "may_claim": False}
    change(runs[1] / "trust.json", lambda c: c["models"]["cnn"].update(told))
    page = page_of(runs)
    head = row_of(page, "Method")
    row = row_of(page, "mutagenesis")
    assert head[1:] == [f"{letter}: {model}" for letter in "AB" for model in MODELS]
    assert row[head.index("A: cnn")].startswith("may be claimed")
    assert row[head.index("B: cnn")].startswith("no")


def test_equal_runs_have_no_settings_that_differ(runs) -> None:
    assert "All settings are the same." in page_of(runs).text


def test_a_call_with_two_runs_writes_their_page(runs, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["report", "one", "two", "--json"])
    assert ended.value.code == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {"output": ["one", "two"], "report": "compared.html"}
    assert "one beside two" in (tmp_path / "compared.html").read_text()
    with pytest.raises(SystemExit) as ended:
        main(["report", "one", "-o", "x.html"])
    assert ended.value.code == 2
    with pytest.raises(SystemExit) as ended:
        main(["report", "one", "none", "-o", "x.html"])
    assert "none does not exist" in capsys.readouterr().err
    assert not (tmp_path / "x.html").exists()


def test_a_report_is_opened_in_the_browser(runs, monkeypatch, capsys) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    with pytest.raises(SystemExit) as ended:
        main(["open", str(runs[0])])
    assert ended.value.code == 2
    assert f"make it with `motiflens report {runs[0]}`" in capsys.readouterr().err
    write_report(runs[0])
    with pytest.raises(SystemExit) as ended:
        main(["open", str(runs[0])])
    assert ended.value.code == 0
    assert opened == [(runs[0] / "report.html").as_uri()]
