"""One unit of a network unfolded: the bases that it sees, and the arithmetic of its number."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from motiflens.app.following import Floats, Followed, as_floats
from motiflens.app.inside_wire import Term, Unfolded, UnitChoice
from motiflens.app.views import DECIMALS
from motiflens.models.base import valid_units
from motiflens.models.filters import FilterModel

#: Products that are told one by one.
N_TERMS = 12


def windows_of(followed: Followed, stage: str) -> tuple[tuple[int, ...], int]:
    """Return the first base that each unit of a stage sees, and how many it sees.

    They are those of the given strand, and may reach over its ends.
    """
    if stage == "filters":
        assert followed.filters is not None
        field, n_units = followed.filters.field, followed.filters.activations.shape[-1]
    else:
        layer = next(one for one in followed.maps if one.layer == stage)
        field, n_units = layer.field, layer.weights.shape[-1]
    starts = [field.start(unit) for unit in range(n_units)]
    if followed.reverse:
        starts = [followed.n - start - field.width for start in starts]
    return tuple(starts), field.width


def unfold_filter(followed: Followed, unit: UnitChoice) -> Unfolded:
    """Unfold the activation of a filter at a position: its weights at the bases it sees."""
    assert followed.filters is not None
    window = followed.window(followed.filters.field, unit.column)
    return _of_filter(followed, unit, unit.row, unit.column, window)


def _of_filter(
    followed: Followed, unit: UnitChoice, filter: int, at: int, sees: tuple[int, int]
) -> Unfolded:
    """Unfold a number that is the activation of a filter at a unit."""
    network = followed.network
    assert followed.filters is not None
    assert isinstance(network, FilterModel)
    field, weights = followed.filters.field, as_floats(network.filters)[filter]
    terms = []
    for k, base in enumerate(range(field.start(at), field.start(at) + field.width)):
        letter = followed.letter(base) if 0 <= base < followed.n else "N"
        if letter != "N":
            weight = float(weights["ACGT".index(letter), k])
            terms.append(_term("base", (followed.position(base),), 1.0, weight, letter))
    bias = float(network.first.bias[filter])
    value = float(followed.filters.activations[0, filter, at])
    source = followed.window(field, at)
    return _unfolded(unit, sees, source, terms, bias, value, n_terms=len(terms))


def unfold_attention(followed: Followed, unit: UnitChoice) -> Unfolded:
    """Unfold the weight of a unit: its score, or who looks at it in self-attention."""
    layer = next(one for one in followed.maps if one.layer == unit.stage)
    value = float(layer.weights[0, unit.row, unit.column])
    window = followed.window(layer.field, unit.column)
    if layer.full is None:
        tanh, v = _scores(followed, unit)
        terms = [_term("hidden", (j,), *pair) for j, pair in enumerate(zip(tanh, v, strict=True))]
        return _unfolded(unit, window, window, terms, 0.0, value, n_terms=len(terms))
    valid = valid_units(followed.x, layer.weights.shape[-1], layer.field)[0]
    given = as_floats(layer.full)[0, unit.row, :, unit.column]
    queries = np.flatnonzero(valid.cpu().numpy())
    weight = 1 / len(queries)
    terms = [
        _term("unit", (followed.window(layer.field, int(q))[0],), given[q], weight) for q in queries
    ]
    # A unit of a later block has gathered from all others.
    sees = window if layer is followed.maps[0] else (0, followed.n)
    return _unfolded(unit, sees, window, terms, 0.0, value)


def _scores(followed: Followed, unit: UnitChoice) -> tuple[Floats, Floats]:
    """Return what makes the score of a unit for a head, v · tanh(W [q; k] + b): tanh, and v."""
    layer, given = followed.attention(), followed.calls["attention"][0]
    keys, valid = given[0][0], given[1][0] if len(given) > 1 and given[1] is not None else None
    query = keys.mean(0) if valid is None else keys[valid].mean(0)
    hidden = torch.tanh(layer.project(torch.cat([query, keys[unit.column]])))
    of_head = slice(*(len(hidden) // layer.n_heads * (unit.row + end) for end in (0, 1)))
    return as_floats(hidden[of_head]), as_floats(layer.v[of_head])


def unfold_context(followed: Followed, unit: UnitChoice) -> Unfolded:
    """Unfold what a head has gathered of a filter: weight times activation, unit by unit."""
    keys = followed.keys()
    head, channel = divmod(unit.column, keys.shape[1])
    (layer,) = followed.maps
    weights = as_floats(layer.weights)[0, head]
    terms = [
        _term("unit", (followed.window(layer.field, u)[0],), keys[u, channel], weights[u])
        for u in range(len(keys))
    ]
    value = float(followed.given(followed.dense[0])[unit.column])
    return _unfolded(unit, followed.union(), followed.union(), terms, 0.0, value)


def unfold_pooled(followed: Followed, unit: UnitChoice) -> Unfolded:
    """Unfold a largest value: the unit that has it."""
    number, (field, n_units) = unit.column, followed.of_units()
    if followed.filters is None or "norm" in followed.calls:
        values = followed.calls["norm"][1][0, :, number]
        valid = valid_units(followed.x, n_units, field)[0]
        at = int(values.masked_fill(~valid, -torch.inf).argmax())
        value = float(values[at])
        return _unfolded(unit, (0, followed.n), followed.window(field, at), [], value, value)
    activations = followed.filters.activations[0]
    n_filters = len(activations)
    if len(followed.given("hidden")) == n_filters:  # the largest over all units
        valid = valid_units(followed.x, n_units, field)[0]
        at = int(activations[number].masked_fill(~valid, -torch.inf).argmax())
        return _of_filter(followed, unit, number, at, followed.union())
    filter, pooled = divmod(number, n_units)  # the tutorial's order: all units of a filter
    size = followed.pool_size
    at = pooled * size + int(activations[filter, pooled * size : (pooled + 1) * size].argmax())
    return _of_filter(followed, unit, filter, at, followed.window(field, pooled))


def unfold_hidden(followed: Followed, unit: UnitChoice) -> Unfolded:
    """Unfold a unit of a hidden layer: its weights times what it was given."""
    return _of_linear(followed, unit, unit.stage.removesuffix(" units"), unit.column)


def unfold_logit(followed: Followed, unit: UnitChoice) -> Unfolded:
    """Unfold the logit: the weights of the output times the last hidden values."""
    return _of_linear(followed, unit, "output", 0)


def _of_linear(followed: Followed, unit: UnitChoice, layer: str, number: int) -> Unfolded:
    given, linear = followed.given(layer), followed.linear(layer)
    weights = as_floats(linear.weight)[number]
    kind, places = _inputs(followed, layer, len(given))
    triples = zip(places, given, weights, strict=True)
    terms = [_term(kind, where, value, weight) for where, value, weight in triples]
    after = followed.gave(layer if layer == "output" else f"{layer}_activation")[number]
    bias = float(linear.bias[number]) if linear.bias is not None else 0.0
    sees = (0, followed.n) if "norm" in followed.calls else followed.union()
    return _unfolded(unit, sees, sees, terms, bias, float(after))


def _inputs(followed: Followed, layer: str, n: int) -> tuple[str, list[tuple[int, ...]]]:
    """Say what a layer is given: the kind, and which number each is."""
    if layer == "output":
        return "hidden", [(number,) for number in range(n)]
    if "attention" in followed.calls and layer == followed.dense[0]:
        n_channels = followed.keys().shape[1]
        return "context", [divmod(number, n_channels) for number in range(n)]
    field, n_units = followed.of_units()
    if followed.pool_size > 1:
        firsts = [followed.window(field, u)[0] for u in range(n_units)]
        return "pooled", [(number // n_units, firsts[number % n_units]) for number in range(n)]
    return "filter", [(number,) for number in range(n)]


def _term(kind: str, where: tuple[int, ...], value: float, weight: float, letter: str = "") -> Term:
    value, weight = float(value), float(weight)
    numbers = (round(one, DECIMALS) for one in (value, weight, value * weight))
    return Term(kind, where, letter, *numbers)


def _unfolded(
    unit: UnitChoice,
    sees: tuple[int, int],
    source: tuple[int, int],
    terms: Sequence[Term],
    bias: float,
    value: float,
    n_terms: int = N_TERMS,
) -> Unfolded:
    ordered = sorted(terms, key=lambda term: -abs(term.product))
    told = list(terms) if n_terms >= len(terms) else ordered[:n_terms]
    others = 0.0 if len(told) == len(terms) else sum(term.product for term in ordered[n_terms:])
    total = sum(term.product for term in told) + others + bias
    return Unfolded(
        stage=unit.stage,
        row=unit.row,
        column=unit.column,
        sees=sees,
        source=source,
        terms=tuple(told),
        others=round(others, DECIMALS),
        bias=round(bias, DECIMALS),
        total=round(total, DECIMALS),
        value=round(value, DECIMALS),
    )


UNFOLD: dict[str, Callable[[Followed, UnitChoice], Unfolded]] = {
    "filters": unfold_filter,
    "attention": unfold_attention,
    "context": unfold_context,
    "pooled": unfold_pooled,
    "hidden": unfold_hidden,
    "logit": unfold_logit,
}
