"""Tiles computed on workers of Dask: a scheduler that runs already, or processes of this machine.

A tile is independent of all others, so this asks little of Dask: a few tiles in flight, and the
tiles of a worker that died computed again by another one.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import logging
import platform
import re
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any

from motiflens.errors import InputError
from motiflens.scoring.carry_out import WAITING, Done, Engine
from motiflens.scoring.tiles import Tiles
from motiflens.scoring.work import Work

#: Seconds in which a scheduler has to answer.
PATIENCE = 10

#: Of mallopt(3), and the bytes of the largest block that glibc can be made to keep.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, KEPT = -1, -3, 2**25

_OPENING = Lock()


def engine_of(scheduler: str | None) -> Engine | None:
    """Return what computes tiles on the workers of a scheduler of Dask; None for None.

    Parameters
    ----------
    scheduler
        The address of a scheduler, such as ``tcp://10.0.0.1:8786``; the file that it was told to
        write; or ``local[4]`` for four worker processes of this machine, which end with the work.

    Raises
    ------
    InputError
        If it is none of these, does not answer, or Dask is not installed.
    """
    if scheduler is None:
        return None
    dask = _installed()
    if not _n_local(scheduler):
        with _quiet(), _client(dask, scheduler):
            pass  # it answers

    def compute(work: Work, tiles: Iterable[int]) -> Done:
        with _quiet(), _client(dask, scheduler) as client:
            yield from _compute(dask, client, scheduler, work, tiles)

    return compute


def _installed() -> Any:
    """Import Dask, which only this needs and not everyone has."""
    try:
        return importlib.import_module("distributed")
    except ModuleNotFoundError as error:
        raise InputError(
            f"scheduler= needs Dask, and there is no module {error.name}",
            remedy="pip install 'motiflens[cluster]'",
            argument="scheduler",
        ) from error


def _n_local(scheduler: str) -> int:
    """Return how many worker processes ``local[N]`` asks for; 0 of an address or a file."""
    match = re.fullmatch(r"local\[([1-9]\d*)\]", scheduler, flags=re.ASCII)
    return int(match[1]) if match else 0


@contextmanager
def _client(dask: Any, scheduler: str) -> Iterator[Any]:
    """Connect to a scheduler, or start one with its workers; both end with the block."""
    if n_workers := _n_local(scheduler):
        with (
            dask.LocalCluster(
                n_workers=n_workers,
                threads_per_worker=1,
                memory_limit=0,  # the machine's own
                dashboard_address=None,
                silence_logs=logging.CRITICAL,
            ) as cluster,
            dask.Client(cluster, set_as_default=False) as client,
        ):
            yield client
        return
    with _connected(dask, scheduler) as client:
        yield client


def _connected(dask: Any, scheduler: str) -> Any:
    address = _address(scheduler)
    try:
        return dask.Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise InputError(
            f"no scheduler of Dask answers at scheduler={scheduler}",
            remedy=f"see whether it runs and can be reached from here ({_first_line(error)})",
            argument="scheduler",
        ) from error


def _address(scheduler: str) -> str:
    """Return an address: the one given, or that in the file of a scheduler."""
    address = scheduler
    if Path(scheduler).is_file():
        try:
            address = str(json.loads(Path(scheduler).read_bytes())["address"])
        except (ValueError, KeyError, TypeError):
            address = ""
    if not re.fullmatch(r"(\w+://)?[^/\s]+:\d+", address):
        raise InputError(
            f"scheduler={scheduler} is no address, no file of a scheduler and not local[N]",
            remedy="write it as tcp://HOST:PORT, or local[4] for four processes of this machine",
            argument="scheduler",
        )
    return address


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".")


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave what Dask tells of workers that come and go out of the terminal."""
    handlers = logging.getLogger("distributed").handlers
    levels = [handler.level for handler in handlers]
    for handler in handlers:
        handler.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for handler, level in zip(handlers, levels, strict=True):
            handler.setLevel(level)


def _compute(dask: Any, client: Any, scheduler: str, work: Work, tiles: Iterable[int]) -> Done:
    """Keep a few tiles with every worker, and yield each as it is done."""
    manifest, left = Tiles(work).manifest, iter(tiles)
    told = json.dumps(manifest["arguments"]), json.dumps(manifest["settings"])
    waiting: dict[Any, int] = {}
    done = dask.as_completed(loop=client.loop)

    def submit() -> None:
        at_once = WAITING * max(1, sum(client.nthreads().values()))
        for tile in islice(left, max(0, at_once - len(waiting))):
            future = client.submit(compute_on_worker, type(work), *told, tile, pure=False)
            waiting[future] = tile
            done.add(future)

    submit()
    for future in done:
        yield waiting.pop(future), _result(dask, future, scheduler)
        submit()


def _result(dask: Any, future: Any, scheduler: str) -> bytes:
    """Return the content of a tile, or say why there is none."""
    try:
        content: bytes = future.result()
    except dask.KilledWorker as error:
        problem = f"a tile has ended {error.allowed_failures + 1} workers one after another"
        remedy = "give the workers more memory, and repeat the command to resume"
    except CancelledError:
        problem = f"the scheduler at scheduler={scheduler} has ended"
        remedy = "start it again, and repeat the command to resume"
    except ModuleNotFoundError as error:
        problem = f"the workers of scheduler={scheduler} have no module {error.name}"
        remedy = "install there what is installed here"
    else:
        return content
    raise InputError(problem, remedy=remedy, argument="scheduler")


def compute_on_worker(kind: type[Work], arguments: str, settings: str, tile: int) -> bytes:
    """Compute a tile where the client is not: the work is made again, once a process.

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
    try:
        with _OPENING:
            work = _opened(kind, arguments, settings)
    except InputError as error:
        problem = f"{error.problem} (on the worker host {platform.node()})"
        raise InputError(problem, error.where, error.remedy, error.arguments) from None
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
    _keep_freed_memory()
    return work


def _keep_freed_memory() -> None:
    """Let glibc keep what is freed for the next tile, as it does in other processes.

    Dask starts its workers with MALLOC_TRIM_THRESHOLD_, by which every large block goes back to the
    system at once and comes again page by page: most of a worker's time. Elsewhere than with glibc
    this does nothing.
    """
    with suppress(OSError, AttributeError, TypeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_THRESHOLD, KEPT)
        libc.mallopt(M_TRIM_THRESHOLD, 2 * KEPT)
