"""Every command in tiles: killed, in shards, on workers, by the Snakefile: the same bytes."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.killing import Killed, files
from tests.long_commands import CALLS, LONG, PROGRAM, write_inputs

ROOT = Path(__file__).parents[1]
#: Of each command; `make test-kills` asks for ten.
KILLS = int(os.environ.get("KILLS", "1"))
pytestmark = [pytest.mark.slow, pytest.mark.parametrize("name", LONG)]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_inputs(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(autouse=True)
def _found_from_any_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")])
    monkeypatch.setenv("PYTHONPATH", path)


@pytest.fixture
def words(name: str, inputs: dict[str, Path]) -> list[str]:
    return [word.format(**inputs) for word in CALLS[name].split()]


def call(folder: Path, *words: str) -> None:
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def whole(
    inputs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, list[str]], dict[str, bytes]]:
    """Give what one process writes; each command is carried out once."""
    kept: dict[str, dict[str, bytes]] = {}

    def made(name: str, words: list[str]) -> dict[str, bytes]:
        if name not in kept:
            folder = tmp_path_factory.mktemp(name)
            call(folder, *PROGRAM, *words)
            kept[name] = files(folder)
        return kept[name]

    return made


def test_killed_and_started_again(words: list[str], tmp_path: Path) -> None:
    killed = Killed([*PROGRAM, *words], tmp_path)
    left = killed.left_after(KILLS)
    assert left == [killed.whole] * len(left) != []


def test_shards_and_merge(
    name: str, words: list[str], whole: Callable[..., dict[str, bytes]], tmp_path: Path
) -> None:
    for number in (2, 3, 1):
        call(tmp_path, *PROGRAM, *words, "--shard", f"{number}/3")
    assert all(".tiles/" in path for path in files(tmp_path))
    call(tmp_path, *PROGRAM, "merge", words[words.index("-o") + 1])
    assert files(tmp_path) == whole(name, words)


def test_on_workers(
    name: str, words: list[str], whole: Callable[..., dict[str, bytes]], tmp_path: Path
) -> None:
    call(tmp_path, *PROGRAM, *words, "--scheduler", "local[2]")
    assert files(tmp_path) == whole(name, words)


def test_by_the_snakefile(
    name: str,
    words: list[str],
    inputs: dict[str, Path],
    whole: Callable[..., dict[str, bytes]],
    tmp_path: Path,
) -> None:
    at, expected = words.index("-o"), whole(name, words)
    command, output = words[:at] + words[at + 2 :], words[at + 1]
    needs = tmp_path / "needed"
    needs.touch()
    os.utime(needs, (1e9, 1e9))
    job = {"command": shlex.join(command), "needs": [str(needs)], "files": sorted(expected)}
    config = {"outputs": {output: job}, "shards": 3, "motiflens": shlex.join(PROGRAM)}
    (tmp_path / "config.yaml").write_text(json.dumps(config))
    snakemake = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", "config.yaml"]
    snakemake += ["--snakefile", str(ROOT / "workflows" / "Snakefile")]
    times = set()
    for _ in range(2):
        call(tmp_path, *snakemake)
        made = {path: text for path, text in files(tmp_path).items() if path[0] not in ".cn"}
        assert made == expected
        times.add((tmp_path / next(iter(expected))).stat().st_mtime_ns)
        needs.write_text("other content")
    assert len(times) == 2  # a newer input is computed anew
