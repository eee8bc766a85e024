"""DeepLIFT's rules: every operation of a model, carried out on a sequence and on a reference.

A :class:`DualTensor` tensor goes through a model in place of a batch. It holds the values for the
sequences and for their references, and every torch function that meets it is looked up here, be
it called by a module or bare. Going back through autograd then gives, in place of gradients,
multipliers m with ``f(x) - f(reference) = sum of m (x - reference)`` exactly, for each function:

- affine functions pass their gradient;
- of elementwise functions it is the slope between the two values (the rescale rule);
- of products, and of all that is quadratic, it is the gradient half way between the two;
- a maximum gives all credit to one candidate (see ``multipliers.max_rule``);
- softmax, normalisations and attention are written out in the functions above.

Any other function is refused by name, as is one that steers by a value of the sequence: a result
that looks right and is not would be worse.

References
----------
Shrikumar, Greenside, Kundaje, arXiv:1704.02685 (2017), section 3.5.1.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from motiflens.attribution.composites import COMPOSITES, without_rule
from motiflens.attribution.multipliers import (
    linearised,
    logsumexp,
    max_rule,
    rescaled,
    rescaled_relu,
    rescaled_tanh,
)
from motiflens.attribution.operations import (
    AFFINE,
    CURVED,
    DROPOUTS,
    OF_THE_FORM,
    PIECEWISE,
    PRODUCTS,
)

Rule = Callable[..., Any]


class DualTensor(Tensor):
    """The values of one tensor for the sequences, with their graph, and for the references."""

    value: Tensor
    reference: Tensor

    @staticmethod
    def of(value: Tensor, reference: Tensor) -> DualTensor:
        """Pair two tensors of the same shape."""
        pair = value.detach().as_subclass(DualTensor)
        pair.value, pair.reference = value, reference.detach()
        return pair

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Carry out a torch function by its rule."""
        kwargs = dict(kwargs or {})
        name = _name(func)
        changes = kwargs.pop("inplace", False)
        if name.endswith("_") and not name.startswith("_") and name != "requires_grad_":
            name, changes = name.removesuffix("_"), True
            func = getattr(Tensor, name, None) or _refuse(name + "_")
        with torch.enable_grad():
            if name == "__setitem__":
                return _set_item(*args)
            result = _apply(func, name, args, kwargs)
        return _replace(name, args[0], result) if changes else result


def _name(func: Any) -> str:
    """Name a function; a property of Tensor is called by its ``__get__``."""
    return func.__self__.__name__ if func.__name__ == "__get__" else func.__name__


def _apply(func: Any, name: str, args: Any, kwargs: dict[str, Any]) -> Any:
    pairs = list(_pairs((args, kwargs)))
    if name in OF_THE_FORM:
        return func(*_side("value", args), **_side("value", kwargs))
    is_control_flow = not all(pair.value.is_floating_point() for pair in pairs)
    rule = None if is_control_flow else _RULES.get(name)
    if rule is None:
        return _apply_to_both(func, name, args, kwargs)
    return rule(func, name, args, kwargs)


def _pairs(content: Any) -> Iterator[DualTensor]:
    if isinstance(content, DualTensor):
        yield content
    elif isinstance(content, tuple | list):
        for part in content:
            yield from _pairs(part)
    elif isinstance(content, dict):
        yield from _pairs(list(content.values()))


def _mapped(change: Callable[[DualTensor], Any], content: Any) -> Any:
    """Change every paired tensor within arguments; everything else stays what it is."""
    if isinstance(content, DualTensor):
        return change(content)
    if type(content) in (tuple, list):
        return type(content)(_mapped(change, part) for part in content)
    if isinstance(content, dict):
        return {key: _mapped(change, part) for key, part in content.items()}
    return content


def _side(side: str, content: Any) -> Any:
    return _mapped(lambda pair: vars(pair)[side], content)


def _joined(value: Any, reference: Any) -> Any:
    if isinstance(value, Tensor):
        return DualTensor.of(value, reference)
    return tuple(_joined(*both) for both in zip(value, reference, strict=True))


def _refuse(name: str, why: str = "") -> Any:
    """Raise the error for an operation, with the class of the module that it runs in."""
    frame = inspect.currentframe()
    module = None
    while frame is not None and module is None:
        owner = frame.f_locals.get("self")
        module = type(owner).__name__ if isinstance(owner, nn.Module) else None
        frame = frame.f_back
    raise without_rule(f"{name}{why}" + (f" in {module}" if module else ""))


def _apply_to_both(func: Any, name: str, args: Any, kwargs: dict[str, Any]) -> Any:
    """Carry out what gives no real numbers: shapes, comparisons, positions of maxima."""

    def same(value: Any, reference: Any) -> Any:
        if isinstance(value, tuple | list) and not isinstance(value, torch.Size):
            return tuple(same(*both) for both in zip(value, reference, strict=True))
        if isinstance(value, Tensor):
            if value.is_floating_point() or value.is_complex():
                _refuse(name)
            equal = value.shape == reference.shape and torch.equal(value, reference)
            return value if equal else DualTensor.of(value, reference)
        if isinstance(value, float) or not bool(value == reference):
            _refuse(name, ", a value of the sequence that steers the model,")
        return value

    value, reference = (
        func(*_side(side, args), **_side(side, kwargs)) for side in ("value", "reference")
    )
    return same(value, reference)


def _replace(name: str, changed: Any, result: Any) -> DualTensor:
    """Let a tensor that is changed in place hold the result."""
    if not isinstance(changed, DualTensor) or not isinstance(result, DualTensor):
        _refuse(name + "_", ", which writes into a constant,")
    changed.value, changed.reference = result.value, result.reference
    return changed


def _set_item(changed: Any, place: Any, content: Any) -> None:
    if not isinstance(changed, DualTensor) or list(_pairs(place)):
        _refuse("__setitem__", ", which writes into a constant or where the sequence says,")
    sides = {side: vars(changed)[side].clone() for side in ("value", "reference")}
    for side, tensor in sides.items():
        tensor[place] = _side(side, content)
    changed.value, changed.reference = sides["value"], sides["reference"].detach()


def _affine(func: Any, name: str, args: Any, kwargs: dict[str, Any]) -> Any:
    value = func(*_side("value", args), **_side("value", kwargs))
    if isinstance(value, Tensor) and not value.is_floating_point():
        return _apply_to_both(func, name, args, kwargs)
    with torch.no_grad():
        reference = func(*_side("reference", args), **_side("reference", kwargs))
    return _joined(value, reference)


def _quadratic(func: Any, name: str, args: Any, kwargs: dict[str, Any]) -> Any:
    """Take the gradient half way: exact for a product of two, and for any quadratic function."""
    n_factors = len(list(_pairs((args, kwargs))))
    if n_factors < 2:
        return _affine(func, name, args, kwargs)
    if name == "einsum" and n_factors > 2:
        _refuse(name, " of more than two factors")

    def half_way(pair: DualTensor) -> Tensor:
        return linearised(pair.value, None, (pair.value + pair.reference) / 2)

    middle = func(*_mapped(half_way, args), **_mapped(half_way, kwargs))
    with torch.no_grad():
        value, reference = (
            func(*_side(side, args), **_side(side, kwargs)) for side in ("value", "reference")
        )
    return DualTensor.of(linearised(middle, None, value), reference)


def _elementwise(func: Any, name: str, args: Any, kwargs: dict[str, Any]) -> DualTensor:
    pairs = list(_pairs((args, kwargs)))
    if len(pairs) != 1:
        _refuse(name, " of two tensors")

    def at(x: Tensor) -> Tensor:
        return func(*_mapped(lambda _: x, args), **_mapped(lambda _: x, kwargs))

    value, reference = pairs[0].value, pairs[0].reference
    precision = torch.float64 if name in CURVED else value.dtype
    return DualTensor.of(*rescaled(value, reference, at, precision))


def _maximum(
    pair: DualTensor, largest: Callable[[Tensor], tuple[Tensor, Tensor]], n_axes: int
) -> tuple[Any, Any]:
    maxima, positions = max_rule(pair.value, pair.reference, largest, n_axes)
    return DualTensor.of(*maxima), (
        positions[0] if torch.equal(*positions) else DualTensor.of(*positions)
    )


def _pool(func: Any, name: str, args: Any, kwargs: dict[str, Any]) -> Any:
    kind = name.removesuffix("_with_indices")
    pool = getattr(functional, kind)
    with_places = kwargs.pop("return_indices", name != kind)
    values, places = _maximum(
        args[0],
        lambda x: pool(x, *args[1:], **kwargs, return_indices=True),
        n_axes=int(kind[-2]),
    )
    return (values, places) if with_places else values


def _amax(x: Any, dim: int | tuple[int, ...] = (), keepdim: bool = False) -> Any:
    axes = (dim,) if isinstance(dim, int) else tuple(dim) or tuple(range(x.ndim))
    last = tuple(range(-len(axes), 0))
    flat = x.movedim(axes, last).flatten(-len(axes))
    values, _ = _maximum(flat, lambda t: t.max(-1, keepdim=True), n_axes=1)
    result = values.squeeze(-1)
    for axis in sorted(axis % x.ndim for axis in axes) if keepdim else ():
        result = result.unsqueeze(axis)
    return result


def _max(x: Any, dim: Any = None, keepdim: bool = False, other: Any = None) -> Any:
    other = dim if isinstance(dim, Tensor) else other
    if other is not None:
        alike = torch.broadcast_tensors(x, other)  # type: ignore[no-untyped-call]
        return _amax(torch.stack(alike), 0)
    if dim is None:
        return _amax(x)
    values, places = _maximum(x.movedim(dim, -1), lambda t: t.max(-1, keepdim=True), n_axes=1)
    pair = (values.squeeze(-1), places.squeeze(-1))
    if keepdim:
        pair = (pair[0].unsqueeze(dim), pair[1].unsqueeze(dim))
    return torch.return_types.max(pair)


def _smallest(func: Any, name: str, args: Any, kwargs: dict[str, Any]) -> Any:
    largest: Rule = {"amin": _amax, "min": _max, "minimum": _max}[name]
    turned = [-arg if isinstance(arg, Tensor) else arg for arg in args]
    options = {key: -arg if isinstance(arg, Tensor) else arg for key, arg in kwargs.items()}
    result = largest(*turned, **options)
    if isinstance(result, tuple):
        return torch.return_types.min((-result[0], result[1]))
    return -result


def _divide(func: Any, name: str, args: Any, kwargs: dict[str, Any]) -> Any:
    above, below = args
    if kwargs:
        _refuse(name, " with rounding")
    if "__r" in name:
        above, below = below, above
    if isinstance(below, DualTensor):
        return below.reciprocal() * above
    return _affine(torch.div, name, (above, below), kwargs)


def _batch_norm(func: Any, name: str, args: Any, kwargs: dict[str, Any]) -> Any:
    bound = inspect.signature(functional.batch_norm).bind(*args, **kwargs).arguments
    if bound.get("training"):
        _refuse(name, ", which mixes the sequences of a batch,")
    return _affine(func, name, args, kwargs)


def _dropout(func: Any, name: str, args: Any, kwargs: dict[str, Any]) -> Any:
    if kwargs.get("training", (*args, None, True)[2]):
        _refuse(name, " that is switched on")
    return args[0]


def _logsumexp(x: DualTensor, dim: int, keepdim: bool = False) -> Any:
    result = DualTensor.of(*logsumexp(x.value, x.reference, dim))
    return result if keepdim else result.squeeze(dim)


def _decomposed(composite: Callable[..., Any]) -> Rule:
    return lambda func, name, args, kwargs: composite(*args, **kwargs)


def _rules(names: Iterable[str], rule: Rule) -> dict[str, Rule]:
    return dict.fromkeys(names, rule)


_RULES: dict[str, Rule] = {
    **_rules(AFFINE, _affine),
    **_rules(PRODUCTS, _quadratic),
    **_rules(PIECEWISE | CURVED, _elementwise),
    **_rules(DROPOUTS, _dropout),
    **_rules(
        (
            f"{kind}max_pool{n}d{places}"
            for kind in ("", "adaptive_")
            for n in (1, 2, 3)
            for places in ("", "_with_indices")
        ),
        _pool,
    ),
    **_rules(("div", "divide", "true_divide", "__rdiv__", "__rtruediv__"), _divide),
    **_rules(("amin", "min", "minimum"), _smallest),
    **_rules(("max", "maximum"), _decomposed(_max)),
    "amax": _decomposed(_amax),
    "tanh": _decomposed(lambda x, **kwargs: DualTensor.of(*rescaled_tanh(x.value, x.reference))),
    "relu": _decomposed(lambda x, **kwargs: DualTensor.of(*rescaled_relu(x.value, x.reference))),
    "logsumexp": _decomposed(_logsumexp),
    "batch_norm": _batch_norm,
    # A model that hides a value from gradients uses it all the same.
    **_rules(("detach", "data"), lambda func, name, args, kwargs: args[0]),
    **{name: _decomposed(composite) for name, composite in COMPOSITES.items()},
}
