"""Training: recipes, the loop, many seeds at once."""

from motiflens.settings import n_cores
from motiflens.training.checkpoint import remove_checkpoint
from motiflens.training.data import predict_logits
from motiflens.training.fit import Epoch
from motiflens.training.job import Job, Trained
from motiflens.training.loop import (
    count_epochs,
    predict_trained,
    train,
    train_all,
)
from motiflens.training.machine import single_intra_op_thread
from motiflens.training.recipes import Recipe, recipe_for
from motiflens.training.trained import TrainedModel, load_model, predict

__all__ = [
    "Epoch",
    "Job",
    "Recipe",
    "Trained",
    "TrainedModel",
    "count_epochs",
    "load_model",
    "n_cores",
    "predict",
    "predict_logits",
    "predict_trained",
    "recipe_for",
    "remove_checkpoint",
    "single_intra_op_thread",
    "train",
    "train_all",
]
