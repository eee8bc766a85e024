"""What every attribution gives, and how a module is called without leaving a trace on it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from motiflens.errors import InputError
from motiflens.files import write_whole

Floats = NDArray[np.float32]

#: What torch says of tensors that do not fit each other.
OF_SHAPES = re.compile(r"\b(shapes?|sizes?|dim|dimensions?|channels?)\b", re.IGNORECASE)


#: Methods that compare with shuffled references, and whose contributions are not
#: ``hypothetical × one_hot``.
AGAINST_REFERENCES = ("expected_gradients", "deeplift_shap")


@dataclass(frozen=True)
class Checks:
    """What an explanation was tested for; None where a test does not apply.

    Parameters
    ----------
    completeness
        The share of the logits' differences that the contributions miss, over all sequences.
    strands
        Of a model that scores both strands alike: the largest difference between a sample and the
        same on the other strand, as a share of the largest value.
    precision
        The largest difference between a sample and the same in float64, likewise.
    completeness_note
        What the completeness means, where it misses more than 1 %.
    """

    completeness: float | None
    strands: float | None
    precision: float | None
    completeness_note: str | None = None


@dataclass(frozen=True)
class Attributions:
    """One explanation of N sequences; zero columns of the input (N, padding) get 0 everywhere.

    Parameters
    ----------
    method
        A key of ``motiflens.attribution.METHODS``.
    one_hot
        The explained sequences, float32 (N, 4, L).
    contributions
        The part of the explanation that belongs to the observed bases, (N, 4, L); 0 elsewhere.
        Of the methods with references (``AGAINST_REFERENCES``) they are the mean of m · (x − r)
        at the observed base, and add up to the difference of the logits.
    hypothetical
        What each of the four bases would contribute, (N, 4, L), or None where the method has
        no such thing. Of the methods with references it is m_b − Σ_c m_c r_c, the mean over the
        bases taken away unless ``off_simplex`` is ``kept``: for motif finders.
    convergence_delta
        (N,): what the contributions add up to minus the difference of the logits that they
        explain; None where the method promises no such sum.
    difference
        (N,): that difference. It is not kept in a file, as points and checks are not.
    points
        Of ``integrated_gradients``: the parts of the way at which each sequence was looked at.
    checks
        What the explanation was tested for.
    """

    method: str
    one_hot: Floats
    contributions: Floats
    hypothetical: Floats | None = None
    convergence_delta: Floats | None = None
    difference: Floats | None = None
    points: tuple[NDArray[np.float64], ...] | None = None
    checks: Checks | None = None

    @property
    def track(self) -> Floats:
        """Contributions summed over the four bases, (N, L)."""
        track: Floats = self.contributions.sum(axis=1)
        return track

    def for_motifs(self) -> Attributions:
        """Give the explanation as motif finders read it: contributions = hypothetical × one-hot.

        Only that of a method with references differs from itself: it gets the correction of
        gradients in its contributions too, and no longer adds up to a difference of logits.
        """
        if self.method not in AGAINST_REFERENCES or self.hypothetical is None:
            return self
        corrected = self.hypothetical * self.one_hot
        return replace(self, contributions=corrected, convergence_delta=None, difference=None)

    def save(self, path: str | Path, names: Sequence[str]) -> None:
        """Write an ``.npz`` file; it appears whole or not at all, the same bytes every time.

        Raises
        ------
        InputError
            If there is not one name for each sequence, or the file cannot be written.
        """
        if len(names) != len(self.one_hot):
            raise InputError(
                f"there is one name for each of the {len(self.one_hot)} sequences",
                got=f"{len(names)} names",
                remedy="pass the names of the explained sequences",
            )
        arrays: dict[str, NDArray[Any]] = {
            "names": _as_text(names),
            "one_hot": self.one_hot,
            "contributions": self.contributions,
        }
        for name in ("hypothetical", "convergence_delta"):
            if (array := getattr(self, name)) is not None:
                arrays[name] = array
        stream = io.BytesIO()
        np.savez_compressed(stream, allow_pickle=False, **arrays)
        write_whole(path, stream.getvalue())


def _as_text(names: Sequence[str]) -> NDArray[np.str_]:
    for index, name in enumerate(names):
        if "\0" in name:  # numpy would drop it at the end of a string
            raise InputError(
                "a name holds no zero character",
                got=f"{name!r} for sequence {index + 1}",
                remedy="rename the sequence",
            )
    return np.array(names, dtype=np.str_)


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Set a module to eval for a while; then each part has its own mode and buffers again."""
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
                    "a model is explained in float32 or float64",
                    got=f"parameters in {str(parameter.dtype).removeprefix('torch.')}",
                    remedy="explain a copy in single precision: copy.deepcopy(module).float()",
                )
            return tensor.to(parameter.device, parameter.dtype)
    return tensor


def logits_of(module: nn.Module, x: Tensor, target: int) -> Tensor:
    """Call the module on (N, 4, L) and give the logits (N,) of one target.

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
            f"the module takes sequences of the shape (N, 4, {x.shape[-1]})",
            got=str(error).splitlines()[0],
            remedy="give sequences of the length that it was made for, or see where it raised "
            "the error, if the fault is its own",
        ) from error
    return target_of(output, len(x), target)


def target_of(output: object, n: int, target: int) -> Tensor:
    """Give the logits (N,) of one target from what a module gave for N sequences.

    Raises
    ------
    InputError
        If the output is not (N,) or (N, T), has no such target or is not finite.
    """
    if not isinstance(output, Tensor) or output.ndim not in (1, 2) or output.shape[0] != n:
        shape = f"n output of shape {tuple(output.shape)}" if isinstance(output, Tensor) else ""
        raise InputError(
            f"a model gives logits (N,) or (N, T), here N = {n}",
            got=f"a{shape or ' ' + type(output).__name__}",
            remedy="wrap the model so that it gives one row a sequence",
        )
    n_targets = 1 if output.ndim == 1 else output.shape[1]
    if not 0 <= target < n_targets:
        raise InputError(
            f"the target is one of the model's {n_targets} outputs, counted from 0",
            got=f"target {target}",
            remedy=f"choose 0 to {n_targets - 1}",
        )
    logits = output if output.ndim == 1 else output[:, target]
    if not bool(torch.isfinite(logits).all()):
        raise InputError(
            "the model's logits are finite",
            got="NaN or infinity",
            remedy="check the model's weights and training",
        )
    return logits


def logits_in_batches(
    module: nn.Module, sequences: Floats, target: int, batch_size: int
) -> NDArray[np.float64]:
    """Give the logits (N,) of one target without gradients."""
    logits = np.zeros(len(sequences))
    with torch.no_grad():
        for start in range(0, len(sequences), batch_size):
            rows = slice(start, start + batch_size)
            part = logits_of(module, as_input(module, sequences[rows]), target)
            logits[rows] = part.double().cpu().numpy()
    return logits


def logits_and_gradient(module: nn.Module, x: Tensor, target: int) -> tuple[Tensor, Tensor]:
    """Give one logit of each sequence, (N,), and its gradient with respect to the input, (N, 4, L).

    Raises
    ------
    InputError
        If the logits do not depend on the input by operations that have a derivative.
    """
    x = x.detach().requires_grad_()
    logits = logits_of(module, x, target)
    # With respect to the input alone, so that no parameter's .grad is touched.
    found = (
        torch.autograd.grad(logits.sum(), x, allow_unused=True)[0] if logits.requires_grad else None
    )
    if found is None:
        raise InputError(
            "for a gradient, logits depend on the input by operations that have a derivative",
            got=f"a {type(module).__name__} whose logits do not",
            remedy="choose ism, which needs none",
        )
    return logits.detach(), found


def gradient(module: nn.Module, x: Tensor, target: int) -> Tensor:
    """Give the gradient of one logit with respect to the input, (N, 4, L); errors as above."""
    return logits_and_gradient(module, x, target)[1]


def checked(one_hot: ArrayLike | Tensor) -> Floats:
    """Give one-hot sequences as float32 (N, 4, L), after a look at shape and columns.

    Raises
    ------
    InputError
        If the shape is another, or a column is neither one-hot nor zero.
    """
    values = one_hot.detach().cpu().numpy() if isinstance(one_hot, Tensor) else np.asarray(one_hot)
    if values.ndim != 3 or values.shape[1] != 4 or values.shape[2] == 0:
        raise InputError(
            "sequences are one-hot of shape (N, 4, L)",
            got=f"shape {values.shape}",
            remedy="encode them with motiflens.sequences.one_hot",
        )
    good = ((values == 0) | (values == 1)).all(axis=1) & (values.sum(axis=1) <= 1)
    if not good.all():
        sequence, position = (int(index[0]) for index in np.nonzero(~good))
        raise InputError(
            "a column of a one-hot sequence holds a single 1, or only 0 for N and padding",
            got=f"{values[sequence, :, position].tolist()} at position {position + 1} "
            f"of sequence {sequence + 1}",
            remedy="encode the sequences with motiflens.sequences.one_hot",
        )
    return np.ascontiguousarray(values, dtype=np.float32)


def known(one_hot: Floats) -> Floats:
    """Mark known bases by 1; 0 at N and padding, (N, 1, L)."""
    mask: Floats = one_hot.sum(axis=1, keepdims=True)
    return mask
