"""Every page is HTML by its standard, as the Nu validator reads it: `make test-html`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

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


def test_the_documentation_is_valid(tmp_path: Path) -> None:
    if shutil.which("mkdocs", path=str(ROOT / ".venv" / "bin")) is None:
        pytest.skip("needs mkdocs")
    command = [ROOT / ".venv" / "bin" / "mkdocs", "build", "--quiet", "--site-dir", tmp_path]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    assert complaints(tmp_path, known=THEME) == []
