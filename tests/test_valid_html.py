"""Every page is HTML by the Nu validator (`make test-html`); the documentation is for everyone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from chromium import SIZES, violations
from motiflens.app.served import open_bench
from motiflens.report import write_report
from served_run import client_of, guarded, make_served_run
from synthetic_run import N, write_negatives, write_run

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
#: Where `make test-html` puts the package `vnu-jar` of npm.
VALIDATOR = ROOT / ".venv" / "vnu" / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
#: What the theme of the documentation writes, and we do not.
THEME = "|".join(
    (
        'Bad value "" for attribute "tabindex" on element "label".*',
        'Attribute "autocomplete" is only allowed when the input type is .*',
    )
)


def complaints(*paths: Path, known: str = "") -> list[str]:
    """Return what the validator says of pages, and of the pages in folders."""
    if shutil.which("java") is None:
        pytest.skip("needs Java")
    if not VALIDATOR.exists():
        pytest.skip("needs the Nu validator: make test-html")
    command = ["java", "-jar", VALIDATOR, "--errors-only", "--skip-non-html", "--no-langdetect"]
    if known:
        command += ["--filterpattern", known.replace('"', '[“”"]')]
    done = subprocess.run([*command, *paths], capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).splitlines()


def test_a_mistake_is_told(tmp_path: Path) -> None:
    page = tmp_path / "wrong.html"
    page.write_text("<!DOCTYPE html><html lang=en><title>x</title><p><div id=a></div><i id=a></i>")
    assert any("Duplicate ID" in line for line in complaints(page))


def test_the_report_is_valid(tmp_path: Path) -> None:
    names = [f"<b>&amp;\"'{i}" for i in range(N)]
    run_dir = write_negatives(write_run(tmp_path / "run", names=names))
    assert complaints(write_report(run_dir)) == []


def test_the_pages_of_the_bench_are_valid(tmp_path: Path) -> None:
    run_dir = make_served_run(tmp_path / "run", models=("cnn", "tutorial-attention"), seeds=1)
    pages = {"bench": "/", "api": "/api", "refused": "/nothing"}
    with client_of(guarded(open_bench([run_dir])), headers={"accept": "text/html"}) as client:
        for name, path in pages.items():
            reply = client.get(path, params={"token": "a-token-of-a-test"})
            (tmp_path / f"{name}.html").write_bytes(reply.content)
    assert complaints(*(tmp_path / f"{name}.html" for name in pages)) == []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the documentation."""
    mkdocs = shutil.which("mkdocs", path=str(Path(sys.executable).parent))
    if mkdocs is None:
        pytest.skip("needs mkdocs")
    folder = tmp_path_factory.mktemp("site")
    command = [mkdocs, "build", "--quiet", "--strict", "--site-dir", folder]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


def test_the_documentation_is_valid(site: Path) -> None:
    assert complaints(site, known=THEME) == []


@pytest.mark.parametrize("width", SIZES)
def test_the_documentation_is_accessible(chromium, site: Path, width: int) -> None:
    """A page of each kind; with PAGES=all every page."""
    shown = [
        "index",
        "quickstart.zh",
        "reports",
        "notebooks/own-peaks",
        "use/serve",
        "reference/trust",
    ]
    pages = [site / f"{name}.html" for name in shown]
    if os.environ.get("PAGES") == "all":
        pages = [path for path in sorted(site.rglob("*.html")) if path.parent.name != "reports"]
    found = {page.name: violations(chromium, page, width=width) for page in pages}
    assert {name: said for name, said in found.items() if said} == {}
