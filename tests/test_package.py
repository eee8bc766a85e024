"""What is given away: the sdist holds the source, and the wheel made of it runs by itself."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from motiflens.version import __version__

ROOT = Path(__file__).parents[1]
#: What of the repository the sdist leaves out.
KEPT_HOME = (".ci/", ".gitignore", ".containerignore", ".dockerignore")
#: What is named otherwise on a channel of conda, and what is on none.
IN_CONDA = {"torch": "pytorch", "lazy-loader": "lazy_loader"}
NOT_IN_CONDA = {"resvg_py"}


def requirements() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return set(project["dependencies"])


def test_the_recipe_of_conda_needs_what_the_package_needs() -> None:
    recipe = (ROOT / "packaging" / "conda" / "meta.yaml").read_text("utf-8")
    assert f'set version = "{__version__}"' in recipe
    run = recipe.partition("  run:\n")[2].partition("\n\n")[0]
    needed = {line.strip("- ").replace(" ", "") for line in run.splitlines()}
    names = {re.split(">=", one)[0]: one for one in requirements()}
    wanted = {
        one.replace(name, IN_CONDA.get(name, name))
        for name, one in names.items()
        if name not in NOT_IN_CONDA
    }
    assert needed == wanted | {"python>=3.11"}


def test_the_citation_is_of_this_version() -> None:
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    (version,) = re.findall(r"^version: (.+)$", citation, flags=re.MULTILINE)
    (date,) = re.findall(r'^date-released: "(.+)"$', citation, flags=re.MULTILINE)
    assert version == __version__
    assert f"## [{version}] – {date}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def tracked() -> list[str]:
    """Return the files of the repository that are there."""
    if not (ROOT / ".git").exists():
        pytest.skip("needs a clone, which says what belongs to the source")
    done = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run a command without the paths of this process; return what it prints."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd, env={**inherited, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sdist of a copy, so that nothing is left here and nothing old gets in."""
    folder = tmp_path_factory.mktemp("source")
    for name in tracked():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    build = "from setuptools import build_meta; build_meta.build_sdist('dist')"
    run(sys.executable, "-c", build, cwd=folder)
    (built,) = (folder / "dist").iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(sdist: Path) -> Path:
    """Build the wheel of the sdist, as whoever installs from it does."""
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", "wheels", sdist, cwd=sdist.parent)
    (built,) = (sdist.parent / "wheels").iterdir()
    return built


@pytest.mark.slow
def test_the_sdist_is_the_source(sdist: Path) -> None:
    assert sdist.name == f"motiflens-{__version__}.tar.gz"
    with tarfile.open(sdist) as archive:
        names = {one.name.partition("/")[2] for one in archive if one.isfile()}
    made = {name for name in names if re.search(r"egg-info/|^PKG-INFO$|^setup\.cfg$", name)}
    assert names - made == {name for name in tracked() if not name.startswith(KEPT_HOME)}


@pytest.mark.slow
def test_the_wheel_is_the_package(wheel: Path) -> None:
    assert wheel.name == f"motiflens-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    package = {name.removeprefix("src/") for name in tracked() if name.startswith("src/")}
    assert {name for name in names if ".dist-info/" not in name} == package
    licences = {name.rpartition("/")[2] for name in names if "/licenses/" in name}
    assert licences == {"LICENSE", "NOTICE.md"}


@pytest.mark.slow
def test_the_installed_wheel_runs_the_demo_in_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python, empty = tmp_path / "venv" / "bin" / "python", tmp_path / "empty"
    empty.mkdir()
    limits = ROOT / "constraints.txt"
    run(python, "-m", "pip", "install", "--quiet", "-c", limits, wheel, cwd=empty)
    where = "import motiflens; print(motiflens.__file__)"
    assert Path(run(python, "-c", where, cwd=empty).strip()).is_relative_to(tmp_path / "venv")
    command = tmp_path / "venv" / "bin" / "motiflens"
    assert run(command, "--version", cwd=empty).strip().endswith(__version__)
    run(command, "demo", "--seeds", "2", "-o", "demo", cwd=empty)
    assert (empty / "demo" / "report.html").stat().st_size > 500_000
    assert [path.name for path in empty.iterdir()] == ["demo"]
