"""``timings.json``: what a run used."""

from __future__ import annotations

import msgspec

from motiflens.results.base import File, Part


class TrainingTime(Part, frozen=True, kw_only=True):
    """What the training of a model took.

    Parameters
    ----------
    seconds, seeds, epochs
        Of all seeds together.
    seconds_per_epoch_and_seed
        Their quotient.
    seconds_to_target
        Seed → seconds to the target accuracy; None where it was not reached.
    """

    seconds: float
    seeds: int
    epochs: int
    seconds_per_epoch_and_seed: float
    seconds_to_target: dict[str, float | None]


class StageUse(Part, frozen=True, kw_only=True):
    """What a stage used.

    Parameters
    ----------
    seconds, processor_seconds
        On the clock, and of all threads together.
    peak_memory
        Bytes: the most that the process held until its end; None where that is not known.
    """

    seconds: float
    processor_seconds: float
    peak_memory: int | None


class Timings(File, frozen=True, kw_only=True):
    """``timings.json``.

    Parameters
    ----------
    threads
        That the run used.
    training
        Of each model.
    stages
        Seconds of each.
    used
        What each stage used; of older runs nothing is known.
    """

    threads: int
    training: dict[str, TrainingTime]
    stages: dict[str, float]
    used: dict[str, StageUse] | msgspec.UnsetType = msgspec.UNSET
