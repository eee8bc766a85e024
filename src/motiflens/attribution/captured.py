"""Any module as a graph, in which a substitution is followed from layer to layer.

``torch.fx`` captures the module. Convolutions, pools, sums and functions of single values are
computed where a substitution can change them; sums, maxima and linear layers over all positions by
what changes; anything else as a whole.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.fx.node import map_arg

from motiflens.attribution.window_rules import of_module
from motiflens.attribution.windows import (
    Crop,
    Layer,
    Operation,
    Pointwise,
    Span,
    Together,
    largest_of,
    linear_of_all,
    spliced,
    summed,
)
from motiflens.models.mutants import OTHERS

#: Values of one layer that are computed at once, by device.
VALUES_AT_ONCE = {"cpu": 2**20, "cuda": 2**27}

POINTWISE_FUNCTIONS = {
    torch.relu, torch.exp, torch.tanh, torch.sigmoid, torch.abs, torch.square, torch.log1p,
    nn.functional.relu, nn.functional.gelu, nn.functional.silu, nn.functional.elu,
    nn.functional.leaky_relu, nn.functional.softplus, nn.functional.sigmoid, nn.functional.tanh,
}  # fmt: skip
POINTWISE_METHODS = {"relu", "exp", "tanh", "sigmoid", "abs", "square", "log1p"}
BINARY: set[Callable[..., Any]] = {
    operator.add, operator.sub, operator.mul, operator.truediv, torch.add, torch.sub, torch.mul,
    operator.iadd,
}  # fmt: skip
FLATTEN = {torch.flatten, torch.reshape, "flatten", "reshape", "view"}
MEANS, SUMS, MAXIMA = {torch.mean, "mean"}, {torch.sum, "sum"}, {torch.amax, "amax"}


class NotCaptured(Exception):
    """The module does something that a graph does not hold."""


def captured(module: nn.Module, x: Tensor) -> Captured:
    """Capture a module that is in eval mode, for sequences like x (N, 4, L).

    Raises
    ------
    NotCaptured
        For a module whose code branches on its input, keeps hooks, or does not begin with layers
        that lie along the sequence.
    """
    parts = list(module.modules())
    if any(isinstance(part, torch.jit.ScriptModule) for part in parts):
        raise NotCaptured("it is a script")
    if any(part._forward_hooks or part._forward_pre_hooks for part in parts):
        raise NotCaptured("it has hooks")
    attributes = [(part, dict(vars(part))) for part in parts]
    try:
        found = Captured(fx.symbolic_trace(module), x)
    except Exception as error:  # whatever the module's own code raises on a stand-in for a tensor
        raise NotCaptured(str(error).partition("\n")[0]) from error
    finally:
        # What its code kept on it is a stand-in too.
        for part, before in attributes:
            vars(part).clear()
            vars(part).update(before)
    if not found.operations:
        raise NotCaptured("no layer lies along the sequence")
    return found


class Captured(fx.Interpreter):
    """A captured module, and which of its nodes are computed in windows."""

    def __init__(self, graph: fx.GraphModule, x: Tensor) -> None:
        super().__init__(graph, garbage_collect_values=False)
        self.nodes = list(graph.graph.nodes)
        (self.input,) = [node for node in self.nodes if node.op == "placeholder"]
        self.modules = dict(graph.named_modules())
        self.operations: dict[fx.Node, Operation] = {}
        self._reference(x[:1])
        length = x.shape[-1]
        self.spans = {self.input: Span(torch.arange(length, device=x.device), 1, length)}
        for node in self.nodes:
            operation = self._operation(node)
            if operation is not None:
                self.operations[node] = operation
                inputs = [self.spans[source] for source in node.all_input_nodes]
                self.spans[node] = operation.span(*inputs)

    def run_node(self, n: fx.Node) -> Any:
        """Keep what each node gave, before another changes it in place."""
        result = super().run_node(n)
        return result.clone() if isinstance(result, Tensor) and n.op != "output" else result

    def _reference(self, x: Tensor) -> None:
        """Compute every node for a sequence (1, 4, L): twice, so that no axis of 1 is squeezed."""
        self.run(x.repeat(2, 1, 1))
        self.values = dict(self.env)

    # Which nodes are followed, and how

    def _length(self, node: fx.Node) -> int:
        return int(self.values[node].shape[-1])

    def _operation(self, node: fx.Node) -> Operation | None:
        sources = node.all_input_nodes
        if not sources or not all(source in self.spans for source in sources):
            return None
        result = self.values[node]
        if not isinstance(result, Tensor) or result.ndim != 3:
            return None
        if node.op == "call_module":
            return of_module(self.modules[str(node.target)], self._length(node))
        if node.op == "call_method":
            alone = node.target in POINTWISE_METHODS and len(sources) == 1
            return Pointwise(self._called(node)) if alone else None
        if node.op != "call_function":
            return None
        if node.target in POINTWISE_FUNCTIONS and len(sources) == 1:
            return Pointwise(self._called(node))
        if node.target in BINARY and not node.kwargs:
            return self._binary(node, sources)
        return self._crop(node) if node.target is operator.getitem else None

    def _called(self, node: fx.Node) -> Callable[[Tensor], Tensor]:
        """Return a node as a function of its only input."""
        arguments = {**node.kwargs}
        arguments.pop("inplace", None)
        rest = _arguments(node)[1:]
        if node.op == "call_method":
            return lambda x: getattr(x, str(node.target))(*rest, **arguments)
        function: Any = node.target
        return lambda x: function(x, *rest, **arguments)

    def _binary(self, node: fx.Node, sources: list[fx.Node]) -> Operation | None:
        function: Any = operator.add if node.target is operator.iadd else node.target
        one, two = _arguments(node)
        if len(sources) == 2:
            same = self.values[sources[0]].shape == self.values[sources[1]].shape
            return Together(function) if same else None
        if one is two:
            return Pointwise(lambda x: function(x, x))
        if isinstance(two, int | float):
            return Pointwise(lambda x: function(x, two))
        return Pointwise(lambda x: function(one, x)) if isinstance(one, int | float) else None

    def _crop(self, node: fx.Node) -> Operation | None:
        index = _arguments(node)[1]
        source = _arguments(node)[0]
        if not isinstance(index, tuple) or not isinstance(source, fx.Node):
            return None
        *before, last = index
        whole = all(part is Ellipsis or part == slice(None) for part in before)
        plain = isinstance(last, slice) and last.step in (None, 1)
        numbers = plain and all(x is None or isinstance(x, int) for x in (last.start, last.stop))
        if not (whole and numbers and (len(index) == 3 or Ellipsis in before)):
            return None
        start, _, _ = last.indices(self._length(source))
        return Crop(start, self._length(node))

    # One sequence

    def prepare(self, x: Tensor) -> None:
        """Compute a sequence (4, L) itself."""
        self._reference(x.unsqueeze(0))
        self.references = {node: self.values[node][0].T.contiguous() for node in self.spans}
        others = torch.tensor(OTHERS, device=x.device)[x.argmax(0)]
        self.bases = torch.eye(4, dtype=x.dtype, device=x.device)[others].unsqueeze(2)

    def logits(self, start: int, stop: int, target: int) -> Tensor:
        """Return the logits of the sequence's mutants at positions start to stop, (P, 3).

        The bases are :data:`motiflens.models.mutants.OTHERS`.
        """
        return torch.cat([self._block(block, target) for block in self._blocks(start, stop)])

    def _blocks(self, start: int, stop: int) -> Iterator[slice]:
        """Cut positions into those whose windows are computed at once."""
        sizes = [3 * span.width * self.values[node].shape[1] for node, span in self.spans.items()]
        sizes += [3 * self.values[node].numel() // 2 for node in self._whole()]
        device = self.values[self.input].device.type
        at_once = max(1, VALUES_AT_ONCE.get(device, VALUES_AT_ONCE["cuda"]) // max(sizes))
        for first in range(start, stop, at_once):
            yield slice(first, min(first + at_once, stop))

    def _whole(self) -> list[fx.Node]:
        return [
            node
            for node in self.nodes
            if node not in self.spans
            and isinstance(self.values.get(node), Tensor)
            and node.op not in ("get_attr", "output")
        ]

    def _block(self, positions: slice, target: int) -> Tensor:
        references, bases = self.references, self.bases[positions]
        at = torch.arange(positions.start, positions.stop, device=bases.device)
        layers = {self.input: Layer(references[self.input], bases, at)}
        env: dict[fx.Node, Any] = {}
        wholes: dict[fx.Node, Tensor] = {}

        def whole(node: fx.Node) -> Any:
            if node not in self.spans:
                return env[node]
            if node not in wholes:
                wholes[node] = spliced(layers[node])
            return wholes[node]

        for node in self.nodes:
            if node is self.input:
                continue
            if node in self.operations:
                inputs = [layers[source] for source in node.all_input_nodes]
                if len(inputs) == 2:
                    inputs = [layers[source] for source in _arguments(node)]
                layers[node] = self.operations[node].apply(
                    references[node], self.spans[node], positions, *inputs
                )
            elif node.op == "output":
                result: Tensor = map_arg(_arguments(node)[0], whole)
                logits = result if result.ndim == 1 else result[:, target]
                return logits.view(len(at), 3)
            else:
                env[node] = self._global(node, layers, env, whole)
        raise AssertionError("a graph ends with its output")

    def _global(
        self,
        node: fx.Node,
        layers: dict[fx.Node, Layer],
        env: dict[fx.Node, Any],
        whole: Callable[[fx.Node], Any],
    ) -> Any:
        """Compute a node that does not lie along the sequence, for all mutants (P · 3, ...)."""
        source = _arguments(node)[0] if _arguments(node) else None
        if isinstance(source, fx.Node) and source in layers:
            layer = layers[source]
            n = layer.values.shape[0] * 3
            if node.target == "size" or (node.target is getattr and _arguments(node)[1] == "shape"):
                like = torch.empty(n, *self.values[source].shape[1:], device="meta")
                return like.size(*_arguments(node)[1:]) if node.target == "size" else like.shape
            reduced = self._reduced(node, layer)
            if reduced is not None:
                return reduced.reshape(n, *self.values[node].shape[1:])
            if self._flattens(node):
                return _Flat(layer)
        module = self.modules.get(str(node.target)) if node.op == "call_module" else None
        if isinstance(source, fx.Node) and isinstance(env.get(source), _Flat):
            flat: _Flat = env[source]
            if isinstance(module, nn.Linear):
                return linear_of_all(flat.layer, module.weight, module.bias).flatten(0, 1)
            if isinstance(module, nn.Dropout | nn.Identity):
                return flat

        def given(one: fx.Node) -> Any:
            value = whole(one)
            return spliced(value.layer).flatten(1) if isinstance(value, _Flat) else value

        if node.op == "get_attr":
            return self.values[node]
        args, kwargs = map_arg(_arguments(node), given), map_arg(node.kwargs, given)
        return getattr(self, node.op)(node.target, args, kwargs)

    def _flattens(self, node: fx.Node) -> bool:
        shape = self.values[node].shape if isinstance(self.values[node], Tensor) else ()
        module = self.modules.get(str(node.target)) if node.op == "call_module" else None
        flattens = isinstance(module, nn.Flatten) or node.target in FLATTEN
        source = self.values[node.all_input_nodes[0]]
        return flattens and len(shape) == 2 and shape == (2, source[0].numel())

    def _reduced(self, node: fx.Node, layer: Layer) -> Tensor | None:
        """Reduce all positions to one, where that is what a node does."""
        module = self.modules.get(str(node.target)) if node.op == "call_module" else None
        if isinstance(module, nn.AdaptiveAvgPool1d | nn.AdaptiveMaxPool1d):
            if module.output_size not in (1, (1,)):
                return None
            if isinstance(module, nn.AdaptiveMaxPool1d):
                return None if module.return_indices else largest_of(layer)
            return summed(layer) / len(layer.reference)
        dim = node.kwargs.get("dim", _arguments(node)[1] if len(_arguments(node)) > 1 else None)
        if dim not in (-1, 2, [-1], [2], (-1,), (2,)) or isinstance(dim, bool):
            return None
        if node.target in MEANS:
            return summed(layer) / len(layer.reference)
        if node.target in SUMS:
            return summed(layer)
        return largest_of(layer) if node.target in MAXIMA else None


def _arguments(node: fx.Node) -> tuple[Any, ...]:
    """Return what a node is called with."""
    return node.args


class _Flat:
    """A flattened layer, until it is known whether a linear layer follows."""

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
