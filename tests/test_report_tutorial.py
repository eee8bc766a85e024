"""The tutorial told with a run's numbers: what is said follows from the run's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from motiflens.report.parts import Figure, Link, Table
from motiflens.report.tutorial import WITHOUT_CONVOLUTION
from pages import blocks_of, change, page_of, section_of
from synthetic_run import write_run

DOCS = Path(__file__).parents[1] / "docs" / "background" / "tutorial.md"


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run")


def words_of(run_dir: Path) -> str:
    return page_of(run_dir).text


def figures(run_dir: Path) -> dict[str, Figure]:
    (row,) = [b for b in section_of(run_dir, "bartender").blocks if b.kind == "row"]
    return {figure.name: figure for figure in row.figures}


def table(run_dir: Path, fold: str) -> Table:
    return next(b for b in section_of(run_dir, fold).blocks if isinstance(b, Table))


def test_four_pictures_hold_the_numbers_of_the_run(run_dir) -> None:
    bottles, query, scores, glass = figures(run_dir).values()
    # The motif of seq6 is at bases 34–45 (from 1), which unit 9 sees from 33 to 47.
    assert "at bases 34–45." in bottles.caption
    assert bottles.svg.count('class="site"') == 1
    assert "the mean of the 9 labels" in query.caption
    assert "Filter 4 asks for most: " in query.caption
    assert "Unit 8, which sees bases 29–43, is given 50 %." in scores.caption
    assert ">50</text>" in scores.svg
    assert ">8: 50 %</text>" in glass.svg
    for number in ("+5.25", "+2.50", "−0.75", "7.00"):
        assert f">{number}</text>" in glass.svg


def test_each_pitfall_is_shown_by_the_run(run_dir) -> None:
    dimensions, gradients, slices = table(run_dir, "pitfalls").rows
    assert "width 12 has 39 positions in 50 bases. Pooled by 4 they make 9 units" in dimensions[1]
    assert "the last 3 are dropped" in dimensions[1]
    assert "Bases 48–50 reach no unit." in dimensions[2]
    assert "0 of 7 motifs reach into them." in dimensions[2]
    assert "7 of 7 explained sequences have gradients" in gradients[2]
    assert "Of 7 motifs 5 give an empty slice (nan) and 2 the weights of wrong units" in slices[2]
    assert "3.52 times the even share on the motif and 0.23 times beside it" in slices[2]


def test_every_figure_of_the_tutorial_is_reached_by_a_link(run_dir) -> None:
    ids = {value for _, name, value in page_of(run_dir).attributes if name == "id"}
    links = [row[1] for row in table(run_dir, "figures").rows]
    assert len(links) == 7
    assert all(isinstance(link, Link) and link.target in ids for link in links)
    titles = {b.id: b.title for b in blocks_of(run_dir) if b.kind == "fold"}
    assert all(titles[link.target].startswith(link.text) for link in links)
    exact = next(row for row in table(run_dir, "figures").rows if row[1].target == "reconstructed")
    assert exact[2] == "The motif itself in 3 of 3 seeds; stretched, as in the tutorial, in 0 of 3."


def test_what_the_transformer_reaches_is_what_the_docs_say() -> None:
    rows = [line.strip("| \n").split(" | ") for line in DOCS.read_text().splitlines()]
    assert all(list(row) in rows for row in WITHOUT_CONVOLUTION)
    assert "stops at 71–75 %" in DOCS.read_text()


def test_other_runs_do_not_tell_it(run_dir) -> None:
    change(run_dir / "attention.json", lambda content: content["models"].pop("tutorial-attention"))
    assert "bartender" not in words_of(run_dir)
    assert all(block.kind != "fold" or block.id != "pitfalls" for block in blocks_of(run_dir))


def test_runs_of_before_do_not_tell_it(run_dir) -> None:
    change(run_dir / "attention.json",
           lambda content: content["models"]["tutorial-attention"].pop("steps"))  # fmt: skip
    assert "bartender" not in words_of(run_dir)
