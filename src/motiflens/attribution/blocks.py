"""Sequences taken a block at a time, and blocks of our own models on several cores."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import nn

from motiflens.models.base import SequenceModel


def by_blocks(module: nn.Module, n: int, size: int, work: Callable[[slice], None]) -> None:
    """Do the work on the rows of each block, and raise the error of the first that fails.

    Two threads in one operation gain little on a small model, and wait for each other where the
    cores are busy; so of a :class:`SequenceModel` as many blocks are worked on at once as torch may
    use threads, with one thread an operation. The values are the same to the last bit as with one
    thread for everything. Any other module may keep something from one call to the next, and gets
    one block at a time.

    Parameters
    ----------
    module
        What the work calls; its state is prepared outside.
    n, size
        Sequences, and those of a block.
    work
        From the rows of a block; it writes what it finds to these rows of its results.
    """
    blocks = [slice(first, min(first + size, n)) for first in range(0, n, size)]
    n_threads = torch.get_num_threads()
    if n_threads == 1 or not isinstance(module, SequenceModel):
        for rows in blocks:
            work(rows)
        return
    # Both belong to a thread, as torch keeps them.
    with_gradients, inferring = torch.is_grad_enabled(), torch.is_inference_mode_enabled()

    def in_thread(rows: slice) -> None:
        with torch.inference_mode(inferring), torch.set_grad_enabled(with_gradients):
            work(rows)

    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(n_threads) as pool:
            for _ in pool.map(in_thread, blocks):
                pass
    finally:
        torch.set_num_threads(n_threads)
