"""What a user decides about a run, as plain data."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

from motiflens.errors import InputError, one_of

DEFAULT_MODELS = ("cnn", "attention")
ARCHITECTURES = ("cnn", "attention", "hybrid", "transformer", "tutorial-cnn", "tutorial-attention")
#: The one small network that learns what all seeds of the other models of a run say together.
DISTILLED = "distilled"
TUTORIAL_MODELS = ("tutorial-cnn", "tutorial-attention", "cnn", "attention")
SPLITS = ("auto", "random", "homology", "chromosome", "given")
STRANDS = ("auto", "forward", "both")
RECIPES = ("default", "accurate")

#: Seeds of the replicas follow on each other, and scikit-learn takes 32 bits.
MAX_SEEDS, LARGEST_SEED = 1000, 2**32 - 1001


@dataclass(frozen=True)
class Settings:
    """Settings of a run.

    Parameters
    ----------
    models
        Architectures to train, their names joined by commas. ``distilled`` among them is one small
        network that learns what all seeds of the others say together.
    seeds
        Replicas of each model, with seeds ``seed``, ``seed`` + 1, and so on. None stands for 3,
        or for 5 of a thorough run, and where the true motif is known and the training split holds
        up to a million bases; for 10 with the accurate recipe, or 5 on more bases than that.
    seed
        Decides everything that is random: the split, initial weights, data order.
    test_fraction
        Fraction of the sequences held out for testing, unless the data come with a test split.
    split
        How they are held out: at ``random``, by ``homology`` (no 31-mer shared between the
        splits), or by ``chromosome``. ``auto`` chooses between the first two (see
        :func:`motiflens.stages.splitting.cut`). The validation split is cut by the same rule.
        ``given`` where the data come with all splits.
    test_chromosomes, valid_chromosomes
        For a split by chromosome.
    folds
        Cross-validate: the sequences, but for a test split that the data come with, are divided
        into so many folds, by ``split`` (see :func:`motiflens.stages.splitting.cut_folds`), and
        each model is trained with each seed once for every fold, which it is held out of. None for
        one test split.
    strands
        ``both`` or ``forward``: where motifs may lie, and whether models and baselines read both
        strands. ``auto`` is ``both`` for windows on a genome, and otherwise the training sequences
        decide (see `motiflens.datasets.strands`); the tutorial's models read one strand in any
        case.
    sizes
        Training sizes of the learning curves, joined by commas, and ``none`` for no curves. None
        stands for no curves or, of a thorough run, for 50, 200 and 800, as far as they are below
        three quarters of the training split.
    size_seeds
        Replicas for the learning curves.
    motif
        The true motif, when known, in IUPAC letters: its exact matches in the positives are the
        true sites, unless the data name sites of their own.
    target
        Test accuracy whose first epoch is reported, for which every epoch scores the test split.
        None stands for 0.95 where the true motif is known or the run is thorough; else the test
        split is scored once, at the end.
    prevalence
        Fraction of positives of the test split where that is known without its labels: calls that
        use it are scored apart. None where it is not known.
    n_explained
        Positives to explain at most, from the test split; fewer where they are so long that this
        takes more than 1,000 sequences of 200 bases do. None stands for 200, or for 1,000 of a
        thorough run; motifs are discovered in up to 1,000 sequences of each class either way.
    thorough
        Whether all is done that the first report does without: learning curves, the test accuracy
        of every epoch, every method of explanation, motif routes of every seed.
    recipe
        ``default``, or ``accurate``, which mostly scores better and takes up to three times as
        long to train: more replicas, and beside each model, except the tutorial's, a score of
        7-mers (:class:`motiflens.models.WithKmers`).
    hyperparameters
        Model → what differs from its defaults, and under ``recipe`` what differs in its training,
        such as ``{"cnn": {"kernel_size": 27, "recipe": {"input_noise": 0.2}}}``.
    threads
        Threads to compute with; one for each core by default.
    device
        To train on: ``cpu``, ``cuda`` or ``cuda:1``; ``auto`` is a GPU where there is one.
    """

    models: tuple[str, ...] = DEFAULT_MODELS
    seeds: int | None = None
    seed: int = 0
    test_fraction: float = 0.2
    split: str = "auto"
    test_chromosomes: tuple[str, ...] = ()
    valid_chromosomes: tuple[str, ...] = ()
    folds: int | None = None
    strands: str = "auto"
    sizes: tuple[int, ...] | None = None
    size_seeds: int = 5
    motif: str | None = None
    target: float | None = None
    prevalence: float | None = None
    n_explained: int | None = None
    thorough: bool = False
    recipe: str = "default"
    hyperparameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    threads: int | None = None
    device: str = "auto"

    def __post_init__(self) -> None:
        if isinstance(self.models, str):
            problem = f"models={self.models!r} is one string"
            raise InputError(problem, remedy=f"give models=({self.models!r},)", argument="models")
        if self.seeds is not None:
            _at_least("seeds", self.seeds, 1)
            if self.seeds > MAX_SEEDS:
                problem = f"seeds={self.seeds} is more than {MAX_SEEDS}"
                raise InputError(problem, remedy="give fewer", argument="seeds")
        check_seed(self.seed)
        _at_least("size_seeds", self.size_seeds, 1)
        if self.n_explained is not None:
            _at_least("n_explained", self.n_explained, 1)
        if isinstance(self.sizes, str | Integral):
            problem = f"sizes={self.sizes!r} is not several numbers"
            raise InputError(problem, remedy="give a tuple, such as (50, 200)", argument="sizes")
        for size in self.sizes or ():
            _at_least("sizes", size, 10)
        if self.threads is not None:
            _at_least("threads", self.threads, 1)
        for name in ("test_fraction", "target", "prevalence"):
            value = getattr(self, name)
            if value is None and name != "test_fraction":
                continue
            if not isinstance(value, float | int) or not 0.0 < value < 1.0:
                problem = f"{name}={value!r} is no fraction between 0 and 1"
                raise InputError(problem, remedy="use a value such as 0.2", argument=name)
        one_of("a split", self.split, SPLITS, "split")
        one_of("a choice of strands", self.strands, STRANDS, "strands")
        one_of("a recipe", self.recipe, RECIPES, "recipe")
        if self.folds is not None:
            self._check_folds(self.folds)
        # Folds by chromosome may take all of them.
        by_all = self.folds is not None and self.split == "chromosome"
        if not by_all and (self.split == "chromosome") != bool(self.test_chromosomes):
            missing = "test_chromosomes" if self.split == "chromosome" else "split"
            given = "split=chromosome" if self.split == "chromosome" else "test_chromosomes"
            raise InputError(
                f"{given} is given without {missing}",
                remedy="give both, such as split=chromosome and test_chromosomes=chr1,chr8",
                argument=("split", "test_chromosomes"),
            )
        if not self.models or len(set(self.models)) < len(self.models):
            problem = f"models={','.join(self.models) or 'none'} names none, or one twice"
            raise InputError(problem, remedy="name each model once", argument="models")
        if not self.teachers:
            raise InputError(
                f"models={DISTILLED} has no other model to learn from",
                remedy=f"name the others too, such as cnn,attention,{DISTILLED}",
                argument="models",
            )
        for name in self.hyperparameters:
            one_of("a model that is trained", name, self.models)

    def _check_folds(self, folds: int) -> None:
        """Raise :class:`InputError` where folds cannot be, or what needs one test split is set."""
        _at_least("folds", folds, 2)
        if folds * (self.seeds or 1) > MAX_SEEDS:
            problem = f"folds={folds} with seeds={self.seeds or 1} are more than {MAX_SEEDS} models"
            raise InputError(problem, remedy="give fewer", argument=("folds", "seeds"))
        for name, given in (
            ("sizes", self.sizes),
            ("target", self.target),
            ("distill", DISTILLED in self.models),
            ("valid_chromosomes", self.valid_chromosomes),
            ("test_fraction", self.test_fraction != Settings.test_fraction and self.test_fraction),
        ):
            if given:
                told = ",".join(map(str, given)) if isinstance(given, tuple) else given
                raise InputError(
                    f"{name}={told} needs one test split, and folds={folds} makes several",
                    remedy="leave out one of the two",
                    argument=(name, "folds"),
                )

    @property
    def teachers(self) -> tuple[str, ...]:
        """The models that are trained on the labels: all but the distilled one."""
        return tuple(name for name in self.models if name != DISTILLED)

    @property
    def seed_list(self) -> tuple[int, ...]:
        """The seeds of the replicas, of the first fold; the data decide on a number left open."""
        assert self.seeds is not None, "a run decides the number of seeds before it uses them"
        return tuple(range(self.seed, self.seed + self.seeds))

    def seeds_of(self, model: str) -> tuple[int, ...]:
        """Return the seeds of a model: of the distilled one, the first alone."""
        return self.seed_list[:1] if model == DISTILLED else self.seed_list


def check_seed(seed: int) -> None:
    """Raise :class:`InputError` for a seed that a random generator does not take."""
    if not isinstance(seed, Integral) or not 0 <= seed <= LARGEST_SEED:
        problem = f"seed={seed!r} is not between 0 and {LARGEST_SEED}"
        raise InputError(problem, remedy="use another", argument="seed")


def _at_least(name: str, value: int, least: int) -> None:
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise InputError(f"{name}={value!r} is no whole number", argument=name)
    if value < least:
        problem = f"{name}={value} is less than {least}"
        raise InputError(problem, remedy=f"use {least} or more", argument=name)


def n_cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
