"""bigWig files: whole or not there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pybigtools
import pytest

from motiflens.errors import InputError
from motiflens.io.big_wig import Value, write_values


def test_values_are_read_back_with_the_sizes_of_contigs(tmp_path: Path) -> None:
    values = [("z:1-2", 3, 5, 0.5), ("z:1-2", 7, 8, -2.0), ("a", 0, 1, 4.0)]
    write_values(tmp_path / "x.bw", {"a": 11, "z:1-2": 9, "left-out": 5}, values)
    with pybigtools.open(str(tmp_path / "x.bw")) as track:
        assert track.chroms() == {"a": 11, "z:1-2": 9}
        assert list(track.records("z:1-2")) == [(3, 5, 0.5), (7, 8, -2.0)]
    first = (tmp_path / "x.bw").read_bytes()
    write_values(tmp_path / "x.bw", {"a": 11, "z:1-2": 9}, values)
    assert (tmp_path / "x.bw").read_bytes() == first


def test_what_goes_wrong_in_the_values_leaves_no_file(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken() -> Iterator[Value]:
        yield "a", 0, 1, 1.0
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_values(tmp_path / "x.bw", {"a": 9}, broken())
    with pytest.raises(InputError, match="there is no value"):
        write_values(tmp_path / "x.bw", {"a": 9}, [])
    assert capfd.readouterr() == ("", "")
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError, match="make its folder"):
        write_values(tmp_path / "none" / "x.bw", {"a": 9}, [("a", 0, 1, 1.0)])


FULL = """
import resource
from motiflens.io.big_wig import write_values
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    write_values("x.bw", {"a": 10**6}, (("a", i, i + 1, i * 0.37 % 1) for i in range(200_000)))
except OSError as error:
    print(error)
"""


def test_a_full_disk_leaves_no_file(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL], cwd=tmp_path, capture_output=True, text=True, timeout=100
    )
    assert "the bigWig cannot be written whole: 'x.bw'" in done.stdout
    assert not list(tmp_path.iterdir())
