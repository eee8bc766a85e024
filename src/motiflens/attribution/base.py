"""Gradients of a module, and blocks of sequences on several cores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from numbers import Integral
from threading import Semaphore

import torch
from torch import Tensor, nn

from motiflens.attribution.result import Floats
from motiflens.attribution.shares import cut
from motiflens.errors import InputError
from motiflens.models.base import SequenceModel
from motiflens.models.calling import evaluating, logits_of
from motiflens.progress import Advance, Progress, listener

#: How many blocks one call may work on at once, and all calls together.
_AT_ONCE: ContextVar[tuple[int, Semaphore] | None] = ContextVar("at once", default=None)

#: Told the number of sequences that have been worked on.
_ADVANCE: ContextVar[Advance] = ContextVar("advance", default=lambda steps: None)
#: Told what was chosen.
_NOTE: ContextVar[Callable[[str], None]] = ContextVar("note", default=lambda text: None)


@contextmanager
def reporting(progress: Progress | bool, work: str, n: int, unit: str = "") -> Iterator[None]:
    """Let what is done by blocks tell how many of n sequences, or other units, it has done."""
    told, notes = listener(progress), list[str]()
    with told.stage(work, n, unit) as advance:
        token, noting = _ADVANCE.set(advance), _NOTE.set(notes.append)
        try:
            yield
        finally:
            _ADVANCE.reset(token)
            _NOTE.reset(noting)
    # Behind the stage, whose line may still be written.
    for note in notes:
        told.note(note)


def count_done(n: int) -> None:
    """Tell who listens that n sequences more are done, in the thread that asked for the work."""
    _ADVANCE.get()(n)


def tell(text: str) -> None:
    """Tell who listens what was chosen."""
    _NOTE.get()(text)


@contextmanager
def sharing_cores(n: int, cores: Semaphore) -> Iterator[None]:
    """Let calls work on up to n blocks at once, each while it holds one of the cores.

    Calls in several threads that share the cores leave none idle: what one does not take is
    taken by the others. Torch keeps its one thread an operation.
    """
    token = _AT_ONCE.set((n, cores))
    try:
        yield
    finally:
        _AT_ONCE.reset(token)


@contextmanager
def explaining(module: nn.Module) -> Iterator[None]:
    """Evaluate a module with gradients of its input, whatever the caller has switched off.

    Its parameters ask for none meanwhile: a function written by hand would compute them too. Those
    made in inference mode stay as they are, since torch does not let them ask again.
    """
    asking = [p for p in module.parameters() if p.requires_grad and not p.is_inference()]
    with evaluating(module), torch.inference_mode(False), torch.enable_grad():
        try:
            for parameter in asking:
                parameter.requires_grad_(False)
            yield
        finally:
            for parameter in asking:
                parameter.requires_grad_(True)


def logits_and_gradient(module: nn.Module, x: Tensor, target: int) -> tuple[Tensor, Tensor]:
    """Return one logit of each sequence, (N,), and its gradient by the input, (N, 4, L).

    Raises
    ------
    InputError
        If the logits do not depend on the input by operations that have a derivative.
    """
    x = x.detach().requires_grad_()
    logits = logits_of(module, x, target)
    # With respect to the input alone, so that no parameter's .grad is touched.
    by_input = None
    if logits.requires_grad:
        (by_input,) = torch.autograd.grad(logits.sum(), x, allow_unused=True)
    if by_input is None:
        raise InputError(
            f"the logits of this {type(module).__name__} have no gradient by the input",
            remedy="choose ism, which needs none",
            argument="method",
        )
    return logits.detach(), by_input


def gradient(module: nn.Module, x: Tensor, target: int) -> Tensor:
    """Return the gradient of one logit by the input, (N, 4, L); errors as above."""
    return logits_and_gradient(module, x, target)[1]


def known_mask(one_hot: Floats) -> Floats:
    """Mark known bases by 1; 0 at N and padding, (N, 1, L)."""
    return one_hot.sum(axis=1, keepdims=True)


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
    blocks = cut(n, size)
    before = torch.get_num_threads()
    n_threads, cores = _AT_ONCE.get() or (before, None)
    if n_threads == 1 or not isinstance(module, SequenceModel):
        for rows in blocks:
            work(rows)
            count_done(rows.stop - rows.start)
        return
    # Both belong to a thread, as torch keeps them.
    with_gradients, inferring = torch.is_grad_enabled(), torch.is_inference_mode_enabled()

    def in_thread(rows: slice) -> None:
        with (
            cores or nullcontext(),
            torch.inference_mode(inferring),
            torch.set_grad_enabled(with_gradients),
        ):
            work(rows)

    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(n_threads) as pool:
            for rows, _ in zip(blocks, pool.map(in_thread, blocks), strict=True):
                count_done(rows.stop - rows.start)
    finally:
        torch.set_num_threads(before)


def bytes_at_once(device: torch.device) -> int:
    """Return how large an array that is worked on should be: caches are small, GPUs are wide."""
    return 2**30 if device.type == "cuda" else 2**23


def usual_batch(module: nn.Module) -> int:
    """Return how many sequences a forward pass takes where nobody says: a GPU wants many."""
    on_gpu = any(parameter.is_cuda for parameter in module.parameters())
    return 1024 if on_gpu else 64


def bytes_kept(device: torch.device) -> int:
    """Return how much may be kept of sequences that are worked on together."""
    return 2**32 if device.type == "cuda" else 2**26


def require_counts(**numbers: object) -> None:
    """Raise :class:`InputError` for an argument that is no whole number of at least 1."""
    for name, number in numbers.items():
        if not isinstance(number, Integral) or number < 1:
            raise InputError(
                f"{name}={number!r} is not a whole number of at least 1", argument=name
            )
