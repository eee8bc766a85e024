"""Options that several sub-commands share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Group, Parameter, Token

from motiflens.errors import InputError
from motiflens.io.options import ReadOptions
from motiflens.settings import ARCHITECTURES, DISTILLED, Settings


def comma_separated(_: type, tokens: list[Token] | tuple[Token, ...]) -> tuple[str, ...]:
    """Split ``a,b,c``."""
    return tuple(part.strip() for part in tokens[0].value.split(",") if part.strip())


def whole_numbers(_: type, tokens: list[Token] | tuple[Token, ...]) -> tuple[int, ...]:
    """Split ``50,100``; ``none`` is an empty list."""
    text = tokens[0].value
    if text.strip().lower() == "none":
        return ()
    try:
        return tuple(sorted({int(part) for part in text.split(",")}))
    except ValueError:
        raise InputError(
            f"sizes={text!r} is no list of whole numbers",
            remedy="join them by commas, such as sizes=50,200,800, or say sizes=none",
            argument="sizes",
        ) from None


#: Headings of the help, in the order in which they are shown.
READING = Group("Reading DATA", sort_key=1)
SPLITS = Group("Training and test splits", sort_key=2)
TRAINING = Group("Training and explaining", sort_key=3)

Output = Annotated[Path, Parameter(name=["--output", "-o"])]
RunFolder = Annotated[Path, Parameter(name=["--output", "-o"], help="Run directory to make.")]
Overwrite = Annotated[bool, Parameter(negative=())]
Replace = Annotated[Overwrite, Parameter(help="Replace an earlier run.")]
Json = Annotated[
    bool, Parameter(name="--json", negative=(), help="Print a summary as one JSON object.")
]
Names = Annotated[
    tuple[str, ...],
    Parameter(converter=comma_separated, n_tokens=1, negative=(), show_default=",".join),
]
Switch = Annotated[bool, Parameter(negative=())]
DryRun = Annotated[
    bool,
    Parameter(
        negative=(),
        help="Say what would be done and about how long it takes, from a short measurement, and "
        "write nothing.",
    ),
]
Profile = Annotated[
    bool,
    Parameter(
        negative=(),
        help="Print where the time went, stage by stage, and write it to profile.txt of the run.",
    ),
]
#: Names that are none by default, which the help need not say.
FurtherNames = Annotated[Names, Parameter(show_default=False)]

# What the commands that make a run take alike.
Data = Annotated[
    Path,
    Parameter(
        help="A table, FASTA, sequences one a line, BED or narrowPeak, DeepBind .seq, a "
        "microarray, or a folder .motiflens."
    ),
]
Model = Annotated[str, Parameter(help=f"One of {', '.join(ARCHITECTURES)}.")]
Models = Annotated[Names, Parameter(help=f"Names joined by commas: {', '.join(ARCHITECTURES)}.")]
Sizes = Annotated[
    tuple[int, ...] | None,
    Parameter(
        converter=whole_numbers,
        n_tokens=1,
        negative=(),
        help="Training sizes of learning curves, joined by commas, such as 50,200,800, or none; "
        "none by default, and 50,200,800 with --thorough.",
    ),
]
SizeSeeds = Annotated[int, Parameter(help="Replicas for the learning curves.")]


@Parameter(name="*")
@dataclass(frozen=True)
class How:
    """How a command that makes a run is carried out."""

    overwrite: Replace = False
    dry_run: DryRun = False
    profile: Profile = False
    as_json: Json = False
    scheduler: Annotated[
        str | None,
        Parameter(
            group=TRAINING,
            help="Workers of Dask that train, and of `run` explain, the models: an address, a "
            "scheduler file, or local[N]; --threads decides into how many groups seeds are cut.",
        ),
    ] = None


@Parameter(name="*")
@dataclass(frozen=True)
class Chosen:
    """Which model scores, and where.

    Parameters
    ----------
    model
        One of the run's models; the best on validation data by default.
    device
        cpu, cuda or cuda:1; auto takes a GPU where there is one.
    threads
        Threads to compute with; one for each core by default.
    """

    model: str | None = None
    device: str = "cpu"
    threads: int | None = None


@Parameter(name="*")
@dataclass(frozen=True)
class InTiles:
    """How a long command is carried out: stopped and resumed, in shards, on other workers.

    Parameters
    ----------
    shard
        Do one part of the work, such as 3/40; `motiflens merge OUT` joins the parts.
    scheduler
        Workers of Dask that compute the tiles: an address, a scheduler file, or local[N].
    overwrite
        Replace an existing output, or tiles of other work.
    """

    shard: str | None = None
    scheduler: str | None = None
    overwrite: Overwrite = False
    dry_run: DryRun = False
    as_json: Json = False


#: How DATA is read.
Reads = Annotated[ReadOptions, Parameter(name="*", group=READING)]


@Parameter(name="*", group=SPLITS)
@dataclass(frozen=True)
class SplitOptions:
    """Where the splits of the data come from.

    Parameters
    ----------
    valid
        File of the validation split, of the same kinds as DATA.
    test
        File of the test split, of the same kinds as DATA.
    test_negatives
        Negatives of a test or validation file that holds positives only.
    test_fraction
        Without a test split: the fraction that is held out.
    split
        Without a test split: random, homology (no shared 31-mers) or chromosome; auto is homology
        for windows on a genome and for data with many copies. Validation is cut likewise. Given:
        DATA has to come with a test split.
    test_chromosomes
        For --split chromosome: names joined by commas.
    valid_chromosomes
        For --split chromosome: names joined by commas.
    folds
        Cross-validate: divide all sequences but a given test split into so many folds, by --split
        (chromosome needs no names then), and hold each out once, of every seed of every model.
    """

    valid: Path | None = None
    test: Path | None = None
    test_negatives: str | None = None
    test_fraction: float = Settings.test_fraction
    split: str = Settings.split
    test_chromosomes: FurtherNames = ()
    valid_chromosomes: FurtherNames = ()
    folds: int | None = None

    def files(self) -> dict[str, Path | None]:
        """Return the files of the splits that have one."""
        return {"valid": self.valid, "test": self.test}

    def require_one_file(self, option: str) -> None:
        """Raise :class:`InputError` if a split has a file of its own."""
        for name in ("valid", "test", "test_negatives"):
            if getattr(self, name) is not None:
                raise InputError(
                    f"{name}={getattr(self, name)} is beside {option}, which cuts all "
                    "splits out of DATA for each negative set",
                    remedy="leave it out",
                    argument=(name, option),
                )


@Parameter(name="*", group=TRAINING)
@dataclass(frozen=True)
class TrainOptions:
    """How models are trained and explained.

    Parameters
    ----------
    seeds
        Replicas of each model; 3 by default, or 5 where the true motif is known and the training
        split holds up to a million bases; with --recipe accurate 10, or 5 on more bases than that.
    seed
        Decides everything random: split, negatives, initial weights, data order.
    motif
        The true motif, when known, in IUPAC letters.
    strands
        auto, forward or both: where motifs may lie, and whether models read both strands. Auto is
        both for windows on a genome; else the training sequences decide.
    target
        Test accuracy whose first epoch is reported; every epoch then scores the test split. 0.95
        where the true motif is known; else the test split is scored once, at the end.
    prevalence
        Fraction of positives of the test split where you know it, such as 0.5: calls that use it
        are scored apart, beside those of a threshold chosen on validation data.
    recipe
        default, or accurate: more seeds, and a score of 7-mers beside each model, which mostly
        scores better, at up to three times the training time.
    hyperparameters
        TOML file of what differs from the defaults: a table a model, such as [cnn] with
        kernel_size = 27, and [cnn.recipe] for its training.
    n_explained
        Positives of the test split to explain at most, 200 by default; fewer where they are long,
        within the time of 1,000 sequences of 200 bases.
    distill
        Train one small network more, called distilled, on what all seeds of all models say
        together; it is scored, explained and used like any model.
    thorough
        Do what the first report does without: learning curves, the test accuracy of every epoch,
        5 seeds of each model, 1,000 positives explained by every method, the motif routes of
        every seed. The start of a run says what it costs.
    threads
        Threads to compute with; one for each core by default.
    device
        To train on: cpu, cuda or cuda:1; auto takes a GPU where there is one, and says so.
    """

    seeds: int | None = None
    seed: int = Settings.seed
    motif: str | None = None
    strands: str = Settings.strands
    target: float | None = None
    prevalence: float | None = None
    recipe: str = Settings.recipe
    hyperparameters: Path | None = None
    n_explained: int | None = None
    distill: Switch = False
    thorough: Switch = False
    threads: int | None = None
    device: str = Settings.device


def settings_of(
    models: tuple[str, ...],
    training: TrainOptions,
    splits: SplitOptions,
    sizes: tuple[int, ...] | None = (),
    size_seeds: int = Settings.size_seeds,
) -> Settings:
    """Return the settings of a run."""
    given = vars(training) | {"hyperparameters": changes_in(training.hyperparameters)}
    if given.pop("distill"):
        models = (*models, DISTILLED)
    return Settings(
        models=models,
        sizes=sizes,
        size_seeds=size_seeds,
        **split_settings(splits),
        **given,
    )


def changes_in(hyperparameters: Path | None) -> dict[str, dict[str, Any]]:
    """Read what differs from the defaults; nothing without a file."""
    if hyperparameters is None:
        return {}
    from motiflens.stages.hyperparameters import read_hyperparameters

    return read_hyperparameters(hyperparameters)


def split_settings(splits: SplitOptions) -> dict[str, Any]:
    """Return what settings have of the splits."""
    names = ("test_fraction", "split", "test_chromosomes", "valid_chromosomes", "folds")
    return {name: getattr(splits, name) for name in names}


def check_new_file(path: Path, *, overwrite: bool) -> None:
    """Raise :class:`InputError` if a file exists and may not be replaced."""
    if path.exists() and not overwrite:
        raise InputError(
            f"{path} already exists",
            remedy="use another name, or overwrite=True",
            argument="overwrite",
        )
