"""Run the notebooks of the documentation: ``python -m scripts.notebooks runs/site/notebooks``.

A notebook is a Python file in ``docs/notebooks`` with cells that begin with ``# %%``, as editors
and Jupytext read them. Each is run from top to bottom in an empty folder. What it shows is written
as ``NAME.ipynb``, to be opened in Jupyter, and as ``NAME.md``, a page of the site. A cell that
fails ends this with its traceback.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import os
import re
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib

from motiflens.files import write_whole

SOURCE = Path(__file__).parents[1] / "docs" / "notebooks"
CELL = re.compile(r"^# %%( \[markdown\])?\n", flags=re.MULTILINE)
#: The looks that pandas gives a table, in place of those of the site.
PANDAS = re.compile(
    r'<style.*?</style>| border="1"| class="dataframe"| style="text-align: right;"', re.DOTALL
)
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


@dataclass
class Cell:
    """A cell: its text, and what it has shown, as pairs of a MIME type and its content."""

    is_code: bool
    text: str
    shown: list[tuple[str, str]] = field(default_factory=list)


def read_cells(path: Path) -> list[Cell]:
    """Return the cells of a notebook, not yet run."""
    _, *parts = CELL.split(path.read_text(encoding="utf-8"))
    kinds, texts = parts[::2], parts[1::2]
    return [
        Cell(kind is None, text.strip() if kind is None else _uncommented(text))
        for kind, text in zip(kinds, texts, strict=True)
    ]


def _uncommented(text: str) -> str:
    return re.sub(r"^# ?", "", text.strip(), flags=re.MULTILINE)


def run_cells(cells: list[Cell], name: str) -> None:
    """Run the cells of code in an empty folder, one after the other, and keep what they show."""
    matplotlib.use("Agg")
    names: dict[str, Any] = {"__name__": "__main__"}
    with _empty_folder():
        for number, cell in enumerate(cells):
            if cell.is_code:
                cell.shown = list(_run(cell.text, f"{name}, cell {number}", names))


@contextlib.contextmanager
def _empty_folder() -> Iterator[None]:
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(here)


def _run(code: str, where: str, names: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Run a cell; show what it prints, what its last line is, and its figures."""
    body = ast.parse(code).body
    last = ast.Expression(body.pop().value) if isinstance(body[-1], ast.Expr) else None  # type: ignore[attr-defined]
    printed, value = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        exec(compile(ast.Module(body, []), where, "exec"), names)
        if last:
            value = eval(compile(last, where, "eval"), names)
    if printed.getvalue():
        yield "text/plain", printed.getvalue()
    figures = list(_figures())
    if figures:  # which the value is the axes of
        yield from figures
    elif hasattr(value, "_repr_html_"):
        yield "text/html", value._repr_html_()
    elif value is not None:
        yield "text/plain", f"{value!r}\n"


def _figures() -> Iterator[tuple[str, str]]:
    """Show the open figures of matplotlib, and close them."""
    from matplotlib import pyplot

    for number in pyplot.get_fignums():
        content = io.BytesIO()
        pyplot.figure(number).savefig(content, format="png", dpi=80, bbox_inches="tight")
        yield "image/png", base64.b64encode(content.getvalue()).decode()
    pyplot.close("all")


def as_notebook(cells: list[Cell]) -> dict[str, Any]:
    """Return a notebook of Jupyter, in version 4.5 of its format."""
    return {
        "cells": [_cell_of_notebook(cell, number) for number, cell in enumerate(cells)],
        "metadata": {"kernelspec": KERNEL, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _cell_of_notebook(cell: Cell, number: int) -> dict[str, Any]:
    lines = cell.text.splitlines(keepends=True)
    made = {"id": f"cell-{number}", "metadata": {}, "source": lines}
    if not cell.is_code:
        return {"cell_type": "markdown", **made}
    outputs = [
        {"output_type": "display_data", "data": {kind: content}, "metadata": {}}
        for kind, content in cell.shown
    ]
    return {"cell_type": "code", "execution_count": None, **made, "outputs": outputs}


def as_page(cells: list[Cell], name: str) -> str:
    """Return a page of the site."""
    parts = []
    for number, cell in enumerate(cells):
        parts.append(f"```python\n{cell.text}\n```" if cell.is_code else cell.text)
        parts += [_shown(kind, content) for kind, content in cell.shown]
        if number == 0:
            parts.append(f"[Open it in Jupyter]({name}.ipynb): `{name}.ipynb`, with what it shows.")
    return "\n\n".join(parts) + "\n"


def _shown(kind: str, content: str) -> str:
    if kind == "image/png":
        picture = f"data:image/png;base64,{content}"
        return f'<p><img alt="What the cell above draws" src="{picture}"></p>'
    if kind == "text/html":
        own = PANDAS.sub("", content)
        lines = (line.strip() for line in own.splitlines())
        return f'<div class="shown">{" ".join(line for line in lines if line)}</div>'
    lines = [part for line in content.splitlines() for part in textwrap.wrap(line, 84) or [""]]
    return "```text\n" + "\n".join(lines) + "\n```"


def files_of(path: Path, *, run: bool = True) -> dict[str, str]:
    """Return what a notebook becomes, by the name of the file: run, or as it is."""
    cells = read_cells(path)
    if run:
        run_cells(cells, path.name)
    content = json.dumps(as_notebook(cells), indent=1, ensure_ascii=False) + "\n"
    return {f"{path.stem}.ipynb": content, f"{path.stem}.md": as_page(cells, path.stem)}


def main() -> None:
    """Run all of them."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(SOURCE.glob("*.py")):
        for name, content in files_of(path).items():
            write_whole(folder / name, content.encode())
        print(f"{path.name}: run")


if __name__ == "__main__":
    main()
