"""Calls made by workers of Dask: of a scheduler that runs already, or processes of this machine.

A call is independent of all others, so this asks little of Dask: a few in flight for each worker,
and those of a worker that died made again by another one.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import logging
import pickle
import platform
import re
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from contextvars import ContextVar
from functools import cache
from itertools import islice
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import uuid4

from motiflens.errors import InputError
from motiflens.version import __version__

#: Seconds in which a scheduler has to answer.
PATIENCE = 10

#: One call in progress and one that waits, for every thread of a worker.
WAITING = 2

#: Of mallopt(3), and the bytes of the largest block that glibc can be made to keep.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, KEPT = -1, -3, 2**25

#: What a worker of this machine runs first: a terminal sends Ctrl-C to it, too, and the command is
#: to end it.
_LEFT_TO_COMMAND = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)"

#: Under which name the caller hears of the call that is made here.
_TOPIC: ContextVar[str | None] = ContextVar("topic", default=None)

Item = TypeVar("Item")
Result = TypeVar("Result")


def engine_of(scheduler: str | None) -> AbstractContextManager[Engine | None]:
    """Return the workers of a scheduler of Dask, for as long as a block lasts; None for None.

    Parameters
    ----------
    scheduler
        The address of a scheduler, such as ``tcp://10.0.0.1:8786``; the file that it was told to
        write; or ``local[4]`` for four worker processes of this machine, which begin with the first
        call and end with the block.

    Raises
    ------
    InputError
        If it is none of these, does not answer, or Dask is not installed.
    """
    if scheduler is None:
        return nullcontext()
    dask = _installed()
    if not _n_local(scheduler):
        with _quiet(), _client(dask, scheduler):
            pass  # it answers
    return Engine(dask, scheduler)


class Engine:
    """Workers of Dask that make calls; :func:`engine_of` gives it.

    Parameters
    ----------
    dask
        The module ``distributed``.
    scheduler
        As the user named it.
    """

    def __init__(self, dask: Any, scheduler: str) -> None:
        self._dask, self._scheduler = dask, scheduler
        self._opened, self._opening = ExitStack(), Lock()
        self._known: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._opened.close()

    def __call__(
        self,
        compute: Callable[[Item], Result],
        items: Iterable[Item],
        hear: Callable[[Any], None] | None = None,
    ) -> Generator[tuple[Item, Result]]:
        """Make a call for each item on the workers, and yield item and result as each is done.

        Several threads may do so at once. A generator that is closed calls back what waits.

        Parameters
        ----------
        compute
            A function of a module, or a ``partial`` of one: it is pickled, as items and results
            are. It may be called twice for an item, when a worker has died.
        items
            What it is called with, the longest calls first.
        hear
            Told, in another thread, what the calls :func:`tell`.

        Raises
        ------
        InputError
            That of a call; or if the scheduler or, one after another, several workers end.
        """
        client, topic = self._client(), f"motiflens-{uuid4()}"
        if hear is not None:
            client.subscribe_topic(topic, lambda event: hear(event[1]))
        waiting: dict[Any, Item] = {}
        left, done = iter(items), self._dask.as_completed(loop=client.loop)

        def submit() -> None:
            at_once = WAITING * max(1, sum(client.nthreads().values()))
            for item in islice(left, max(0, at_once - len(waiting))):
                # Pickled here, so that a scheduler need not know what it hands on.
                call = pickle.dumps((compute, item))
                future = client.submit(called, call, __version__, topic, pure=False)
                waiting[future] = item
                done.add(future)

        try:
            submit()
            for future in done:
                yield waiting.pop(future), self._result(future)
                submit()
        finally:
            for future in waiting:
                future.release()  # also where no scheduler is left to be told
            if hear is not None:
                client.unsubscribe_topic(topic)

    def _client(self) -> Any:
        """Connect to the scheduler, once."""
        with self._opening:
            if self._known is None:
                self._opened.enter_context(_quiet())
                client = _client(self._dask, self._scheduler)
                self._known = self._opened.enter_context(client)
            return self._known

    def _result(self, future: Any) -> Any:
        """Return what a call gave, or say why there is nothing."""
        scheduler = f"scheduler={self._scheduler}"
        try:
            return future.result()
        except self._dask.KilledWorker as error:
            problem = (
                f"a piece of the work has ended {error.allowed_failures + 1} workers one after "
                "another"
            )
            remedy = "give the workers more memory, and repeat the command to resume"
        except CancelledError:
            problem = f"the scheduler at {scheduler} has ended"
            remedy = "start it again, and repeat the command to resume"
        except ModuleNotFoundError as error:
            problem = f"the workers of {scheduler} have no module {error.name}"
            remedy = "install there what is installed here"
        raise InputError(problem, remedy=remedy, argument="scheduler")


def called(call: bytes, version: str, topic: str) -> Any:
    """Make a call where the caller is not.

    Parameters
    ----------
    call
        A function and what it is called with, pickled.
    version
        Of the caller's motiflens.
    topic
        Under which it hears.

    Raises
    ------
    InputError
        If motiflens is of another version here.
    """
    with naming_host():
        if version != __version__:
            raise InputError(
                f"a worker has motiflens {__version__}, and the command {version}",
                remedy="install the same version on all hosts",
            )
    _keep_freed_memory()
    compute, item = pickle.loads(call)
    token = _TOPIC.set(topic)
    try:
        return compute(item)
    finally:
        _TOPIC.reset(token)


def tell(message: Any) -> None:
    """Send numbers or text from within a call to who made it; elsewhere nobody hears.

    What was told last may come after the result.
    """
    topic = _TOPIC.get()
    if topic is not None:
        _installed().get_worker().log_event(topic, message)


@contextmanager
def naming_host() -> Iterator[None]:
    """Add the name of this host to what is wrong with it."""
    try:
        yield
    except InputError as error:
        problem = f"{error.problem} (on the worker host {platform.node()})"
        raise InputError(problem, error.where, error.remedy, error.arguments) from None


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
                preload=[_LEFT_TO_COMMAND],
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


@cache
def _keep_freed_memory() -> None:
    """Let glibc keep what is freed for the next call, as it does in other processes.

    Dask starts its workers with MALLOC_TRIM_THRESHOLD_, by which every large block goes back to the
    system at once and comes again page by page: most of a worker's time. Elsewhere than with glibc
    this does nothing.
    """
    with suppress(OSError, AttributeError, TypeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_THRESHOLD, KEPT)
        libc.mallopt(M_TRIM_THRESHOLD, 2 * KEPT)
