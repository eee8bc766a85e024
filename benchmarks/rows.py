"""One row of the table of speed: what was timed, ours and another's, in one run, in turns.

A benchmark is a module with ``measure() -> list[dict]``; its rows have the fields of `Row`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from importlib.metadata import version
from multiprocessing import get_context
from statistics import median
from typing import Any, TypedDict

REPEATS = 3


class Row(TypedDict, total=False):
    """Medians in seconds; those of a peer, and the ratio to ours, are None where there is none.

    ``clock`` is ``process``, the time of all threads on the processor, or ``wall``. ``goal`` is
    what the ratio, or ours where there is no peer, was to reach; ``note`` says the rest.
    """

    work: str
    ours_seconds: float | None
    theirs_seconds: float | None
    ratio: float | None
    peer: str | None
    peer_version: str | None
    threads: int
    n: int
    repeats: int
    clock: str
    goal: str
    note: str


def row(work: str, ours: list[float], theirs: list[float], peer: str | None, **more: Any) -> Row:
    """Make a row of the seconds of every repeat; a peer that is a package gives its version."""
    own, other = median(ours), median(theirs) if theirs else None
    made = Row(
        work=work,
        ours_seconds=own,
        theirs_seconds=other,
        ratio=None if other is None else other / own,
        peer=peer,
        peer_version=None if peer is None else version_of(peer),
        threads=1,
        n=0,
        repeats=len(ours),
        clock="process",
    )
    made.update(more)  # type: ignore[typeddict-item]
    return made


def not_run(work: str, why: str) -> Row:
    """Make a row of what could not be measured here."""
    return Row(work=work, ours_seconds=None, theirs_seconds=None, ratio=None, note=why)


def version_of(package: str) -> str | None:
    """Return the version of an installed package, None for what is no package."""
    try:
        return version(package)
    except ModuleNotFoundError:
        return None


def in_turns(
    *works: Callable[[], object],
    repeats: int = REPEATS,
    clock: Callable[[], float] = time.process_time,
) -> list[list[float]]:
    """Time each of several functions so many times, in turns: seconds by function and repeat.

    The first call of each may be slower than the others: warm up before.
    """
    seconds: list[list[float]] = [[] for _ in works]
    for _ in range(repeats):
        for own, work in zip(seconds, works, strict=True):
            started = clock()
            work()
            own.append(clock() - started)
    return seconds


@contextmanager
def other_process() -> Iterator[Callable[..., Any]]:
    """Give what calls a function of a module in another process, always the same one.

    There a peer is timed, so that neither its threads nor its settings touch what is timed here.
    """
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        yield lambda function, *arguments: pool.submit(function, *arguments).result()


def timed(work: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    """Return the seconds of one call."""
    return in_turns(work, repeats=1, clock=clock)[0][0]
