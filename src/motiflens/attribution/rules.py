"""DeepLIFT's rules: every operation of a model, carried out on a sequence and on a reference.

A :class:`Paired` tensor goes through a model in place of a batch. It holds the values for the
sequences and for their references, and every torch function that meets it is looked up here, be
it called by a module or bare. Going back through autograd then gives, in place of gradients,
multipliers m with ``f(x) - f(reference) = sum of m (x - reference)`` exactly, for each function:

- affine functions pass their gradient;
- of elementwise functions it is the slope between the two values (the rescale rule);
- of products, and of all that is quadratic, it is the gradient half way between the two;
- a maximum gives all credit to one winner (see :func:`_winner`);
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
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from motiflens.attribution import composites
from motiflens.errors import InputError


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_AFFINE = _words(
    """
    add __radd__ sub subtract rsub __rsub__ neg negative positive sum mean cumsum diff
    reshape reshape_as view view_as flatten unflatten ravel permute transpose swapaxes swapdims
    movedim moveaxis mT T t squeeze unsqueeze expand expand_as broadcast_to repeat tile
    repeat_interleave flip fliplr flipud roll rot90 unfold fold narrow select __getitem__
    index_select take_along_dim gather split split_with_sizes tensor_split chunk unbind cat concat
    concatenate stack hstack vstack diagonal diag_embed tril triu pad constant_pad_nd masked_fill
    where broadcast_tensors clone contiguous requires_grad_ to type type_as float double
    cpu cuda avg_pool1d avg_pool2d avg_pool3d
    adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d
    interpolate pixel_shuffle pixel_unshuffle channel_shuffle
    """
)
_PRODUCTS = _words(
    """
    mul multiply __rmul__ matmul __matmul__ __rmatmul__ mm bmm mv dot inner outer linear einsum
    addmm baddbmm addbmm addmv conv1d conv2d conv3d conv_transpose1d conv_transpose2d
    conv_transpose3d
    """
)
#: Elementwise, of straight pieces: differences of values are exact as they are.
_PIECEWISE = _words(
    """
    relu relu6 leaky_relu prelu hardtanh hardsigmoid threshold softshrink abs absolute clamp clip
    clamp_min clamp_max
    """
)
#: Elementwise and curved: the slope is taken in float64, as close values cancel in float32.
_CURVED = _words(
    """
    exp exp2 expm1 log log2 log10 log1p logit sqrt rsqrt square pow __pow__ __rpow__ reciprocal
    tanh sigmoid logsigmoid gelu silu mish softplus softsign tanhshrink elu selu celu hardswish
    erf sin cos atan arctan
    """
)
_DROPOUTS = _words("dropout dropout1d dropout2d dropout3d alpha_dropout")
#: They tell nothing of the values, or make a constant of the same form.
_OF_THE_FORM = _words(
    """
    requires_grad grad_fn is_leaf grad _version __repr__ __hash__ zeros_like ones_like full_like
    empty_like new_zeros new_ones new_full new_empty new_tensor
    """
)

Rule = Callable[..., Any]


class Paired(Tensor):
    """The values of one tensor for the sequences, with their graph, and for the references."""

    value: Tensor
    reference: Tensor

    @staticmethod
    def of(value: Tensor, reference: Tensor) -> Paired:
        """Pair two tensors of the same shape."""
        pair = value.detach().as_subclass(Paired)
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
    name: str = func.__name__
    return str(func.__self__.__name__) if name == "__get__" else name


def _apply(func: Any, name: str, args: Any, kwargs: dict[str, Any]) -> Any:
    pairs = list(_pairs((args, kwargs)))
    if name in _OF_THE_FORM:
        return func(*_side("value", args), **_side("value", kwargs))
    steered = not all(pair.value.is_floating_point() for pair in pairs)
    rule = None if steered else _RULES.get(name)
    if rule is None:
        return _outcome(func, name, args, kwargs)
    return rule(func, name, args, kwargs)


def _pairs(content: Any) -> Iterator[Paired]:
    if isinstance(content, Paired):
        yield content
    elif isinstance(content, tuple | list):
        for part in content:
            yield from _pairs(part)
    elif isinstance(content, dict):
        yield from _pairs(list(content.values()))


def _mapped(change: Callable[[Paired], Any], content: Any) -> Any:
    """Change every paired tensor within arguments; everything else stays what it is."""
    if isinstance(content, Paired):
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
        return Paired.of(value, reference)
    return tuple(_joined(*both) for both in zip(value, reference, strict=True))


def _refuse(name: str, why: str = "") -> Any:
    """Raise the error for an operation, with the class of the module that it runs in."""
    frame = inspect.currentframe()
    module = None
    while frame is not None and module is None:
        owner = frame.f_locals.get("self")
        module = type(owner).__name__ if isinstance(owner, nn.Module) else None
        frame = frame.f_back
    raise InputError(
        "deeplift_shap knows a rule for every operation on values that depend on the sequence",
        got=f"{name}{why}" + (f" in {module}" if module else ""),
        remedy="choose integrated_gradients, expected_gradients or ism for this model",
    )


def _outcome(func: Any, name: str, args: Any, kwargs: dict[str, Any]) -> Any:
    """Carry out what gives no real numbers: shapes, comparisons, places of maxima."""

    def same(value: Any, reference: Any) -> Any:
        if isinstance(value, tuple | list) and not isinstance(value, torch.Size):
            return tuple(same(*both) for both in zip(value, reference, strict=True))
        if isinstance(value, Tensor):
            if value.is_floating_point() or value.is_complex():
                _refuse(name)
            equal = value.shape == reference.shape and torch.equal(value, reference)
            return value if equal else Paired.of(value, reference)
        if isinstance(value, float) or not bool(value == reference):
            _refuse(name, ", a value of the sequence that steers the model,")
        return value

    value, reference = (
        func(*_side(side, args), **_side(side, kwargs)) for side in ("value", "reference")
    )
    return same(value, reference)


def _replace(name: str, changed: Any, result: Any) -> Paired:
    """Let a tensor that is changed in place hold the result."""
    if not isinstance(changed, Paired) or not isinstance(result, Paired):
        _refuse(name + "_", ", which writes into a constant,")
    pair: Paired = changed
    pair.value, pair.reference = result.value, result.reference
    return pair


def _set_item(changed: Any, place: Any, content: Any) -> None:
    if not isinstance(changed, Paired) or list(_pairs(place)):
        _refuse("__setitem__", ", which writes into a constant or where the sequence says,")
    sides = {side: vars(changed)[side].clone() for side in ("value", "reference")}
    for side, tensor in sides.items():
        tensor[place] = _side(side, content)
    changed.value, changed.reference = sides["value"], sides["reference"].detach()


class _Linearised(torch.autograd.Function):
    """Give a value forward; pass the gradient times a multiplier (None: 1) back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, multiplier: Tensor | None, value: Tensor) -> Tensor:
        ctx.save_for_backward(multiplier)
        return value.view_as(value)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (multiplier,) = ctx.saved_tensors
        return gradients[0] if multiplier is None else gradients[0] * multiplier, None, None


def _linearised(x: Tensor, multiplier: Tensor | None, value: Tensor) -> Tensor:
    result: Tensor = _Linearised.apply(x, multiplier, value.detach())  # type: ignore[no-untyped-call]
    return result


def _affine(func: Any, name: str, args: Any, kwargs: dict[str, Any]) -> Any:
    value = func(*_side("value", args), **_side("value", kwargs))
    if isinstance(value, Tensor) and not value.is_floating_point():
        return _outcome(func, name, args, kwargs)
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

    def half_way(pair: Paired) -> Tensor:
        return _linearised(pair.value, None, (pair.value + pair.reference) / 2)

    middle = func(*_mapped(half_way, args), **_mapped(half_way, kwargs))
    with torch.no_grad():
        value, reference = (
            func(*_side(side, args), **_side(side, kwargs)) for side in ("value", "reference")
        )
    return Paired.of(_linearised(middle, None, value), reference)


def _elementwise(func: Any, name: str, args: Any, kwargs: dict[str, Any]) -> Paired:
    """Apply the rescale rule; where both values are equal the slope is the derivative."""
    pairs = list(_pairs((args, kwargs)))
    if len(pairs) != 1:
        _refuse(name, " of two tensors")
    value, reference = pairs[0].value, pairs[0].reference
    precision = torch.float64 if name in _CURVED else value.dtype
    a = value.detach().to(precision).requires_grad_()
    b = reference.to(precision)

    def at(x: Tensor) -> Tensor:
        result: Tensor = func(*_mapped(lambda _: x, args), **_mapped(lambda _: x, kwargs))
        return result

    at_a = at(a)
    (derivative,) = torch.autograd.grad(at_a.sum(), a)
    with torch.no_grad():
        at_a, at_b = at_a.detach(), at(b)
        slope = torch.where(a == b, derivative, (at_a - at_b) / (a - b)).to(value.dtype)
    return Paired.of(_linearised(value, slope, at_a.to(value.dtype)), at_b.to(value.dtype))


def _winner(
    pair: Paired, largest: Callable[[Tensor], tuple[Tensor, Tensor]], n_axes: int
) -> tuple[Paired, Any]:
    """Pass the difference of two maxima to one place: the winner of the side that is larger.

    There the two sides differ at least as much as the maxima do, so the multiplier lies between
    0 and 1 (the rule of DeepLIFT's own code and of captum for pools, one output at a time).

    Parameters
    ----------
    pair
        The candidates lie in the last ``n_axes`` axes.
    largest
        From a tensor to its maxima and their places among the candidates, flattened.
    n_axes
        How many axes hold the candidates.
    """
    (a, places_a), (b, places_b) = (largest(x) for x in (pair.value.detach(), pair.reference))
    chosen = torch.where(a >= b, places_a, places_b).flatten(-n_axes)
    at_a = pair.value.flatten(-n_axes).gather(-1, chosen).view_as(a)
    at_b = pair.reference.flatten(-n_axes).gather(-1, chosen).view_as(a)
    with torch.no_grad():
        multiplier = torch.where(at_a == at_b, torch.ones_like(a), (a - b) / (at_a - at_b))
    places = places_a if torch.equal(places_a, places_b) else Paired.of(places_a, places_b)
    return Paired.of(_linearised(at_a, multiplier, a), b), places


def _pool(func: Any, name: str, args: Any, kwargs: dict[str, Any]) -> Any:
    kind = name.removesuffix("_with_indices")
    pool = getattr(functional, kind)
    with_places = kwargs.pop("return_indices", name != kind)
    values, places = _winner(
        args[0],
        lambda x: pool(x, *args[1:], **kwargs, return_indices=True),
        n_axes=int(kind[-2]),
    )
    return (values, places) if with_places else values


def _amax(x: Any, dim: int | tuple[int, ...] = (), keepdim: bool = False) -> Any:
    axes = (dim,) if isinstance(dim, int) else tuple(dim) or tuple(range(x.ndim))
    last = tuple(range(-len(axes), 0))
    flat = x.movedim(axes, last).flatten(-len(axes))
    values, _ = _winner(flat, lambda t: t.max(-1, keepdim=True), n_axes=1)
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
    values, places = _winner(x.movedim(dim, -1), lambda t: t.max(-1, keepdim=True), n_axes=1)
    pair = (values.squeeze(-1), places.squeeze(-1))
    if keepdim:
        pair = (pair[0].unsqueeze(dim), pair[1].unsqueeze(dim))
    return torch.return_types.max(pair)


def _smallest(func: Any, name: str, args: Any, kwargs: dict[str, Any]) -> Any:
    largest = {"amin": _amax, "min": _max, "minimum": _max}[name]
    turned = _mapped(lambda pair: -pair, args)
    if len(turned) > 1 and isinstance(turned[1], Tensor) and not isinstance(args[1], Paired):
        turned = (turned[0], -turned[1])
    result = largest(*turned, **kwargs)
    if isinstance(result, tuple):
        return torch.return_types.min((-result[0], result[1]))
    return -result


def _divide(func: Any, name: str, args: Any, kwargs: dict[str, Any]) -> Any:
    above, below = args
    if kwargs:
        _refuse(name, " with rounding")
    if "__r" in name:
        above, below = below, above
    if isinstance(below, Paired):
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


def _logsumexp(x: Paired, dim: int, keepdim: bool = False) -> Paired:
    """Apply the rescale rule to exponential and logarithm at once, scaled by the larger sum.

    With sums A and B of e^a and e^b, the multiplier of one value is
    (log A − log B) / (A − B) · (e^a − e^b) / (a − b): never negative, and never too large.
    """
    value, reference = x.value.detach(), x.reference
    with torch.no_grad():
        sums = [side.logsumexp(dim, keepdim=True) for side in (value, reference)]
        largest = torch.maximum(*sums).double()
        a, b = value.double() - largest, reference.double() - largest
        exp_a, exp_b = a.exp(), b.exp()
        slope = torch.where(value == reference, exp_a, (exp_a - exp_b) / (a - b))
        total_a, total_b = exp_a.sum(dim, keepdim=True), exp_b.sum(dim, keepdim=True)
        ratio = (sums[0] - sums[1]).double() / (total_a - total_b)
        ratio = torch.where(total_a == total_b, 1 / total_a, ratio)
        multiplier = (slope * ratio).to(value.dtype)
    result = Paired.of(
        _linearised((x.value * multiplier).sum(dim, keepdim=True), None, sums[0]), sums[1]
    )
    return result if keepdim else cast(Paired, result.squeeze(dim))


def _written_out(composite: Callable[..., Any]) -> Rule:
    return lambda func, name, args, kwargs: composite(*args, **kwargs)


def _rules(names: Iterable[str], rule: Rule) -> dict[str, Rule]:
    return dict.fromkeys(names, rule)


_RULES: dict[str, Rule] = {
    **_rules(_AFFINE, _affine),
    **_rules(_PRODUCTS, _quadratic),
    **_rules(_PIECEWISE | _CURVED, _elementwise),
    **_rules(_DROPOUTS, _dropout),
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
    **_rules(("max", "maximum"), _written_out(_max)),
    "amax": _written_out(_amax),
    "logsumexp": _written_out(_logsumexp),
    "batch_norm": _batch_norm,
    # A model that hides a value from gradients uses it all the same.
    **_rules(("detach", "data"), lambda func, name, args, kwargs: args[0]),
    **{name: _written_out(composite) for name, composite in composites.COMPOSITES.items()},
}
