"""The page on paper: the style sheet's rules for it."""

from __future__ import annotations

import re

from motiflens.report.assets import HERE

STYLE = (HERE / "style.css").read_text(encoding="utf-8")
PRINT = STYLE.split("@media print {")[1]


def rules(css: str) -> list[tuple[set[str], dict[str, str]]]:
    """Read (selectors, properties) of every rule."""
    found = []
    for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", css):
        pairs = [part.split(":", 1) for part in body.split(";") if ":" in part]
        names = {one.strip() for one in selectors.split(",")}
        found.append((names, {name.strip(): value.strip() for name, value in pairs}))
    return found


def test_on_paper_tables_stay_tables_and_figures_stay_figures() -> None:
    """Only the contents go: another `display` takes cells away from their columns."""
    shown = {name: body["display"] for names, body in rules(PRINT) for name in names
             if "display" in body}  # fmt: skip
    gone = {"nav", ".skip", "#switches", "#browser", ".files", "button"}
    assert shown == dict.fromkeys(gone, "none") | {"#pictures[hidden]": "block !important"}


def test_on_paper_no_page_ends_inside_a_row_or_a_figure() -> None:
    whole = {name for names, body in rules(PRINT) for name in names
             if body.get("break-inside") == "avoid"}  # fmt: skip
    assert whole >= {"figure", "tr", ".finding"}


def test_on_paper_no_table_is_wider_than_the_page() -> None:
    """A sheet of paper is a narrow screen to the rules above, which give wide tables a width."""
    wide = {name for names, body in rules(STYLE.split("@media print {")[0]) for name in names
            if name.startswith("table") and "min-width" in body}  # fmt: skip
    narrow = {name for names, body in rules(PRINT) for name in names
              if body.get("min-width") == "0"}  # fmt: skip
    assert wide
    assert wide <= narrow
