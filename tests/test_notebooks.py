"""Notebooks of the documentation: cells run in order, and what they show is kept."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import matplotlib
import pytest
from scripts import site_hooks
from scripts.notebooks import SOURCE, files_of, read_cells
from scripts.site_reports import REPORTS, page_of

from motiflens.cli.app import app

SMALL = """# %% [markdown]
# # Heading
#
# Words.

# %%
n = 2
print("printed", n)
n + 3

# %%
class Shown:
    def _repr_html_(self):
        return "<style>x</style><b>own</b>"

Shown()

# %%
from pathlib import Path
from matplotlib import pyplot

Path("left").write_text("here")
pyplot.subplots()[1]
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.py"
    path.write_text(SMALL)
    return path


def test_cells_are_run_and_show_what_jupyter_would(small: Path) -> None:
    before = matplotlib.get_backend()
    files = files_of(small)
    matplotlib.use(before)
    notebook = json.loads(files["small.ipynb"])
    words, *cells = notebook["cells"]
    assert "".join(words["source"]) == "# Heading\n\nWords."
    shown = [[one["data"] for one in cell["outputs"]] for cell in cells]
    assert shown[0] == [{"text/plain": "printed 2\n"}, {"text/plain": "5\n"}]
    assert shown[1] == [{"text/html": "<style>x</style><b>own</b>"}]
    ((picture,),) = shown[2:]
    assert base64.b64decode(picture["image/png"]).startswith(b"\x89PNG")
    page = files["small.md"]
    assert page.index("# Heading") < page.index("small.ipynb") < page.index("printed 2")
    assert '<div class="shown"><b>own</b></div>' in page
    assert [path.name for path in small.parent.iterdir()] == ["small.py"]
    assert not Path("left").exists()


def test_a_cell_that_fails_is_named(small: Path) -> None:
    small.write_text(SMALL + "\n# %%\nnothing_of_this_name\n")
    with pytest.raises(NameError) as found:
        files_of(small)
    assert "small.py, cell 4" in str(found.traceback[-1].path)


def test_notebooks_are_whole() -> None:
    paths = sorted(SOURCE.glob("*.py"))
    assert len(paths) >= 2
    for path in paths:
        cells = read_cells(path)
        assert cells[0].text.startswith("# ")
        assert sum(cell.is_code for cell in cells) >= 5
        for cell in cells:
            if cell.is_code:
                compile(cell.text, path.name, "exec")
        files = files_of(path, run=False)
        assert set(files) == {f"{path.stem}.ipynb", f"{path.stem}.md"}


def test_the_notebook_of_jupyter_is_valid(small: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.reads(files_of(small, run=False)["small.ipynb"], as_version=4)
    nbformat.validate(notebook)
    kinds = ["code" if cell.is_code else "markdown" for cell in read_cells(small)]
    assert [cell.cell_type for cell in notebook.cells] == kinds


def test_reports_are_listed_where_they_are_there(tmp_path: Path, monkeypatch) -> None:
    for where in ("RUNS", "DEMO"):
        monkeypatch.setattr(f"scripts.site_reports.{where}", tmp_path / where.lower())
    text = f"before\n{site_hooks.LIST}\nafter"
    assert "None was built" in site_hooks.on_page_markdown(text, page=None)
    page_of("few-peaks").parent.mkdir(parents=True)
    page_of("few-peaks").write_text("a page")
    listed = site_hooks.on_page_markdown(text, page=None)
    assert "(reports/few-peaks.html)" in listed
    assert "--peak-name 'CTCF_*'" in listed
    assert "reports/jund.html" not in listed
    for report in REPORTS.values():
        command, bound, _ = app.parse_args(
            [*report.command.split(), "-o", "out"], print_error=False, exit_on_error=False
        )
        assert command.__name__ == report.command.split()[0]
        assert bound.arguments
    assert {"tutorial", "ctcf", "jund", "microarray", "crp0"} <= set(REPORTS)
