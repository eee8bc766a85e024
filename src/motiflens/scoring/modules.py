"""Modules of others, opened to score: a function of a Python file, and a file of weights."""

from __future__ import annotations

import importlib.util
import pickle
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from motiflens.errors import InputError
from motiflens.files import open_binary
from motiflens.models.calling import require_device, takes_length, target_of
from motiflens.scoring.models import ModuleScorer, hash_weights

#: Lengths that are tried where none is given; the first that fits is taken.
USUAL = (200, 100, 50, 101, 150, 249, 256, 300, 500, 512, 600, 1000, 1024, 2048, 2114, 4096)
#: Under which keys training scripts keep the weights among other things.
NESTED = ("state_dict", "model_state_dict", "model")


class OneTarget(nn.Module):
    """One output of a module, (N,); a module of (N, T) has T of them."""

    def __init__(self, module: nn.Module, target: int) -> None:
        super().__init__()
        self.module, self.target = module, target

    def forward(self, one_hot: Tensor) -> Tensor:
        """Map one-hot (N, 4, L) to logits (N,)."""
        output = self.module(one_hot)
        return output if output.ndim == 1 else output[:, self.target]


def open_module(
    spec: str,
    weights: Path | str | None = None,
    length: int | None = None,
    device: str = "cpu",
    target: int = 0,
) -> ModuleScorer:
    """Open a module of a Python file to score.

    Parameters
    ----------
    spec
        ``FILE.py:NAME``, a function without arguments, or a class, that gives a
        ``torch.nn.Module`` from one-hot (N, 4, L) to logits (N,) or (N, T). The file is run.
    weights
        Its state dict, ``.safetensors`` or what ``torch.save`` wrote; None for the module as built.
    length
        Bases of a window; None for the only length that it takes, found by trying, or for 200.
    device
        Where to compute.
    target
        Which of T outputs.

    Returns
    -------
    ModuleScorer
        Without calibration, and without knowledge of the training sequences. As such a module need
        not know padding, only sequences of one length go through it together.

    Raises
    ------
    InputError
        In a line: no such file or function, a function that fails or gives no module, weights that
        cannot be read without running code or do not fit, a module of other shapes.
    """
    home = require_device(device)
    module = build(spec)
    if weights is not None:
        _load(module, _state(Path(weights)), weights)
    module = module.to(home).eval()
    fits, least, only = _lengths(module, spec, length)
    chosen = OneTarget(module, target).eval()
    with torch.inference_mode():
        target_of(module(torch.zeros(2, 4, fits, device=home)), 2, target)
    return ModuleScorer(
        name=spec.rpartition(":")[2],
        sha256=hash_weights((chosen,)),
        n_seeds=1,
        min_length=least,
        length=fits,
        both_strands=False,
        only_length=only,
        takes_padding=False,
        members=(chosen,),
        device=home,
    )


def build(spec: str) -> nn.Module:
    """Run a Python file and call the function that builds a module; see `open_module`."""
    path, _, name = spec.rpartition(":")
    if not path or not name.isidentifier():
        raise InputError(
            f"module={spec} names no function",
            remedy="write FILE.py:FUNCTION, such as module=model.py:build",
            argument="module",
        )
    make = getattr(_run(Path(path)), name, None)
    if not callable(make):
        raise InputError(
            f"{path} has no function {name}", remedy="correct the name", argument="module"
        )
    try:
        module = make()
    except Exception as error:  # whatever the code of a user may raise
        raise InputError(
            f"{name} of {path} failed: {_told(error)}", remedy="call it in Python to see where"
        ) from error
    if not isinstance(module, nn.Module):
        raise InputError(
            f"{name} of {path} returned no torch.nn.Module but {type(module).__name__}",
            remedy="let it return the module",
        )
    return module


def _run(path: Path) -> ModuleType:
    with open_binary(path):  # its messages: no such file, a folder
        pass
    found = importlib.util.spec_from_file_location(path.stem, path)
    if found is None or found.loader is None:
        raise InputError(f"{path} is no Python file", remedy="give one that ends in .py")
    code = importlib.util.module_from_spec(found)
    sys.path.insert(0, str(path.parent.absolute()))  # for what the file imports beside it
    try:
        found.loader.exec_module(code)
    except Exception as error:
        raise InputError(f"{path} failed: {_told(error)}", remedy="run it by Python") from error
    finally:
        sys.path.pop(0)
    return code


def _told(error: Exception) -> str:
    first = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}{first and f': {first}'}"


def _state(path: Path) -> Mapping[str, Tensor]:
    """Read a state dict, by no means that could run code."""
    with open_binary(path):
        pass
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state: Any = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise InputError(
            f"{path} holds Python objects that could run code when they are read, and not weights "
            "alone",
            remedy="save the weights: torch.save(module.state_dict(), path)",
            argument="weights",
        ) from None
    except (SafetensorError, RuntimeError, ValueError, EOFError, KeyError) as error:
        raise InputError(
            f"{path} cannot be read: {_told(error)}",
            remedy="give .safetensors, or what torch.save(module.state_dict(), path) wrote",
            argument="weights",
        ) from None
    inner = next((state[key] for key in NESTED if isinstance(state, dict) and key in state), state)
    state = inner if isinstance(inner, Mapping) else state
    if not isinstance(state, Mapping) or not all(isinstance(v, Tensor) for v in state.values()):
        raise InputError(
            f"{path} holds a {type(state).__name__} and no weights by name",
            remedy="save them: torch.save(module.state_dict(), path)",
            argument="weights",
        )
    return state


def _load(module: nn.Module, state: Mapping[str, Tensor], weights: Path | str) -> None:
    own = module.state_dict()
    shapes = [name for name in own if name in state and own[name].shape != state[name].shape]
    wrong = {
        "lacks": [name for name in own if name not in state],
        "has, and the module has not,": [name for name in state if name not in own],
        "has in other shapes": shapes,
    }
    for what, names in wrong.items():
        if names:
            told = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if names[3:] else "")
            raise InputError(
                f"{weights} {what} {told}",
                remedy="give the weights of this module",
                argument="weights",
            )
    module.load_state_dict(dict(state))


def _lengths(module: nn.Module, spec: str, length: int | None) -> tuple[int, int, bool]:
    """Find the length of a window, the shortest that is taken, and whether it is the only one."""
    tried = (length,) if length is not None else USUAL
    try:
        fits = next((one for one in tried if takes_length(module, one)), None)
    except Exception as error:
        raise InputError(
            f"{spec} failed on one-hot (2, 4, {tried[0]}): {_told(error)}",
            remedy="call it in Python to see where",
        ) from error
    if fits is None:
        raise InputError(
            f"{spec} takes no sequences of {' or '.join(map(str, tried[:3]))} bases",
            remedy="name the bases that it was made for by length=N",
            argument="length",
        )
    if not takes_length(module, 2 * fits) and not takes_length(module, fits + 1):
        return fits, fits, True
    low, high = 0, fits
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if takes_length(module, middle) else (middle, high)
    return fits, high, False
