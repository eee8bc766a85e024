"""What a user decides about a run, as plain data."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from motiflens.errors import InputError

DEFAULT_MODELS = ("cnn", "attention")
ARCHITECTURES = ("cnn", "attention", "hybrid", "transformer", "tutorial-cnn", "tutorial-attention")
TUTORIAL_MODELS = ("tutorial-cnn", "tutorial-attention", "cnn", "attention")
SPLITS = ("auto", "random", "homology", "chromosome", "given")
STRANDS = ("auto", "forward", "both")

#: Seeds of the replicas follow on each other, and scikit-learn takes 32 bits.
MOST_SEEDS, LARGEST_SEED = 1000, 2**32 - 1001


@dataclass(frozen=True)
class Settings:
    """Settings of a run.

    Parameters
    ----------
    models
        Architectures to train, their names joined by commas.
    seeds
        Replicas of each model, with seeds ``seed``, ``seed`` + 1, and so on. None stands for 5,
        or for 3 where the training part holds more than a million bases.
    seed
        Decides everything that is random: the split, initial weights, data order.
    test_fraction
        Fraction of the sequences held out for testing, unless the data come with a test part.
    split
        How they are held out: at ``random``, by ``homology`` (no 31-mer shared between the
        splits), or by ``chromosome``. ``auto`` chooses between the first two (see
        :func:`motiflens.stages.splitting.cut`). The validation split is cut by the same rule.
        ``given`` where the data come with all splits.
    test_chromosomes, valid_chromosomes
        For a split by chromosome.
    strands
        ``both`` or ``forward``: where motifs may lie, and whether models and baselines read both
        strands. ``auto`` is ``both`` for windows on a genome, and otherwise the training sequences
        decide (see `motiflens.datasets.strands`); the tutorial's models read one strand in any
        case.
    sizes
        Training sizes of the learning curves, joined by commas, and ``none`` for no curves. None
        stands for 50, 200 and 800, as far as they are below three quarters of the training part,
        and for no curves on more than 2,000 training sequences or on longer ones than 120 bases.
    size_seeds
        Replicas for the learning curves.
    motif
        The true motif, when known, in IUPAC letters: its exact matches in the positives are the
        true sites, unless the data name sites of their own.
    target
        Test accuracy whose first epoch is reported.
    n_explained
        Positives to explain at most, from the test part; fewer where they are so long that this
        takes more than 1,000 sequences of 200 bases do.
    hyperparameters
        Model → what differs from its defaults, and under ``recipe`` what differs in its training,
        such as ``{"cnn": {"kernel_size": 27, "recipe": {"input_noise": 0.2}}}``.
    threads
        Threads to compute with; one for each core by default.
    device
        ``cpu``, ``cuda`` or ``cuda:1``.
    """

    models: tuple[str, ...] = DEFAULT_MODELS
    seeds: int | None = None
    seed: int = 0
    test_fraction: float = 0.2
    split: str = "auto"
    test_chromosomes: tuple[str, ...] = ()
    valid_chromosomes: tuple[str, ...] = ()
    strands: str = "auto"
    sizes: tuple[int, ...] | None = None
    size_seeds: int = 5
    motif: str | None = None
    target: float = 0.95
    n_explained: int = 1000
    hyperparameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    threads: int | None = None
    device: str = "cpu"

    def __post_init__(self) -> None:
        if self.seeds is not None:
            _at_least("--seeds", self.seeds, 1)
            if self.seeds > MOST_SEEDS:
                raise InputError(
                    f"--seeds is at most {MOST_SEEDS}", got=str(self.seeds), remedy="give fewer"
                )
        check_seed("--seed", self.seed)
        _at_least("--size-seeds", self.size_seeds, 1)
        _at_least("--n-explained", self.n_explained, 1)
        for size in self.sizes or ():
            _at_least("--sizes", size, 10)
        if self.threads is not None:
            _at_least("--threads", self.threads, 1)
        for option, value in (
            ("--test-fraction", self.test_fraction),
            ("--target", self.target),
        ):
            if not 0.0 < value < 1.0:
                raise InputError(
                    f"{option} is a fraction between 0 and 1",
                    got=str(value),
                    remedy="give a value such as 0.2",
                )
        _one_of("--split", self.split, SPLITS)
        _one_of("--strands", self.strands, STRANDS)
        if (self.split == "chromosome") != bool(self.test_chromosomes):
            raise InputError(
                "--split chromosome goes with --test-chromosomes",
                got=f"--split {self.split} and chromosomes {','.join(self.test_chromosomes)!r}",
                remedy="give both, such as --split chromosome --test-chromosomes chr1,chr8",
            )
        if not self.models or len(set(self.models)) < len(self.models):
            raise InputError(
                "--models names one or more different models",
                got=",".join(self.models) or "none",
                remedy="name each model once",
            )
        for name in self.hyperparameters:
            if name not in self.models:
                near = difflib.get_close_matches(name, self.models, n=1)
                raise InputError(
                    "hyperparameters are those of a model that is trained: "
                    + ", ".join(self.models),
                    got=f"[{name}]",
                    remedy=f"did you mean [{near[0]}]?"
                    if near
                    else "leave it out, or train that model too",
                )

    @property
    def seed_list(self) -> tuple[int, ...]:
        """The seeds of the replicas; their number is decided, at the latest, by the data."""
        assert self.seeds is not None, "a run decides the number of seeds before it uses them"
        return tuple(range(self.seed, self.seed + self.seeds))


def _one_of(option: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InputError(
            f"{option} is one of {', '.join(choices)}", got=repr(value), remedy="choose one of them"
        )


def check_seed(option: str, seed: int) -> None:
    """Raise :class:`InputError` for a seed that a random generator does not take."""
    if not 0 <= seed <= LARGEST_SEED:
        raise InputError(
            f"{option} is a whole number from 0 to {LARGEST_SEED}",
            got=str(seed),
            remedy="choose another",
        )


def _at_least(option: str, value: int, least: int) -> None:
    if value < least:
        raise InputError(
            f"{option} is a whole number of at least {least}",
            got=str(value),
            remedy=f"give {least} or more",
        )
