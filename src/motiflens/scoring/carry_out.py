"""A work carried out: computed here, in shards or on other workers, resumed, joined.

The result depends neither on who computed which tile, nor on how often the work was stopped.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from functools import lru_cache, partial
from pathlib import Path
from threading import Lock

from motiflens.cluster import WAITING, Engine, naming_host
from motiflens.errors import InputError
from motiflens.progress import Advance, Progress, listener
from motiflens.scoring.tiles import Tiles, read_manifest
from motiflens.scoring.work import Shard, Work, open_work

ALL = Shard()

#: The number and content of each tile as it is done.
Done = Generator[tuple[int, bytes]]

_OPENING = Lock()


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
    if not isinstance(threads, int) or threads < 1:
        raise InputError(f"threads={threads} is no whole number of 1 or more", argument="threads")
    told, tiles = listener(progress), Tiles(work)
    tiles.begin(overwrite=overwrite)
    sizes = work.sizes
    own = [tile for tile in range(len(sizes)) if shard.takes(tile)]
    left = [tile for tile in tiles.missing() if shard.takes(tile)]
    if len(left) < len(own):
        told.note(f"resuming from the tiles in {tiles.folder}")
    total = sum(sizes[tile] for tile in own)
    with told.stage(work.name, total, work.unit) as advance:
        advance(total - sum(sizes[tile] for tile in left))
        try:
            if left:
                done = engine(_on_worker(work), left) if engine else _here(work, left, threads)
                _keep(done, work, tiles, advance)
        except InputError:
            # Nothing is kept for a call that has to be corrected; other shards may still use it.
            if shard.count == 1 and len(tiles.missing()) == len(sizes):
                tiles.remove()
            raise
    if shard.count > 1:
        return False
    _join(work, tiles, told)
    return True


def _keep(computed: Done, work: Work, tiles: Tiles, advance: Advance) -> None:
    sizes = work.sizes
    # Closed at once when a tile or its writing fails, so that no worker goes on.
    with closing(computed) as done:
        for tile, content in done:
            tiles.write(tile, content)
            advance(sizes[tile])


def _here(work: Work, tiles: Iterable[int], threads: int) -> Done:
    waiting: dict[Future[bytes], int] = {}
    with ThreadPoolExecutor(threads, "tiles") as pool:
        try:
            for tile in tiles:
                waiting[pool.submit(work.compute, tile)] = tile
                if len(waiting) >= WAITING * threads:
                    yield from _take_done(waiting)
            while waiting:
                yield from _take_done(waiting)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _take_done(waiting: dict[Future[bytes], int]) -> Iterator[tuple[int, bytes]]:
    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
    # One that failed last: what the others have computed is kept.
    for future in sorted(done, key=lambda future: future.exception() is not None):
        yield waiting.pop(future), future.result()


def _on_worker(work: Work) -> Callable[[int], bytes]:
    """Return what computes a tile where the work is not: it is made again, once a process."""
    manifest = Tiles(work).manifest
    told = json.dumps(manifest["arguments"]), json.dumps(manifest["settings"])
    return partial(compute_on_worker, type(work), *told)


def compute_on_worker(kind: type[Work], arguments: str, settings: str, tile: int) -> bytes:
    """Compute a tile of a work of this kind.

    Parameters
    ----------
    kind
        Of the work.
    arguments
        Of the work, in JSON.
    settings
        Those of the client's work, in JSON.
    tile
        Its number.

    Raises
    ------
    InputError
        If the work cannot be opened here, or its settings are others here.
    """
    with naming_host(), _OPENING:
        work = _opened(kind, arguments, settings)
    return work.compute(tile)


@lru_cache(maxsize=2)
def _opened(kind: type[Work], arguments: str, settings: str) -> Work:
    work = kind(**json.loads(arguments))
    if changed := Tiles(work).changed(json.loads(settings)):
        raise InputError(
            f"this work has other {changed} than that of the client",
            remedy="give all hosts the same model, genome and version of motiflens",
        )
    torch = sys.modules.get("torch")  # a work that needs it has imported it
    if torch is not None:
        torch.set_num_threads(1)
    return work


def _join(work: Work, tiles: Tiles, progress: Progress) -> None:
    tiles.remove_cut_off()
    work.join(map(tiles.read, range(len(work.sizes))), progress)
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
    output = Path(output)
    manifest = read_manifest(output)
    # The output as it is named here: the shards may have had another working folder.
    arguments = manifest["arguments"] | {"output": str(output)}
    work = open_work(manifest["command"], json.dumps(arguments))
    tiles = Tiles(work)
    if changed := tiles.changed(manifest["settings"]):
        raise InputError(
            f"the tiles in {tiles.folder} are of other {changed}",
            remedy="put back what has changed, or compute the shards again",
        )
    missing = tiles.missing()
    if missing:
        raise InputError(
            f"{len(missing)} of {manifest['tiles']} tiles are missing in {tiles.folder}"
            f", the first of them number {missing[0]}",
            remedy="run the shards that have not ended again, then merge",
        )
    _join(work, tiles, listener(progress))
    return output
