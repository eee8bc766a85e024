"""Modules of others: a function of a Python file, and a file of weights."""

from __future__ import annotations

import hashlib
import importlib.util
import pickle
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from motiflens.errors import InputError
from motiflens.files import open_binary
from motiflens.models.calling import drawing, takes_length, target_of

#: Lengths that are tried where none is given; the first that fits is taken.
USUAL = (200, 100, 50, 101, 150, 249, 256, 300, 500, 512, 600, 1000, 1024, 2048, 2114, 4096)
#: Under which keys training scripts keep the weights among other things.
NESTED = ("state_dict", "model_state_dict", "model")
#: The files that were run.
_FILES: set[str] = set()


class OneTarget(nn.Module):
    """One output (N,) of a module with T of them, (N, T)."""

    def __init__(self, module: nn.Module, target: int) -> None:
        super().__init__()
        self.module, self.target = module, target

    def forward(self, one_hot: Tensor) -> Tensor:
        """Map one-hot (N, 4, L) to logits (N,)."""
        output: Tensor = self.module(one_hot)[:, self.target]
        return output


@dataclass(frozen=True, eq=False)
class Foreign:
    """A module of others, opened on the CPU in evaluation mode.

    Parameters
    ----------
    module
        From one-hot (N, 4, L) to logits (N,).
    spec
        What built it: ``FILE.py:NAME``.
    target
        Which of its outputs that is; None where it has no more than these (N,).
    length, min_length, only_length
        Bases of a window, of the shortest sequence, and whether it takes no other length.
    """

    module: nn.Module
    spec: str
    target: int | None
    length: int
    min_length: int
    only_length: bool

    @property
    def name(self) -> str:
        """The name of the file, without its ending."""
        return file_of(self.spec)[0].stem

    @property
    def source(self) -> dict[str, Any]:
        """What :func:`rebuild` builds it from, but for the weights, as TOML holds it."""
        file, name = file_of(self.spec)
        found = {"built_by": f"{file.absolute()}:{name}", "sha256": _hash(file)}
        target = {} if self.target is None else {"target": self.target}
        return {**found, **target, "min_length": self.min_length}


def open_foreign(
    spec: str,
    weights: Path | str | None = None,
    length: int | None = None,
    target: int = 0,
) -> Foreign:
    """Open a module of a Python file; parameters and errors as of `scoring.modules.open_module`."""
    module = build(spec)
    if weights is not None:
        load_weights(module, read_weights(weights), weights)
    module.eval()
    fits, least, only = _lengths(module, spec, length)
    with torch.inference_mode():
        # One sequence last: `squeeze()` takes its axis away, too.
        outputs = {n: module(torch.zeros(n, 4, fits)) for n in (2, 1)}
    for n, output in outputs.items():
        target_of(output, n, target)
    chosen = None if output.ndim == 1 else target
    return Foreign(_chosen(module, chosen), spec, chosen, fits, least, only)


def _chosen(module: nn.Module, target: int | None) -> nn.Module:
    return module.eval() if target is None else OneTarget(module, target).eval()


def rebuild(source: Mapping[str, Any]) -> nn.Module:
    """Build a module again from its :attr:`Foreign.source`: its file is run, if it is the same.

    Raises
    ------
    InputError
        As :func:`open_foreign`, and where the file is gone or has changed.
    """
    spec = source["built_by"]
    file, _ = file_of(spec)
    wrong = "is not there"
    if file.is_file():
        wrong = "" if _hash(file) == source["sha256"] else "has changed since the run was made"
    if wrong:
        raise InputError(
            f"{file}, which builds the model, {wrong}",
            remedy="put it back as it was, or make the run again with overwrite=True",
            argument="overwrite",
        )
    return _chosen(build(spec), source.get("target"))


def build(spec: str) -> nn.Module:
    """Run a Python file and call the function that builds a module, ``FILE.py:NAME``.

    The module is in single precision, as all that is put into it.
    """
    path, name = file_of(spec)
    make = getattr(_run(path), name, None)
    if not callable(make):
        raise InputError(
            f"{path} has no function {name}", remedy="correct the name", argument="module"
        )
    try:
        with drawing(0):  # a module without a file of weights is the same each time
            module = make()
    except (Exception, SystemExit) as error:  # whatever the code of a user may raise
        raise InputError(
            f"{name} of {path} failed: {_told(error)}", remedy="call it in Python to see where"
        ) from error
    if not isinstance(module, nn.Module):
        raise InputError(
            f"{name} of {path} returned no torch.nn.Module but {type(module).__name__}",
            remedy="let it return the module",
        )
    return module.float()


def file_of(spec: str) -> tuple[Path, str]:
    """Return the file and the function that ``FILE.py:NAME`` names."""
    path, _, name = spec.rpartition(":")
    if not path or not name.isidentifier():
        raise InputError(
            f"module={spec} names no function",
            remedy="write FILE.py:FUNCTION, such as module=model.py:build",
            argument="module",
        )
    return Path(path), name


def _hash(path: Path) -> str:
    with open_binary(path) as file:
        return hashlib.sha256(file.read()).hexdigest()


def _run(path: Path) -> ModuleType:
    with open_binary(path):  # its messages: no such file, a folder
        pass
    found = importlib.util.spec_from_file_location(path.stem, path)
    if found is None or found.loader is None:
        raise InputError(f"{path} is no Python file", remedy="give one that ends in .py")
    code = importlib.util.module_from_spec(found)
    _FILES.add(str(code.__file__))
    vars(code)["print"] = _print
    sys.path.insert(0, str(path.parent.absolute()))  # for what the file imports beside it
    try:
        found.loader.exec_module(code)
    except (Exception, SystemExit) as error:
        raise InputError(f"{path} failed: {_told(error)}", remedy="run it by Python") from error
    finally:
        sys.path.pop(0)
    return code


def _print(*values: object, **options: Any) -> None:
    """Print to standard error, as standard output may be a table or JSON of ours."""
    print(*values, **{"file": sys.stderr, **options})


def told_of_files(error: Exception) -> InputError | None:
    """Return what is told of an error that went through a file that was run; None of others."""
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        if (file := frame.f_code.co_filename) in _FILES:
            return InputError(
                f"line {line} of {file} failed: {_told(error)}",
                remedy="call the module in Python to see why",
            )
    return None


def _told(error: BaseException) -> str:
    first = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}{first and f': {first}'}"


def read_weights(path: Path | str) -> Mapping[str, Tensor]:
    """Read a state dict, by no means that could run code."""
    path = Path(path)
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


def load_weights(module: nn.Module, state: Mapping[str, Tensor], file: Path | str) -> None:
    """Give a module the weights that were read from a file, all of them and no others."""
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
                f"{file} {what} {told}",
                remedy="give the weights of this module",
                argument="weights",
            )
    module.load_state_dict(dict(state))


def randomise(module: nn.Module, seed: int) -> None:
    """Draw the weights of a module anew, in place, as a module that has learnt nothing has them.

    Layers that know how are initialised again; all other weights, which only the code of the module
    knows how to draw, are permuted (as Adebayo et al., NeurIPS 2018, randomise whole models).
    """
    with drawing(seed), torch.no_grad():
        for part in module.modules():
            if callable(reset := getattr(part, "reset_parameters", None)):
                reset()
                continue
            for weights in part.parameters(recurse=False):
                order = torch.randperm(weights.numel())
                weights.copy_(weights.flatten()[order].view_as(weights))


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
