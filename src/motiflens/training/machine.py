"""What training and scoring ask of the machine: one thread an operation, memory that stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

from motiflens.progress import Progress, listener
from motiflens.settings import n_cores

Part = TypeVar("Part")
Found = TypeVar("Found")

#: What glibc learns from: a little less than 32 MB.
LARGEST_BLOCK = 2**25 - 2**16


@contextmanager
def single_intra_op_thread() -> Iterator[None]:
    """Let PyTorch use one thread an operation: on small models more threads wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def keep_freed_memory() -> None:
    """Let glibc keep what is freed, up to some 60 MB, for the next step.

    It returns large blocks to the system, which hands them out again page by page, filled with
    zeros: a quarter of a step. From the largest block that was ever returned, up to 32 MB, it
    learns what to keep (mallopt(3), M_MMAP_THRESHOLD), so one is returned here. Elsewhere this
    does nothing.
    """
    torch.empty(LARGEST_BLOCK, dtype=torch.uint8)


def compute_in_threads(
    compute: Callable[[Part], Found],
    parts: Sequence[Part],
    sizes: Sequence[int],
    stage: str,
    unit: str,
    threads: int | None,
    progress: Progress | bool,
) -> list[Found]:
    """Compute parts on so many threads, None for one a core, and return what is found in order.

    Progress is told in the unit of the sizes.
    """
    found = []
    with (
        listener(progress).stage(stage, sum(sizes), unit) as advance,
        single_intra_op_thread(),
        ThreadPoolExecutor(threads or n_cores()) as pool,
    ):
        for one, size in zip(pool.map(compute, parts), sizes, strict=True):
            found.append(one)
            advance(size)
    return found
