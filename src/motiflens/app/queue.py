"""Where requests are computed: a few at a time, few waiting, the others refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

from motiflens.app.guard import Refused

Result = TypeVar("Result")

#: Requests that may wait for each thread.
WAITING = 8


class Queue:
    """Threads that compute for requests, one thread of PyTorch each.

    Parameters
    ----------
    n
        Threads.
    waiting
        Requests that may wait, beside those that are computed.
    """

    def __init__(self, n: int, waiting: int | None = None) -> None:
        self._pool = ThreadPoolExecutor(n, "bench", initializer=lambda: torch.set_num_threads(1))
        self._most = n + (WAITING * n if waiting is None else waiting)
        self._taken = 0

    async def compute(self, work: Callable[[], Result]) -> Result:
        """Do the work in a thread; :class:`Refused` where too many wait."""
        if self._taken >= self._most:
            raise Refused(503, "too much work at once; try again in a second")
        self._taken += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._taken -= 1

    def close(self) -> None:
        """End the threads, and leave what waits."""
        self._pool.shutdown(wait=False, cancel_futures=True)
