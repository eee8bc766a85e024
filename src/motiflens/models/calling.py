"""How any module is called: where it is, as it is, and without leaving a trace on it."""

from __future__ import annotations

import copy
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from motiflens.errors import InputError

Floats = NDArray[np.float32]

#: Initial weights are drawn from PyTorch's global state, by one thread at a time.
_GLOBAL_STATE = threading.Lock()

#: What torch says of tensors that do not fit each other.
OF_SHAPES = re.compile(r"\b(shapes?|sizes?|dim|dimensions?|channels?)\b", re.IGNORECASE)


@contextmanager
def drawing(seed: int) -> Iterator[None]:
    """Let initial weights be drawn by a seed; the global random state is left as it was."""
    with _GLOBAL_STATE, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


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
            if not isinstance(part, torch.jit.ScriptModule):  # which keeps the ones it has
                part._buffers.update(buffers)
        with torch.no_grad():
            for buffer, value in values:
                if not torch.equal(buffer, value):
                    buffer.copy_(value)


def check_threads(threads: object) -> None:
    """Raise :class:`InputError` for a number of threads that is none; None is any."""
    if threads is not None and not (isinstance(threads, Integral) and int(threads) >= 1):
        remedy = "give a whole number of 1 or more"
        raise InputError(f"threads={threads!r} are none", remedy=remedy, argument="threads")


@contextmanager
def computing(module: nn.Module, device: str | None, threads: int | None) -> Iterator[nn.Module]:
    """Give a module, or its copy on another device, and let torch use so many threads meanwhile.

    Raises
    ------
    InputError
        For a device that is not there, for no threads, and for what is no module.
    """
    if not isinstance(module, nn.Module):
        kind = module.__name__ if isinstance(module, type) else f"a {type(module).__name__}"
        example = "models[0]" if isinstance(module, list) else "motiflens.load_model(folder)"
        raise InputError(f"{kind} is no model", remedy=f"pass a torch.nn.Module, such as {example}")
    check_threads(threads)
    if device is not None:
        home = require_device(device)
        if any(parameter.device != home for parameter in module.parameters()):
            module = copy.deepcopy(module).to(home)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads or before)
        yield module
    finally:
        torch.set_num_threads(before)


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


def choose_device(name: str) -> str:
    """Return the device that ``auto`` stands for: a GPU where there is one; others as they are."""
    if name != "auto":
        return name
    return "cuda" if torch.cuda.is_available() else "cpu"


def require_device(name: str) -> torch.device:
    """Return a device that torch can compute on, or raise :class:`InputError`; "auto" is one."""
    try:
        return torch.zeros(1, device=choose_device(name)).device
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"PyTorch cannot use device={name} here ({str(error).splitlines()[0][:80]})",
            remedy="use device=cpu, or install PyTorch for that device",
            argument="device",
        ) from None


@contextmanager
def told_by_length(length: int) -> Iterator[None]:
    """Make an InputError of what torch says of tensors that do not fit; others pass as they are."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, torch.OutOfMemoryError) or not OF_SHAPES.search(str(error)):
            raise
        raise InputError(
            f"the model does not take (N, 4, {length}): {str(error).splitlines()[0]}",
            remedy="give sequences of the length that it was made for, or see where it raised "
            "the error, if the fault is its own",
        ) from error


def takes_length(module: nn.Module, length: int) -> bool:
    """Return whether a module computes sequences of a length, by trying; it is left as it was.

    Raises
    ------
    Exception
        What the module raises that is not of tensors that do not fit.
    """
    parameter = next(module.parameters(), torch.zeros(0))
    x = torch.eye(4, dtype=parameter.dtype, device=parameter.device)
    x = x[:, torch.arange(length, device=x.device) % 4].expand(2, 4, length).contiguous()
    try:
        with evaluating(module), torch.inference_mode(), told_by_length(length):
            module(x)
    except InputError:
        return False
    return True


def logits_of(module: nn.Module, x: Tensor, target: int) -> Tensor:
    """Call the module on (N, 4, L) and return the logits (N,) of one target.

    Raises
    ------
    InputError
        As :func:`target_of`, and where an operation of torch meets tensors that do not fit, as in
        a module of one fixed length; from the error of torch. Any other error passes as it is.
    """
    with told_by_length(x.shape[-1]):
        output = module(x.clone())  # which it may change in place
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
            f"the model returned {shape or 'a ' + type(output).__name__} for {n} "
            f"sequence{'s' * (n != 1)}",
            remedy="wrap it so that it returns logits (N,) or (N, T), one row a sequence",
        )
    n_targets = 1 if output.ndim == 1 else output.shape[1]
    if not isinstance(target, Integral) or not 0 <= target < n_targets:
        raise InputError(
            f"target={target!r} is none of the model's {n_targets} outputs",
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
