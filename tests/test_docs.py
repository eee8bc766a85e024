"""What the pages show is true: commands, names, files, pictures."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import pytest
from matplotlib import pyplot
from scripts.reference_pages import COMMAND_LINE, FILES, command_line, with_run_files

import motiflens
from motiflens.cli.app import app
from motiflens.results import table_of_files
from motiflens.results.loader import RENAMED

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
PICTURES = sorted((DOCS / "pictures").glob("*.svg"))
SCREENSHOTS = sorted((DOCS / "pictures").glob("*.png"))
MAKE_AGAIN = "make it again with `python -m scripts.reference_pages`"


def blocks(language: str) -> list[str]:
    """Collect the code blocks of a language."""
    found = []
    for page in PAGES:
        pattern = r"^```([a-z]*)\n(.*?)^```$"
        pairs = re.findall(pattern, page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
        found += [block for name, block in pairs if name == language]
    return found


def commands() -> list[str]:
    """Collect the lines of code blocks that call motiflens, continued lines joined."""
    lines = [line for block in blocks("") for line in block.replace("\\\n", " ").splitlines()]
    return sorted({line.strip() for line in lines if re.match(r"\s*(motiflens|torchrun) ", line)})


def test_pages_show_commands():
    assert len(commands()) > 40


@pytest.mark.parametrize("line", commands())
def test_a_shown_command_is_taken(line):
    tokens = shlex.split(line, comments=True)
    tokens = tokens[tokens.index("motiflens") + 1 :]
    if tokens[0] in ("--help", "--install-completion", "help"):
        return
    command, bound, _ = app.parse_args(tokens, print_error=False, exit_on_error=False)
    assert command.__name__ == tokens[0]
    assert bound.arguments


def test_the_page_of_the_command_line_is_the_help():
    assert COMMAND_LINE.read_text("utf-8") == command_line(), MAKE_AGAIN


def test_the_table_of_files_is_the_list_in_the_code():
    page = FILES.read_text("utf-8")
    assert table_of_files() in page, MAKE_AGAIN
    assert with_run_files(page) == page, MAKE_AGAIN


def test_renamed_fields_are_shown():
    row = r"^\| `([a-z]+)\.json` \| `(\w+)` \| `(\w+)` \|$"
    shown = re.findall(row, FILES.read_text("utf-8"), flags=re.MULTILINE)
    known = [(name.lower(), old, new) for name, of in RENAMED.items() for old, new in of.items()]
    assert sorted(shown) == sorted(known)


def test_shown_names_are_public():
    assert blocks("python")
    shown = {name for block in blocks("python") for name in re.findall(r"\bml\.(\w+)", block)}
    assert shown - set(motiflens.__all__) == set()


def test_examples_are_python():
    for block in blocks("python"):
        assert compile(block, "an example", "exec").co_names, block


@pytest.mark.slow
def test_the_page_of_the_interface_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    matplotlib.use("Agg")
    names: dict[str, object] = {}
    page = (DOCS / "api.md").read_text("utf-8")
    for block in re.findall(r"^```python\n(.*?)^```$", page, flags=re.DOTALL | re.MULTILINE):
        exec(compile(block, "docs/api.md", "exec"), names)
    pyplot.close("all")
    assert (tmp_path / "out" / "report.html").is_file()


def test_every_public_name_is_on_the_page_of_the_interface():
    page = (DOCS / "api.md").read_text("utf-8")
    missing = [name for name in motiflens.__all__ if not re.search(rf"\bml\.{name}\b", page)]
    assert missing == ["__version__"]
    reference = (DOCS / "reference" / "python.md").read_text("utf-8")
    shown = re.findall(r"^::: motiflens\..*\.(\w+)$", reference, flags=re.MULTILINE)
    assert sorted(shown) == sorted(set(motiflens.__all__) - {"__version__"})


def test_the_readme_is_short():
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.split()) <= 600
    assert text.index("<img ") < text.index("```")


def test_every_page_is_in_the_navigation():
    configuration = (ROOT / "mkdocs.yml").read_text("utf-8")
    shown = re.findall(r": ([\w./-]+\.md)$", configuration, flags=re.MULTILINE)
    pages = [str(page.relative_to(DOCS)) for page in PAGES[1:]]
    made = [f"notebooks/{path.stem}.md" for path in (DOCS / "notebooks").iterdir()]
    assert sorted(shown) == sorted(pages + made)


def test_every_picture_is_shown():
    shown = {
        (page.parent / target).resolve()
        for page in PAGES
        for target in re.findall(r'(?:\]\(|src=")([\w./-]+\.(?:svg|png))', page.read_text("utf-8"))
    }
    assert shown == {*PICTURES, *SCREENSHOTS}
    assert {path.name for path in SCREENSHOTS if path.stat().st_size > 150_000} == set()


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_a_picture_is_small_and_readable_on_any_ground(path):
    assert path.stat().st_size <= 100_000
    top = ElementTree.fromstring(path.read_text("utf-8"))
    paper = top.find("{http://www.w3.org/2000/svg}rect")
    assert paper.get("fill") == "#ffffff"
    assert (paper.get("width"), paper.get("height")) == (top.get("width"), top.get("height"))


def test_the_first_hour_is_an_hour():
    text = (DOCS / "architecture.md").read_text("utf-8")
    path = re.findall(r"^\d+\. `([\w/]+\.py)`", text, flags=re.MULTILINE)
    files = [ROOT / "src" / "motiflens" / name for name in path]
    assert len(files) >= 10
    assert sum(len(file.read_text("utf-8").splitlines()) for file in files) <= 2_000


def test_lists_that_something_new_goes_into_exist():
    text = (DOCS / "architecture.md").read_text("utf-8")
    package = ROOT / "src" / "motiflens"
    lists = re.findall(r"`([A-Z]+)` in `([a-z_/]+\.py)`", text)
    assert len(lists) >= 4
    assert all((package / path).exists() for _, path in lists)
    assert not [name for name, path in lists if name not in (package / path).read_text("utf-8")]


def test_words_of_the_glossary_are_explained_once():
    text = (DOCS / "reference" / "glossary.md").read_text("utf-8")
    entries = re.findall(r"^###+ ([^\n]+)\n(.*?)(?=\n#|\Z)", text, flags=re.M | re.S)
    assert len(entries) == len({name for name, _ in entries}) == text.count("\n###")
    assert all(len(meaning.split()) <= 60 for _, meaning in entries)
    assert {"logit", "AUROC", "seqlet", "null", "k-mer"} <= {name for name, _ in entries}
