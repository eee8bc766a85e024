"""Pages read back: whether their elements nest, and what they hold."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

from motiflens.report import write_report
from motiflens.report.explained import read_explained
from motiflens.report.page import lay_out
from motiflens.report.parts import Block, Figure, Section, walk
from motiflens.results import Results

VOID = {"meta", "link", "br", "hr", "img", "input", "base", "source"}


class Page(HTMLParser):
    """Read a page: whether its elements nest, and what it holds."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.cells: list[list[str]] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag == "tr":
            self.cells.append([])
        if tag in ("td", "th"):
            self.cells[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.texts.append(data)
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1][-1] += data

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.texts))


def change(path: Path, edit) -> None:
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def page_of(run_dir: Path) -> Page:
    return Page(write_report(run_dir).read_text(encoding="utf-8"))


def blocks_of(run_dir: Path) -> list[Block]:
    """Lay out a run, and return its sections, folds and what is in them, in order."""
    results = Results(run_dir)
    return list(walk(lay_out(results, read_explained(results))))


def all_figures(run_dir: Path) -> dict[str, str]:
    return {b.name: b.svg for b in blocks_of(run_dir) if isinstance(b, Figure)}


def section_of(run_dir: Path, id: str) -> Section:
    """Return a section or a fold."""
    return next(b for b in blocks_of(run_dir) if isinstance(b, Section) and b.id == id)


def row_of(page: Page, *start: str) -> list[str]:
    rows = ([cell.replace("\N{NO-BREAK SPACE}", " ") for cell in row] for row in page.cells)
    return next(row for row in rows if tuple(row[: len(start)]) == start)
