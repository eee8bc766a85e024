"""Inside a network: the numbers of every stage from a sequence to its logit."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from motiflens.app.following import Floats, Followed, as_floats, follow
from motiflens.app.inside_wire import Inside, InsideRequest, Stage, Unfolded, UnitChoice
from motiflens.app.served import Bench
from motiflens.app.unfolding import UNFOLD, windows_of
from motiflens.app.views import DECIMALS, letters_of, padded, read_sequence, row
from motiflens.errors import InputError, one_of
from motiflens.models import BothStrands, WithKmers
from motiflens.models.base import other_strand
from motiflens.models.calling import as_input

#: Rows and numbers of a stage that are shown, the largest.
N_ROWS, N_NUMBERS = 12, 32


def look_inside(bench: Bench, request: InsideRequest) -> Inside:
    """Follow one network on a sequence; errors name what of the request is wrong."""
    served = bench.model(request.model)
    trained = served.seed(request.seed)
    if trained.is_foreign:
        raise InputError(
            f"the stages of {served.about.name}, a module of others, are not known",
            remedy="choose a model of this package",
            argument="model",
        )
    one_of("a strand", request.strand, ("+", "-"), argument="strand")
    codes = read_sequence(request.sequence, served)
    x = as_input(trained, padded(served, codes))
    both = isinstance(trained.model, BothStrands)
    network = trained.model.model if isinstance(trained.model, BothStrands) else trained.model
    if isinstance(network, WithKmers):
        raise InputError(
            f"the stages of {served.about.name} are not shown, as k-mers are scored beside them",
            remedy="train it without kmer_size or recipe=accurate to see them",
            argument="model",
        )
    with torch.inference_mode():
        other = other_strand(x)
        reverse = request.strand == "-"
        followed = follow(network, other if reverse else x, len(codes), reverse=reverse)
        opposite = float(network(x if reverse else other).double()) if both else None
        stages = tuple(_stages(followed, request.unit))
        unfolded = None if request.unit is None else _unfold(followed, stages, request.unit)
    return Inside(
        model=request.model,
        seed=trained.seed,
        strand=request.strand,
        sequence=letters_of(codes),
        stages=stages,
        logit=round(followed.logit, DECIMALS),
        other_strand=None if opposite is None else round(opposite, DECIMALS),
        mean=None if opposite is None else round((followed.logit + opposite) / 2, DECIMALS),
        unfolded=unfolded,
    )


def _stages(followed: Followed, chosen: UnitChoice | None) -> Iterator[Stage]:
    """Lay out the stages in the order of computing."""
    if followed.filters is not None:
        activations = as_floats(followed.filters.activations)[0]
        wanted = chosen.row if chosen is not None and chosen.stage == "filters" else None
        rows = _largest(activations.max(axis=1), N_ROWS, wanted)
        yield _along("filters", "filters", followed, activations, rows)
    for layer in followed.maps:
        weights = as_floats(layer.weights)[0]
        yield _along(layer.layer, "attention", followed, weights, np.arange(len(weights)))
    for name in followed.dense or ["output"]:
        given = followed.given(name)
        kind = "context" if _is_context(followed, name) else "pooled"
        yield _numbers(kind, kind, given, chosen)
        if name != "output":
            gave = followed.gave(f"{name}_activation")
            yield _numbers(f"{name} units", "hidden", gave, chosen)
    yield Stage("logit", "logit", 1, (0,), (0,), (row(np.array([followed.logit])),))


def _is_context(followed: Followed, layer: str) -> bool:
    """Return whether a layer is given what attention has gathered."""
    return "attention" in followed.calls and layer == followed.dense[0]


def _along(
    name: str, kind: str, followed: Followed, values: Floats, rows: NDArray[np.intp]
) -> Stage:
    """Lay out a stage whose columns are units along the sequence, (rows, U)."""
    starts, width = windows_of(followed, name)
    return Stage(
        name=name,
        kind=kind,
        total=len(values),
        rows=tuple(rows.tolist()),
        columns=tuple(range(values.shape[1])),
        values=tuple(map(row, values[rows])),
        starts=starts,
        width=width,
    )


def _numbers(name: str, kind: str, values: Floats, chosen: UnitChoice | None) -> Stage:
    """Lay out numbers of the whole sequence, those that are largest in size."""
    wanted = chosen.column if chosen is not None and chosen.stage == name else None
    columns = _largest(np.abs(values), N_NUMBERS, wanted)
    shown = (row(values[columns]),)
    return Stage(name, kind, len(values), (0,), tuple(columns.tolist()), shown)


def _largest(sizes: Floats, n: int, wanted: int | None) -> NDArray[np.intp]:
    """Return the n largest, the one that is wanted among them, in ascending order."""
    largest = np.argsort(-sizes, kind="stable")[:n]
    if wanted is not None and 0 <= wanted < len(sizes) and wanted not in largest:
        largest[-1] = wanted
    return np.sort(largest)


def _unfold(followed: Followed, stages: tuple[Stage, ...], unit: UnitChoice) -> Unfolded:
    by_name = {stage.name: stage for stage in stages}
    one_of("a stage of this network", unit.stage, by_name, argument="stage")
    stage = by_name[unit.stage]
    along = bool(stage.starts)
    n_rows, n_columns = (stage.total, len(stage.columns)) if along else (1, stage.total)
    if not (0 <= unit.row < n_rows and 0 <= unit.column < n_columns):
        raise InputError(
            f"{unit.stage} has no unit in row {unit.row}, column {unit.column}",
            remedy=f"choose from {n_rows} rows and {n_columns} columns, counted from 0",
        )
    work: Callable[[Followed, UnitChoice], Unfolded] = UNFOLD[stage.kind]
    return work(followed, unit)
