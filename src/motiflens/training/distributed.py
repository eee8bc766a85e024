"""One training run on several processes, started by ``torchrun``.

Every process holds the same models and draws the same batches, computes its slice of each batch,
and adds up the gradients with the others (data parallel, Li et al. 2020). The sum over slices is
the gradient of the whole batch, however unevenly it is cut, so the run is that of one process.
Outside :func:`connected` there is one process, and nothing here does anything.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, distributed

from motiflens.errors import InputError


@contextmanager
def connected(device: str = "cpu") -> Iterator[None]:
    """Connect the processes of ``torchrun``, by gloo or, for CUDA, by NCCL.

    Alone, or inside another ``connected``, it does nothing.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or distributed.is_initialized():
        yield
        return
    if device.startswith("cuda"):
        torch.cuda.set_device(own_device(device))
    distributed.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    try:
        yield
    finally:
        distributed.destroy_process_group()


def own_device(device: str) -> str:
    """Return the device of this process: under ``torchrun``, "cuda" is one a process."""
    if device == "cuda" and "LOCAL_RANK" in os.environ:
        return f"cuda:{os.environ['LOCAL_RANK']}"
    return device


def n_processes() -> int:
    """Count the processes that train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def process() -> int:
    """Return the number of this process, from 0; the first one writes the files."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def own_slice(n: int) -> slice:
    """Return this process's slice of n sequences; it may be empty."""
    return slice(n * process() // n_processes(), n * (process() + 1) // n_processes())


def sum_over_processes(tensors: Iterable[Tensor]) -> None:
    """Replace tensors of one type by their sums over all processes, in place, all at once."""
    if n_processes() == 1:
        return
    listed = list(tensors)
    joined = torch.cat([tensor.flatten() for tensor in listed])
    distributed.all_reduce(joined)
    totals = torch.split(joined, [tensor.numel() for tensor in listed])
    for tensor, total in zip(listed, totals, strict=True):
        tensor.copy_(total.view_as(tensor))


def from_first(content: bytes | None) -> bytes | None:
    """Give every process what the first one has: some bytes, or None."""
    if n_processes() == 1:
        return content
    device = own_device("cuda") if distributed.get_backend() == "nccl" else "cpu"
    size = torch.tensor([-1 if content is None else len(content)], device=device)
    distributed.broadcast(size, 0)
    if int(size) < 0:
        return None
    held = torch.empty(int(size), dtype=torch.uint8)
    if process() == 0 and content:
        held = torch.frombuffer(bytearray(content), dtype=torch.uint8)
    held = held.to(device)
    distributed.broadcast(held, 0)
    return held.cpu().numpy().tobytes()


def in_first(work: Callable[[], None]) -> None:
    """Do in the first process what only one may do, while the others wait for it.

    Raises
    ------
    InputError
        In every process, when the work raises it: nobody is left waiting for the others.
    """
    error: InputError | None = None
    if process() == 0:
        try:
            work()
        except InputError as raised:
            error = raised
    told = error and json.dumps([error.problem, error.where, error.remedy, error.arguments])
    if (content := from_first(told.encode() if told else None)) is not None:
        problem, where, remedy, arguments = json.loads(content)
        raise error or InputError(problem, where, remedy, tuple(arguments))
