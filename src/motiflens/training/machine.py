"""What training asks of the machine: one thread an operation, memory that stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

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
