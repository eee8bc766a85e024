"""How each architecture is trained, as plain data."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from motiflens.errors import InputError, one_of
from motiflens.settings import DISTILLED

#: Field → the words it takes.
CHOICES = {
    "schedule": ("constant", "cosine"),
    "class_weights": ("none", "balanced"),
    "metric": ("loss", "auroc", "auprc"),
}

#: Field → the numbers it takes: the least, the most, and whether these two are among them.
RANGES = {
    "epochs": (1, math.inf, True),
    "batch_size": (1, math.inf, True),
    "learning_rate": (0, math.inf, False),
    "weight_decay": (0, math.inf, True),
    "validation_fraction": (0, 0.9, True),
    "patience": (1, math.inf, True),
    "tolerance": (0, math.inf, True),
    "min_steps": (0, math.inf, True),
    "max_shift": (0, math.inf, True),
    "mutation_rate": (0, 1, True),
    "input_noise": (0, math.inf, True),
    "attention_entropy": (0, math.inf, True),
}

#: Fraction of all steps in which the learning rate rises, with the schedule "cosine".
WARM_UP = 0.05


@dataclass(frozen=True)
class Recipe:
    """Settings of one training run.

    Parameters
    ----------
    epochs
        Passes over the training rows, at most.
    batch_size
        Sequences a step.
    learning_rate, weight_decay
        Of AdamW (Loshchilov & Hutter 2019); with no decay it is Adam.
    schedule
        ``"constant"``, or ``"cosine"``: the rate rises over the first twentieth of all steps, then
        falls to 0 along half a cosine (Loshchilov & Hutter 2017, without restarts).
    validation_fraction
        Fraction of the training rows that chooses the epoch; 0 keeps the last epoch.
    metric
        What chooses the epoch on the validation rows: ``"loss"``, ``"auroc"`` or ``"auprc"``.
    patience
        Epochs without a better value of the metric after which training ends.
    tolerance
        A validation loss is better if it is lower by this much (nats a sequence), the two other
        metrics if they are higher by this much: on easy data the loss falls forever, long after
        the predictions have stopped changing.
    refit
        When the epoch is chosen, train again from the start, on training and validation rows
        together, for as many steps as led to that epoch.
    min_steps
        On few sequences an epoch is few steps: there are then so many epochs that they are at
        least this many steps together, and patience grows as they do. Where a run's changes name
        ``epochs`` and not this, it is 0.
    class_weights
        ``"balanced"`` weighs each sequence by N / (2 N_c), with N_c training sequences of its
        class; the validation loss too.
    rc_augment
        Reverse-complement each sequence of a batch with probability one half.
    rc_average
        Average the logits of both strands, in validation and in prediction.
    max_shift
        Move each sequence of a batch by up to so many bases to either side; N comes in.
    mutation_rate
        Probability that a base of a batch becomes one of the three others.
    input_noise
        Standard deviation of Gaussian noise that is added to every column of a known base of a
        batch's one-hot (Koo & Ploenzke 2021 train against it: explanations then are less ragged).
    attention_entropy
        Weight in the training loss of the entropy of the attention weights, as a fraction of that
        of uniform attention, mean over heads: attention then chooses fewer units. For models with
        attention.
    mixed_precision
        Compute training steps in bfloat16 where a CUDA device has it.
    """

    epochs: int = 30
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    schedule: str = "constant"
    validation_fraction: float = 0.1
    metric: str = "loss"
    patience: int = 10
    tolerance: float = 1e-3
    refit: bool = False
    min_steps: int = 0
    class_weights: str = "none"
    rc_augment: bool = False
    rc_average: bool = False
    max_shift: int = 0
    mutation_rate: float = 0.0
    input_noise: float = 0.0
    attention_entropy: float = 0.0
    mixed_precision: bool = False

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            one_of(f"a {name} of a recipe", getattr(self, name), choices, argument=name)
        for name, (least, most, included) in RANGES.items():
            value = getattr(self, name)
            inside = least <= value <= most if included else least < value < most
            if not (inside and math.isfinite(value)):
                above = f"at least {least}" if included else f"above {least}"
                below = f" and at most {most}" if most < math.inf else ""
                raise InputError(
                    f"{name}={value!r} is not {above}{below}",
                    remedy="give another number, or leave it out for the default",
                    argument=name,
                )

    def n_epochs(self, n_train: int) -> int:
        """Return the epochs at most for ``n_train`` sequences, each of them once an epoch."""
        return max(self.epochs, math.ceil(self.min_steps / math.ceil(n_train / self.batch_size)))

    def n_patience(self, n_train: int) -> int:
        """Return the patience for ``n_train`` sequences: the same fraction of all epochs."""
        return math.ceil(self.patience * self.n_epochs(n_train) / self.epochs)

    def rate(self, step: int, n_steps: int) -> float:
        """Return the learning rate of a step, counted from 0, among ``n_steps``."""
        if self.schedule == "constant":
            return self.learning_rate
        warm_up = math.ceil(WARM_UP * n_steps)
        if step < warm_up:
            return self.learning_rate * (step + 1) / warm_up
        progress = (step - warm_up) / max(1, n_steps - warm_up)
        return self.learning_rate * 0.5 * (1.0 + math.cos(math.pi * progress))


#: The tutorial trains 30 epochs of Adam and keeps the last; the others choose by validation loss.
RECIPES: dict[str, Recipe] = {
    "tutorial-cnn": Recipe(validation_fraction=0.0),
    "tutorial-attention": Recipe(validation_fraction=0.0),
}

DEFAULT_RECIPE = Recipe(learning_rate=2e-3, min_steps=600)

#: Of ``cnn`` and ``attention`` on one strand. Their filters know k-mers from the first step on,
#: so an epoch that is better after five that are not has not been seen.
ONE_STRAND_RECIPE = replace(DEFAULT_RECIPE, patience=5)

#: Of ``cnn`` and ``attention`` where motifs lie on either strand, chosen on held-out training rows
#: of ChIP-seq sets of 1,000 to 27,000 sequences. All steps are made: the rate falls to 0 at the
#: last one. Ten epochs, and more on fewer than 3,840 sequences, for 1,200 steps.
BOTH_STRANDS_RECIPE = Recipe(
    epochs=10,
    learning_rate=4e-3,
    schedule="cosine",
    metric="auroc",
    patience=10,
    tolerance=0.0,
    min_steps=1200,
    rc_augment=True,
    rc_average=True,
)
TUNED = frozenset({"cnn", "attention"})

#: Of the distilled network: what it learns from has no noise to stop early for.
DISTILLED_RECIPE = replace(BOTH_STRANDS_RECIPE, metric="loss", rc_augment=False, rc_average=False)


def recipe_for(architecture: str, *, both_strands: bool = False) -> Recipe:
    """Return the recipe of an architecture.

    Parameters
    ----------
    architecture
        Name.
    both_strands
        Train on, and predict from, both strands; the tutorial's models read one in any case.
    """
    if architecture in TUNED:
        return BOTH_STRANDS_RECIPE if both_strands else ONE_STRAND_RECIPE
    recipe = {**RECIPES, DISTILLED: DISTILLED_RECIPE}.get(architecture, DEFAULT_RECIPE)
    if both_strands and architecture not in RECIPES:
        return replace(recipe, rc_augment=True, rc_average=True)
    return recipe
