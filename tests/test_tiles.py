"""Long commands in tiles: any division and any interruption gives the same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from motiflens.errors import InputError
from motiflens.files import write_whole
from motiflens.progress import Progress
from motiflens.scoring.carry_out import carry_out, merge
from motiflens.scoring.tiles import Tiles
from motiflens.scoring.work import WORKS, Shard, Work, open_work


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
    open_work.cache_clear()
    return Squares(output=str(tmp_path / "out.txt"), n=20)


EXPECTED = "".join(f"{number**2}\n" for number in range(20)).encode()


@pytest.mark.parametrize("threads", [1, 3])
def test_all_tiles_are_joined_in_order(squares: Squares, threads: int) -> None:
    assert carry_out(squares, threads=threads)
    assert squares.output.read_bytes() == EXPECTED
    assert not Tiles(squares.output).folder.exists()


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
    done = list(squares.computed)
    assert done
    assert not squares.output.exists()
    monkeypatch.setattr(Squares, "stop_at", None)
    carry_out(squares)
    assert sorted(squares.computed) == list(range(7))
    assert squares.output.read_bytes() == EXPECTED


def test_a_damaged_tile_is_computed_again(squares: Squares) -> None:
    carry_out(squares, shard=Shard(1, 2))
    path = Tiles(squares.output).folder / "000002.tile"
    path.write_bytes(path.read_bytes()[:-1])
    squares.computed.clear()
    carry_out(squares, shard=Shard(1, 2))
    assert squares.computed == [2]


def test_merge_names_what_is_missing(squares: Squares) -> None:
    carry_out(squares, shard=Shard(1, 2))
    with pytest.raises(InputError, match=r"3 of 7 tiles are missing .* the first of them number 1"):
        merge(squares.output)


def test_tiles_of_other_work_are_kept(squares: Squares) -> None:
    carry_out(squares, shard=Shard(1, 2))
    other = Squares(output=str(squares.output), n=21)
    with pytest.raises(InputError, match="begun with other n;"):
        carry_out(other)
    assert Tiles(squares.output).read(0) is not None
    carry_out(other, overwrite=True)
    assert squares.output.read_bytes() == EXPECTED + b"400\n"


def test_merge_refuses_tiles_whose_settings_have_changed(squares: Squares) -> None:
    for number in (1, 2):
        carry_out(squares, shard=Shard(number, 2))
    path = Tiles(squares.output).folder / "manifest.json"
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


@pytest.mark.parametrize("text", ["0/3", "4/3", "x", "1/", "-1/2"])
def test_a_shard_that_is_none(text: str) -> None:
    with pytest.raises(InputError, match=text):
        Shard.parse(text)
