"""``trials.json`` of a search over hyper-parameters."""

from __future__ import annotations

from typing import Any

from motiflens.results.base import File, Part

Value = bool | int | float | str


class Trial(Part, frozen=True, kw_only=True):
    """Values that were tried.

    Parameters
    ----------
    model, number
        Architecture, and how many were asked for before of this architecture.
    state
        ``complete``, or ``pruned`` where training was given up, as earlier ones were better after
        as many epochs.
    values
        Hyper-parameter, or ``recipe.`` and a field of the recipe → its value.
    auroc, loss
        On the validation sequences, mean over seeds: of the epoch that each seed keeps; of a
        pruned one, the best that it had.
    epochs
        The best AUROC so far after every epoch, mean over seeds.
    """

    model: str
    number: int
    state: str
    values: dict[str, Value]
    auroc: float
    loss: float
    epochs: tuple[float, ...]


class Study(File, frozen=True, kw_only=True):
    """``trials.json``.

    Parameters
    ----------
    data
        The fingerprint of training and validation sequences.
    seed, seeds, strands
        The first seed, how many follow each other, and what is read.
    hyperparameters
        Model → what all its trials have in common beside the defaults.
    trials
        In the order of their numbers, model by model.
    """

    data: str
    seed: int
    seeds: int
    strands: str
    hyperparameters: dict[str, dict[str, Any]]
    trials: tuple[Trial, ...] = ()

    def of(self, model: str) -> list[Trial]:
        """Return the trials of a model by their numbers."""
        own = (trial for trial in self.trials if trial.model == model)
        return sorted(own, key=lambda trial: trial.number)

    def best(self, model: str) -> Trial | None:
        """Return the complete trial of the highest AUROC; of equals that of the lowest loss."""
        done = [trial for trial in self.of(model) if trial.state == "complete"]
        return max(done, key=lambda one: (round(one.auroc, 4), -one.loss), default=None)
