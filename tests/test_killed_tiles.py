"""Commands in tiles as real processes: killed, on a full disk, divided into shards."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.killing import Killed, files
from tests.toy_works import expected

TOY = [sys.executable, "-m", "tests.toy_command"]
DIGESTS = [*TOY, "digests", "-o", "out.bin"]
ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _found_from_any_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")])
    monkeypatch.setenv("PYTHONPATH", path)


def call(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*TOY, *map(str, words)], cwd=cwd, capture_output=True, text=True)


def shard(number: str, n: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return call("digests", "-o", "out.bin", n, "--shard", number, cwd=cwd)


@pytest.mark.parametrize("kills", [1, pytest.param(10, marks=pytest.mark.slow)])
def test_a_command_that_is_killed_resumes_and_ends_with_the_same_bytes(
    tmp_path: Path, kills: int
) -> None:
    killed = Killed([*DIGESTS, "200", "--seconds", "0.02"], tmp_path)
    assert killed.whole == {"out.bin": expected(200)}
    left = killed.left_after(kills, seed=kills)
    assert left == [killed.whole] * len(left) != []


@pytest.mark.slow
def test_a_command_on_workers_that_is_killed_with_them_resumes(tmp_path: Path) -> None:
    command = [*DIGESTS, "300", "--seconds", "0.05", "--scheduler", "local[2]"]
    killed = Killed(command, tmp_path)
    left = killed.left_after(2)
    assert left == [killed.whole] * len(left) != []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a folder on a disk of its own, of 64 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("only root can mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_one_line_and_nothing_is_truncated(small_disk: Path) -> None:
    # 32 bytes a number, and a page of 4 kB for each tile of seven of them: not all tiles fit.
    made = call("digests", "-o", "out.bin", "300", cwd=small_disk)
    assert made.returncode == 1
    assert made.stderr.count("\n") == 1
    assert "No space left on device" in made.stderr
    assert "out.bin" in made.stderr
    assert all(path.suffix in (".tile", ".json") for path in small_disk.glob("*.tiles/*"))
    assert os.listdir(small_disk) == ["out.bin.tiles"]
    subprocess.run(["mount", "-o", "remount,size=1m", str(small_disk)], check=True)
    assert call("digests", "-o", "out.bin", "300", cwd=small_disk).returncode == 0
    assert files(small_disk) == {"out.bin": expected(300)}


def test_a_disk_that_fills_up_as_tiles_are_joined(small_disk: Path) -> None:
    for number in ("1/2", "2/2"):
        assert shard(number, "70", cwd=small_disk).returncode == 0
    room = os.statvfs(small_disk)
    (small_disk / "other").write_bytes(b"\1" * room.f_bavail * room.f_bsize)
    before = files(small_disk)
    made = call("merge", "out.bin", cwd=small_disk)
    assert made.returncode == 1
    assert made.stderr.count("\n") == 1
    assert "No space left on device" in made.stderr
    assert files(small_disk) == before
    (small_disk / "other").unlink()
    made = call("merge", "out.bin", cwd=small_disk)
    assert (made.returncode, made.stdout) == (0, "out.bin: joined\n")
    assert files(small_disk) == {"out.bin": expected(70)}


@pytest.mark.slow
def test_merge_by_the_command_line(tmp_path: Path) -> None:
    made = call("merge", "out.bin", cwd=tmp_path)
    assert made.returncode == 2
    assert made.stderr == (
        "motiflens: there are no tiles in out.bin.tiles; give the output that was given to the "
        "shards\n"
    )
    for number in ("3/3", "1/3"):
        assert shard(number, "100", cwd=tmp_path).returncode == 0
    made = call("merge", "out.bin", cwd=tmp_path)
    assert made.returncode == 2
    assert made.stderr == (
        "motiflens: 5 of 15 tiles are missing in out.bin.tiles, the first of them number 1; run "
        "the shards that have not ended again, then merge\n"
    )
    assert shard("2/3", "100", cwd=tmp_path).returncode == 0
    made = call("merge", "out.bin", "--json", cwd=tmp_path)
    assert (made.returncode, made.stdout, made.stderr) == (0, '{"file": "out.bin"}\n', "")
    assert files(tmp_path) == {"out.bin": expected(100)}
