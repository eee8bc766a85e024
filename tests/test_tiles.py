"""Long commands in tiles: any division and any interruption gives the same bytes."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import pytest

from motiflens.errors import InputError
from motiflens.files import write_whole
from motiflens.progress import Progress, Silent
from motiflens.scoring.carry_out import carry_out, merge
from motiflens.scoring.tiles import Tiles
from motiflens.scoring.work import WORKS, Shard, Work


class Squares(Work):
    """Writes the squares of the numbers below n, three a tile; stops at a tile if told."""

    name, unit = "squares", "numbers"
    computed: ClassVar[list[int]] = []
    stop_at: int | None = None

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"n": self.arguments["n"]}

    @property
    def sizes(self) -> Sequence[int]:
        n = self.arguments["n"]
        return [min(3, n - start) for start in range(0, n, 3)]

    def compute(self, tile: int) -> bytes:
        if tile == self.stop_at:
            raise KeyboardInterrupt
        self.computed.append(tile)
        numbers = range(3 * tile, 3 * tile + self.sizes[tile])
        return "".join(f"{number**2}\n" for number in numbers).encode()

    def join(self, tiles: Iterator[bytes], progress: Progress) -> None:
        write_whole(self.output, b"".join(tiles))


@pytest.fixture
def squares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Squares:
    monkeypatch.setitem(WORKS, "squares", f"{__name__}:Squares")
    monkeypatch.setattr(Squares, "computed", [])
    return Squares(output=str(tmp_path / "out.txt"), n=20)


def kept(squares: Squares) -> list[int]:
    """Give the tiles that lie in the folder."""
    return sorted(int(path.name[:6]) for path in Tiles(squares).folder.glob("*.tile"))


EXPECTED = "".join(f"{number**2}\n" for number in range(20)).encode()


@pytest.mark.parametrize("threads", [1, 3])
def test_all_tiles_are_joined_in_order(squares: Squares, threads: int) -> None:
    assert carry_out(squares, threads=threads)
    assert squares.output.read_bytes() == EXPECTED
    assert os.listdir(squares.output.parent) == ["out.txt"]


def test_shards_and_merge_give_the_same_bytes(squares: Squares) -> None:
    for number in (3, 1, 2):
        assert not carry_out(squares, shard=Shard(number, 3))
        assert not squares.output.exists()
    assert sorted(squares.computed) == list(range(7))
    assert merge(squares.output) == squares.output
    assert squares.output.read_bytes() == EXPECTED


def test_what_was_stopped_is_resumed(squares: Squares, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Squares, "stop_at", 4)
    with pytest.raises(KeyboardInterrupt):
        carry_out(squares)
    done = kept(squares)
    assert done[:4] == [0, 1, 2, 3]
    assert not squares.output.exists()
    monkeypatch.setattr(Squares, "stop_at", None)
    squares.computed.clear()
    carry_out(squares)
    assert squares.computed == [tile for tile in range(7) if tile not in done]
    assert squares.output.read_bytes() == EXPECTED


def test_an_exception_in_a_tile_ends_the_work_and_keeps_the_others(
    squares: Squares, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Squares, tile: int) -> bytes:
        if tile == 5:
            raise ZeroDivisionError("tile 5")
        return compute(self, tile)

    compute = Squares.compute
    monkeypatch.setattr(Squares, "compute", fail)
    with pytest.raises(ZeroDivisionError, match="tile 5"):
        carry_out(squares, threads=2)
    assert not [one for one in threading.enumerate() if one.name.startswith("tiles")]
    assert Tiles(squares).missing() == [tile for tile in range(7) if tile not in kept(squares)]
    assert len(kept(squares)) >= 2
    monkeypatch.setattr(Squares, "compute", compute)
    assert carry_out(squares)
    assert squares.output.read_bytes() == EXPECTED


@pytest.mark.parametrize("done", [0, 2])
def test_a_mistake_in_the_first_tile_leaves_nothing(
    squares: Squares, monkeypatch: pytest.MonkeyPatch, done: int
) -> None:
    compute = Squares.compute

    def refuse(self: Squares, tile: int) -> bytes:
        if tile == done:
            raise InputError("this is no number")
        return compute(self, tile)

    monkeypatch.setattr(Squares, "compute", refuse)
    with pytest.raises(InputError, match="no number"):
        carry_out(squares)
    # What is done is kept: it is resumed once the input is mended.
    assert Tiles(squares).folder.is_dir() == (done > 0)


def test_a_mistake_in_a_shard_leaves_the_folder_to_the_others(
    squares: Squares, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Squares, tile: int) -> bytes:
        raise InputError("this is no number")

    monkeypatch.setattr(Squares, "compute", refuse)
    with pytest.raises(InputError, match="no number"):
        carry_out(squares, shard=Shard(1, 2))
    assert Tiles(squares).folder.is_dir()


@pytest.mark.parametrize("join", [carry_out, lambda work: merge(work.output)])
def test_a_damaged_tile_is_found_and_computed_again(
    squares: Squares, join: Callable[[Squares], Any]
) -> None:
    for number in (1, 2):
        carry_out(squares, shard=Shard(number, 2))
    [path] = Tiles(squares).folder.glob("000002.*")
    path.write_bytes(path.read_bytes()[:-1])
    squares.computed.clear()
    with pytest.raises(InputError, match=r"tile 2 in .* is damaged; repeat the command"):
        join(squares)
    assert os.listdir(squares.output.parent) == ["out.txt.tiles"]
    carry_out(squares, shard=Shard(1, 2))
    assert squares.computed == [2]
    join(squares)
    assert squares.output.read_bytes() == EXPECTED


def test_every_output_is_looked_after(squares: Squares, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = squares.output.parent
    monkeypatch.setattr(Squares, "outputs", [folder / "a", folder / "b"])
    (folder / "b").touch()
    with pytest.raises(InputError, match="b already exists"):
        carry_out(squares)
    (folder / "b").unlink()
    carry_out(squares, shard=Shard(1, 2))
    # Killed when one of them was written and the other begun: the same command goes on.
    for name in ("a", ".b.ab_c9xyz"):
        (folder / name).touch()
    assert carry_out(squares)
    assert sorted(os.listdir(folder)) == ["a", "out.txt"]


def test_more_shards_than_tiles(squares: Squares) -> None:
    for number in range(1, 10):
        assert not carry_out(squares, shard=Shard(number, 9))
    merge(squares.output)
    assert squares.output.read_bytes() == EXPECTED


def test_works_begun_at_once_under_one_name_do_not_mix(squares: Squares) -> None:
    other = Squares(output=str(squares.output), n=21)
    here, there = Tiles(squares), Tiles(other)
    # Both have looked before either has written.
    for number in (1, 2):
        carry_out(squares, shard=Shard(number, 2))
    (here.folder / "manifest.json").unlink()
    carry_out(other, shard=Shard(1, 7))
    assert there.missing() == [1, 2, 3, 4, 5, 6]
    with pytest.raises(InputError, match="6 of 7 tiles are missing"):
        merge(squares.output)
    assert here.missing() == []


def test_shards_that_begin_at_once(squares: Squares) -> None:
    def shard(number: int) -> bool:
        work = Squares(**squares.arguments)
        return carry_out(work, shard=Shard(number, 8), overwrite=True)

    carry_out(Squares(output=str(squares.output), n=9), shard=Shard(1, 2))  # of other work
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(shard, range(1, 9))) == [False] * 8
    merge(squares.output)
    assert squares.output.read_bytes() == EXPECTED


def test_a_tile_after_the_merge_says_what_has_happened(squares: Squares) -> None:
    late = Tiles(squares)
    for number in (1, 2):
        carry_out(squares, shard=Shard(number, 2))
    merge(squares.output)
    with pytest.raises(InputError, match="has gone while its tiles were computed; another call"):
        late.write(3, b"late")
    with pytest.raises(InputError, match=r"no tiles in .* \(the output is there already\)"):
        merge(squares.output)
    with pytest.raises(InputError, match="already exists"):
        carry_out(squares, shard=Shard(1, 2))


def test_what_a_killed_writer_has_left_is_removed(squares: Squares) -> None:
    carry_out(squares, shard=Shard(1, 2))
    for name in (".out.txt.ab_c9xyz", "out.txt.tiles/.000001.tile.abcdefgh", ".out.txt"):
        (squares.output.parent / name).write_bytes(b"half")
    carry_out(squares)
    assert sorted(os.listdir(squares.output.parent)) == [".out.txt", "out.txt"]


def test_what_killed_writers_have_left_goes_before_the_output_is_written(squares: Squares) -> None:
    folder = squares.output.with_name(f".{squares.output.name}.abcd1234")
    folder.mkdir()
    (folder / "half").touch()
    file = squares.output.with_name(f".{squares.output.name}.abcd5678")
    file.touch()
    carry_out(squares)
    assert not folder.exists()
    assert not file.exists()


def test_a_folder_whose_removal_was_cut_off_goes_with_the_next_call(squares: Squares) -> None:
    carry_out(squares, shard=Shard(1, 2))
    (Tiles(squares).folder / "manifest.json").unlink()
    squares.output.write_bytes(EXPECTED)
    with pytest.raises(InputError, match="already exists"):
        carry_out(squares)
    assert os.listdir(squares.output.parent) == ["out.txt"]


@pytest.mark.parametrize("name", [".", "folder"])
def test_an_output_that_is_a_folder_is_refused_at_once(
    squares: Squares, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(squares.output.parent)
    Path("folder").mkdir()
    with pytest.raises(InputError, match="is a folder; give the name of a file"):
        carry_out(Squares(output=name, n=20), overwrite=True)
    assert os.listdir(".") == ["folder"]
    assert squares.computed == []


def test_an_output_in_the_current_folder(squares: Squares, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(squares.output.parent)
    here = Squares(output="out.txt", n=20)
    for number in (1, 2):
        carry_out(here, shard=Shard(number, 2))
    # Merged from elsewhere, by another name of the same file.
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    merge("../out.txt")
    assert sorted(os.listdir("..")) == ["elsewhere", "out.txt"]
    assert Path("../out.txt").read_bytes() == EXPECTED


def test_paths_are_kept_absolute() -> None:
    work = Squares(output=Path("a") / "b", n=2)
    assert work.arguments == {"output": str(Path.cwd() / "a" / "b"), "n": 2}


def test_a_full_disk_leaves_what_was_done(
    squares: Squares, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Tiles, tile: int, content: bytes) -> None:
        if tile == 3:
            raise OSError(errno.ENOSPC, "No space left on device", "out.txt.tiles")
        write(self, tile, content)

    write = Tiles.write
    monkeypatch.setattr(Tiles, "write", full)
    with pytest.raises(OSError, match="No space left"):
        carry_out(squares)
    monkeypatch.setattr(Tiles, "write", write)
    assert 3 not in kept(squares)
    assert len(kept(squares)) >= 2
    assert not [one for one in threading.enumerate() if one.name.startswith("tiles")]
    carry_out(squares)
    assert squares.output.read_bytes() == EXPECTED


@pytest.mark.parametrize("name", [".", "..", "folder"])
def test_merge_refuses_a_folder(
    squares: Squares, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder = squares.output.parent / "folder"
    folder.mkdir()
    monkeypatch.chdir(squares.output.parent)
    with pytest.raises(InputError, match=rf"^{name} is a folder; give the output"):
        merge(name)


class Notes(Silent):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_a_call_resumes_only_where_tiles_of_its_own_are(squares: Squares) -> None:
    told = Notes()
    for number in (1, 2):
        carry_out(squares, shard=Shard(number, 2), progress=told)
    assert told.notes == []
    carry_out(squares, shard=Shard(2, 2), progress=told)
    assert told.notes == [f"resuming from the tiles in {Tiles(squares).folder}"]


def test_folders_of_outputs_are_made(squares: Squares, monkeypatch: pytest.MonkeyPatch) -> None:
    second = squares.output.parent / "other" / "folder" / "second.txt"
    monkeypatch.setattr(Squares, "outputs", [squares.output, second])
    carry_out(squares)
    assert second.parent.is_dir()


def test_a_folder_that_has_gone_is_told(squares: Squares, monkeypatch: pytest.MonkeyPatch) -> None:
    def compute(self: Squares, tile: int) -> bytes:
        Tiles(self).remove()
        return b""

    monkeypatch.setattr(Squares, "compute", compute)
    with pytest.raises(InputError, match="has gone while its tiles were computed"):
        carry_out(squares)


def test_merge_names_what_is_missing(squares: Squares) -> None:
    carry_out(squares, shard=Shard(1, 2))
    with pytest.raises(InputError, match=r"3 of 7 tiles are missing .* the first of them number 1"):
        merge(squares.output)


def test_tiles_of_other_work_are_kept(squares: Squares) -> None:
    carry_out(squares, shard=Shard(1, 2))
    other = Squares(output=str(squares.output), n=21)
    with pytest.raises(InputError, match="begun with other n;"):
        carry_out(other)
    assert Tiles(squares).missing() == [1, 3, 5]
    carry_out(other, overwrite=True)
    assert squares.output.read_bytes() == EXPECTED + b"400\n"


def test_merge_refuses_tiles_whose_settings_have_changed(squares: Squares) -> None:
    for number in (1, 2):
        carry_out(squares, shard=Shard(number, 2))
    path = Tiles(squares).folder / "manifest.json"
    manifest = json.loads(path.read_bytes())
    path.write_text(json.dumps(manifest | {"settings": {"n": 5}}))
    with pytest.raises(InputError, match="of other n"):
        merge(squares.output)
    path.write_text("{}")
    with pytest.raises(InputError, match="damaged"):
        merge(squares.output)


def test_an_output_that_is_there_is_refused(squares: Squares) -> None:
    squares.output.write_text("precious")
    with pytest.raises(InputError, match=r"out\.txt already exists"):
        carry_out(squares)
    assert squares.output.read_text() == "precious"


def test_no_threads_are_refused(squares: Squares) -> None:
    with pytest.raises(InputError, match="threads=0 is no whole number of 1 or more"):
        carry_out(squares, threads=0)
    assert os.listdir(squares.output.parent) == []


@pytest.mark.parametrize("text", ["0/3", "4/3", "x", "1/", "-1/2"])
def test_a_shard_that_is_none(text: str) -> None:
    with pytest.raises(InputError, match=text):
        Shard.parse(text)
