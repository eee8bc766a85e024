"""Training: recipes, the loop, many seeds at once."""

from motiflens.training.loop import (
    Epoch,
    Job,
    Trained,
    n_cores,
    one_thread_an_operation,
    train,
    train_all,
)
from motiflens.training.recipes import Recipe, recipe_for

__all__ = [
    "Epoch",
    "Job",
    "Recipe",
    "Trained",
    "n_cores",
    "one_thread_an_operation",
    "recipe_for",
    "train",
    "train_all",
]
