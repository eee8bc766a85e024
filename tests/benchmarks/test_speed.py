"""The benchmarks of speed: the shape of their rows, the page, and the script of the GPU rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from benchmarks.rows import in_turns, not_run, row

from benchmarks import all as driver
from benchmarks import gpu, gpu_work, scaling, speed_page

FIELDS = [
    *("work", "ours_seconds", "theirs_seconds", "ratio"),
    *("peer", "peer_version", "threads", "n", "repeats"),
]


def test_a_row_holds_medians_and_their_ratio() -> None:
    made = row("sorting", [3.0, 1.0, 2.0], [9.0, 8.0], "numpy", n=7, note="of seven")
    assert set(FIELDS) <= made.keys()
    assert (made["ours_seconds"], made["theirs_seconds"], made["ratio"]) == (2.0, 8.5, 4.25)
    assert (made["repeats"], made["n"], made["threads"]) == (3, 7, 1)
    assert made["peer_version"]


def test_works_are_timed_in_turns() -> None:
    called: list[str] = []
    seconds = in_turns(lambda: called.append("a"), lambda: called.append("b"), repeats=3)
    assert called == list("ababab")
    assert [len(one) for one in seconds] == [3, 3]


def test_a_benchmark_that_fails_or_is_not_there_is_a_row_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "scaling.py").write_text(
        "def measure():\n    raise ValueError('why')\n"
    )
    monkeypatch.setattr(driver, "ROOT", tmp_path)
    python = Path(driver.sys.executable)
    (absent,) = driver.measured("whole", python)
    (failed,) = driver.measured("scaling", python)
    assert "benchmarks/whole.py is not there" in driver.line(absent)
    assert "not run: failed: ValueError: why" in driver.line(failed)


def test_growth_is_measured_at_every_length_and_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling, "LENGTHS", (50, 61))
    monkeypatch.setattr(scaling, "NUMBER", 30)
    monkeypatch.setattr(scaling, "LENGTH", 50)
    monkeypatch.setattr(scaling, "NUMBERS", (30, 40))
    rows = scaling.measure()
    assert [(one["n"], one["length"]) for one in rows[:3]] == [(30, 50), (30, 61), (40, 50)]
    assert {one["scaling"] for one in rows} == set(scaling.WORKS)
    assert all(one["ours_seconds"] > 0 for one in rows)
    table = speed_page.scaling_table({"rows": rows})
    assert "| seconds | 50 | 61 | dearer ÷ more |" in table
    assert table.count("mutagenesis of cnn") == 2


CONTENT = {
    "date": "2031-02-03",
    "minutes": 4.4,
    "machine": {
        "processor": "a chip",
        "cores": 2,
        "python": "3.11.7",
        "torch": "2.13.0",
        "commit": "abc",
    },
    "rows": [
        row("sorting", [0.5], [2.0], "numpy", goal="≥ 3"),
        not_run("mutagenesis", "failed: no memory"),
    ],
}


def test_the_page_is_made_of_the_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page, figures = tmp_path / "speed.md", tmp_path / "speed.json"
    page.write_text(speed_page.PAGE.read_text("utf-8"), "utf-8")
    figures.write_text(json.dumps(CONTENT), "utf-8")
    monkeypatch.setattr(speed_page, "PAGE", page)
    speed_page.main([str(figures)])
    text = page.read_text("utf-8")
    assert "2031-02-03, commit abc: a chip, 2 cores" in text
    assert (
        "| sorting | 0.500 s | 2.00 s | 4.0 | numpy | ≥ 3 | 1 thread; process time; once |" in text
    )
    assert "| mutagenesis | not run | | | | | failed: no memory |" in text
    speed_page.main([str(figures)])
    assert page.read_text("utf-8") == text


def test_without_a_device_every_gpu_row_is_reported_as_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    output = tmp_path / "made" / "gpu.json"
    rows = gpu.main(["--output", str(output), "--old", str(tmp_path)])
    assert [one["work"] for one in rows] == [work.what for work in gpu.WORKS]
    assert capsys.readouterr().out.count("not run: no CUDA device") == len(gpu.WORKS)
    assert json.loads(output.read_text("utf-8"))["card"] == "no CUDA device"
    table = speed_page.gpu_table(json.loads(output.read_text("utf-8")))
    assert table.count("| not run |") == len(gpu.WORKS)


@pytest.mark.slow
def test_both_states_are_timed_in_processes_of_their_own(tmp_path: Path) -> None:
    old = tmp_path / "old"
    (old / "src").mkdir(parents=True)
    (old / "src" / "motiflens").symlink_to(gpu.ROOT / "src" / "motiflens")
    works = {work.name: work for work in gpu.WORKS}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gpu, "WORKS", (works["deeplift"], works["run"]))
        explained, run = gpu.measure(old, device="cpu", small=True)
    assert None not in (explained["ours_seconds"], explained["theirs_seconds"]), explained
    assert run["note"] == "no --data"


def test_a_work_that_takes_too_long_is_cut_off() -> None:
    slow = gpu.WORKS[0]._replace(most=1.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gpu, "WORKS", (slow,))
        (cut,) = gpu.measure(device="cpu")
    assert cut["note"] == "new not finished in 1 s"
    assert cut["ours_seconds"] is None


@pytest.mark.parametrize("name", ["attention-20", "attention-100", "mutagenesis", "integrated"])
def test_the_works_of_the_gpu_rows_can_be_tried_on_a_processor(name: str) -> None:
    figures = gpu_work.WORKS[name](gpu_work.Asked("cpu", small=True))
    assert figures["rate"] > 0


@pytest.mark.parametrize("name", [name for name in gpu_work.WORKS if name != "run"])
def test_the_works_of_the_gpu_rows_run_on_a_gpu(name: str, cuda: torch.device) -> None:
    figures: dict[str, float] = gpu_work.WORKS[name](gpu_work.Asked(str(cuda), small=True))
    assert figures["seconds"] != 0
