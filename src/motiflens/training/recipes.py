"""How each architecture is trained, as plain data."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """Settings of one training run.

    Parameters
    ----------
    epochs
        Passes over the training part, at most.
    batch_size
        Sequences a step.
    learning_rate, weight_decay
        Of AdamW (Loshchilov & Hutter 2019); with no decay it is Adam.
    validation_fraction
        Part of the training part that chooses the epoch; 0 keeps the last epoch.
    patience
        Epochs without a better validation loss after which training ends.
    tolerance
        A validation loss is better if it is lower by this much (nats a sequence): on easy data it
        falls forever, long after the predictions have stopped changing.
    min_steps
        On few sequences an epoch is few steps: epochs and patience are multiplied by a whole
        number so that all epochs together are at least this many steps.
    """

    epochs: int = 30
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    validation_fraction: float = 0.1
    patience: int = 10
    tolerance: float = 1e-3
    min_steps: int = 0

    def stretch(self, n_train: int) -> int:
        """Give the whole number that multiplies epochs and patience for ``n_train`` sequences."""
        steps = self.epochs * math.ceil(n_train / self.batch_size)
        return max(1, math.ceil(self.min_steps / steps))


#: The tutorial trains 30 epochs of Adam and keeps the last; the others choose by validation loss.
RECIPES: dict[str, Recipe] = {
    "tutorial-cnn": Recipe(validation_fraction=0.0),
    "tutorial-attention": Recipe(validation_fraction=0.0),
}

DEFAULT_RECIPE = Recipe(learning_rate=2e-3, min_steps=600)


def recipe_for(architecture: str) -> Recipe:
    """Give the recipe of an architecture."""
    return RECIPES.get(architecture, DEFAULT_RECIPE)
