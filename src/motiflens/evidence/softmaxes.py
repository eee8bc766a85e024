"""The softmaxes of a module as they pass, to be seen or changed: its attention is among them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from motiflens.attribution.composites import COMPOSITES
from motiflens.attribution.result import Floats
from motiflens.errors import InputError
from motiflens.evidence.deletion import eval_logits
from motiflens.models.calling import as_input, evaluating

#: Random sequences on which softmaxes are looked at, and the fraction of the spread of their logits
#: below which all are the same.
N_TRIED, SAME_SPREAD = 8, 1e-5

BARE = {functional.softmax, torch.softmax, Tensor.softmax, torch.special.softmax}
WRITTEN_OUT = {functional.scaled_dot_product_attention, functional.multi_head_attention_forward}
"""Attention in one call: its softmax is seen when it is written out."""


@dataclass(frozen=True)
class Layer:
    """A softmax of a module: the same one at every call of the part that makes it.

    Parameters
    ----------
    module
        The part whose ``forward`` makes it.
    number
        Which one of that part's, from 0, in the order in which they are made.
    bare
        Whether it is made without a ``torch.nn.Softmax``; numbers count each kind by itself.
    """

    module: nn.Module
    number: int
    bare: bool


@dataclass(frozen=True, eq=False)
class Weights:
    """What a softmax gave: ``values``, summing to 1 over the axis ``dim`` of the units."""

    values: Tensor
    dim: int


@dataclass(frozen=True, eq=False)
class Softmaxes:
    """The softmaxes of a forward pass, of each call of each, and whether some stayed hidden."""

    layers: dict[Layer, list[Weights]]
    hidden: bool


#: Maps a layer, its scores, its weights and the axis of the units to the weights to go on with.
See = Callable[[Layer, Tensor, Tensor, int], Tensor]


class _Call:
    """One call of a part of the module, and the softmaxes that it has made so far."""

    def __init__(self, part: nn.Module) -> None:
        self.part, self.made = part, [0, 0]

    def next(self, *, bare: bool) -> Layer:
        self.made[bare] += 1
        return Layer(self.part, self.made[bare] - 1, bare)


class _BareSoftmaxes(TorchFunctionMode):
    """Shows softmaxes that are called as functions, also those within attention in one call."""

    def __init__(self, calls: list[_Call], see: See) -> None:
        super().__init__()
        self.calls, self.see, self.hidden = calls, see, False

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in WRITTEN_OUT:
            try:
                with self:
                    return COMPOSITES[func.__name__](*args, **kwargs)
            except InputError:
                self.hidden = True
        found = func(*args, **kwargs)
        inside = bool(self.calls) and not isinstance(self.calls[-1].part, nn.Softmax)
        if func not in BARE or not inside:
            return found
        scores = args[0] if args else kwargs["input"]
        dim = kwargs.get("dim", args[1] if len(args) > 1 else None)
        return self.see(self.calls[-1].next(bare=True), scores, found, _axis(dim, scores.ndim))


def _axis(dim: int | None, n_axes: int) -> int:
    """Return the axis of the units, from 0; without one torch takes the first or the second."""
    if dim is None:
        return 0 if n_axes in (0, 1, 3) else 1
    return dim % n_axes


@contextmanager
def watching(module: nn.Module, see: See, *, bare: bool = True) -> Iterator[Callable[[], bool]]:
    """Pass every softmax of a module through ``see`` for a while.

    Parameters
    ----------
    module
        Any module; left as it was found, also after an error.
    see
        Gives the weights that the module goes on with.
    bare
        Whether softmaxes called as functions are passed too; looking for them slows every call.

    Yields
    ------
    callable
        Tells whether attention was met whose weights cannot be seen.
    """
    calls: list[_Call] = []

    def enter(part: nn.Module, given: Any) -> None:
        calls.append(_Call(part))

    def leave(part: nn.Module, given: Any, named: dict[str, Any], output: Any) -> Any:
        # An error that the module has caught leaves calls behind.
        while calls.pop().part is not part:
            pass
        if not isinstance(part, nn.Softmax) or not calls:
            return None
        scores = given[0] if given else named["input"]
        return see(calls[-1].next(bare=False), scores, output, _axis(part.dim, scores.ndim))

    scripted = {
        inner
        for part in module.modules()
        if isinstance(part, torch.jit.ScriptModule)
        for inner in part.modules()
    }
    mode = _BareSoftmaxes(calls, see)
    with ExitStack() as stack:
        for part in module.modules():
            if part not in scripted:
                stack.callback(part.register_forward_pre_hook(enter).remove)
                stack.callback(part.register_forward_hook(leave, with_kwargs=True).remove)
        if bare:
            stack.enter_context(mode)
        yield lambda: mode.hidden or bool(scripted)


def record_softmaxes(module: nn.Module, one_hot: Floats) -> Softmaxes:
    """Look at the softmaxes of a module on some sequences (N, 4, L)."""
    layers: dict[Layer, list[Weights]] = {}

    def keep(layer: Layer, scores: Tensor, weights: Tensor, dim: int) -> Tensor:
        layers.setdefault(layer, []).append(Weights(weights, dim))
        return weights

    with evaluating(module), torch.inference_mode(), watching(module, keep) as hides:
        module(as_input(module, one_hot))
        hidden = hides()
    return Softmaxes(layers, hidden)


def random_one_hot(length: int) -> Floats:
    """Draw the random sequences on which softmaxes are looked at, (``N_TRIED``, 4, length)."""
    codes = np.random.default_rng(0).integers(4, size=(N_TRIED, length))
    sequences: Floats = np.eye(4, dtype=np.float32)[codes].transpose(0, 2, 1).copy()
    return sequences


def find_attention(module: nn.Module, length: int, target: int = 0) -> Softmaxes:
    """Find the attention of a module: its softmaxes, of ours or of a user's own.

    One that decides the logits by itself shares out probabilities of classes, not the values of
    units: it gives equal logits for all sequences where what it gives is the same for all.

    Parameters
    ----------
    module
        Any module from (N, 4, L) to logits; left as it was found.
    length
        L, of the random sequences on which this is tried.
    target
        Column of the logits.

    Returns
    -------
    Softmaxes
        Attention written with ``exp`` is not in it.
    """
    sequences = random_one_hot(length)

    def spread(chosen: Layer | None) -> float:
        def first_for_all(layer: Layer, scores: Tensor, weights: Tensor, dim: int) -> Tensor:
            return weights[:1].expand_as(weights) if layer == chosen else weights

        with watching(module, first_for_all, bare=chosen is not None and chosen.bare):
            return float(np.ptp(eval_logits(module, sequences, target)))

    seen = record_softmaxes(module, sequences)
    least = SAME_SPREAD * spread(None) if seen.layers else 0.0
    kept = {
        layer: weights
        for layer, weights in seen.layers.items()
        if least == 0 or spread(layer) > least
    }
    return Softmaxes(kept, seen.hidden)
