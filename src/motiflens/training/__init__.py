"""Training: recipes, the loop, many seeds at once."""

from motiflens.training.checkpoint import remove_checkpoint
from motiflens.training.fit import Epoch
from motiflens.training.loop import Job, Trained, n_cores, one_thread_an_operation, train, train_all
from motiflens.training.recipes import Recipe, recipe_for

__all__ = [
    "Epoch",
    "Job",
    "Recipe",
    "Trained",
    "n_cores",
    "one_thread_an_operation",
    "recipe_for",
    "remove_checkpoint",
    "train",
    "train_all",
]
