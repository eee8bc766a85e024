"""What a search over hyper-parameters may try, and the defaults that it begins with."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from motiflens.models import MODELS
from motiflens.results.study import Value
from motiflens.stages.hyperparameters import RECIPE
from motiflens.training import Job


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``, in steps or, without, evenly on their logarithm."""

    low: float
    high: float
    step: float | None = None

    def distribution(self) -> BaseDistribution:
        """Return it as Optuna has it."""
        if isinstance(self.low, int):
            return IntDistribution(self.low, int(self.high), step=int(self.step or 1))
        return FloatDistribution(self.low, self.high, step=self.step, log=self.step is None)


@dataclass(frozen=True)
class Choice:
    """One of some values."""

    values: tuple[Value, ...]

    def distribution(self) -> BaseDistribution:
        """Return it as Optuna has it."""
        return CategoricalDistribution(self.values)


#: Hyper-parameter of any architecture → what is tried.
ARCHITECTURE: dict[str, Range | Choice] = {
    "n_filters": Choice((32, 64, 128, 256, 512)),
    "kernel_size": Range(7, 27, 2),
    "activation": Choice(("relu", "exponential")),
    "pool_size": Choice((1, 2, 4)),
    "n_heads": Choice((1, 2, 4, 8)),
    "n_blocks": Range(1, 3, 1),
    "n_channels": Choice((16, 32, 64)),
    "n_hidden": Choice((16, 32, 64)),
    "dropout": Range(0.0, 0.6, 0.05),
}

#: Field of the recipe → what is tried. Epochs stay, so that trials can be compared after each.
TRAINING: dict[str, Range | Choice] = {
    "learning_rate": Range(5e-4, 2e-2),
    "weight_decay": Choice((0.0, 1e-4, 1e-3, 1e-2, 1e-1)),
    "max_shift": Choice((0, 2, 5, 10)),
    "mutation_rate": Choice((0.0, 0.01, 0.03, 0.1)),
    "input_noise": Choice((0.0, 0.1, 0.2, 0.3)),
}


def space_of(job: Job, fixed: Mapping[str, Any], shortest: int) -> dict[str, BaseDistribution]:
    """Return what is tried of a model, by name.

    Parameters
    ----------
    job
        Of the model; its own values are always among those tried.
    fixed
        What a user has set, which stays.
    shortest
        Bases of the shortest sequence, which filters have to fit.
    """
    own = values_of(job)
    known = ARCHITECTURE | {f"{RECIPE}.{name}": one for name, one in TRAINING.items()}
    set_ = {*fixed, *(f"{RECIPE}.{name}" for name in fixed.get(RECIPE, {}))}
    space = {}
    for name, one in known.items():
        if name not in own or name in set_:
            continue
        if isinstance(one, Choice):
            values = {*one.values, own[name]}
            one = Choice(tuple(sorted(values, key=lambda value: (str(type(value)), value))))
        elif name == "kernel_size":  # odd, and no longer than the shortest sequence
            highest = min(int(one.high), shortest - (shortest % 2 == 0))
            one = Range(min(int(one.low), highest), highest, 2)
        space[name] = one.distribution()
    return space


def values_of(job: Job) -> dict[str, Value]:
    """Return the hyper-parameters that a model has, and its recipe."""
    parameters = inspect.signature(MODELS[job.architecture]).parameters.values()
    own = {one.name: one.default for one in parameters if one.default is not one.empty}
    recipe = {f"{RECIPE}.{name}": value for name, value in asdict(job.settings).items()}
    return {**own, **job.hyperparameters, **recipe}


def with_values(job: Job, values: Mapping[str, Value]) -> Job:
    """Return a job with the values of a trial."""
    start = f"{RECIPE}."
    recipe = {name.removeprefix(start): v for name, v in values.items() if name.startswith(start)}
    own = {name: value for name, value in values.items() if not name.startswith(start)}
    return replace(
        job,
        recipe=replace(job.settings, **recipe),  # type: ignore[arg-type]
        hyperparameters={**job.hyperparameters, **own},
    )


def as_table(job: Job, fixed: Mapping[str, Any], values: Mapping[str, Value]) -> dict[str, Any]:
    """Return the table of a model as ``--hyperparameters`` takes it: what differs from defaults.

    What a user has set stands in it in any case.
    """
    before = values_of(job)
    changed = {name: value for name, value in values.items() if value != before[name]}
    start = f"{RECIPE}."
    table = dict(fixed) | {n: value for n, value in changed.items() if not n.startswith(start)}
    recipe = dict(table.pop(RECIPE, {}))
    recipe |= {n.removeprefix(start): v for n, v in changed.items() if n.startswith(start)}
    return table | ({RECIPE: recipe} if recipe else {})
