"""A work carried out: computed here, in shards or on other workers, resumed, joined.

The result depends neither on who computed which tile, nor on how often the work was stopped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

from motiflens.errors import InputError
from motiflens.progress import Progress, listener
from motiflens.scoring.tiles import Tiles, manifest_of, name_changed
from motiflens.scoring.work import Shard, Work, open_work

#: One tile in progress and one that waits, for every worker.
WAITING = 2

ALL = Shard()

#: Computes tiles on workers elsewhere: yields the number and content of each as it is done.
Engine = Callable[[Work, Iterable[int]], Iterator[tuple[int, bytes]]]


def carry_out(
    work: Work,
    *,
    shard: Shard = ALL,
    engine: Engine | None = None,
    threads: int = 1,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> bool:
    """Compute the tiles of a work, resuming what was stopped, and join them when all are there.

    Parameters
    ----------
    work
        What is done.
    shard
        Which tiles are computed here; of a part the rest is left to other calls, and to
        :func:`merge`.
    engine
        Workers elsewhere; None for threads here.
    threads
        Tiles at once, each on one thread.
    overwrite
        Replace the output, or tiles of other work.
    progress
        Told how far the work has come.

    Returns
    -------
    bool
        Whether the output is written: not by one shard of several.

    Raises
    ------
    InputError
        If the output or the tiles of other work are in the way.
    """
    told, tiles = listener(progress), Tiles(work.output)
    if tiles.begin(work, overwrite=overwrite):
        told.note(f"resuming from the tiles in {tiles.folder}")
    sizes = work.sizes
    own = [tile for tile in range(len(sizes)) if shard.takes(tile)]
    left = [tile for tile in own if tiles.read(tile) is None]
    with told.stage(work.name, sum(sizes[tile] for tile in own), work.unit) as advance:
        advance(sum(sizes[tile] for tile in own) - sum(sizes[tile] for tile in left))
        for tile, content in (engine or _on_threads(threads))(work, left):
            tiles.write(tile, content)
            advance(sizes[tile])
    if shard.count > 1:
        return False
    _join(work, tiles, told)
    return True


def _on_threads(threads: int) -> Engine:
    def compute(work: Work, tiles: Iterable[int]) -> Iterator[tuple[int, bytes]]:
        waiting: dict[Future[bytes], int] = {}
        with ThreadPoolExecutor(threads) as pool:
            try:
                for tile in tiles:
                    waiting[pool.submit(work.compute, tile)] = tile
                    if len(waiting) >= WAITING * threads:
                        yield from _take_done(waiting)
                while waiting:
                    yield from _take_done(waiting)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    return compute


def _take_done(waiting: dict[Future[bytes], int]) -> Iterator[tuple[int, bytes]]:
    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
    for future in done:
        yield waiting.pop(future), future.result()


def _join(work: Work, tiles: Tiles, progress: Progress) -> None:
    def contents() -> Iterator[bytes]:
        for tile in range(len(work.sizes)):
            content = tiles.read(tile)
            assert content is not None, "all tiles are there"
            yield content

    work.join(contents(), progress)
    tiles.remove()


def merge(output: Path | str, *, progress: Progress | None = None) -> Path:
    """Join the tiles that the shards of a command have left beside its output.

    Parameters
    ----------
    output
        As it was given to the shards.
    progress
        Told how far the work has come.

    Returns
    -------
    Path
        The output.

    Raises
    ------
    InputError
        If there are no tiles, some are missing, or model, input or genome are others now.
    """
    tiles = Tiles(Path(output))
    if not tiles.folder.is_dir():
        there = " (the output is there already)" if tiles.output.exists() else ""
        raise InputError(
            f"there is no folder {tiles.folder}{there}",
            remedy="give the output that was given to the shards",
        )
    manifest = tiles.manifest()
    work = open_work(manifest["command"], json.dumps(manifest["arguments"]))
    if manifest_of(work)["settings"] != manifest["settings"]:
        changed = name_changed(manifest["settings"], work.settings)
        raise InputError(
            f"the tiles in {tiles.folder} are of other {changed}",
            remedy="put back what has changed, or compute the shards again",
        )
    missing = tiles.missing(manifest["tiles"])
    if missing:
        raise InputError(
            f"{len(missing)} of {manifest['tiles']} tiles are missing or damaged in {tiles.folder}"
            f", the first of them number {missing[0]}",
            remedy="run the shards that have not ended again, then merge",
        )
    _join(work, tiles, listener(progress))
    return tiles.output
