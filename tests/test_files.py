"""Whole files or none, and text of any origin."""

from __future__ import annotations

import gzip
import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from motiflens.errors import InputError
from motiflens.files import read_bytes, read_text, unpack, write_whole


def test_what_is_written_is_read(tmp_path):
    for name in ("a.txt", "a.txt.gz"):
        write_whole(tmp_path / name, b"ACGT\r\n\xc3\xa9")
        assert read_bytes(tmp_path / name) == b"ACGT\r\n\xc3\xa9"
        assert read_text(tmp_path / name) == "ACGT\né"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.txt", "a.txt.gz"]


def test_compressed_bytes_do_not_depend_on_the_time(tmp_path, monkeypatch):
    write_whole(tmp_path / "a.gz", b"ACGT")
    monkeypatch.setattr("time.time", lambda: 5e8)
    write_whole(tmp_path / "b.gz", b"ACGT")
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()
    assert gzip.decompress((tmp_path / "a.gz").read_bytes()) == b"ACGT"


def test_others_can_read_what_the_umask_allows(tmp_path):
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "a.txt", b"x")
    finally:
        assert os.umask(before) == 0o027
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    write_whole(tmp_path / "a.txt", b"old")

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full_disk)
    with pytest.raises(OSError, match=r"No space left on device: '.*a\.txt'"):
        write_whole(tmp_path / "a.txt", b"new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_bytes() == b"old"


def test_a_folder_that_cannot_be_listed_offers_no_name(tmp_path):
    with pytest.raises(InputError, match="check the path"):
        read_text(tmp_path / "missing" / "a.txt")


def test_a_gzip_file_of_several_members_is_unpacked_whole(tmp_path):
    (tmp_path / "a.gz").write_bytes(
        gzip.compress(b"ACGT\n", mtime=0) + gzip.compress(b"GG\n", mtime=0)
    )
    unpack(tmp_path / "a.gz", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"ACGT\nGG\n"


@pytest.mark.parametrize(
    "content", [b"ACGT", gzip.compress(b"ACGT" * 99, mtime=0)[:-9], b"\x1f\x8b\x08\x00" * 9]
)
def test_a_damaged_gzip_file_unpacks_into_nothing(tmp_path, content):
    (tmp_path / "a.gz").write_bytes(content)
    with pytest.raises(InputError, match="is no whole gzip file"):
        unpack(tmp_path / "a.gz", tmp_path / "a")
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.gz"]


def test_threads_that_write_at_once_leave_the_umask(tmp_path, monkeypatch):
    change, before = os.umask, os.umask(0o027)

    def slowly(mask):
        found = change(mask)
        time.sleep(0.002)
        return found

    monkeypatch.setattr(os, "umask", slowly)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: write_whole(tmp_path / f"{number}", b"x"), range(20)))
    assert change(before) == 0o027
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o640}
