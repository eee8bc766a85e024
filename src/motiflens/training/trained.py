"""A trained model: how it scores sequences, and its files."""

from __future__ import annotations

import csv
import io
import math
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import tomli_w
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from motiflens.datasets import LabelScale
from motiflens.errors import InputError
from motiflens.files import write_whole
from motiflens.io.inputs import Sequences, as_dataset
from motiflens.models import AttentionMap, BothStrands, FeatureMap, SequenceModel, build_model
from motiflens.models.base import PooledFilters
from motiflens.models.calling import computing
from motiflens.models.foreign import randomise, rebuild
from motiflens.results import ARTIFACTS, is_run
from motiflens.results.base import table
from motiflens.training.data import predict_logits
from motiflens.training.fit import Epoch
from motiflens.training.job import Trained
from motiflens.training.recipes import Recipe
from motiflens.training.replicas import to_unit

if TYPE_CHECKING:
    from typing import Annotated as Float64

MODEL, HISTORY, WEIGHTS = (ARTIFACTS[name].name for name in ("model", "history", "weights"))

#: What ``model.toml`` calls the scale of the labels of a regression.
SCALE = "label_scale"

#: What the history of a model holds; seconds stand elsewhere, so that equal runs give equal files.
COLUMNS = ("epoch", "train_loss", "valid_loss", "valid_auroc", "test_accuracy")


class TrainedModel(SequenceModel):
    """One seed of an architecture, trained; usable wherever a module is.

    A model that was trained on both strands gives the mean logit of both. The logit of a regression
    is the label that it predicts.

    Parameters
    ----------
    model
        With its weights: one of ours, or any module where the details say what built it.
    details
        What ``model.toml`` holds.
    history
        One entry an epoch; empty of a module of others, which was not trained here.

    Attributes
    ----------
    architecture : str
        Name.
    seed : int
        Of initial weights and data order.
    length : int
        Bases of the longest training sequence.
    hyperparameters : dict
        That differ from the defaults.
    recipe : Recipe
        How it was trained.
    history : tuple of Epoch
        Losses of every epoch, as ``pandas.DataFrame(model.history)`` shows them.
    best_epoch : int
        The epoch whose weights these are, from 1; 0 of a module of others.
    label_scale : LabelScale or None
        Of a regression: mean and standard deviation of the training labels, which its losses are
        in units of. What the model gives is a label in its own unit.
    is_foreign : bool
        Whether it is a module of others, which does no more than map one-hot to logits.
    """

    def __init__(
        self, model: nn.Module, details: dict[str, Any], history: tuple[Epoch, ...] = ()
    ) -> None:
        super().__init__()
        self.details, self.history = details, history
        self.architecture: str = details["architecture"]
        self.seed: int = details["seed"]
        self.length: int = details["length"]
        self.best_epoch: int = details.get("best_epoch", 0)
        self.is_foreign = "module" in details
        self.label_scale = LabelScale(**details[SCALE]) if SCALE in details else None
        self.hyperparameters: dict[str, Any] = details.get("hyperparameters", {})
        known = {field.name for field in fields(Recipe)}
        recipe = details.get("recipe", {}).items()
        self.recipe = Recipe(**{name: value for name, value in recipe if name in known})
        self.both_strands = self.recipe.rc_average
        ours = cast(SequenceModel, model)
        self.model = BothStrands(ours) if self.both_strands else ours
        self.min_length = details["module"]["min_length"] if self.is_foreign else ours.min_length
        self.eval()

    @staticmethod
    def of(trained: Trained, length: int) -> TrainedModel:
        """Return what training has made of sequences of up to ``length`` bases."""
        details = {
            "architecture": trained.job.architecture,
            "seed": trained.seed,
            "length": length,
            "best_epoch": trained.best_epoch,
            "n_train": trained.n_train,
            "n_valid": trained.n_valid,
            "hyperparameters": trained.job.hyperparameters,
            "recipe": asdict(trained.job.settings),
        }
        if trained.scale is not None:
            details[SCALE] = asdict(trained.scale)
        if trained.job.fold is not None:
            details["fold"] = trained.job.fold
        return TrainedModel(trained.model, details, trained.history)

    def __repr__(self) -> str:
        strands = ", both strands" if self.both_strands else ""
        return f"TrainedModel({self.architecture!r}, seed={self.seed}, {self.length} bp{strands})"

    def _repr_html_(self) -> str:
        """Show how it was made in a notebook."""
        n = sum(weights.numel() for weights in self.parameters())
        facts = {**self.details, "parameters": f"{n:,}", "both strands": self.both_strands}
        return table(facts)

    @property
    def filters(self) -> Tensor:
        """Weights of the first layer, (F, 4, K)."""
        return self.model.filters

    def first_layer(self, one_hot: Tensor) -> FeatureMap:
        """Return the activations of the first layer on the forward strand."""
        return self.model.first_layer(one_hot)

    def attention_maps(self, one_hot: Tensor) -> list[AttentionMap]:
        """Return the attention on the forward strand."""
        return [] if self.is_foreign else self.model.attention_maps(one_hot)

    def single_mutant_logits(
        self, one_hot: Tensor, start: int = 0, end: int | None = None
    ) -> Tensor | None:
        """Return the logits after every single substitution, if the model has them."""
        return None if self.is_foreign else self.model.single_mutant_logits(one_hot, start, end)

    def pooled_filters(self) -> PooledFilters | None:
        """Return what the model is made of, where it is filters, maxima and a head."""
        return None if self.is_foreign else self.model.pooled_filters()

    def forward(self, one_hot: Tensor) -> Tensor:
        """Map one-hot (N, 4, L) to logits (N,)."""
        return self.model(one_hot)

    def predict(
        self,
        sequences: Sequences,
        *,
        batch_size: int = 256,
        threads: int | None = None,
        device: str | None = None,
    ) -> NDArray[np.float64]:
        """Return the logits (N,) of sequences; see :func:`motiflens.predict`."""
        return predict(self, sequences, batch_size=batch_size, threads=threads, device=device)

    def save(self, path: Path | str) -> None:
        """Write the model as a folder: weights, how to build it, and its history.

        Raises
        ------
        InputError
            If the folder cannot be written, or is or belongs to a run.
        """
        folder = Path(path)
        if any(is_run(one) for one in (folder, *folder.absolute().parents[:2])):
            raise InputError(
                f"{folder} is in a run, whose models are there already",
                remedy="use another folder",
                argument="path",
            )
        self.write_into(folder)

    def write_into(self, folder: Path) -> None:
        """Write what :meth:`save` does, in a run too."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"{folder} cannot be written: {error.strerror}",
                remedy="use another path",
                argument="path",
            ) from None
        write_whole(folder / MODEL, tomli_w.dumps(self.details).encode())
        write_whole(folder / HISTORY, _history_text(self.history).encode())
        inner = self.model.model if isinstance(self.model, BothStrands) else self.model
        # Copies, as one tensor may be the weights of several layers of a module of others.
        state = {name: value.cpu().clone() for name, value in inner.state_dict().items()}
        state = {name: value.contiguous() for name, value in state.items()}
        write_whole(folder / WEIGHTS, save(state))


def load_model(path: Path | str, *, trained: bool = True) -> TrainedModel:
    """Load a model from its folder, in evaluation mode, on the CPU.

    Parameters
    ----------
    path
        A folder that :meth:`TrainedModel.save` wrote, or ``models/NAME-seedK`` of a run.
    trained
        Whether it gets its weights; without, it is as it was before training, or, of a module of
        others, its weights are drawn anew (see :func:`motiflens.models.foreign.randomise`).

    Raises
    ------
    InputError
        If the files are absent or damaged, and of a module of others if the file that builds it,
        which is run, is gone or has changed.
    """
    folder = Path(path)
    with _reading(folder):
        details = tomllib.loads((folder / MODEL).read_text(encoding="utf-8"))
        history = _read_history(folder / HISTORY)
    if foreign := details.get("module"):
        model: nn.Module = rebuild(foreign)
    else:
        model = _build(folder, details)
    if trained:
        with _reading(folder):
            model.load_state_dict(load_file(folder / WEIGHTS))
    elif foreign:
        randomise(model, details["seed"])
    elif SCALE in details:
        to_unit(cast(SequenceModel, model), LabelScale(**details[SCALE]))
    return TrainedModel(model, details, history)


def _build(folder: Path, details: dict[str, Any]) -> SequenceModel:
    with _reading(folder):
        return build_model(
            details["architecture"],
            length=details["length"],
            seed=details["seed"],
            **details.get("hyperparameters", {}),
        )


@contextmanager
def _reading(folder: Path) -> Iterator[None]:
    """Tell in a line what is wrong with the folder of a model."""
    try:
        yield
    except FileNotFoundError as error:
        absent = Path(error.filename or WEIGHTS).name
        raise InputError(
            f"{folder} is no folder of a model: it holds no {absent}",
            remedy="give a folder that TrainedModel.save wrote, or models/NAME-seed0 of a run",
            argument="path",
        ) from None
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise InputError(
            f"{folder} cannot be read: {error}", remedy="train the model again", argument="path"
        ) from None


def predict(
    model: nn.Module,
    sequences: Sequences,
    *,
    batch_size: int = 256,
    threads: int | None = None,
    device: str | None = None,
) -> Float64[np.ndarray, "N *T"]:
    """Return the logits of sequences.

    Parameters
    ----------
    model
        Any module from one-hot (N, 4, L) to logits (N,) or (N, T); left as it was found.
    sequences
        Strings, a file, a data set, or one-hot (N, 4, L): see :func:`motiflens.one_hot`.
    batch_size
        Sequences a forward pass.
    threads
        That torch may use; None for as many as it may now.
    device
        Where to compute; None for where the model is.

    Returns
    -------
    logits
        float64 (N,) or (N, T); ``scipy.special.expit`` makes probabilities of them.

    Raises
    ------
    InputError
        For sequences that are none, or of another length than the model takes.
    """
    if batch_size < 1:
        problem = f"batch_size={batch_size} is not a whole number of at least 1"
        raise InputError(problem, argument="batch_size")
    with computing(model, device, threads) as module:
        return predict_logits(module, as_dataset(sequences), batch_size=batch_size)


def _history_text(epochs: tuple[Epoch, ...]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for epoch in epochs:
        values = (getattr(epoch, column) for column in COLUMNS)
        writer.writerow(["" if value is None else value for value in values])
    return text.getvalue()


def _read_history(path: Path) -> tuple[Epoch, ...]:
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(
            Epoch(
                epoch=int(row["epoch"]),
                train_loss=float(row["train_loss"]),
                seconds=math.nan,
                **{name: float(row[name]) if row[name] else None for name in COLUMNS[2:]},
            )
            for row in csv.DictReader(file)
        )
