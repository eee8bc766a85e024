"""How a module is called, without leaving a trace on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from motiflens.errors import InputError
from motiflens.models.base import SequenceModel

Floats = NDArray[np.float32]

#: What torch says of tensors that do not fit each other.
OF_SHAPES = re.compile(r"\b(shapes?|sizes?|dim|dimensions?|channels?)\b", re.IGNORECASE)


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Set a module to eval for a while; then each submodule has its mode and buffers again."""
    modes = [(part, part.training, dict(part._buffers)) for part in module.modules()]
    values = [(buffer, buffer.clone()) for buffer in module.buffers()]
    module.eval()
    try:
        yield
    finally:
        for part, training, buffers in modes:
            part.training = training
            part._buffers.update(buffers)
        with torch.no_grad():
            for buffer, value in values:
                if not torch.equal(buffer, value):
                    buffer.copy_(value)


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


def as_input(module: nn.Module, one_hot: Floats) -> Tensor:
    """Put sequences where the module is, in its floating-point type.

    Raises
    ------
    InputError
        For a module in half precision, whose logits are too coarse to be explained.
    """
    tensor = torch.from_numpy(one_hot)
    for parameter in module.parameters():
        if parameter.is_floating_point():
            if parameter.dtype not in (torch.float32, torch.float64):
                raise InputError(
                    f"the model is in {str(parameter.dtype).removeprefix('torch.')}, too coarse to "
                    "be explained",
                    remedy="explain a copy in single precision: copy.deepcopy(model).float()",
                )
            return tensor.to(parameter.device, parameter.dtype)
    return tensor


def logits_of(module: nn.Module, x: Tensor, target: int) -> Tensor:
    """Call the module on (N, 4, L) and return the logits (N,) of one target.

    Raises
    ------
    InputError
        As :func:`target_of`, and where an operation of torch meets tensors that do not fit, as in
        a module of one fixed length; from the error of torch. Any other error passes as it is.
    """
    try:
        output = module(x)
    except RuntimeError as error:
        if isinstance(error, torch.OutOfMemoryError) or not OF_SHAPES.search(str(error)):
            raise
        raise InputError(
            f"the model does not take (N, 4, {x.shape[-1]}): {str(error).splitlines()[0]}",
            remedy="give sequences of the length that it was made for, or see where it raised "
            "the error, if the fault is its own",
        ) from error
    return target_of(output, len(x), target)


def target_of(output: object, n: int, target: int) -> Tensor:
    """Return the logits (N,) of one target from what a module gave for N sequences.

    Raises
    ------
    InputError
        If the output is not (N,) or (N, T), has no such target or is not finite.
    """
    if not isinstance(output, Tensor) or output.ndim not in (1, 2) or output.shape[0] != n:
        shape = f"shape {tuple(output.shape)}" if isinstance(output, Tensor) else ""
        raise InputError(
            f"the model returned {shape or 'a ' + type(output).__name__} for {n} sequences",
            remedy="wrap it so that it returns logits (N,) or (N, T), one row a sequence",
        )
    n_targets = 1 if output.ndim == 1 else output.shape[1]
    if not 0 <= target < n_targets:
        raise InputError(
            f"target={target} is none of the model's {n_targets} outputs",
            remedy=f"choose 0 to {n_targets - 1}",
            argument="target",
        )
    logits = output if output.ndim == 1 else output[:, target]
    if not bool(torch.isfinite(logits).all()):
        raise InputError(
            "the model's logits are NaN or infinite", remedy="check its weights and training"
        )
    return logits


def logits_in_batches(
    module: nn.Module, sequences: Floats, target: int, batch_size: int = 1024
) -> NDArray[np.float64]:
    """Return the logits (N,) of one target without gradients."""
    logits = np.zeros(len(sequences))
    with torch.no_grad():
        for start in range(0, len(sequences), batch_size):
            rows = slice(start, start + batch_size)
            batch = logits_of(module, as_input(module, sequences[rows]), target)
            logits[rows] = batch.double().cpu().numpy()
    return logits


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


def check_one_hot(one_hot: ArrayLike | Tensor) -> Floats:
    """Return one-hot sequences as float32 (N, 4, L), after a look at shape and columns.

    Raises
    ------
    InputError
        If the shape is another, or a column is neither one-hot nor zero.
    """
    values = one_hot.detach().cpu().numpy() if isinstance(one_hot, Tensor) else np.asarray(one_hot)
    if values.ndim != 3 or values.shape[1] != 4 or values.shape[2] == 0:
        raise InputError(
            f"an array of shape {values.shape} is not one-hot (N, 4, L)",
            remedy="encode strings with motiflens.one_hot",
        )
    good = ((values == 0) | (values == 1)).all(axis=1) & (values.sum(axis=1) <= 1)
    if not good.all():
        sequence, position = (int(index[0]) for index in np.nonzero(~good))
        raise InputError(
            f"{values[sequence, :, position].tolist()} is not one-hot",
            f"at position {position + 1} of sequence {sequence + 1}",
            remedy="a column holds a single 1, or only 0 for N and padding; encode strings with "
            "motiflens.one_hot",
        )
    return np.ascontiguousarray(values, dtype=np.float32)


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
